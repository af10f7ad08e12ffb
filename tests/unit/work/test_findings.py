"""Posters and probes are published once, whoever is at it how often."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.unit.work.conftest import Place, no_courier

from partway.errors import (
    BlobMissing,
    FileInvalid,
    JobPostponed,
    MediaUnsupported,
    NotFound,
    NotReady,
    ProgramMissing,
)
from partway.jobs.base import JobContext
from partway.jobs.memory import MemoryJobs
from partway.media.facts import Facts
from partway.services.examination import Examination
from partway.services.probing import Probing
from partway.services.viewing import Viewer
from partway.services.work import job_for
from partway.testing.forms import SentFile, SentForm
from partway.testing.images import png
from partway.testing.media import sample

pytestmark = pytest.mark.anyio

Painter = Callable[[Examination, float | None], Awaitable[bytes]]


def painter(image: bytes = b"jpeg", meanwhile: Awaitable[None] | None = None) -> Painter:
    async def paint(found: Examination, at_seconds: float | None) -> bytes:
        if meanwhile is not None:
            await meanwhile
        return image

    return paint


def picture_form(content: bytes) -> SentForm:
    return SentForm(SentFile(content, "x.png"))


async def unable(found: Examination, at_seconds: float | None) -> bytes:
    raise MediaUnsupported("No picture can be made of this.")


async def missing(found: Examination, at_seconds: float | None) -> bytes:
    raise ProgramMissing("ffmpeg is not installed on this server.")


async def read(place: Place, video_id: str) -> bytes:
    picture = await place.house.pictures.poster(video_id)
    body = b"".join([buffer async for buffer in picture.buffers])
    assert len(body) == picture.length
    return body


async def test_a_poster_is_made_once(place: Place) -> None:
    video_id = await place.complete(b"x" * 100, "source")
    with pytest.raises(NotReady):
        await place.house.pictures.poster(video_id)
    await place.house.pictures.make_poster(video_id, painter(b"first"))
    await place.house.pictures.make_poster(video_id, painter(b"second"))
    assert await read(place, video_id) == b"first"
    assert len(place.files()) == 2


async def test_two_at_once_publish_one_and_leave_no_other_blob(place: Place) -> None:
    video_id = await place.complete(b"x" * 100, "source")
    barrier = asyncio.Barrier(2)

    async def together() -> None:
        await barrier.wait()

    await asyncio.gather(
        place.house.pictures.make_poster(video_id, painter(b"one", together())),
        place.house.pictures.make_poster(video_id, painter(b"two", together())),
    )
    assert await read(place, video_id) in (b"one", b"two")
    assert len(await place.rows("pictures")) == 1
    assert len(place.files()) == 2


async def test_a_video_deleted_meanwhile_gets_none(place: Place) -> None:
    video_id = await place.complete(b"x" * 100, "source")
    await place.house.pictures.make_poster(video_id, painter(b"late", place.house.videos.delete(video_id)))
    assert await place.rows("pictures") == []
    await place.house.videos.bury()
    assert place.files() == {}


async def test_a_job_whose_video_is_deleted_under_its_hands_has_nothing_more_to_do(place: Place) -> None:
    video_id = await place.complete(b"x" * 100, "source")

    async def read_late(found: Examination, at_seconds: float | None) -> bytes:
        await place.house.videos.delete(video_id)
        await place.house.videos.bury()
        return await found.source.read(0, 100)

    async def probe_late(found: Examination) -> Facts:
        await found.source.read(0, 100)
        return Facts("webm")

    handlers = place.house.work.handlers(read_late, probe_late, no_courier)
    await handlers["poster"].call(JobContext(job_for("poster", video_id)))
    await handlers["probe"].call(JobContext(job_for("probe", video_id)))
    assert await place.rows("pictures") == []


async def test_a_blob_that_is_lost_is_told_in_words(place: Place) -> None:
    video_id = await place.complete(b"x" * 100, "source")
    await place.blobs.delete("source")
    handlers = place.house.work.handlers(painter(), painter(), no_courier)  # type: ignore[arg-type]
    with pytest.raises(BlobMissing, match=r"^There is no blob source\.$"):
        await handlers["poster"].call(JobContext(job_for("poster", video_id)))


async def test_deleting_a_video_removes_its_poster(place: Place) -> None:
    video_id = await place.complete(b"x" * 100, "source")
    await place.house.pictures.make_poster(video_id, painter())
    await place.house.videos.delete(video_id)
    await place.house.videos.bury()
    assert place.files() == {}
    assert await place.rows("pictures") == []


async def test_where_none_can_be_made_the_reason_is_kept(place: Place) -> None:
    video_id = await place.complete(b"x" * 100, "source")
    await place.house.pictures.make_poster(video_id, unable)
    with pytest.raises(NotFound):
        await place.house.pictures.poster(video_id)
    assert "No picture can be made of this." in (await place.rows("pictures"))[0]


async def test_an_uploaded_picture_replaces_and_removes_what_was_there(place: Place) -> None:
    video_id = await place.complete(b"x" * 100, "source")
    await place.house.pictures.make_poster(video_id, painter(b"made"))
    await place.house.pictures.put_poster(video_id, picture_form(png(4, 3, (1, 1, 1))))
    await place.house.pictures.put_poster(video_id, picture_form(png(4, 3, (2, 2, 2))))
    await place.house.pictures.make_poster(video_id, painter(b"late"))
    assert await read(place, video_id) == png(4, 3, (2, 2, 2))
    assert len(place.files()) == 2
    with pytest.raises(FileInvalid):
        await place.house.pictures.put_poster(video_id, picture_form(b"no picture"))
    with pytest.raises(NotFound):
        await place.house.pictures.put_poster("viNone", picture_form(png(4, 3)))
    assert await read(place, video_id) == png(4, 3, (2, 2, 2))
    assert len(place.files()) == 2


async def test_a_late_job_overwrites_no_newer_choice(place: Place) -> None:
    """Whether it was the best moment that it was at, or a picked one."""
    for late in (None, "1"):
        video_id = await place.complete(b"x" * 100, f"source {late}")
        if late is not None:
            await place.house.pictures.pick_poster(video_id, late)
        meanwhile = place.house.pictures.pick_poster(video_id, "2")
        await place.house.pictures.make_poster(video_id, painter(b"late", meanwhile))
        with pytest.raises(NotReady):
            await place.house.pictures.poster(video_id)
        moments = []

        async def paint(found: Examination, at_seconds: float | None, moments: list[float | None] = moments) -> bytes:
            moments.append(at_seconds)
            return b"picked"

        await place.house.pictures.make_poster(video_id, paint)
        assert (await read(place, video_id), moments) == (b"picked", [2.0])
    assert len(place.files()) == 4


async def test_every_pick_is_a_job_of_its_own(place: Place) -> None:
    jobs = MemoryJobs()
    video_id = await place.complete(b"x" * 100, "source")
    await place.house.work.reconcile(jobs)
    await place.house.pictures.make_poster(video_id, painter())
    for timecode in ("1", "2"):
        await place.house.pictures.pick_poster(video_id, timecode)
        assert await place.house.work.reconcile(jobs) == 1
        await place.house.pictures.make_poster(video_id, painter())
        assert await place.house.work.reconcile(jobs) == 0
    assert {job.job.id for job in await jobs.list(handler="poster")} == {
        f"poster:{video_id}{version}" for version in ("", ":1", ":2")
    }


async def test_a_pick_that_fails_leaves_what_was_there(place: Place) -> None:
    video_id = await place.complete(b"x" * 100, "source")
    await place.house.pictures.put_poster(video_id, picture_form(png(4, 3)))
    await place.house.pictures.pick_poster(video_id, "1")
    await place.house.pictures.make_poster(video_id, unable)
    assert await read(place, video_id) == png(4, 3)
    await place.house.pictures.make_poster(video_id, painter())
    assert await read(place, video_id) == png(4, 3)


async def test_a_probe_gives_status_what_the_index_could_not(place: Place, media_dir: Path) -> None:
    video_id = await place.complete(sample(media_dir, "webm").read_bytes(), "source")
    probing = Probing(place.database, place.house.examinations)
    assert (await place.house.playback.status(video_id)).facts is None

    async def prober(found: Examination) -> Facts:
        return Facts("webm", width=640, height=360, duration_seconds=3.0, video_codec="vp9")

    await probing.probe(video_id, prober)
    status = await place.house.playback.status(video_id)
    assert status.facts is not None
    assert (status.facts.width, status.facts.video_codec) == (640, "vp9")
    assert [quality.status for quality in status.qualities] == ["waiting", "waiting"]
    assert status.state == "complete"
    assert status.reason is not None


async def test_what_nobody_understands_has_failed(place: Place) -> None:
    video_id = await place.complete(b"x" * 100, "source")

    async def prober(found: Examination) -> Facts:
        raise MediaUnsupported("Nobody knows this kind of file.")

    await Probing(place.database, place.house.examinations).probe(video_id, prober)
    status = await place.house.playback.status(video_id)
    assert (status.state, status.reason) == ("failed", "Nobody knows this kind of file.")


async def test_a_player_waits_for_what_may_come_and_not_for_what_never_will(place: Place, media_dir: Path) -> None:
    """An SDK asks again as long as it is told to wait (contract.md 0, fact 19)."""
    video_id = await place.complete(sample(media_dir, "webm").read_bytes(), "source")
    video = await place.house.videos.get(video_id)
    with pytest.raises(NotReady):
        await place.house.playback.master_playlist(Viewer(video))
    with pytest.raises(NotReady):
        await place.house.playback.source(video)

    async def prober(found: Examination) -> Facts:
        raise MediaUnsupported("Nobody knows this kind of file.")

    await Probing(place.database, place.house.examinations).probe(video_id, prober)
    with pytest.raises(NotFound):
        await place.house.playback.master_playlist(Viewer(video))
    with pytest.raises(NotFound):
        await place.house.playback.source(video)


async def test_without_ffmpeg_the_job_waits_for_it(place: Place) -> None:
    video_id = await place.complete(b"x" * 100, "source")

    async def no_prober(found: Examination) -> Facts:
        raise ProgramMissing("ffprobe is not installed on this server.")

    handlers = place.house.work.handlers(missing, no_prober, no_courier)
    for name in ("poster", "probe"):
        with pytest.raises(JobPostponed, match="not installed"):
            await handlers[name].call(JobContext(job_for(name, video_id)))
    assert await place.rows("pictures") == []


async def test_the_reconciler_enqueues_what_is_due_and_nothing_twice(place: Place) -> None:
    jobs = MemoryJobs()
    first = await place.complete(b"x" * 100, "source-1")
    await place.empty()
    assert await place.house.work.reconcile(jobs) == 3
    assert await place.house.work.reconcile(jobs) == 0
    await place.house.pictures.make_poster(first, painter())
    second = await place.complete(b"x" * 100, "source-2")
    assert await place.house.work.reconcile(jobs) == 3
    assert {status.job.id for status in await jobs.list()} == {
        f"{kind}:{video_id}" for kind in ("live", "poster", "probe") for video_id in (first, second)
    }
