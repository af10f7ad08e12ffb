"""The sweep: remove what no row gives a meaning, and uploads that were given up (design.md 3).

A request commits only a blob younger than ``request_deadline``; the sweep removes only blobs without a row that
are older than four times that, by the store's own clock. So it can never meet a blob that is about to get its row.
"""

from __future__ import annotations

from partway.blobs.base import BlobStore
from partway.catalog import findings, uploads, videos
from partway.catalog.clock import SECOND, now
from partway.catalog.database import Database
from partway.errors import NotFound
from partway.ledger import State
from partway.services.events import announce, upload_expired

_BATCH = 500


class Sweeping:
    """The verbs of cleaning up.

    Args:
        request_deadline: seconds one upload request may take.
        expire_after: seconds without a new part until an unfinished upload or an empty container goes.
    """

    def __init__(self, database: Database, blobs: BlobStore, *, request_deadline: float, expire_after: float) -> None:
        self._database = database
        self._blobs = blobs
        self._age = 4 * request_deadline
        self._expire_after = expire_after

    async def sweep_orphans(self) -> int:
        """Remove old blobs without a row; say how many."""
        removed, batch = 0, []
        async for blob in self._blobs.list():
            if blob.age_seconds > self._age:
                batch.append(blob.key)
            if len(batch) >= _BATCH:
                removed += await self._remove_unknown(batch)
                batch = []
        return removed + await self._remove_unknown(batch)

    async def expire_uploads(self) -> list[str]:
        """Delete unfinished uploads and empty containers that nothing has reached for too long; their ids."""
        before = now() - int(self._expire_after * SECOND)
        async with self._database.read() as tx:
            found = await uploads.unfinished(tx, before=before)
        expired = []
        for video_id in found:
            try:
                async with self._database.write() as tx:
                    upload = await uploads.lock(tx, video_id)
                    if upload.summary.state is State.COMPLETE or upload.changed_at >= before:
                        continue
                    await videos.entomb(tx, video_id, at=now())
                    await announce(tx, upload_expired(video_id), at=now())
            except NotFound:
                continue
            expired.append(video_id)
        return expired

    async def empty_trash(self) -> list[str]:
        """Delete the videos whose time in the trash is over; their ids."""
        at = now()
        async with self._database.read() as tx:
            found = await videos.outlived_trash(tx, at=at)
        deleted = []
        for video_id in found:
            try:
                async with self._database.write() as tx:
                    # Asked again: somebody may have restored it, and even thrown it away anew.
                    await videos.entomb_discarded(tx, video_id, at=at)
            except NotFound:
                continue
            deleted.append(video_id)
        return deleted

    async def _remove_unknown(self, keys: list[str]) -> int:
        if not keys:
            return 0
        async with self._database.read() as tx:
            known = await findings.known_blobs(tx, keys)
        for key in keys:
            if key not in known:
                await self._blobs.delete(key)
        return len(set(keys) - known)
