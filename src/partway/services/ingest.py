"""Ingest: fetch a source from an address, piece by piece, so that a crash loses no more than the piece under way.

1. read from our own rows how far it is, and ask the other side for the rest, if it is still the same file
2. store a piece as a blob, durable when ``put`` returns
3. lock the upload's row, ask the ledger, write the part's row, commit; and on to the next piece

A file that has changed meanwhile, or can't be gone on with, is begun anew. What another worker has done in between
is found in step 3: then this one leaves.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Protocol

from partway.blobs.base import BlobStore, StoredBlob
from partway.catalog import ingests, uploads
from partway.catalog.clock import SECOND, now
from partway.catalog.database import Database
from partway.catalog.ingests import Ingest
from partway.errors import FetchBroken, FetchRefused, JobPostponed, NotFound, Refused, UploadRefused
from partway.ledger import ByteSpan, Content, Limits, State, accept, check_address, finish
from partway.services.attached import discard
from partway.services.identifiers import new_blob_key
from partway.testing import faults

PIECE_BYTES = 32 * 1024 * 1024
_PIECE_SECONDS = 60.0
"""A slow sender's piece ends after so long, whatever it holds: no more than that is ever lost."""
_FAILURES_MAX = 7
_LONGEST_PAUSE = 900.0


class Fetched(Protocol):
    """What the other side has begun to send."""

    @property
    def starts_at(self) -> int:
        """Where in the source; 0 unless it goes on where it was asked to."""
        ...

    @property
    def size(self) -> int | None:
        """Bytes of the whole source, if it says."""
        ...

    @property
    def validator(self) -> str | None:
        """What to show next time, to go on with the same file; None where it can't be told from another."""
        ...

    @property
    def buffers(self) -> AsyncIterator[bytes]:
        """Raises FetchBroken where it breaks off."""
        ...


class Fetcher(Protocol):
    """Fetches from addresses that strangers name; ``outbound.fetcher`` is the real one."""

    def fetch(self, url: str, *, offset: int, validator: str | None) -> AbstractAsyncContextManager[Fetched]:
        """Ask for a file, from ``offset`` on if it is still the one with this validator.

        Raises:
            FetchRefused: it can't be had; trying again would not help.
            FetchBroken: it can't be had now.
        """
        ...


class Ingesting:
    """The verb of fetching a source.

    Args:
        limits: as for uploads.
        request_deadline: seconds within which a blob has to get its row.
        deadline: seconds for the whole of a source, from when it was asked for.
    """

    def __init__(
        self, database: Database, blobs: BlobStore, limits: Limits, *, request_deadline: float, deadline: float
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._limits = replace(limits, piece_bytes_min=1)
        self._piece_bytes = min(PIECE_BYTES, limits.piece_bytes_max)
        self._piece_seconds = min(_PIECE_SECONDS, request_deadline / 2)
        self._request_deadline = request_deadline
        self._deadline = deadline

    async def fetch(self, video_id: str, fetcher: Fetcher, report: Callable[[float], None]) -> None:
        """Fetch what is still missing of a source; a video that is gone or complete needs nothing.

        Args:
            report: told how far it is, from 0 to 1.

        Raises:
            JobPostponed: the other side has a moment of weakness.
        """
        try:
            async with self._database.read() as tx:
                ingest = await ingests.get(tx, video_id)
        except NotFound:
            return
        left = self._deadline - (now() - ingest.asked_at) / SECOND
        whole = asyncio.timeout(max(0.0, left))
        try:
            async with whole:
                await self._attempt(ingest, fetcher, report)
        except NotFound:
            return
        except TimeoutError:
            if not whole.expired():
                raise  # somebody else's clock: the job is tried again like any that fails
            await self._give_up(video_id, f"It took longer than the {self._deadline:g} seconds that it may take.")
        except (FetchRefused, UploadRefused) as error:
            await self._give_up(video_id, str(error))
        except FetchBroken as error:
            await self._try_later(video_id, error)

    async def _attempt(self, ingest: Ingest, fetcher: Fetcher, report: Callable[[float], None]) -> None:
        async with self._database.read() as tx:
            upload = await uploads.get(tx, ingest.video_id)
        held = upload.summary.received_bytes
        offset = held if ingest.validator is not None else 0
        async with fetcher.fetch(ingest.url, offset=offset, validator=ingest.validator) as fetched:
            if fetched.size is not None and fetched.size > self._limits.source_bytes_max:
                raise FetchRefused(f"It has {fetched.size} bytes; a video may have {self._limits.source_bytes_max}.")
            if fetched.size == 0:
                raise FetchRefused("It is empty.")
            is_same = ingest.validator is not None and fetched.validator == ingest.validator
            if held and not (is_same and fetched.size == ingest.size):
                await self._start_over(ingest.video_id, upload)
                if fetched.starts_at:
                    raise FetchBroken("The file has changed while it was being fetched.")
                held = 0
            async with self._database.write() as tx:
                await uploads.lock(tx, ingest.video_id)
                await ingests.describe(tx, ingest.video_id, size=fetched.size, validator=fetched.validator)
            async with self._database.read() as tx:
                upload = await uploads.get(tx, ingest.video_id)
            stream = _Stream(fetched.buffers, skip=held - fetched.starts_at)
            await self._take(upload, fetched.size, stream, report)

    async def _take(
        self, upload: uploads.Upload, size: int | None, stream: _Stream, report: Callable[[float], None]
    ) -> None:
        """Take in piece after piece, up to the end."""
        offset = upload.summary.received_bytes
        while await stream.has_more():
            try:
                async with asyncio.timeout(self._request_deadline):
                    blob = await self._blobs.put(new_blob_key(), stream.piece(self._piece_bytes, self._piece_seconds))
            except TimeoutError:
                raise FetchBroken("A piece of it was not received and stored in time.") from None
            try:
                faults.reached("ingest-stored")
                is_complete = await self._commit(upload, blob, offset, size)
            except Refused:
                await discard(self._blobs, blob.key)
                raise
            faults.reached("ingest-committed")
            offset += blob.length
            if is_complete:
                return
            if size is not None:
                report(offset / size)
        if stream.broken is not None:
            raise stream.broken
        if size is not None:
            raise FetchBroken("It broke off before its end.")
        await self._end(upload.video_id)

    async def _commit(self, begun: uploads.Upload, blob: StoredBlob, offset: int, size: int | None) -> bool:
        address = ByteSpan(offset, offset + blob.length - 1, size)
        check_address(address, self._limits)
        content = Content(blob.length, blob.digest)
        at = now()
        async with self._database.write() as tx:
            upload = await uploads.lock(tx, begun.video_id)
            if upload.restarts != begun.restarts or upload.summary.received_bytes != offset or upload.reason:
                # Another worker has gone on with it, and we are the one whose lease has ended.
                raise NotFound(name="videoId")
            found = await uploads.neighbours(tx, begun.video_id, address)
            decision = accept(upload.summary, found, address, content, self._limits)
            await uploads.add_part(tx, begun.video_id, address, content, blob_key=blob.key, crc32c=blob.crc32c, at=at)
            await uploads.save(tx, upload, decision.summary, at=at)
            is_complete = decision.summary.state is State.COMPLETE
            if is_complete:
                await ingests.end(tx, begun.video_id)
            else:
                await ingests.count_failures(tx, begun.video_id, 0)
        return is_complete

    async def _end(self, video_id: str) -> None:
        """The other side had not said how long it is, and has come to its end."""
        async with self._database.write() as tx:
            upload = await uploads.lock(tx, video_id)
            if upload.summary.state is State.EMPTY:
                raise FetchRefused("It is empty.")
            await uploads.save(tx, upload, finish(upload.summary), at=now())
            await ingests.end(tx, video_id)

    async def _start_over(self, video_id: str, begun: uploads.Upload) -> None:
        async with self._database.write() as tx:
            upload = await uploads.lock(tx, video_id)
            if upload.restarts != begun.restarts or upload.summary != begun.summary:
                raise NotFound(name="videoId")
            keys = await ingests.start_over(tx, upload, at=now())
        faults.reached("ingest-started-over")
        for key in keys:
            await discard(self._blobs, key)

    async def _give_up(self, video_id: str, reason: str) -> None:
        try:
            async with self._database.write() as tx:
                await uploads.lock(tx, video_id)
                await ingests.end(tx, video_id, reason=f"The video could not be fetched. {reason}")
        except NotFound:
            return

    async def _try_later(self, video_id: str, error: FetchBroken) -> None:
        try:
            async with self._database.write() as tx:
                await uploads.lock(tx, video_id)
                failures = (await ingests.get(tx, video_id)).failures + 1
                await ingests.count_failures(tx, video_id, failures)
        except NotFound:
            return
        if failures >= _FAILURES_MAX:
            await self._give_up(video_id, f"{error} This was the {failures}th attempt in a row.")
            return
        raise JobPostponed(min(_LONGEST_PAUSE, 4.0 ** (failures - 1)), str(error))


class _Stream:
    """The buffers of an answer, cut into pieces; a break ends the piece, and what came before it is kept."""

    def __init__(self, buffers: AsyncIterator[bytes], *, skip: int) -> None:
        self._buffers = buffers
        self._skip = skip
        self._next = b""
        self.broken: FetchBroken | None = None

    async def has_more(self) -> bool:
        """Whether another byte comes."""
        while not self._next:
            try:
                buffer = await anext(self._buffers)
            except StopAsyncIteration:
                return False
            except FetchBroken as error:
                self.broken = error
                return False
            self._next = buffer[self._skip :]
            self._skip = max(0, self._skip - len(buffer))
        return True

    async def piece(self, most: int, seconds: float) -> AsyncIterator[bytes]:
        """Yield the bytes of the next piece."""
        until = time.monotonic() + seconds
        while most and await self.has_more():
            buffer, self._next = self._next[:most], self._next[most:]
            most -= len(buffer)
            yield buffer
            if time.monotonic() > until:
                return
