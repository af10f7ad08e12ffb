"""Examinations: what was found out about a complete source, kept in memory while there is room.

Nothing here is stored: an index is read from the source's own tables, and can be read again.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from partway.blobs.base import BlobStore
from partway.catalog import uploads
from partway.catalog.database import Database
from partway.errors import MediaError, MediaMalformed, NotReady
from partway.ledger import State
from partway.media.container import HEAD_BYTES, sniff
from partway.media.reading import Reading, Wanted
from partway.services.source import SourceView, view_of

if TYPE_CHECKING:
    # Only for names: numpy comes with the index, and a server that nobody watches does without it.
    from partway.media.facts import Facts
    from partway.media.index import Index

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found out; immutable, as the source is."""

    container: str | None
    """By its first bytes: ``mp4``, ``mov``, ``matroska`` ...; None for nothing known."""
    source: SourceView
    index: Index | None
    facts: Facts | None
    error: MediaError | None
    """Why there is no index."""

    @property
    def is_failed(self) -> bool:
        """Whether no way of playing it is left."""
        return isinstance(self.error, MediaMalformed)

    @property
    def weight(self) -> int:
        """Bytes of memory, about."""
        return 4096 + 200 * len(self.source.extents.keys) + (self.index.nbytes if self.index else 0)


class Examinations:
    """Examines each complete source once, whoever asks, and forgets the longest unused.

    Args:
        cache_bytes: memory for what was found out.
    """

    def __init__(self, database: Database, blobs: BlobStore, *, cache_bytes: int) -> None:
        self._database = database
        self._blobs = blobs
        self._cache_bytes = cache_bytes
        self._known: OrderedDict[str, Examination] = OrderedDict()
        self._under_way: dict[str, asyncio.Task[Examination]] = {}
        self._one_at_a_time = asyncio.Semaphore(1)

    async def of(self, video_id: str) -> Examination:
        """What there is to know of a complete source.

        Raises:
            NotFound: there is no such video.
            NotReady: it is not complete.
        """
        if (found := self._known.get(video_id)) is not None:
            self._known.move_to_end(video_id)
            return found
        return await asyncio.shield(self._under_way.get(video_id) or self._begin(video_id))

    def anticipate(self, video_id: str) -> None:
        """Begin with a source that has just become complete, before anybody asks for it."""
        if video_id not in self._known and video_id not in self._under_way:
            self._begin(video_id).add_done_callback(_heard)

    def _begin(self, video_id: str) -> asyncio.Task[Examination]:
        task = asyncio.ensure_future(self._examine(video_id))
        self._under_way[video_id] = task
        task.add_done_callback(lambda _: self._under_way.pop(video_id, None))
        return task

    async def _examine(self, video_id: str) -> Examination:
        async with self._database.read() as tx:
            upload = await uploads.get(tx, video_id)
            if upload.summary.state is not State.COMPLETE:
                raise NotReady()
            parts = await uploads.all_parts(tx, video_id)
        source = view_of(upload.summary, parts, self._blobs)
        container = sniff(await source.read(0, HEAD_BYTES))
        index, error = None, None
        # One at a time: a hostile index may ask for 256 MiB.
        async with self._one_at_a_time:
            from partway.media.index import read_index

            try:
                index = await _drive(read_index(source.size), source)
            except MediaError as unplayable:
                error = unplayable
        facts = index.facts if index else getattr(error, "facts", None)
        found = Examination(container, source, index, facts, error)
        self._known[video_id] = found
        while len(self._known) > 1 and sum(one.weight for one in self._known.values()) > self._cache_bytes:
            self._known.popitem(last=False)
        return found


def _heard(task: asyncio.Task[Examination]) -> None:
    """Nobody waits for this one: what went wrong is told to whoever asks next."""
    if not task.cancelled():
        task.exception()


async def _drive(reading: Reading[T], source: SourceView) -> T:
    """Answer a parser's wishes from the source; the parsing itself runs in a thread."""

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
        answer = await source.read(step.offset, step.length)


@dataclass(frozen=True, slots=True)
class _Done(Generic[T]):
    value: T
