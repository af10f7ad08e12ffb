"""Publishing a derived stream: its bytes, cut into blobs at the ends of fragments, each with its row.

What an earlier try has published is not written again: the bytes are made again, compared, and passed over.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import AsyncIterator, Sequence

from partway.blobs.base import BlobStore
from partway.blobs.digest import Digesting
from partway.catalog import live, uploads
from partway.catalog.clock import now
from partway.catalog.database import Database
from partway.catalog.live import Stretch
from partway.errors import LeaseLost, PartwayError
from partway.media.fragment_ends import FragmentEnds
from partway.services.identifiers import new_blob_key
from partway.testing import faults

MAX_BLOB_BYTES = 4 << 20
_ENOUGH_BYTES = 1 << 20
_EVERY_SECONDS = 1.0


class StreamDiffers(PartwayError):
    """The stream came out differently from what has been published of it."""


class Publisher:
    """Publishes one attempt at a derived stream.

    Args:
        published: what there is of it already.
    """

    def __init__(
        self, database: Database, blobs: BlobStore, video_id: str, attempt: int, published: Sequence[Stretch]
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._video_id = video_id
        self._attempt = attempt
        self._known = deque(published)
        self._ends = FragmentEnds()
        self._pending = bytearray()
        self._position = 0
        """Of the first pending byte in the stream."""
        self._published_at = float("-inf")

    @property
    def made_bytes(self) -> int:
        """How long the stream is so far, published or not."""
        return self._position + len(self._pending)

    async def take(self, buffer: bytes) -> bool:
        """Take the next bytes of the stream; say whether any were published.

        Raises:
            StreamDiffers: they are not what has been published.
            MediaMalformed: they are no MP4.
            LeaseLost: another worker publishes this stream.
            NotFound: the video is gone.
        """
        self._ends.feed(buffer)
        self._pending += buffer
        self._pass_over()
        if self._known:
            return False
        whole = self._ends.latest - self._position
        is_time = time.monotonic() - self._published_at >= _EVERY_SECONDS
        count = 0
        if whole > 0 and (whole >= _ENOUGH_BYTES or is_time):
            count = whole
        elif len(self._pending) >= MAX_BLOB_BYTES:
            count = MAX_BLOB_BYTES
        await self._publish(count)
        return count > 0

    async def finish(self) -> None:
        """Publish what is left; raises as ``take``."""
        self._pass_over()
        if self._known:
            raise StreamDiffers("The stream came out shorter than what has been published of it.")
        await self._publish(len(self._pending))

    def _pass_over(self) -> None:
        while self._known and len(self._pending) >= self._known[0].length:
            expected = self._known.popleft()
            digesting = Digesting()
            digesting.add(bytes(self._pending[: expected.length]))
            if digesting.stored("").digest != expected.digest:
                raise StreamDiffers("The stream came out differently from what has been published of it.")
            self._drop(expected.length)

    async def _publish(self, count: int) -> None:
        while count > 0:
            # A fragment may be larger than a blob should be: nobody reads whole blobs.
            size = min(count, MAX_BLOB_BYTES)
            stored = await self._blobs.put(new_blob_key(), _once(bytes(self._pending[:size])))
            faults.reached("derived-blob-stored")
            stretch = Stretch(self._position, size, stored.digest, stored.key)
            async with self._database.write() as tx:
                await uploads.lock(tx, self._video_id)
                is_mine = await live.append(tx, self._video_id, self._attempt, stretch, at=now())
            if not is_mine:
                await self._blobs.delete(stored.key)
                raise LeaseLost
            self._drop(size)
            self._published_at = time.monotonic()
            count -= size

    def _drop(self, count: int) -> None:
        del self._pending[:count]
        self._position += count


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body
