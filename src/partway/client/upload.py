"""Upload one file or stream from beginning to end: the record, the bytes, and what is told of it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import IO, Any

import anyio
import anyio.to_thread

from partway.client.delivery import Delivery
from partway.client.events import Completed, Created, Event, Failed
from partway.client.follow import deliver_growing, first_bytes
from partway.client.growing import Following
from partway.client.journal import Entry, Journal, locked
from partway.client.parts import deliver_stream
from partway.client.source import BUFFER_BYTES, RegularFile, Stream, open_source
from partway.client.spans import deliver_file
from partway.client.video import Video
from partway.client.wire import Wire
from partway.errors import ClientError, FileChanged, ServerRefused
from partway.ledger import Limits, State

Source = str | os.PathLike[str] | IO[bytes]

_PLAYABLE_WITHIN_SECONDS = 10.0
"""How long after the last byte to wait for the server's word on whether the video can be watched."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the video is to be called and to be; None leaves it to the server."""

    title: str | None = None
    description: str | None = None
    tags: Sequence[str] | None = None
    metadata: Mapping[str, str] | None = None
    public: bool | None = None

    def payload(self) -> dict[str, Any]:
        """The JSON of what was asked for (contract.md 1.3)."""
        asked = {
            "title": self.title,
            "description": self.description,
            "tags": None if self.tags is None else list(self.tags),
            "metadata": None
            if self.metadata is None
            else [{"key": key, "value": value} for key, value in self.metadata.items()],
            "public": self.public,
        }
        return {key: value for key, value in asked.items() if value is not None}


@dataclass(slots=True)
class Upload:
    """One upload, run once."""

    wire: Wire
    source: Source
    wish: Wish = field(default_factory=Wish)
    on_progress: Callable[[Event], None] = lambda _: None
    parallel: int = 4
    resume: str | None = None
    """The id of a video that was begun before, by whomever."""
    restart: bool = False
    """Begin anew whatever an earlier run left."""
    remember: bool = True
    """Leave a note on this machine, from which the same call goes on."""
    forget: bool = True
    """Remove that note at the end."""
    following: Following | None = None
    """How to go on while the file grows; None takes it as it is now."""
    limits: Limits = field(default_factory=Limits)
    video_id: str | None = field(default=None, init=False)

    async def run(self) -> Video:
        """Do it.

        Raises:
            OSError: the source can't be opened or read.
            ServerRefused, ServerUnreachable, FileChanged, ClientError: see ``errors.py``.
        """
        opened = await anyio.to_thread.run_sync(open_source, self.source)
        try:
            if isinstance(opened, RegularFile):
                if self.following is not None:
                    await first_bytes(opened, self.following)
                return await self._upload_file(opened)
            return await self._upload_stream(opened)
        except (ClientError, OSError) as error:
            self.on_progress(Failed(opened.name, self.video_id, error))
            raise
        finally:
            opened.close()

    async def _upload_file(self, file: RegularFile) -> Video:
        if file.size == 0:
            raise ClientError(f"{file.name} is empty: there is nothing to upload.")
        if file.size > self.limits.source_bytes_max:
            raise ClientError(f"{file.name} has {file.size} bytes; a video has at most {self.limits.source_bytes_max}.")
        with self._journal() as journal:
            noted = journal.read()
            video, entry, is_resumed = await self._begin(file, journal)
            delivery = self._delivery(file.name, video, is_resumed=is_resumed)
            try:
                async with delivery.watched():
                    if self.following is None:
                        await deliver_file(delivery, file, is_resumed=is_resumed)
                    else:
                        await deliver_growing(delivery, file, self.following, is_resumed=is_resumed)
            except FileChanged:
                if self.resume is not None:
                    journal.restore(noted)  # a slip in the id must not be what the next run goes on with
                raise
            done = await self._end(delivery)
            if self.forget:
                journal.forget()
            else:
                journal.write(replace(entry, is_complete=True))
            return done

    async def _upload_stream(self, stream: Stream) -> Video:
        if self.resume is not None:
            raise ClientError(f"{stream.name} can be read only once, so {self.resume} can't be resumed from it.")
        first = await stream.read(BUFFER_BYTES)
        if not first:
            raise ClientError(f"{stream.name} is empty: there is nothing to upload.")
        video = await self._create(self._payload(stream.name), secrets.token_urlsafe(16))
        delivery = self._delivery(stream.name, video, is_resumed=False)
        async with delivery.watched():
            await deliver_stream(delivery, stream, first)
        return await self._end(delivery)

    def _journal(self) -> AbstractContextManager[Journal]:
        if not self.remember or not isinstance(self.source, str | os.PathLike):
            return nullcontext(Journal(None))
        return locked(self.wire.server, os.path.realpath(self.source))

    async def _begin(self, file: RegularFile, journal: Journal) -> tuple[Video, Entry, bool]:
        """The video's record, from this run or an earlier one; its note; whether it may hold something."""
        payload = self._payload(file.name)
        before = None if self.restart or self.resume is not None else journal.read()
        if before is not None and before.video_id is not None:
            try:
                return await self._take_up(before.video_id), before, True
            except ServerRefused as refused:
                if refused.status != 404:
                    raise
                before = None  # deleted or expired meanwhile: nothing of it is left
        entry = Entry(
            server=self.wire.server,
            file=journal.file,
            idempotency_key=secrets.token_urlsafe(16),
            payload=payload,
            size=file.size,
            mtime_ns=file.changed_ns,
        )
        if self.resume is not None:
            video = await self._take_up(self.resume)
        else:
            if before is not None and before.payload == payload:
                entry = before  # whether its creation was answered is not known; its key makes that harmless
            else:
                journal.write(entry)
            video = await self._create(payload, entry.idempotency_key)
        entry = replace(entry, video_id=video.id)
        journal.write(entry)
        return video, entry, self.resume is not None or before is not None

    def _payload(self, name: str) -> dict[str, Any]:
        return {"title": name} | self.wish.payload()

    async def _create(self, payload: Mapping[str, Any], idempotency_key: str) -> Video:
        return Video.from_json(await self.wire.ask("POST", "/videos", body=payload, idempotency_key=idempotency_key))

    async def _take_up(self, video_id: str) -> Video:
        raw = await self.wire.ask("GET", f"/videos/{video_id}")
        asked = {key: value for key, value in self.wish.payload().items() if raw.get(key) != value}
        if asked:
            raw = await self.wire.ask("PATCH", f"/videos/{video_id}", body=asked)
        return Video.from_json(raw)

    def _delivery(self, name: str, video: Video, *, is_resumed: bool) -> Delivery:
        self.video_id = video.id
        self.on_progress(Created(name, video.id, video.watch_url, is_resumed))
        return Delivery(self.wire, video, name, self.on_progress, self.parallel, self.limits)

    async def _end(self, delivery: Delivery) -> Video:
        delivery.report(now=True)
        video = delivery.completed
        if video is None:  # everything was there already
            listing = await delivery.listing()
            path = f"/videos/{delivery.video.id}"
            if listing.state is State.COMPLETE:
                video = Video.from_json(await self.wire.ask("GET", path))
            else:
                video = Video.from_json(await self.wire.ask("POST", f"/-{path}/finish"))
        reason = await self._wait_for_playable(delivery)
        self.on_progress(Completed(delivery.file_name, video.id, video.watch_url, video, delivery.is_playable, reason))
        return video

    async def _wait_for_playable(self, delivery: Delivery) -> str | None:
        """None when it can be watched, else why not, if the server says so in time."""
        pause, reason = 0.05, None
        with anyio.move_on_after(_PLAYABLE_WITHIN_SECONDS):
            while True:
                status = await delivery.status()
                delivery.note(status)
                if delivery.is_playable:
                    return None
                reason = reason if status is None else status.reason
                if status is not None and status.is_failed:
                    break
                await anyio.sleep(pause)
                pause = min(1.0, pause * 2)
        return reason
