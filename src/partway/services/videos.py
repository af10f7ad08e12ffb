"""Videos: create, read, list, change, delete."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from partway.blobs.base import BlobStore
from partway.catalog import findings, idempotency, ingests, uploads, videos
from partway.catalog.clock import SECOND, now
from partway.catalog.database import Database, Transaction
from partway.catalog.paging import Order, Page
from partway.catalog.videos import Video, VideoFilter
from partway.errors import BlobError, InvalidAttribute, NotFound
from partway.ledger import State
from partway.services.identifiers import fingerprint, is_id, new_id
from partway.testing import faults

_DAY = 86400
_ADDRESS_MAX = 4096


class Videos:
    """The verbs of the video record.

    Args:
        trash_days: how long a deleted video can be restored, 0 for not at all.
    """

    def __init__(self, database: Database, blobs: BlobStore, *, trash_days: float = 0) -> None:
        self._database = database
        self._blobs = blobs
        self._trash_days = trash_days

    async def create(
        self,
        wanted: Video,
        *,
        asked_by: str,
        source: str | None = None,
        idempotency_key: str | None = None,
        asked: str = "",
    ) -> Video:
        """Create a video's container; ``wanted`` needs no id or times.

        Args:
            source: the id of a complete video to copy: the new one shares its blobs. Or an http or https address, to
                be fetched as a job. None for an empty container.
            asked_by: whose idempotency keys these are.
            asked: the request's text; the same key with another text is refused.

        Raises:
            InvalidAttribute: the source is none; or the idempotency key was used for another request.
        """
        if source is not None and not is_id("vi", source) and not _is_address(source):
            raise InvalidAttribute(
                "This has to be an http:// or https:// address, or the id of a video.", name="source"
            )
        created = now()
        video = replace(wanted, video_id=new_id("vi"), created_at=created, updated_at=created, published_at=created)
        scope, asked = f"videos:{asked_by}", fingerprint(asked)
        async with self._database.write() as tx:
            earlier = await idempotency.claim(tx, scope, idempotency_key, asked, video.video_id, at=created)
            if earlier is not None:
                return await videos.get(tx, earlier)
            await videos.add(tx, video)
            if source is not None and _is_address(source):
                await ingests.add(tx, video.video_id, source, at=created)
            elif source is not None:
                await self._copy(tx, source, video.video_id, at=created)
        return video

    async def _copy(self, tx: Transaction, source: str, video_id: str, *, at: int) -> None:
        try:
            upload = await uploads.lock(tx, source)
        except NotFound:
            raise InvalidAttribute("There is no such video.", name="source") from None
        if upload.summary.state is not State.COMPLETE:
            raise InvalidAttribute("This video is not complete yet: it can be copied once it is.", name="source")
        await uploads.copy(tx, upload, video_id, at=at)

    async def get(self, video_id: str, *, discarded: bool = False) -> Video:
        """Read a video, or one in the trash.

        Raises:
            NotFound: there is none.
        """
        async with self._database.read() as tx:
            return await videos.get(tx, video_id, discarded=discarded)

    async def find(
        self, wanted: VideoFilter, order: Order, *, page: int, page_size: int, discarded: bool = False
    ) -> Page[Video]:
        """Read one page of the videos that fit, or of those in the trash."""
        async with self._database.read() as tx:
            return await videos.find(tx, wanted, order, page=page, page_size=page_size, discarded=discarded)

    async def change(self, video_id: str, changes: dict[str, Any]) -> Video:
        """Change what ``changes`` names (fields of ``Video``) and leave the rest.

        Raises:
            NotFound: there is no such video.
        """
        async with self._database.write() as tx:
            await videos.change(tx, video_id, changes, at=now())
            return await videos.get(tx, video_id)

    async def delete(self, video_id: str) -> None:
        """Delete a video: it is gone when this returns; its blobs follow with ``bury``, or when the trash gives it up.

        Raises:
            NotFound: there is no such video.
        """
        at = now()
        async with self._database.write() as tx:
            await uploads.lock(tx, video_id)
            if self._trash_days:
                await videos.discard(tx, video_id, at=at, until=at + int(self._trash_days * _DAY * SECOND))
            else:
                await videos.entomb(tx, video_id, at=at)
        faults.reached("tombstone-committed")

    async def restore(self, video_id: str) -> Video:
        """Take a video out of the trash, as it was.

        Raises:
            NotFound: it is not there.
        """
        async with self._database.write() as tx:
            await videos.restore(tx, video_id, at=now())
            return await videos.get(tx, video_id)

    async def bury(self) -> int:
        """Remove the blobs of deleted videos, then what is left of the videos; say how many.

        Can be interrupted anywhere and asked again: a tombstone stays until its last blob is gone.

        Raises:
            BlobError: the store could not remove something; whatever else there was is done.
        """
        buried = 0
        failed: dict[str, BlobError] = {}
        while True:
            async with self._database.read() as tx:
                waiting = [video_id for video_id in await videos.tombstones(tx) if video_id not in failed]
            if not waiting:
                break
            for video_id in waiting:
                try:
                    await self._bury(video_id)
                except BlobError as error:
                    failed[video_id] = error
                else:
                    buried += 1
        for first in failed.values():
            raise first
        return buried

    async def _bury(self, video_id: str) -> None:
        async with self._database.write() as tx:
            await uploads.release_shared(tx, video_id)
        faults.reached("shared-released")
        async with self._database.read() as tx:
            keys = [part.blob_key for part in await uploads.all_parts(tx, video_id)]
            keys += await findings.blob_keys(tx, video_id)
        for key in keys:
            await self._blobs.delete(key)
            faults.reached("blob-removed")
        faults.reached("tombstone-emptied")
        async with self._database.write() as tx:
            await videos.remove_tombstone(tx, video_id)


def _is_address(source: str) -> bool:
    """Whether a source is to be fetched; whether it can be is found out by doing so."""
    try:
        found = urlsplit(source)
        is_host = bool(found.hostname) and found.port != 0
    except ValueError:
        return False
    return (
        found.scheme in ("http", "https")
        and is_host
        and len(source) <= _ADDRESS_MAX
        and source.isprintable()
        and " " not in source
    )
