"""The Source view: read a video's bytes across its parts, without joining them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from partway.blobs.base import BlobStore
from partway.catalog.uploads import Part
from partway.ledger import Mode, State, Summary
from partway.media.source import Extents

_COALESCE = 256 * 1024


class Span(Protocol):
    """A run of bytes of the source."""

    @property
    def offset(self) -> int: ...
    @property
    def length(self) -> int: ...


@dataclass(frozen=True, slots=True)
class SourceView:
    """The bytes of a source, wherever they are; there are gaps while it is arriving.

    Args:
        size: bytes, the whole source; while that is unknown, one past the last byte whose place is known.
        is_whole: nothing is missing, and nothing will come.
        total: the size that it will have, where that is known.
    """

    extents: Extents
    blobs: BlobStore
    size: int
    is_whole: bool = True
    total: int | None = None
    assumed: Extents | None = None
    """Where numbered parts behind a gap belong if all have one size; good for finding an index, and proof is needed."""

    def assuming(self) -> SourceView | None:
        """The same source as it would be; None where there is nothing to assume."""
        return (
            None if self.assumed is None else replace(self, extents=self.assumed, size=self.assumed.end, assumed=None)
        )

    def covered(self, low: int, high: int) -> bool:
        """Whether every byte of [low, high) is there."""
        return self.extents.covered(low, high)

    def available(self, offset: int, length: int, least: int | None = None) -> int | None:
        """Up to where the bytes from ``offset`` on can be read, ``length`` of them or up to the source's end.

        None while they have not all arrived, nor the first ``least`` of them.
        """
        reach = self.extents.reach(offset)
        for wanted in (length, least):
            if wanted is not None:
                end = offset + wanted if self.total is None else min(offset + wanted, self.total)
                if reach >= end:
                    return min(reach, offset + length)
        return None

    async def read(self, offset: int, length: int) -> bytes:
        """The bytes [offset, offset+length), fewer at the source's end."""
        return b"".join([buffer async for buffer in self.stream(offset, length)])

    async def stream(self, offset: int, length: int) -> AsyncIterator[bytes]:
        """Yield the bytes [offset, offset+length), fewer at the source's end, in buffers of bounded size."""
        end = min(offset + length, self.size)
        if offset >= end:
            return
        for piece in self.extents.pieces(offset, end):
            async for buffer in self.blobs.read(piece.key, piece.start, piece.length):
                yield buffer

    async def gather(self, spans: Sequence[Span]) -> AsyncIterator[bytes]:
        """Yield the bytes of many spans, in their order.

        Spans that lie close together are read as one: an interleaved file has a gap every fraction of a
        second, and a read for each would cost more than the bytes between.
        """
        for group in _neighbourhoods(spans):
            position = group[0].offset
            waiting = iter(group)
            span = next(waiting)
            async for buffer in self.stream(position, group[-1].offset + group[-1].length - position):
                end = position + len(buffer)
                while span.offset < end:
                    low = max(span.offset, position)
                    high = min(span.offset + span.length, end)
                    if high > low:
                        yield buffer[low - position : high - position]
                    if high < span.offset + span.length:
                        break
                    following = next(waiting, None)
                    if following is None:
                        break
                    span = following
                position = end


def view_of(summary: Summary, parts: Sequence[Part], blobs: BlobStore) -> SourceView:
    """The view of a source whose parts are these, in order.

    Numbered parts behind a gap are left out: where they belong is only assumed until the gap is filled.
    """
    is_whole = summary.state is State.COMPLETE
    placed, offset, has_gap = [], 0, False
    for number, part in enumerate(parts, 1):
        if summary.mode is Mode.PART and part.position != number:
            has_gap = True
            break
        at = part.position if summary.mode is Mode.BYTES else offset
        placed.append((part.blob_key, at, part.content.length))
        offset = at + part.content.length
    total = offset if is_whole else summary.total if summary.mode is Mode.BYTES else None
    assumed = _assumed(summary, parts) if has_gap else None
    return SourceView(Extents.of(placed), blobs, total or offset, is_whole, total, assumed)


def _assumed(summary: Summary, parts: Sequence[Part]) -> Extents | None:
    """All parts where they belong if each but the last has the same size, as most senders cut; None if some don't."""
    last = summary.total or max(part.position for part in parts)
    sizes = {part.content.length for part in parts if part.position != last}
    if len(sizes) != 1 or any(part.content.length > min(sizes) for part in parts):
        return None
    stride = sizes.pop()
    return Extents.of((part.blob_key, (part.position - 1) * stride, part.content.length) for part in parts)


def _neighbourhoods(spans: Sequence[Span]) -> Iterable[list[Span]]:
    group: list[Span] = []
    for span in spans:
        if group:
            gap = span.offset - (group[-1].offset + group[-1].length)
            if not 0 <= gap <= _COALESCE:
                yield group
                group = []
        group.append(span)
    if group:
        yield group
