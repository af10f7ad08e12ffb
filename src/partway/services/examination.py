"""Examinations: what is known of a source, whole or still arriving, kept in memory while there is room.

Nothing here is stored: an index is read from the source's own tables, and can be read again.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from partway.blobs.base import BlobStore
from partway.catalog import uploads
from partway.catalog.database import Database
from partway.catalog.live import Course
from partway.catalog.uploads import Upload
from partway.errors import MediaError, MediaMalformed, NotFound
from partway.services.derived import DerivedStream, derived_stream
from partway.services.growth import Growth
from partway.services.source import SourceView, view_of

if TYPE_CHECKING:
    # Only for names: numpy comes with the index, and a server that nobody watches does without it.
    from partway.media.edge import Edge
    from partway.media.facts import Facts
    from partway.media.index import Index


@dataclass(frozen=True, slots=True)
class Examination:
    """What is known of a source at one moment; immutable."""

    container: str | None
    """By its first bytes: ``mp4``, ``mov``, ``matroska`` ...; None for nothing known."""
    source: SourceView
    index: Index | None
    edge: Edge | None
    """How far it can be watched; None where there is no index."""
    facts: Facts | None
    error: MediaError | None
    """Why the source does not play as it is."""
    derived: DerivedStream | None = None
    """What is made of a source that does not play as it is; then ``index`` and ``edge`` are of this."""

    @property
    def played(self) -> SourceView:
        """What the segments are cut from."""
        return self.source if self.derived is None else self.derived.view

    @property
    def is_whole(self) -> bool:
        """Whether the source has all its bytes."""
        return self.source.is_whole

    @property
    def is_ended(self) -> bool:
        """Whether everything that there will be to watch is there."""
        return self.index is not None and self.played.is_whole

    @property
    def is_settled(self) -> bool:
        """Whether nothing here will change any more."""
        return self.is_ended or self.is_failed

    @property
    def is_playable(self) -> bool:
        """Whether there is something to watch."""
        return self.is_ended or (self.edge is not None and self.edge.video > 0 and not self.is_failed)

    @property
    def is_failed(self) -> bool:
        """Whether no way of playing it is left."""
        if not self.is_whole:
            return False
        if self.derived is not None and self.derived.state is Course.FAILED:
            return True
        return self.index is None and isinstance(self.error, MediaMalformed)

    @property
    def reason(self) -> str | None:
        """Why it can't be watched, in a sentence for people."""
        if self.is_playable:
            return None
        if self.derived is not None and self.derived.reason is not None:
            return self.derived.reason
        return None if self.error is None else str(self.error)

    @property
    def weight(self) -> int:
        """Bytes of memory, about."""
        return 4096 + 200 * len(self.source.extents.keys) + (self.index.nbytes if self.index else 0)


class _Subject:
    """A source and what has been read of it."""

    def __init__(self, restarts: int) -> None:
        self.restarts = restarts
        self.growth = Growth()
        self.assumed = Growth()
        """What would be known if all parts had one size."""
        self.derived = Growth()
        self.attempt = 0
        """Which derived stream that is of."""
        self.latest: Examination | None = None
        self.seen = -1
        """How many pieces the source had."""
        self.lock = asyncio.Lock()


class Examinations:
    """Examines each source as far as it has arrived, once, whoever asks, and forgets the longest unused.

    Args:
        cache_bytes: memory for what was found out.
    """

    def __init__(self, database: Database, blobs: BlobStore, *, cache_bytes: int) -> None:
        self._database = database
        self._blobs = blobs
        self._cache_bytes = cache_bytes
        self._subjects: OrderedDict[str, _Subject] = OrderedDict()
        self._under_way: set[asyncio.Task[Examination]] = set()
        self._one_at_a_time = asyncio.Semaphore(1)

    async def of(self, video_id: str) -> Examination:
        """What there is to know of a source at this moment.

        Raises:
            NotFound: there is no such video.
        """
        subject = self._subjects.get(video_id)
        if subject is not None and subject.latest is not None and subject.latest.is_settled:
            self._subjects.move_to_end(video_id)
            return subject.latest
        # Whoever asked may go away; others may be waiting for the same answer.
        return await asyncio.shield(self._begin(video_id))

    def anticipate(self, video_id: str) -> None:
        """Begin with a source that has just become complete, before anybody asks for it."""
        self._begin(video_id).add_done_callback(_heard)

    def _begin(self, video_id: str) -> asyncio.Task[Examination]:
        task = asyncio.ensure_future(self._examine(video_id))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    async def _examine(self, video_id: str) -> Examination:
        async with self._database.read() as tx:
            upload = await uploads.get(tx, video_id)
        if upload.reason is not None:
            raise NotFound(upload.reason, name="videoId")
        if (known := self._subjects.get(video_id)) is not None and known.restarts != upload.restarts:
            # What was read of it is of another file.
            del self._subjects[video_id]
        subject = self._subjects.setdefault(video_id, _Subject(upload.restarts))
        self._subjects.move_to_end(video_id)
        async with subject.lock:
            if subject.latest is None or _is_older(subject, upload):
                await self._read_on(video_id, subject)
            assert subject.latest is not None
            if subject.growth.index is None and (subject.latest.derived or subject.latest.index is None):
                await self._look_at_derived(video_id, subject)
            found = subject.latest
        while len(self._subjects) > 1 and self._weight() > self._cache_bytes:
            self._subjects.popitem(last=False)
        return found

    async def _read_on(self, video_id: str, subject: _Subject) -> None:
        async with self._database.read() as tx:
            upload = await uploads.get(tx, video_id)
            parts = await uploads.all_parts(tx, video_id)
        source = view_of(upload.summary, parts, self._blobs)
        growth = subject.growth
        # One at a time: a hostile index may ask for 256 MiB.
        async with self._one_at_a_time:
            await growth.advance(source)
            if growth.index is None and growth.error is None and source.assumed is not None:
                growth = subject.assumed
                await growth.assume(source)
        index, error = growth.index, growth.error
        facts = index.facts if index else getattr(error, "facts", None)
        subject.latest = Examination(growth.container, source, index, growth.edge if index else None, facts, error)
        subject.seen = upload.summary.pieces

    async def _look_at_derived(self, video_id: str, subject: _Subject) -> None:
        """Read on in what is being made of a source that does not play as it is."""
        before = subject.latest
        assert before is not None
        async with self._database.read() as tx:
            stream = await derived_stream(tx, self._blobs, video_id)
        if stream is None:
            return
        if stream.attempt != subject.attempt:
            subject.derived, subject.attempt = Growth(), stream.attempt
        growth = subject.derived
        async with self._one_at_a_time:
            await growth.advance(stream.view)
        edge = growth.edge if growth.index else None
        subject.latest = replace(before, index=growth.index, edge=edge, derived=stream)

    def _weight(self) -> int:
        return sum(one.latest.weight for one in self._subjects.values() if one.latest is not None)


def _is_older(subject: _Subject, upload: Upload) -> bool:
    assert subject.latest is not None
    return upload.summary.pieces > subject.seen or (upload.summary.state == "complete" and not subject.latest.is_whole)


def _heard(task: asyncio.Task[Examination]) -> None:
    """Nobody waits for this one: what went wrong is told to whoever asks next."""
    if not task.cancelled():
        task.exception()
