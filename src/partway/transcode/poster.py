"""Make one picture of a video: a JPEG, upright, in its displayed shape, not wider than 1280."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from partway.errors import MediaMalformed, MediaUnsupported, NotReady
from partway.media import commands
from partway.media.facts import Facts
from partway.media.probing import complaint
from partway.media.segments import ByteRange
from partway.media.still import Stills, fragment, jpeg_size, poster_time, read_stills
from partway.transcode.outcome import Ending, Outcome
from partway.transcode.probe import container_of
from partway.transcode.process import run
from partway.transcode.programs import Tools
from partway.transcode.sandbox import MIB, Limits
from partway.transcode.source import Covered, Source, drive
from partway.transcode.verdict import blame

LIMITS = Limits(wall_seconds=60, cpu_seconds=30, memory_bytes=2048 * MIB, input_bytes=64 * MIB, output_bytes=4 * MIB)

_ENOUGH_BYTES = 16 * MIB
"""Of keyframes. The first that is not black ends it, so hardly ever more than one is read."""

_WORTH_ANOTHER_WAY = (Ending.FINISHED, Ending.FAILED, Ending.CPU, Ending.TIMEOUT)
"""Looking for a frame that is not black may take long where there is none."""


@dataclass(frozen=True, slots=True)
class Poster:
    """A picture of a video."""

    jpeg: bytes
    width: int
    height: int


async def poster(
    tools: Tools,
    source: Source,
    *,
    facts: Facts | None = None,
    at_seconds: float | None = None,
    covered: Covered | None = None,
    limits: Limits = LIMITS,
) -> Poster:
    """A picture of a video.

    Of an MP4 or MOV ffmpeg gets a few keyframes' bytes, and nothing else; so it can be made as soon as index and one
    of those frames are there. Of any other file it gets the beginning, no more than ``limits.input_bytes``.

    Args:
        facts: for other files, where a tenth of it is.
        at_seconds: where somebody wants it taken, black or not: of an MP4 or MOV the last keyframe that is not after
            it, of any other file the first that is not before it; the first of all where the video is shorter.
        covered: says what is there of a source that is still arriving.

    Raises:
        NotReady: what it takes has not arrived yet.
        MediaError: no picture can be made of it; the message is a sentence for people.
        ProgramFailed: it could not be made, and may be on another try.
    """
    container = await container_of(source, covered)
    if container not in ("mp4", "mov"):
        return await _from_beginning(tools, source, container, facts, at_seconds, covered, limits)
    try:
        stills = await drive(read_stills(source.size if covered is None else None, at_seconds), source, covered)
    except MediaUnsupported as refusal:
        # No sample tables, or tables of a rare kind: the frames themselves may be fine.
        try:
            return await _from_beginning(tools, source, container, facts, at_seconds, covered, limits)
        except MediaMalformed:
            raise refusal from None
    return await _from_stills(tools, source, stills, covered, limits)


async def _from_beginning(
    tools: Tools,
    source: Source,
    container: str,
    facts: Facts | None,
    at_seconds: float | None,
    covered: Covered | None,
    limits: Limits,
) -> Poster:
    after = poster_time(facts.duration_seconds if facts else None) if at_seconds is None else at_seconds
    length = min(source.size, limits.input_bytes or source.size)
    if covered is not None and not covered(0, length):
        raise NotReady("What it takes has not arrived yet.")
    places = [after, 0.0] if after else [0.0]
    return await _first(tools, container, lambda: source.stream(0, length), places, limits, at_seconds is not None)


async def _from_stills(tools: Tools, source: Source, stills: Stills, covered: Covered | None, limits: Limits) -> Poster:
    chosen: list[ByteRange] = []
    room = _ENOUGH_BYTES
    for frame in stills.frames:
        is_here = covered is None or covered(frame.offset, frame.offset + frame.length)
        if is_here and (not chosen or frame.length <= room):
            chosen.append(frame)
            room -= frame.length
    if not chosen:
        raise NotReady("What it takes has not arrived yet.")

    async def file() -> AsyncIterator[bytes]:
        yield stills.init
        for position, frame in enumerate(chosen):
            yield fragment(position, frame.length)
            async for buffer in source.stream(frame.offset, frame.length):
                yield buffer

    return await _first(tools, "mp4", file, [0.0], limits, len(stills.frames) == 1)


async def _first(
    tools: Tools,
    container: str,
    feed: Callable[[], AsyncIterator[bytes]],
    places: list[float],
    limits: Limits,
    may_be_black: bool,
) -> Poster:
    """The first keyframe at or after one of these places that is not black, or may be; else any frame at all."""
    for after_seconds in places:
        program = commands.poster(tools.ffmpeg.path, container, after_seconds=after_seconds, may_be_black=may_be_black)
        outcome = await run(program, limits, tools.sandbox, feed=feed())
        if (made := _made(outcome, limits)) is not None:
            return made
    outcome = await run(
        commands.poster(tools.ffmpeg.path, container, any_frame=True), limits, tools.sandbox, feed=feed()
    )
    made = _made(outcome, limits)
    if made is None:
        raise blame(outcome, limits)
    return made


def _made(outcome: Outcome, limits: Limits) -> Poster | None:
    """The picture; None if there is none, but another way may give one. Raises where none will."""
    if outcome.ending is Ending.FINISHED and outcome.output:
        width, height = jpeg_size(outcome.output)
        return Poster(outcome.output, width, height)
    if outcome.ending not in _WORTH_ANOTHER_WAY:
        raise blame(outcome, limits)
    if (known := complaint(outcome.messages)) is not None:
        raise known
    return None
