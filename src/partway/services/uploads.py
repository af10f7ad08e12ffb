"""Uploads: accept a part. The order of the durable steps is written here and nowhere else.

1. ask the ledger whether such a part is welcome now, before anything is stored
2. store the bytes as a blob under a key of its own; durable when ``put`` returns
3. lock the upload's row, ask the ledger again, write the part's row and the summary, commit
4. only then return, and so answer

A blob whose part is refused in step 3, or whose request ends before it, has no row and means nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from partway.blobs.base import BlobStore, StoredBlob
from partway.blobs.digest import Digesting
from partway.catalog import idempotency, upload_tokens, uploads, videos
from partway.catalog.clock import SECOND, now
from partway.catalog.database import Database, Transaction
from partway.catalog.uploads import Origin
from partway.catalog.videos import Video
from partway.errors import (
    AlreadyCopied,
    AlreadyDownloaded,
    AlreadyUploaded,
    BlobError,
    FileMissing,
    FileTooLarge,
    InvalidAttribute,
    InvalidUploadToken,
    MissingAttribute,
    NotFound,
    RangeMismatch,
    RangeTooLarge,
    Refused,
    SeveralFiles,
    UploadHasGaps,
    UploadRefused,
)
from partway.ledger import (
    Address,
    ByteSpan,
    Content,
    Limits,
    PartNumber,
    State,
    Summary,
    accept,
    can_be_new,
    check_address,
    check_state,
    finish,
)
from partway.services.events import announce, upload_completed
from partway.services.identifiers import fingerprint, new_blob_key, new_id
from partway.services.incoming import IncomingFile, IncomingForm
from partway.testing import faults

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AcceptedPart:
    """The answer to a part."""

    video_id: str
    is_complete: bool


@dataclass(frozen=True, slots=True)
class TokenBearer:
    """A sender who has an upload token instead of an account."""

    token: str
    is_expired: bool
    """Then it may only go on with what it has started, for a while."""


@dataclass(slots=True)
class _Arrival:
    """One request's part on its way in."""

    address: Address
    target: str | None
    bearer: TokenBearer | None = None
    idempotency_key: str | None = None
    is_checked: bool = False
    is_for_complete: bool = False
    can_be_new: bool = True
    blob: StoredBlob | None = None
    is_stored: bool = False
    filename: str = ""


class Uploads:
    """The verbs of uploads.

    Args:
        request_deadline: seconds from the first byte to the commit.
        token_grace: seconds an expired upload token still fills what it has started.
    """

    def __init__(
        self, database: Database, blobs: BlobStore, limits: Limits, *, request_deadline: float, token_grace: float
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._limits = limits
        self._deadline = request_deadline
        self._grace = token_grace
        self._shielded: set[asyncio.Task[Any]] = set()

    async def accept_part(self, video_id: str, address: Address, form: IncomingForm) -> AcceptedPart:
        """Take in one piece of a video's source.

        Raises:
            NotFound: there is no such video.
            UploadRefused: see ``ledger.rules``; nothing has changed.
            InvalidAttribute: the form names another video than the path.
            BodyError: the form broke off or is not well formed.
        """
        return await self._take_in(_Arrival(address, video_id), form)

    async def accept_part_by_token(
        self, bearer: TokenBearer, address: Address, form: IncomingForm, idempotency_key: str | None
    ) -> AcceptedPart:
        """Take in one piece from the bearer of an upload token (contract.md 2.5).

        Without a ``videoId`` in the form a new video is made, titled like the file.

        Raises:
            NotFound: there is no such video, or this token may not fill it.
            MissingAttribute: a later piece does not name its video.
            InvalidUploadToken: the token has expired and this is nothing it has started.
            UploadRefused, BodyError: as ``accept_part``.
        """
        return await self._take_in(_Arrival(address, None, bearer, idempotency_key), form)

    async def bearer_of(self, token: str) -> TokenBearer:
        """Look up an upload token.

        Raises:
            InvalidUploadToken: it is unknown, deleted, or long expired.
        """
        try:
            async with self._database.read() as tx:
                found = await upload_tokens.get(tx, token)
        except NotFound:
            raise InvalidUploadToken() from None
        at = now()
        if found.is_expired(at - int(self._grace * SECOND)):
            raise InvalidUploadToken()
        return TokenBearer(token, found.is_expired(at))

    async def held(self, video_id: str) -> tuple[Summary, list[uploads.Part]]:
        """What has arrived of a source, in its order.

        Raises:
            NotFound: there is no such video.
        """
        async with self._database.read() as tx:
            upload = await uploads.get(tx, video_id)
            return upload.summary, await uploads.all_parts(tx, video_id)

    async def finish(self, video_id: str) -> None:
        """Declare the highest piece held to be the last one.

        Raises:
            NotFound: there is no such video.
            AlreadyDownloaded: whoever fetches it knows its end.
            UploadHasGaps: something below it is missing.
        """
        async with self._database.write() as tx:
            upload = await uploads.lock(tx, video_id)
            if upload.origin is Origin.DOWNLOADED:
                raise AlreadyDownloaded()
            done = finish(upload.summary)
            if done != upload.summary:
                await _save(tx, upload, done, at=now())

    async def finish_idle(self, idle_seconds: float) -> list[str]:
        """Finish every upload without gaps, and without a known total, that has been idle so long."""
        before = now() - int(idle_seconds * SECOND)
        async with self._database.read() as tx:
            found = await uploads.idle(tx, before=before)
        finished = []
        for video_id in found:
            try:
                async with self._database.write() as tx:
                    upload = await uploads.lock(tx, video_id)
                    if upload.changed_at >= before or upload.summary.total is not None:
                        continue
                    await _save(tx, upload, finish(upload.summary), at=now())
                    finished.append(video_id)
            except (UploadHasGaps, NotFound):
                continue
        return finished

    async def _take_in(self, arrival: _Arrival, form: IncomingForm) -> AcceptedPart:
        check_address(arrival.address, self._limits)
        async with asyncio.timeout(self._deadline):
            try:
                await self._check_early(arrival, form)
                await self._receive(arrival, form)
            except BaseException as error:
                await self._drop(arrival)
                if arrival.is_for_complete and isinstance(error, UploadRefused):
                    # Whatever else is wrong with it: a complete video says one thing (contract.md "Decided").
                    raise AlreadyUploaded() from None
                raise
            accepted = await self._unbroken(self._settle(arrival))
        faults.reached("accept-committed")
        return accepted

    async def _receive(self, arrival: _Arrival, form: IncomingForm) -> None:
        """Step 2: read the whole form, and make its one file durable."""
        file = await form.next_file()
        several = False
        if file is not None:
            await self._check_early(arrival, form)
            arrival.filename = file.filename
            buffers = self._bounded(file, arrival.address)
            if not arrival.can_be_new:
                arrival.blob = await _digested(buffers)
            else:
                arrival.blob = await self._blobs.put(new_blob_key(), buffers)
                arrival.is_stored = True
            several = await form.next_file() is not None
            while several and arrival.target is None and await form.next_file() is not None:
                pass
        self._bind(arrival, form)
        await self._check_early(arrival, form)
        if file is None:
            raise FileMissing()
        if several:
            raise SeveralFiles()

    async def _check_early(self, arrival: _Arrival, form: IncomingForm) -> None:
        """Step 1, as soon as the target is known."""
        named = form.fields.get("videoId")
        if arrival.target is None and arrival.bearer is not None and named:
            arrival.target = named
        if arrival.target is None or arrival.is_checked:
            return
        async with self._database.read() as tx:
            upload = await uploads.get(tx, arrival.target)
            _may_fill(upload, arrival.bearer)
            check_state(upload.summary, arrival.address, self._limits)
            found = await uploads.neighbours(tx, arrival.target, arrival.address)
        arrival.is_for_complete = upload.summary.state is State.COMPLETE
        arrival.can_be_new = can_be_new(upload.summary, found, arrival.address)
        arrival.is_checked = True

    def _bind(self, arrival: _Arrival, form: IncomingForm) -> None:
        """Settle which video the piece is for, now that the whole form has been read."""
        named = form.fields.get("videoId") or None
        if arrival.bearer is None:
            if named is not None and named != arrival.target:
                raise InvalidAttribute("The videoId in the body differs from the one in the path.", name="videoId")
            return
        arrival.target = named
        if named is None and not _may_be_first(arrival.address):
            raise MissingAttribute(
                "This is not the first piece: send the videoId that the first one's answer gave, as a form field.",
                name="videoId",
            )

    async def _settle(self, arrival: _Arrival) -> AcceptedPart:
        """Commit, and remove the blob if it comes to mean nothing, whoever still waits for the answer.

        Once the commit has begun its outcome may be unknown: only a refusal says for sure that no row came of it.
        """
        try:
            accepted, is_new = await self._commit(arrival)
        except Refused:
            await self._drop(arrival)
            raise
        if not is_new:
            await self._drop(arrival)
        return accepted

    async def _commit(self, arrival: _Arrival) -> tuple[AcceptedPart, bool]:
        """Step 3: one transaction that begins by locking the upload's row."""
        blob = arrival.blob
        assert blob is not None
        content = Content(blob.length, blob.digest)
        at = now()
        async with self._database.write() as tx:
            video_id = arrival.target or await self._container(tx, arrival, at)
            upload = await uploads.lock(tx, video_id)
            _may_fill(upload, arrival.bearer)
            faults.reached("accept-begun")
            found = await uploads.neighbours(tx, video_id, arrival.address)
            decision = accept(upload.summary, found, arrival.address, content, self._limits)
            if decision.is_new:
                if not arrival.is_stored:
                    raise BlobError("This piece was taken for a repeated one and is not stored.")
                await uploads.add_part(
                    tx, video_id, arrival.address, content, blob_key=blob.key, crc32c=blob.crc32c, at=at
                )
            if decision.summary != upload.summary:
                token = arrival.bearer.token if arrival.bearer and upload.summary.state is State.EMPTY else None
                await _save(tx, upload, decision.summary, at=at, upload_token=token)
            faults.reached("accept-written")
        return AcceptedPart(video_id, decision.summary.state is State.COMPLETE), decision.is_new

    async def _container(self, tx: Transaction, arrival: _Arrival, at: int) -> str:
        """The video that a token's first piece goes to: a new one, or the one an earlier try has made."""
        bearer = arrival.bearer
        assert bearer is not None
        scope, asked = f"upload:{bearer.token}", fingerprint(str(arrival.address))
        video_id = new_id("vi")
        earlier = await idempotency.claim(tx, scope, arrival.idempotency_key, asked, video_id, at=at)
        if earlier is not None:
            return earlier
        if bearer.is_expired:
            raise InvalidUploadToken()
        title = arrival.filename or "Untitled"
        await videos.add(tx, Video(video_id, title, created_at=at, updated_at=at, published_at=at))
        return video_id

    async def _bounded(self, file: IncomingFile, address: Address) -> AsyncIterator[bytes]:
        length = 0
        async for buffer in file.buffers():
            length += len(buffer)
            if length > self._limits.piece_bytes_max:
                if not isinstance(address, ByteSpan):
                    raise FileTooLarge(f"A request's file has at most {self._limits.piece_bytes_max} bytes.")
                raise RangeTooLarge() if address.length > self._limits.piece_bytes_max else RangeMismatch()
            yield buffer

    async def _drop(self, arrival: _Arrival) -> None:
        """Remove a blob that no row names; the sweep would, this is only sooner, so that a failure doesn't matter."""
        if arrival.is_stored and arrival.blob is not None:
            arrival.is_stored = False
            with contextlib.suppress(BlobError):
                await self._blobs.delete(arrival.blob.key)

    async def _unbroken(self, work: Coroutine[Any, Any, T]) -> T:
        """Run to the end even if the request is cancelled meanwhile."""
        task = asyncio.ensure_future(work)
        self._shielded.add(task)
        task.add_done_callback(self._shielded.discard)
        return await asyncio.shield(task)


async def _save(
    tx: Transaction, upload: uploads.Upload, summary: Summary, *, at: int, upload_token: str | None = None
) -> None:
    """Write an upload's new numbers, and what is to be told of them."""
    await uploads.save(tx, upload, summary, at=at, upload_token=upload_token)
    if summary.state is State.COMPLETE and upload.summary.state is not State.COMPLETE:
        await announce(tx, upload_completed(upload.video_id, summary.received_bytes), at=at)


def _may_be_first(address: Address) -> bool:
    match address:
        case PartNumber(number=number):
            return number == 1
        case ByteSpan(first=first):
            return first == 0
        case _:
            return True


def _may_fill(upload: uploads.Upload, bearer: TokenBearer | None) -> None:
    """Nothing fills what has a source of its own; a token fills what it has started, or an empty container."""
    if upload.origin is Origin.COPIED:
        raise AlreadyCopied()
    if upload.origin is Origin.DOWNLOADED:
        raise AlreadyDownloaded()
    if bearer is None:
        return
    if upload.summary.state is State.EMPTY:
        if bearer.is_expired:
            raise InvalidUploadToken()
    elif upload.upload_token != bearer.token:
        raise NotFound(name="videoId")


async def _digested(buffers: AsyncIterator[bytes]) -> StoredBlob:
    digesting = Digesting()
    async for buffer in buffers:
        digesting.add(buffer)
    return digesting.stored("")
