"""The growth of a source: its index, read as far as the bytes have arrived."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

from partway.errors import MediaError, MediaMalformed
from partway.media.container import HEAD_BYTES, sniff
from partway.media.reading import Reading, Wanted
from partway.services.source import SourceView

if TYPE_CHECKING:
    # Only for names: numpy comes with the index, and a server that nobody watches does without it.
    from partway.media.edge import Edge
    from partway.media.fragmented import Fragments
    from partway.media.index import Index

T = TypeVar("T")

_OUTSIDE = "The file's index is damaged: samples lie outside the file."


@dataclass(frozen=True, slots=True)
class _Done(Generic[T]):
    value: T


@dataclass(frozen=True, slots=True)
class _Stuck:
    """The reading waits for bytes that have not arrived."""


_Step: TypeAlias = "_Done[T] | _Stuck"


class Growth:
    """What is known of one source; grows with it, and is thrown away when nobody asks any more.

    One call of ``advance`` at a time.
    """

    def __init__(self) -> None:
        self.container: str | None = None
        self.index: Index | None = None
        self.error: MediaError | None = None
        """Why there is no index; of a source that is still arriving it may not be the last word."""
        self.edge: Edge | None = None
        self._reading: Reading[Index | Fragments] | None = None
        self._wanted: Wanted | None = None
        self._fragments: Fragments | None = None

    async def advance(self, source: SourceView) -> None:
        """Read on in a source that holds more than at the last call."""
        from partway.media.edge import edge_of

        if self.container is None and (upto := source.available(0, HEAD_BYTES)) is not None:
            self.container = sniff(await source.read(0, upto))
        if self.container is None and not source.is_whole:
            return
        if source.is_whole and self.index is None and self._fragments is None:
            # Now that the end is known, nothing said before counts.
            self.error = self._reading = self._wanted = None
        try:
            if self.error is None:
                await self._read_on(source)
        except MediaError as error:
            self.index, self.error = None, error
        if self.index is not None:
            self.edge = edge_of(self.index, source.extents.covered, self.edge)

    async def assume(self, source: SourceView) -> None:
        """Read on as if the parts behind a gap were where they are assumed, and list only what is certain and proven.

        Only the index may come from there: what is listed lies before the gap, and its bytes prove the index.
        """
        from partway.media.edge import Edge, edge_of

        view = source.assuming()
        before = self.edge or Edge()
        self.edge = None
        if view is None:
            return
        await self.advance(view)
        if self.index is None or self.index.is_fragmented:
            self.index = self.edge = None
            return
        edge = edge_of(self.index, source.covered, before)
        for number in range(before.video, edge.video):
            if not await self._is_proven(self.index, number, source):
                self.index, self.edge, self.error = None, None, MediaMalformed(_OUTSIDE)
                return
        self.edge = edge

    @staticmethod
    async def _is_proven(index: Index, number: int, source: SourceView) -> bool:
        from partway.media.proof import is_proven
        from partway.media.segments import segment

        media = b"".join([buffer async for buffer in source.gather(segment(index, "video", number).ranges)])
        return await asyncio.to_thread(is_proven, index, number, media)

    async def _read_on(self, source: SourceView) -> None:
        from partway.media.index import read_index

        if self.index is None and self._fragments is None:
            if self._reading is None:
                self._reading = read_index(source.total)
            step = await self._drive(self._reading, source)
            if isinstance(step, _Stuck):
                return
            self._reading = None
            from partway.media.fragmented import Fragments

            if isinstance(step.value, Fragments):
                self._fragments = step.value
            else:
                self.index = step.value
        if self._fragments is not None:
            await self._read_fragments(self._fragments, source)
        if self.index is not None and source.is_whole and self.index.end_bytes > source.size:
            raise MediaMalformed(_OUTSIDE)

    async def _read_fragments(self, fragments: Fragments, source: SourceView) -> None:
        from partway.media.fragmented import index_of

        if self.index is not None and self.index.is_whole:
            return
        known = len(fragments.runs)
        self._wanted = None
        await self._drive(fragments.reading(source.total), source)
        if source.is_whole or len(fragments.runs) > known or self.index is None:
            self.index = await asyncio.to_thread(index_of, fragments, is_whole=source.is_whole)
        if source.is_whole and self.index is None:
            raise MediaMalformed("The file has no fragments: its recording or its upload was not finished.")

    async def _drive(self, reading: Reading[T], source: SourceView) -> _Step[T]:
        """Answer a parser's wishes from the source until it is done or stuck; the parsing itself runs in a thread."""

        def advance(answer: bytes | None) -> Wanted | _Done[T]:
            try:
                return next(reading) if answer is None else reading.send(answer)
            except StopIteration as done:
                return _Done(done.value)

        wanted: Wanted | _Done[T] = self._wanted if self._wanted else await asyncio.to_thread(advance, None)
        while not isinstance(wanted, _Done):
            upto = source.available(wanted.offset, wanted.length, wanted.least)
            if upto is None:
                self._wanted = wanted
                return _Stuck()
            answer = await source.read(wanted.offset, upto - wanted.offset) if upto > wanted.offset else b""
            wanted = await asyncio.to_thread(advance, answer)
        self._wanted = None
        return wanted
