"""The feed of a live ffmpeg: a source's bytes in order, as they arrive, and how far ahead of it the upload is."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator

from partway.blobs.base import BlobStore
from partway.catalog import uploads
from partway.catalog.database import Database
from partway.errors import MediaTooLarge, PartwayError
from partway.ledger import Summary
from partway.media.forward import Forward
from partway.services.source import SourceView, view_of

_LOOK_SECONDS = 0.25
_BEHIND_SECONDS = 30.0
_BUSY_SECONDS = 600.0
_BYTES_A_SECOND = 32 * 1024
"""The slowest that reading a source may go, beyond the time that everything gets."""


class FeedPaused(PartwayError):
    """The upload has stopped for a while."""


class FeedBehind(PartwayError):
    """Making it takes longer than the upload does."""


class Feed:
    """One reading of a source from its first byte to its last.

    Args:
        pause_after: seconds without a new byte until ``FeedPaused``.
        clock: rescheduled whenever there is progress, so that it only rings where there is none.
        stall_seconds: how long that takes.
    """

    def __init__(
        self,
        database: Database,
        blobs: BlobStore,
        video_id: str,
        *,
        pause_after: float,
        stall_seconds: float,
        clock: asyncio.Timeout,
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._video_id = video_id
        self._pause_after = pause_after
        self._stall_seconds = stall_seconds
        self._clock = clock
        self._begun = time.monotonic()
        self._waited = 0.0
        self._seen: tuple[Summary, SourceView] | None = None
        self._eaten: deque[tuple[float, int]] = deque()
        self.fed_bytes = 0
        self.has_ended = False
        """Whether the source has been fed to its last byte."""

    def progress(self) -> None:
        """Say that something has come of it."""
        self._clock.reschedule(asyncio.get_running_loop().time() + self._stall_seconds)

    async def arriving(self) -> AsyncIterator[bytes]:
        """Yield the source in order; waits at a gap, ends when the source is complete.

        Raises:
            NotFound: the video is gone.
            FeedPaused, FeedBehind: it is to be given up for now.
            MediaTooLarge: reading it takes too long for what it is.
        """
        waiting_since = time.monotonic()
        while True:
            view = await self._view()
            end = view.extents.contiguous_prefix
            if end > self.fed_bytes:
                self._waited += time.monotonic() - waiting_since
                async for buffer in view.stream(self.fed_bytes, end - self.fed_bytes):
                    self._check(end, is_arriving=not view.is_whole)
                    self.progress()
                    yield buffer
                    self.fed_bytes += len(buffer)
                waiting_since = time.monotonic()
                # What arrived meanwhile is looked for at once.
                continue
            if view.is_whole:
                self._waited += time.monotonic() - waiting_since
                self.has_ended = True
                self.progress()
                return
            if time.monotonic() - waiting_since > self._pause_after:
                raise FeedPaused("The upload has stopped for a while.")
            self._clock.reschedule(None)
            await asyncio.sleep(_LOOK_SECONDS)

    async def rearranged(self, view: SourceView, forward: Forward) -> AsyncIterator[bytes]:
        """Yield a complete source with its index in front; raises as ``arriving``."""
        async for buffer in view.stream(0, forward.head):
            yield buffer
        self.progress()
        yield forward.moov
        for offset, length in forward.spans:
            async for buffer in view.stream(offset, length):
                self._check(view.size, is_arriving=False)
                self.progress()
                yield buffer
                self.fed_bytes += len(buffer)
        self.has_ended = True
        self.progress()

    async def _view(self) -> SourceView:
        async with self._database.read() as tx:
            upload = await uploads.get(tx, self._video_id)
            # Parts are read only when there are new ones: there may be thousands, and this is asked again and again.
            if self._seen is None or self._seen[0] != upload.summary:
                parts = await uploads.all_parts(tx, self._video_id)
                self._seen = upload.summary, view_of(upload.summary, parts, self._blobs)
        return self._seen[1]

    def _check(self, end: int, *, is_arriving: bool) -> None:
        now = time.monotonic()
        busy = now - self._begun - self._waited
        if busy > _BUSY_SECONDS + self.fed_bytes / _BYTES_A_SECOND:
            raise MediaTooLarge("Making this file playable takes too long for its size.")
        self._eaten.append((now, self.fed_bytes))
        while self._eaten[0][0] < now - _BEHIND_SECONDS:
            _, before = self._eaten.popleft()
            if is_arriving and busy > _BEHIND_SECONDS and end - self.fed_bytes > self.fed_bytes - before:
                raise FeedBehind("Making it playable takes longer than its upload: playable when complete.")
