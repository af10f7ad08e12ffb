"""The bytes of a source, as probe and poster need them; services' ``SourceView`` is one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeAlias, TypeVar

from partway.errors import NotReady
from partway.media.reading import Reading, Wanted

T = TypeVar("T")

Covered: TypeAlias = Callable[[int, int], bool]
"""Says whether a source that is still arriving holds the bytes [low, high); ``Extents.covered`` is one."""


class Source(Protocol):
    """The bytes of a source, wherever they are."""

    @property
    def size(self) -> int:
        """In bytes."""
        ...

    async def read(self, offset: int, length: int) -> bytes:
        """The bytes [offset, offset+length), fewer at the source's end."""
        ...

    def stream(self, offset: int, length: int) -> AsyncIterator[bytes]:
        """The same, in buffers of bounded size."""
        ...


async def read(source: Source, offset: int, length: int, covered: Covered | None = None) -> bytes:
    """Read from a source; raises NotReady where it is still arriving and the bytes are not there yet."""
    if covered is not None and not covered(offset, offset + length):
        raise NotReady("What it takes has not arrived yet.")
    return await source.read(offset, length)


async def drive(reading: Reading[T], source: Source, covered: Covered | None = None) -> T:
    """Answer a parser's wishes from a source; the parsing itself runs in a thread.

    Raises what the parser raises, and NotReady as ``read`` does.
    """

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
        answer = await read(source, step.offset, step.length, covered)


@dataclass(frozen=True, slots=True)
class _Done(Generic[T]):
    value: T
