"""Derived streams are published once, passed over when they are made again, and begun anew where they differ."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest
from tests.unit.work.conftest import Place

from partway.catalog import findings, live
from partway.catalog.live import Course, Derivation, Stretch
from partway.errors import LeaseLost, MediaMalformed
from partway.jobs.base import Job, JobContext
from partway.media.boxes import box
from partway.media.deriving import Plan
from partway.services.deriving import Deriving
from partway.services.publishing import Publisher, StreamDiffers

pytestmark = pytest.mark.anyio

MATROSKA = b"\x1a\x45\xdf\xa3" + bytes(5000)
FRAGMENT = box(b"moof", bytes(40)) + box(b"mdat", bytes(range(256)) * 40)


@dataclass
class Maker:
    """Makes what it is told to, of whatever it gets."""

    streams: list[bytes]
    copies: bool = False
    plans: list[Plan] = field(default_factory=list)
    failure: Exception | None = None

    async def plan(self, buffers: AsyncIterator[bytes], container: str) -> Plan:
        assert container == "matroska"
        assert b"".join([buffer async for buffer in buffers]) == MATROSKA
        return Plan(self.copies, self.copies, 2, 48000, 640, 360)

    async def make(
        self, feed: AsyncIterator[bytes], container: str, plan: Plan, on_seconds: Callable[[float], None]
    ) -> AsyncGenerator[bytes, None]:
        assert b"".join([buffer async for buffer in feed]) == MATROSKA
        self.plans.append(plan)
        yield self.streams.pop(0)
        if self.failure is not None:
            raise self.failure


async def derive(place: Place, video_id: str, maker: Maker) -> Derivation:
    deriving = Deriving(place.database, place.blobs, place.house.examinations)
    await deriving.derive(video_id, maker, JobContext(Job("live:x", "live")))
    async with place.database.read() as tx:
        derivation = await live.get(tx, video_id)
    assert derivation is not None
    return derivation


async def published(place: Place, video_id: str, attempt: int = 1) -> list[Stretch]:
    async with place.database.read() as tx:
        return await live.stretches(tx, video_id, attempt)


async def begun(place: Place) -> str:
    video_id = await place.complete(MATROSKA, "source")
    async with place.database.write() as tx:
        await live.save(tx, video_id, Derivation(1, Course.MAKING, None, "{}"), at=1)
    return video_id


def publisher(place: Place, video_id: str, known: list[Stretch]) -> Publisher:
    return Publisher(place.database, place.blobs, video_id, 1, known)


async def test_what_is_made_again_is_passed_over(place: Place) -> None:
    video_id = await begun(place)
    first = publisher(place, video_id, [])
    assert await first.take(FRAGMENT + FRAGMENT[:100])
    before = await published(place, video_id)
    assert [(one.position, one.length) for one in before] == [(0, len(FRAGMENT))]
    again = publisher(place, video_id, before)
    for byte in range(0, len(FRAGMENT), 1000):
        assert not await again.take(FRAGMENT[byte : byte + 1000])
    await again.take(FRAGMENT)
    await again.finish()
    after = await published(place, video_id)
    assert after[:1] == before
    assert after[-1].end == 2 * len(FRAGMENT)
    assert len(place.files()) == 1 + len(after)


async def test_what_comes_out_differently_is_not_published(place: Place) -> None:
    video_id = await begun(place)
    await publisher(place, video_id, []).take(FRAGMENT)
    before = await published(place, video_id)
    with pytest.raises(StreamDiffers):
        await publisher(place, video_id, before).take(FRAGMENT[:-1] + b"x")
    shorter = publisher(place, video_id, before)
    await shorter.take(FRAGMENT[:-1])
    with pytest.raises(StreamDiffers):
        await shorter.finish()
    assert await published(place, video_id) == before


async def test_two_at_once_publish_one_stream_and_leave_no_other_blob(place: Place) -> None:
    video_id = await begun(place)
    mine, other = publisher(place, video_id, []), publisher(place, video_id, [])
    await mine.take(FRAGMENT)
    with pytest.raises(LeaseLost):
        await other.take(FRAGMENT)
    assert len(place.files()) == 1 + len(await published(place, video_id))


async def test_a_copy_that_fails_is_made_again_by_encoding(place: Place) -> None:
    video_id = await place.complete(MATROSKA, "source")
    maker = Maker([FRAGMENT[:10], FRAGMENT[:10]], copies=True, failure=MediaMalformed("It is damaged."))
    derivation = await derive(place, video_id, maker)
    assert [plan.copies_video for plan in maker.plans] == [True, False]
    assert (derivation.attempt, derivation.state, derivation.reason) == (2, Course.FAILED, "It is damaged.")


async def test_a_stream_without_a_picture_fails(place: Place) -> None:
    video_id = await place.complete(MATROSKA, "source")
    derivation = await derive(place, video_id, Maker([b""]))
    assert derivation.state is Course.FAILED
    assert derivation.reason is not None


async def test_its_blobs_are_known_to_the_sweep_and_to_the_burial(place: Place) -> None:
    video_id = await begun(place)
    await publisher(place, video_id, []).take(FRAGMENT)
    keys = [one.blob_key for one in await published(place, video_id)]
    async with place.database.read() as tx:
        assert await findings.blob_keys(tx, video_id) == keys
        assert await findings.known_blobs(tx, [*keys, "unknown"]) == set(keys)
