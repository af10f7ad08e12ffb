"""Pictures: make a video's poster, once, and give it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from partway.blobs.base import BlobStore
from partway.catalog import findings, uploads
from partway.catalog.clock import now
from partway.catalog.database import Database
from partway.catalog.findings import Picture
from partway.errors import MediaError, NotFound, NotReady
from partway.services.attached import keep
from partway.services.examination import Examination, Examinations


class Painter(Protocol):
    """Makes a poster out of a source; ``transcode.poster`` is the real one."""

    async def __call__(self, found: Examination) -> bytes:
        """One JPEG.

        Raises:
            NotReady: what it takes has not arrived yet.
            MediaError: none can be made of this source; trying again would not help.
        """
        ...


class Pictures:
    """The verbs of pictures."""

    def __init__(self, database: Database, blobs: BlobStore, examinations: Examinations) -> None:
        self._database = database
        self._blobs = blobs
        self._examinations = examinations

    async def make_poster(self, video_id: str, painter: Painter) -> None:
        """Make a video's poster and publish it, unless there is one; done as often as asked, published once.

        A video that has been deleted meanwhile needs none.

        Raises:
            NotReady: the source is still arriving, and what it takes is not there.
        """
        try:
            async with self._database.read() as tx:
                if await findings.poster(tx, video_id) is not None:
                    return
            found = await self._examinations.of(video_id)
        except NotFound:
            return
        key = None
        try:
            image = await painter(found)
            stored = await keep(self._blobs, image)
            key, picture = stored.key, Picture(stored.key, stored.length, None)
        except MediaError as error:
            if not found.is_whole:
                raise NotReady() from error  # not the last word: the rest may explain it
            picture = Picture(None, 0, str(error))
        if not await self._publish(video_id, picture) and key is not None:
            await self._blobs.delete(key)

    async def _publish(self, video_id: str, picture: Picture) -> bool:
        try:
            async with self._database.write() as tx:
                await uploads.lock(tx, video_id)
                return await findings.add_poster(tx, video_id, picture, at=now())
        except NotFound:
            return False

    async def poster(self, video_id: str) -> tuple[int, AsyncIterator[bytes]]:
        """A poster's length and bytes.

        Raises:
            NotReady: the work on it has not ended.
            NotFound: none could be made.
        """
        async with self._database.read() as tx:
            picture = await findings.poster(tx, video_id)
        if picture is None:
            raise NotReady()
        if picture.blob_key is None:
            raise NotFound(name="thumbnail")
        return picture.length, self._blobs.read(picture.blob_key, 0, picture.length)
