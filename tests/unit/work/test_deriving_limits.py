"""When a derived stream is given up for now, for good, or begun anew while its upload is still arriving."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.unit.work.conftest import Place

from partway.catalog import live, uploads
from partway.catalog.live import Course, Derivation
from partway.errors import JobPostponed
from partway.jobs.base import Job, JobContext
from partway.ledger import Content, Limits, Neighbours, PartNumber, accept
from partway.media.deriving import Plan
from partway.services.deriving import Deriving
from partway.testing.media import sample

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

PIECE = b"\x1a\x45\xdf\xa3" + bytes((8 << 20) - 4)


@dataclass
class Maker:
    """Gives away the next of its streams and reads all it is fed."""

    streams: list[bytes] = field(default_factory=list)
    seconds_a_buffer: float = 0.0
    seconds_after: float = 0.0
    attempts: int = 0

    async def plan(self, buffers: AsyncIterator[bytes], container: str) -> Plan:
        return Plan(False, False, 2, 48000, 640, 360)

    async def make(
        self, feed: AsyncIterator[bytes], container: str, plan: Plan, on_seconds: Callable[[float], None]
    ) -> AsyncGenerator[bytes, None]:
        self.attempts += 1
        if self.streams:
            yield self.streams.pop(0)
        async for _ in feed:
            await asyncio.sleep(self.seconds_a_buffer)
        await asyncio.sleep(self.seconds_after)


async def part(place: Place, video_id: str, number: int, *, total: int | None = None) -> None:
    """Let one more part of a source arrive."""

    async def buffers() -> AsyncIterator[bytes]:
        yield PIECE

    key = f"{video_id}-{number}"
    stored = await place.blobs.put(key, buffers())
    piece, address = Content(stored.length, stored.digest), PartNumber(number, total)
    async with place.database.write() as tx:
        upload = await uploads.lock(tx, video_id)
        decision = accept(upload.summary, Neighbours(), address, piece, Limits())
        await uploads.add_part(tx, video_id, address, piece, blob_key=key, crc32c=stored.crc32c, at=1)
        await uploads.save(tx, upload, decision.summary, at=1)


async def derive(place: Place, video_id: str, maker: Maker) -> None:
    deriving = Deriving(place.database, place.blobs, place.house.examinations, pause_seconds=0.5)
    await deriving.derive(video_id, maker, JobContext(Job("live:x", "live")))


async def state_of(place: Place, video_id: str) -> Derivation:
    async with place.database.read() as tx:
        derivation = await live.get(tx, video_id)
    assert derivation is not None
    return derivation


async def test_an_upload_that_pauses_is_waited_for_without_a_program(place: Place) -> None:
    video_id = await place.empty()
    await part(place, video_id, 1)
    maker = Maker()
    with pytest.raises(JobPostponed, match="stopped for a while"):
        await derive(place, video_id, maker)
    paused = await state_of(place, video_id)
    assert (paused.state, paused.fed_bytes) == (Course.MAKING, len(PIECE))
    with pytest.raises(JobPostponed, match="still arriving"):
        await derive(place, video_id, maker)
    assert maker.attempts == 1, "nothing is begun while nothing has come"
    await part(place, video_id, 2)
    with pytest.raises(JobPostponed, match="stopped for a while"):
        await derive(place, video_id, maker)
    assert (await state_of(place, video_id)).fed_bytes == 2 * len(PIECE)


async def test_what_falls_behind_its_upload_waits_for_the_end(monkeypatch: pytest.MonkeyPatch, place: Place) -> None:
    monkeypatch.setattr("partway.services.feed._BEHIND_SECONDS", 0.2)
    video_id = await place.empty()
    await part(place, video_id, 1)
    await part(place, video_id, 2)
    slow = Maker(seconds_a_buffer=0.05)
    await derive(place, video_id, slow)
    later = await state_of(place, video_id)
    assert later.state is Course.LATER
    assert later.reason == "Making it playable takes longer than its upload: playable when complete."
    with pytest.raises(JobPostponed):
        await derive(place, video_id, slow)
    assert slow.attempts == 1, "it is not tried again before the end"
    status = await place.house.playback.status(video_id)
    assert status.reason is not None
    assert status.reason.endswith("playable when complete.")
    await part(place, video_id, 3, total=3)
    await derive(place, video_id, slow)
    assert slow.attempts == 2, "once complete it may take its time"
    assert (await state_of(place, video_id)).state is Course.FAILED, "this maker makes nothing that plays"


async def test_a_program_that_stands_still_is_stopped(monkeypatch: pytest.MonkeyPatch, place: Place) -> None:
    monkeypatch.setattr("partway.services.deriving._STALL_SECONDS", 0.3)
    video_id = await place.complete(PIECE, "source")
    await derive(place, video_id, Maker(seconds_after=60))
    stopped = await state_of(place, video_id)
    assert stopped.state is Course.FAILED
    assert stopped.reason == "Making this file playable stands still at one place of it."


async def test_a_stream_that_differs_is_begun_anew_only_when_complete(place: Place, media_dir: Path) -> None:
    """What was published under one attempt's number is never rewritten."""
    stream = sample(media_dir, "fragmented").read_bytes()
    at = stream.index(b"mdat") + 100
    other = stream[:at] + bytes([stream[at] ^ 1]) + stream[at + 1 :]
    video_id = await place.empty()
    await part(place, video_id, 1)
    with pytest.raises(JobPostponed, match="stopped for a while"):
        await derive(place, video_id, Maker([stream]))
    async with place.database.read() as tx:
        before = await live.stretches(tx, video_id, 1)
    assert before
    await part(place, video_id, 2)
    await derive(place, video_id, Maker([other]))
    assert (await state_of(place, video_id)).state is Course.LATER
    await part(place, video_id, 3, total=3)
    maker = Maker([other])
    await derive(place, video_id, maker)
    ended = await state_of(place, video_id)
    assert (ended.state, ended.attempt, maker.attempts) == (Course.ENDED, 2, 1)
    async with place.database.read() as tx:
        assert await live.stretches(tx, video_id, 1) == before
        assert (await live.stretches(tx, video_id, 2))[-1].end == len(other)
