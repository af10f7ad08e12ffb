"""The sweep removes what means nothing and is old, and nothing else; expiry what was given up."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.unit.work.conftest import Place

from partway.errors import NotFound
from partway.services.sweeping import Sweeping

pytestmark = pytest.mark.anyio

HOUR = 3600.0
OLD = 4 * 6 * HOUR + 60


def sweeping(place: Place) -> Sweeping:
    return Sweeping(place.database, place.blobs, request_deadline=6 * HOUR, expire_after=7 * 24 * HOUR)


async def put(place: Place, key: str) -> None:
    async def buffers() -> AsyncIterator[bytes]:
        yield b"x"

    await place.blobs.put(key, buffers())


async def test_an_old_blob_without_a_row_goes_and_a_young_one_stays(place: Place) -> None:
    await put(place, "old")
    await put(place, "young")
    place.age_blob("old", OLD)
    place.age_blob("young", OLD - 120)
    assert await sweeping(place).sweep_orphans() == 1
    assert set(place.files()) == {"young"}


async def test_a_leftover_of_a_broken_put_goes(place: Place) -> None:
    await put(place, "torn")
    path = place.files()["torn"]
    path.rename(path.with_name("torn.part"))
    place.age_blob("torn.part", OLD)
    assert await sweeping(place).sweep_orphans() == 1
    assert place.files() == {}


async def test_whatever_has_a_row_stays_however_old(place: Place) -> None:
    video_id = await place.complete(b"x" * 100, "source")

    async def paint(found: object, at_seconds: float | None) -> bytes:
        return b"jpeg"

    await place.house.pictures.make_poster(video_id, paint)
    keys = set(place.files())
    for key in keys:
        place.age_blob(key, 1000 * OLD)
    assert await sweeping(place).sweep_orphans() == 0
    assert set(place.files()) == keys


@pytest.mark.slow
async def test_more_orphans_than_one_batch(place: Place) -> None:
    for number in range(501):
        key = f"orphan-{number}"
        await put(place, key)
        place.age_blob(key, OLD)
    assert await sweeping(place).sweep_orphans() == 501
    assert place.files() == {}


async def test_what_was_given_up_expires(place: Place) -> None:
    old_empty, young_empty = await place.empty(), await place.empty()
    complete = await place.complete(b"x" * 100, "source")
    await place.age(old_empty, 7.1)
    await place.age(young_empty, 6.9)
    await place.age(complete, 1000)
    assert await sweeping(place).expire_uploads() == [old_empty]
    with pytest.raises(NotFound):
        await place.house.videos.get(old_empty)
    await place.house.videos.get(young_empty)
    await place.house.videos.get(complete)
    assert await sweeping(place).expire_uploads() == []
