"""The trash gives up what has been there long enough, and only that; whatever is restored has lost nothing."""

from __future__ import annotations

import pytest
from tests.unit.work.conftest import DAY, Place, no_courier

from partway.catalog.clock import now
from partway.catalog.paging import Order
from partway.catalog.videos import VideoFilter
from partway.errors import JobPostponed, NotFound
from partway.jobs.base import JobContext
from partway.services.examination import Examination
from partway.services.sweeping import Sweeping
from partway.services.videos import Videos
from partway.services.work import job_for
from partway.testing.forms import SentFile, SentForm
from partway.testing.images import png

pytestmark = pytest.mark.anyio


def bins(place: Place, days: float) -> Videos:
    return Videos(place.database, place.blobs, trash_days=days)


def sweeping(place: Place) -> Sweeping:
    return Sweeping(place.database, place.blobs, request_deadline=1, expire_after=7 * DAY)


async def paint(found: Examination, at_seconds: float | None) -> bytes:
    return b"jpeg"


async def test_what_has_been_there_long_enough_is_deleted(place: Place) -> None:
    old, young, living = [await place.complete(b"x" * 100, f"source-{n}") for n in range(3)]
    await place.house.pictures.put_poster(old, SentForm(SentFile(png(4, 3), "x.png")))
    await bins(place, 1e-9).delete(old)
    await bins(place, 1).delete(young)
    assert await place.house.videos.bury() == 0
    assert len(place.files()) == 4
    assert await sweeping(place).empty_trash() == [old]
    assert await sweeping(place).empty_trash() == []
    for discarded in (False, True):
        with pytest.raises(NotFound):
            await place.house.videos.get(old, discarded=discarded)
    assert await place.house.videos.bury() == 1
    assert set(place.files()) == {"source-1", "source-2"}
    await place.house.videos.get(young, discarded=True)
    await place.house.videos.get(living)


async def test_neither_sweep_nor_expiry_touch_it(place: Place) -> None:
    complete, empty = await place.complete(b"x" * 100, "source"), await place.empty()
    place.age_blob("source", 1000 * DAY)
    for video_id in (complete, empty):
        await place.age(video_id, 1000)
        await bins(place, 90).delete(video_id)
    assert await sweeping(place).sweep_orphans() == 0
    assert await sweeping(place).expire_uploads() == []
    assert set(place.files()) == {"source"}
    # What comes back unfinished has its days before it again.
    assert (await place.house.videos.restore(empty)).discarded_at is None
    assert await sweeping(place).expire_uploads() == []
    assert (await place.house.videos.restore(complete)).video_id == complete


async def test_whoever_restores_in_time_wins(place: Place) -> None:
    video_id = await place.complete(b"x" * 100, "source")
    await bins(place, 1e-9).delete(video_id)
    await place.house.videos.restore(video_id)
    assert await sweeping(place).empty_trash() == []
    await sweeping(place).empty_trash()
    await place.house.videos.get(video_id)
    # And thrown away anew, its time is counted anew.
    await bins(place, 90).delete(video_id)
    assert await sweeping(place).empty_trash() == []
    found = await place.house.videos.find(VideoFilter(), Order(), page=1, page_size=10, discarded=True)
    assert [video.video_id for video in found.items] == [video_id]
    assert (found.items[0].deletes_at or 0) > now()


async def test_work_on_it_waits_for_it(place: Place) -> None:
    """Ended, it would not be begun again under its id when the video comes back."""
    video_id = await place.complete(b"x" * 100, "source")
    await bins(place, 90).delete(video_id)

    async def probe(found: Examination) -> object:
        raise AssertionError("it is in the trash")

    handlers = place.house.work.handlers(paint, probe, no_courier)  # type: ignore[arg-type]
    for name in ("poster", "probe"):
        with pytest.raises(JobPostponed, match="trash"):
            await handlers[name].call(JobContext(job_for(name, video_id)))
    await place.house.videos.restore(video_id)
    await handlers["poster"].call(JobContext(job_for("poster", video_id)))
    assert (await place.house.pictures.poster(video_id)).length == 4


async def test_the_job_empties_it(place: Place) -> None:
    video_id = await place.empty()
    await bins(place, 1e-9).delete(video_id)
    handlers = place.house.work.handlers(paint, paint, no_courier)  # type: ignore[arg-type]
    await handlers["empty-trash"].call(JobContext(job_for("empty-trash", "")))
    assert await place.house.videos.bury() == 1
    assert await place.rows("videos") == []
