"""Find out what a file is where ``media.index`` can't: by ffprobe, in the sandbox."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from partway.errors import MediaError
from partway.media import commands
from partway.media.container import HEAD_BYTES, locate_moov, refuse_container, sniff
from partway.media.facts import Facts
from partway.media.index import MAX_MOOV_BYTES
from partway.media.probing import MAX_REPORT_BYTES, complaint, facts_from_report
from partway.transcode.folder import work_folder
from partway.transcode.outcome import Ending, Outcome
from partway.transcode.process import run
from partway.transcode.programs import Tools
from partway.transcode.sandbox import MIB, Limits
from partway.transcode.source import Covered, Source, drive, read
from partway.transcode.verdict import blame

LIMITS = Limits(
    wall_seconds=60, cpu_seconds=20, memory_bytes=1024 * MIB, input_bytes=8 * MIB, output_bytes=MAX_REPORT_BYTES
)

END_BYTES = 8 * MIB
"""Of the head and of the tail of a file that ffprobe gets to see."""


async def probe(tools: Tools, source: Source, *, limits: Limits = LIMITS) -> Facts:
    """What there is to know of a complete source.

    ffprobe gets a file as long as the source, with a hole where its middle would be: transport streams and Ogg tell
    their length only at their end, and nothing is copied but the ends.

    Raises:
        MediaError: it is no video that can be used, or beyond a bound; the message is a sentence for people.
        ProgramFailed: it could not be found out, and may be on another try.
    """
    container = await container_of(source)
    with work_folder(tools.sandbox.scratch) as folder:
        ends = folder / "source"
        await _copy_ends(source, container, ends)
        program = commands.probe(tools.ffprobe.path, container, str(ends))
        outcome = await run(program, limits, tools.sandbox, folder=folder)
    return _read(outcome, container, source.size, limits)


async def probe_beginning(
    tools: Tools, buffers: AsyncIterable[bytes], container: str, *, limits: Limits = LIMITS
) -> Facts:
    """The same of a source that is still arriving, from its first bytes, which go through a pipe.

    ``container`` is what ``sniff`` says of them, one of ``commands.READABLE``. No more than ``limits.input_bytes`` are
    taken, so a source without end is none. The duration is only known where the file's head tells it.
    """
    program = commands.probe(tools.ffprobe.path, container)
    outcome = await run(program, limits, tools.sandbox, feed=buffers)
    return _read(outcome, container, None, limits)


async def container_of(source: Source, covered: Covered | None = None) -> str:
    """What kind of file a source is, by its first bytes; raises MediaError for one that ffmpeg must not get.

    Raises NotReady where those bytes are not ``covered`` yet.
    """
    kind = sniff(await read(source, 0, HEAD_BYTES, covered))
    if kind is None or kind not in commands.READABLE:
        refuse_container(kind)
    assert kind is not None
    return kind


def _read(outcome: Outcome, container: str, size: int | None, limits: Limits) -> Facts:
    if outcome.ending is not Ending.FINISHED:
        raise blame(outcome, limits)
    try:
        facts = facts_from_report(outcome.output, container, size)
    except MediaError as error:
        # ffprobe finishes also where it has understood nothing; its messages may know better.
        raise complaint(outcome.messages) or error from None
    if facts.width is None and (known := complaint(outcome.messages)) is not None:
        raise known
    return facts


async def _copy_ends(source: Source, container: str, path: Path) -> None:
    size = source.size
    spans = [(0, size)] if size <= 2 * END_BYTES else [(0, END_BYTES), (size - END_BYTES, END_BYTES)]
    if container in ("mp4", "mov"):
        # Their index may be anywhere, and is found from the header of one box to the next.
        noted = _Noted(source, spans)
        with suppress(MediaError):
            index = await drive(locate_moov(size), noted)
            spans.append((index.offset, min(index.length, MAX_MOOV_BYTES)))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.ftruncate(descriptor, size)
        for offset, length in spans:
            async for buffer in source.stream(offset, length):
                await asyncio.to_thread(_write, descriptor, buffer, offset)
                offset += len(buffer)
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class _Noted:
    """A source that notes what is read of it."""

    source: Source
    spans: list[tuple[int, int]]

    @property
    def size(self) -> int:
        return self.source.size

    async def read(self, offset: int, length: int) -> bytes:
        self.spans.append((offset, length))
        return await self.source.read(offset, length)

    def stream(self, offset: int, length: int) -> AsyncIterator[bytes]:
        return self.source.stream(offset, length)


def _write(descriptor: int, buffer: bytes, offset: int) -> None:
    left = memoryview(buffer)
    while left:
        written = os.pwrite(descriptor, left, offset)
        left, offset = left[written:], offset + written
