"""What copies share is removed with the last of them, and not before."""

from __future__ import annotations

import pytest
from tests.unit.work.conftest import Place

from partway.catalog.videos import Video
from partway.errors import BlobError

pytestmark = pytest.mark.anyio

NEW = Video("", "a copy", created_at=0, updated_at=0)


async def copy(place: Place, source: str) -> str:
    return (await place.house.videos.create(NEW, asked_by="test", source=source)).video_id


async def delete(place: Place, video_id: str) -> None:
    await place.house.videos.delete(video_id)


async def read(place: Place, video_id: str) -> bytes:
    found = await place.house.examinations.of(video_id)
    return await found.source.read(0, 1000)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
async def test_the_last_one_takes_the_blob_along(place: Place, order: tuple[int, ...]) -> None:
    first = await place.complete(b"x" * 100, "source")
    second = await copy(place, first)
    family = [first, second, await copy(place, second)]
    assert set(place.files()) == {"source"}
    for at, number in enumerate(order):
        await delete(place, family[number])
        assert await place.house.videos.bury() == 1
        for left in order[at + 1 :]:
            assert await read(place, family[left]) == b"x" * 100
    assert place.files() == {}
    assert await place.rows("parts") == []


async def test_all_at_once(place: Place) -> None:
    first = await place.complete(b"x" * 100, "source")
    for video_id in (first, await copy(place, first), await copy(place, first)):
        await delete(place, video_id)
    assert await place.house.videos.bury() == 3
    assert place.files() == {}


async def test_a_burial_that_broke_off_goes_on(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the shared rows have gone: what is left to it is its own alone."""
    first = await place.complete(b"x" * 100, "source")
    second = await copy(place, first)
    await delete(place, first)

    async def broken(key: str) -> None:
        raise BlobError("The disk is gone.")

    with monkeypatch.context() as patch:
        patch.setattr(place.blobs, "delete", broken)
        assert await place.house.videos.bury() == 1
        await delete(place, second)
        with pytest.raises(BlobError):
            await place.house.videos.bury()
    assert set(place.files()) == {"source"}
    assert await place.house.videos.bury() == 1
    assert place.files() == {}
