"""Pictures: a video's poster, made once, or chosen: uploaded, or picked at a moment of the video."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Protocol

from partway.blobs.base import BlobStore
from partway.catalog import findings, uploads, videos
from partway.catalog.clock import now
from partway.catalog.database import Database, Transaction
from partway.catalog.findings import Picture
from partway.catalog.videos import Video
from partway.errors import BlobMissing, InvalidAttribute, MediaError, NotFound, NotReady
from partway.media.timecode import is_timecode, seconds_of
from partway.services.attached import discard, keep
from partway.services.examination import Examination, Examinations
from partway.services.images import one_image
from partway.services.incoming import IncomingForm

PICTURE_BYTES_MAX = 8 * 1024 * 1024
"""Of an uploaded one (contract.md 1.3)."""

_NOTHING = Picture(None, 0, None, made_version=-1)


class Painter(Protocol):
    """Makes a poster out of a source; ``transcode.poster`` is the real one."""

    async def __call__(self, found: Examination, at_seconds: float | None) -> bytes:
        """One JPEG; taken at this moment, or where it is best.

        Raises:
            NotReady: what it takes has not arrived yet.
            MediaError: none can be made of this source; trying again would not help.
        """
        ...


@dataclass(frozen=True, slots=True)
class ServedPicture:
    """A picture for an answer."""

    media_type: str
    length: int
    version: str
    """Another one has another."""
    buffers: AsyncIterator[bytes]


class Pictures:
    """The verbs of pictures."""

    def __init__(self, database: Database, blobs: BlobStore, examinations: Examinations) -> None:
        self._database = database
        self._blobs = blobs
        self._examinations = examinations

    async def make_poster(self, video_id: str, painter: Painter) -> None:
        """Make a video's poster as it was last chosen and publish it; done as often as asked, published once.

        A video that has been deleted meanwhile needs none. Where none can be made, an earlier one stays.

        Raises:
            NotReady: the source is still arriving, and what it takes is not there.
        """
        try:
            async with self._database.read() as tx:
                wanted = await findings.poster(tx, video_id)
            if wanted is not None and wanted.is_current:
                return
            found = await self._examinations.of(video_id)
        except NotFound:
            return
        key = None
        try:
            image = await painter(found, _moment(wanted, found))
            stored = await keep(self._blobs, image)
            key, outcome = stored.key, Picture(stored.key, stored.length, None)
        except MediaError as error:
            if not found.is_whole:
                raise NotReady() from error  # not the last word: the rest may explain it
            outcome = Picture(None, 0, str(error))
        if not await self._publish(video_id, wanted, outcome) and key is not None:
            await self._blobs.delete(key)

    async def put_poster(self, video_id: str, form: IncomingForm) -> Video:
        """Make an uploaded picture the poster, whatever was there; it stays as it is, whichever kind it is.

        Raises:
            NotFound: there is no such video.
            UploadRefused, BodyError: as ``one_image``.
        """
        file, image = await one_image(form, ("jpeg", "png", "webp"), PICTURE_BYTES_MAX)
        stored = await keep(self._blobs, file.content)
        try:
            async with self._database.write() as tx:
                await uploads.lock(tx, video_id)
                before = await findings.poster(tx, video_id) or _NOTHING
                version = before.version + 1
                picture = Picture(stored.key, stored.length, None, image.media_type, None, version, version)
                video = await self._choose(tx, video_id, picture)
        except NotFound:
            await discard(self._blobs, stored.key)
            raise
        await self._remove(before)
        return video

    async def pick_poster(self, video_id: str, timecode: str) -> Video:
        """Want the poster taken at a moment of the video: it is made once there is one, and replaces what was there.

        Raises:
            NotFound: there is no such video.
            InvalidAttribute: this is no timecode.
        """
        if not is_timecode(timecode):
            raise InvalidAttribute(
                "This has to be a timecode: HH:MM:SS, HH:MM:SS.mmm, HH:MM:SS:frame, or seconds.", name="timecode"
            )
        async with self._database.write() as tx:
            await uploads.lock(tx, video_id)
            before = await findings.poster(tx, video_id) or _NOTHING
            return await self._choose(tx, video_id, replace(before, timecode=timecode, version=before.version + 1))

    async def poster(self, video_id: str) -> ServedPicture:
        """A poster as it is now.

        Raises:
            NotReady: the work on it has not ended.
            NotFound: none could be made.
        """
        try:
            return await self._opened(video_id)
        except BlobMissing:
            # Replaced between the row and its blob.
            return await self._opened(video_id)

    async def _opened(self, video_id: str) -> ServedPicture:
        async with self._database.read() as tx:
            picture = await findings.poster(tx, video_id)
            upload = await uploads.get(tx, video_id)
        if upload.reason is not None and (picture is None or picture.blob_key is None):
            raise NotFound(upload.reason, name="thumbnail")
        if picture is None or (picture.blob_key is None and not picture.is_current):
            raise NotReady()
        if picture.blob_key is None:
            raise NotFound(name="thumbnail")
        buffers = self._blobs.read(picture.blob_key, 0, picture.length)
        # From here on it is open, and can be read to its end even if it is replaced meanwhile.
        first = await anext(buffers)
        return ServedPicture(picture.media_type, picture.length, str(picture.made_version), _behind(first, buffers))

    async def _choose(self, tx: Transaction, video_id: str, picture: Picture) -> Video:
        at = now()
        await findings.save_poster(tx, video_id, picture, at=at)
        await videos.change(tx, video_id, {}, at=at)
        return await videos.get(tx, video_id)

    async def _publish(self, video_id: str, wanted: Picture | None, outcome: Picture) -> bool:
        """Publish the outcome of a choice, unless there is a newer choice, or an outcome; say whether this is it."""
        version = 0 if wanted is None else wanted.version
        try:
            async with self._database.write() as tx:
                await uploads.lock(tx, video_id)
                before = await findings.poster(tx, video_id) or _NOTHING
                if before.is_current or before.version != version:
                    return False
                if outcome.blob_key is None and before.blob_key is not None:
                    made = replace(before, reason=outcome.reason, made_version=version)
                else:
                    made = replace(outcome, timecode=before.timecode, version=version, made_version=version)
                await findings.save_poster(tx, video_id, made, at=now())
        except NotFound:
            return False
        if made.blob_key != before.blob_key:
            await self._remove(before)
        return True

    async def _remove(self, replaced: Picture) -> None:
        """Remove a blob that no row names any more; the sweep would."""
        if replaced.blob_key is not None:
            await discard(self._blobs, replaced.blob_key)


def _moment(wanted: Picture | None, found: Examination) -> float | None:
    if wanted is None or wanted.timecode is None:
        return None
    return seconds_of(wanted.timecode, found.facts.framerate if found.facts else None)


async def _behind(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for buffer in rest:
        yield buffer
