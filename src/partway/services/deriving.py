"""Deriving: one live ffmpeg per upload that browsers can't play as it is, from its first bytes to its last.

A try that was cut off, by a crash or because its upload paused, is made again from the source's first byte: the bytes
come out the same, so what was published stays and is passed over. Where they don't, or where a copy turns out not to
play, a fresh stream is begun under the next attempt's number.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

from partway.blobs.base import BlobStore
from partway.catalog import live, uploads
from partway.catalog.clock import now
from partway.catalog.database import Database
from partway.catalog.live import Course, Derivation
from partway.errors import (
    JobPostponed,
    MediaError,
    MediaMalformed,
    MediaTooLarge,
    MediaUnsupported,
    NotFound,
    ProgramFailed,
    ProgramMissing,
)
from partway.jobs.base import JobContext
from partway.media.commands import READABLE
from partway.media.container import locate_moov
from partway.media.deriving import Plan, read_plan, write_plan
from partway.media.forward import Forward, bring_forward
from partway.media.reading import Reading, Wanted
from partway.services.derived import stream_of
from partway.services.examination import Examination, Examinations
from partway.services.feed import Feed, FeedBehind, FeedPaused
from partway.services.growth import Growth
from partway.services.publishing import Publisher, StreamDiffers
from partway.services.source import SourceView

T = TypeVar("T")

_HEAD_BYTES = 8 << 20
"""Of a source, at most, that a plan is made from."""
_LEAST_OUTPUT_BYTES = 64 << 20
_OUTPUT_PER_INPUT = 4
_PAUSE_SECONDS = 60.0
_STALL_SECONDS = 120.0
_QUIET_SECONDS = 1.0
_LATEST_LOOK = 15.0
_PROGRAM_TRIES = 4
_FRONT_BYTES = 4096
"""An index that begins later is not in front."""
_SETTLED = (Course.NEEDLESS, Course.ENDED, Course.FAILED)


class Maker(Protocol):
    """Makes a derived stream; ``transcode.live`` is the real one."""

    async def plan(self, buffers: AsyncIterator[bytes], container: str) -> Plan:
        """How to make one, by a source's first bytes.

        Raises:
            MediaError: nothing can be made of them.
        """
        ...

    def make(
        self, feed: AsyncIterator[bytes], container: str, plan: Plan, on_seconds: Callable[[float], None]
    ) -> AsyncGenerator[bytes, None]:
        """Yield the stream as it is made.

        Raises:
            MediaError: the source is to blame.
            ProgramFailed: it is not, and another try may do better.
        """
        ...


class Deriving:
    """The verb of deriving."""

    def __init__(
        self,
        database: Database,
        blobs: BlobStore,
        examinations: Examinations,
        *,
        pause_seconds: float = _PAUSE_SECONDS,
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._examinations = examinations
        self._pause_seconds = pause_seconds

    async def derive(self, video_id: str, maker: Maker, context: JobContext) -> None:
        """Make the derived stream of a video as far as it can be made, if it needs one and there is none.

        Raises:
            JobPostponed: the source has to arrive first, or its upload has paused.
        """
        try:
            while (found := await self._due(video_id, context)) is not None:
                if not await self._try(video_id, maker, context, found):
                    return
        except NotFound:
            return

    async def _due(self, video_id: str, context: JobContext) -> Examination | None:
        """The source, if something has to be made of it now; writes down what is settled."""
        derivation = await self._derivation(video_id)
        if derivation is not None and derivation.state in _SETTLED:
            return None
        found = await self._examinations.of(video_id)
        later = JobPostponed(min(_LATEST_LOOK, 1.3 ** min(context.attempt, 20)), "The source is still arriving.")
        is_iso = found.container in ("mp4", "mov")
        if is_iso and found.index is not None and found.derived is None:
            if not found.is_whole:
                # What is still arriving may turn out to be something else.
                raise later
            await self._settle(video_id, Course.NEEDLESS, None)
            return None
        if found.is_whole or (found.container is not None and found.container not in READABLE):
            if isinstance(found.error, MediaUnsupported):
                return found
            await self._settle(video_id, Course.FAILED, str(found.error or "There is nothing to play in this file."))
            return None
        if found.container is None or (is_iso and not isinstance(found.error, MediaUnsupported)):
            raise later
        if derivation is not None:
            arrived = found.source.extents.contiguous_prefix
            if derivation.state is Course.LATER or arrived <= derivation.fed_bytes:
                raise later
        return found

    async def _try(self, video_id: str, maker: Maker, context: JobContext, found: Examination) -> bool:
        """Make the stream from the source's first byte on; say whether to try again at once, in another way."""
        try:
            forward = await _forward(found)
        except MediaError as error:
            await self._settle(video_id, Course.FAILED, str(error))
            return False
        derivation = await self._begin(video_id, maker, found, forward)
        if derivation is None:
            return False
        assert derivation.plan is not None
        plan = read_plan(derivation.plan)
        try:
            await self._make(video_id, maker, context, found, forward, derivation)
        except StreamDiffers as error:
            # Nobody's URLs change while the source arrives; a complete one is begun anew.
            state = Course.MAKING if found.is_whole else Course.LATER
            await self._change(video_id, derivation, state=state, reason=str(error), plan=None)
            return found.is_whole
        except FeedBehind as error:
            await self._change(video_id, derivation, state=Course.LATER, reason=str(error))
            return False
        except MediaError as error:
            if plan.copies_video:
                encoded = write_plan(replace(plan, copies_video=False, copies_audio=False))
                await self._change(video_id, derivation, attempt=derivation.attempt + 1, plan=encoded)
                return True
            await self._change(video_id, derivation, state=Course.FAILED, reason=str(error))
        except ProgramMissing:
            raise
        except ProgramFailed as error:
            if context.failures + 1 < _PROGRAM_TRIES:
                raise
            await self._change(video_id, derivation, state=Course.FAILED, reason=str(error))
        return False

    async def _begin(
        self, video_id: str, maker: Maker, found: Examination, forward: Forward | None
    ) -> Derivation | None:
        """The attempt to go on with, or a new one with a plan of its own."""
        derivation = await self._derivation(video_id) or Derivation(0, Course.MAKING)
        if derivation.plan is not None:
            begun = replace(derivation, state=Course.MAKING, reason=None)
        else:
            assert found.container is not None
            try:
                plan = await maker.plan(_beginning(found, forward), found.container)
            except MediaError as error:
                if not found.is_whole:
                    raise JobPostponed(2.0, str(error)) from error
                await self._settle(video_id, Course.FAILED, str(error))
                return None
            begun = Derivation(derivation.attempt + 1, Course.MAKING, None, write_plan(plan))
        await self._change(video_id, begun)
        return begun

    async def _make(
        self,
        video_id: str,
        maker: Maker,
        context: JobContext,
        found: Examination,
        forward: Forward | None,
        derivation: Derivation,
    ) -> None:
        assert derivation.plan is not None
        assert found.container is not None
        async with self._database.read() as tx:
            published = await live.stretches(tx, video_id, derivation.attempt)
        publisher = Publisher(self._database, self._blobs, video_id, derivation.attempt, published)
        growth = Growth()
        try:
            async with asyncio.timeout(None) as clock:
                feed = Feed(
                    self._database,
                    self._blobs,
                    video_id,
                    pause_after=self._pause_seconds,
                    stall_seconds=_STALL_SECONDS,
                    clock=clock,
                )
                fed = feed.arriving() if forward is None else feed.rearranged(found.source, forward)

                def tell(seconds: float) -> None:
                    done = feed.fed_bytes / found.source.size if found.is_whole else 0.0
                    context.report(done, f"{seconds:.0f} s are made")

                made = maker.make(fed, found.container, read_plan(derivation.plan), tell)
                async with aclosing(made), aclosing(_with_pauses(made)) as paced:
                    async for buffer in paced:
                        if buffer:
                            feed.progress()
                        has_published = await publisher.take(buffer)
                        if publisher.made_bytes > _LEAST_OUTPUT_BYTES + _OUTPUT_PER_INPUT * feed.fed_bytes:
                            raise MediaTooLarge("What would have to be made of this file is too large for its size.")
                        if has_published:
                            await self._examine(video_id, derivation, growth)
                await publisher.finish()
        except TimeoutError:
            raise MediaTooLarge("Making this file playable stands still at one place of it.") from None
        except FeedPaused as pause:
            await self._change(video_id, derivation, fed_bytes=feed.fed_bytes)
            raise JobPostponed(1.0, str(pause)) from pause
        ended = replace(derivation, state=Course.ENDED, reason=None)
        await self._examine(video_id, ended, growth)
        if growth.index is None:
            raise MediaMalformed("The file is damaged: no picture in it can be read.")
        await self._change(video_id, ended)

    async def _examine(self, video_id: str, derivation: Derivation, growth: Growth) -> None:
        """Read what was published as a player's index will; raises MediaError where it can't be played."""
        async with self._database.read() as tx:
            published = await live.stretches(tx, video_id, derivation.attempt)
        await growth.advance(stream_of(derivation, published, self._blobs).view)
        if growth.error is not None:
            raise growth.error

    async def _derivation(self, video_id: str) -> Derivation | None:
        async with self._database.read() as tx:
            return await live.get(tx, video_id)

    async def _settle(self, video_id: str, state: Course, reason: str | None) -> None:
        """Write down the last word, before or instead of a stream."""
        derivation = await self._derivation(video_id) or Derivation(0, state)
        await self._change(video_id, derivation, state=state, reason=reason)

    async def _change(self, video_id: str, derivation: Derivation, **changes: Any) -> None:
        async with self._database.write() as tx:
            await uploads.lock(tx, video_id)
            await live.save(tx, video_id, replace(derivation, **changes), at=now())


async def _with_pauses(made: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """The same buffers, and an empty one every second in which there is none: what is whole shall not wait for more."""
    coming: asyncio.Future[bytes | None] | None = None
    try:
        while True:
            coming = coming or asyncio.ensure_future(anext(made, None))
            await asyncio.wait({coming}, timeout=_QUIET_SECONDS)
            if not coming.done():
                yield b""
                continue
            buffer, coming = coming.result(), None
            if buffer is None:
                return
            yield buffer
    finally:
        if coming is not None:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)


async def _forward(found: Examination) -> Forward | None:
    """A complete MP4 or MOV rearranged, where its index is not in front; None where it can be fed as it is."""
    if found.container not in ("mp4", "mov"):
        return None
    source = found.source
    place = await drive(locate_moov(source.total), source)
    if place.offset <= _FRONT_BYTES:
        return None
    if not found.is_whole:
        raise JobPostponed(_LATEST_LOOK, "The index is at the end: it can be made playable when it is complete.")
    return await drive(bring_forward(place, source.size), source)


async def _beginning(found: Examination, forward: Forward | None) -> AsyncIterator[bytes]:
    """What has arrived of a source's first bytes."""
    source = found.source
    if forward is not None:
        yield await source.read(0, forward.head) + forward.moov
        offset, length = forward.spans[0] if forward.spans else (0, 0)
    else:
        offset, length = 0, source.extents.contiguous_prefix
    async for buffer in source.stream(offset, min(length, _HEAD_BYTES)):
        yield buffer


async def drive(reading: Reading[T], source: SourceView) -> T:
    """Answer a parser's wishes from bytes that have arrived; the parsing itself runs in a thread."""

    def advance(answer: bytes | None) -> Wanted | _Done[T]:
        try:
            return next(reading) if answer is None else reading.send(answer)
        except StopIteration as done:
            return _Done(done.value)

    answer: bytes | None = None
    while True:
        step = await asyncio.to_thread(advance, answer)
        if isinstance(step, _Done):
            return step.value
        upto = source.available(step.offset, step.length)
        answer = await source.read(step.offset, (upto or step.offset) - step.offset)


@dataclass(frozen=True, slots=True)
class _Done(Generic[T]):
    value: T
