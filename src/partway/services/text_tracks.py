"""Text tracks: keep and give a video's captions and chapters, WebVTT files of any language (contract.md 1.5, 1.6)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from partway.blobs.base import BlobStore
from partway.catalog import text_tracks, uploads, videos
from partway.catalog.clock import now
from partway.catalog.database import Database
from partway.catalog.paging import Page
from partway.catalog.text_tracks import Kind, TextTrack
from partway.errors import FileInvalid, InvalidAttribute, MediaMalformed, NotFound
from partway.media.webvtt import count_cues
from partway.services.attached import discard, keep, read_named
from partway.services.incoming import IncomingForm, one_file
from partway.services.languages import check_language

FILE_BYTES_MAX = 4 * 1024 * 1024
_TRACKS_MAX = 200


class TextTracks:
    """The verbs of captions and chapters."""

    def __init__(self, database: Database, blobs: BlobStore) -> None:
        self._database = database
        self._blobs = blobs

    async def put(self, video_id: str, kind: Kind, language: str, form: IncomingForm) -> TextTrack:
        """Take in a WebVTT file; it replaces an earlier one of this language, whose default it keeps.

        Raises:
            NotFound: there is no such video.
            InvalidAttribute: the language is none, or there are too many of them.
            UploadRefused: there is not one file in the form, or it is no WebVTT.
            BodyError: the form broke off or is not well formed.
        """
        check_language(language)
        async with self._database.read() as tx:
            await videos.get(tx, video_id)
        content = (await one_file(form, FILE_BYTES_MAX)).content
        try:
            # In a thread: the longest file is a second's work.
            await asyncio.to_thread(count_cues, content)
        except MediaMalformed as error:
            raise FileInvalid(str(error)) from error
        stored = await keep(self._blobs, content)
        track = TextTrack(video_id, kind, language, False, stored.key, stored.length, now())
        try:
            track, replaced = await self._publish(track)
        except (NotFound, InvalidAttribute):
            await discard(self._blobs, stored.key)
            raise
        if replaced is not None:
            await discard(self._blobs, replaced)
        return track

    async def _publish(self, track: TextTrack) -> tuple[TextTrack, str | None]:
        """Write the row; it as it is now, and the blob that has lost its meaning."""
        async with self._database.write() as tx:
            await uploads.lock(tx, track.video_id)
            earlier = {one.tag.lower(): one for one in await text_tracks.all_of(tx, track.video_id, track.kind)}
            replaced = earlier.get(track.tag.lower())
            if replaced is None and len(earlier) >= _TRACKS_MAX:
                raise InvalidAttribute(f"A video has {track.kind} in at most {_TRACKS_MAX} languages.", name="language")
            if replaced is not None:
                track = replace(track, is_default=replaced.is_default)
            await text_tracks.put(tx, track)
        return track, replaced.blob_key if replaced is not None else None

    async def get(self, video_id: str, kind: Kind, language: str) -> TextTrack:
        """Read a text track's record.

        Raises:
            NotFound: there is none.
            InvalidAttribute: the language is none.
        """
        check_language(language)
        async with self._database.read() as tx:
            await videos.get(tx, video_id)
            return await text_tracks.get(tx, video_id, kind, language)

    async def find(self, video_id: str, kind: Kind, *, page: int, page_size: int) -> Page[TextTrack]:
        """Read one page of a video's text tracks of one kind.

        Raises:
            NotFound: there is no such video.
        """
        async with self._database.read() as tx:
            await videos.get(tx, video_id)
            return await text_tracks.find(tx, video_id, kind, page=page, page_size=page_size)

    async def captions_of(self, video_id: str) -> Sequence[TextTrack]:
        """A video's captions, by language; none for a video that isn't there."""
        async with self._database.read() as tx:
            return await text_tracks.all_of(tx, video_id, "captions")

    async def chapters_of(self, video_id: str) -> Sequence[TextTrack]:
        """A video's chapters, by language; none for a video that isn't there."""
        async with self._database.read() as tx:
            return await text_tracks.all_of(tx, video_id, "chapters")

    async def set_default(self, video_id: str, kind: Kind, language: str, is_default: bool) -> TextTrack:
        """Make a text track the one default of its kind, or no default.

        Raises:
            NotFound: there is none.
            InvalidAttribute: the language is none.
        """
        check_language(language)
        async with self._database.write() as tx:
            await uploads.lock(tx, video_id)
            track = await text_tracks.get(tx, video_id, kind, language)
            await text_tracks.set_default(tx, track, is_default)
        return replace(track, is_default=is_default)

    async def delete(self, video_id: str, kind: Kind, language: str) -> None:
        """Delete a text track: it is gone when its row is, and its bytes follow.

        Raises:
            NotFound: there is none.
            InvalidAttribute: the language is none.
        """
        check_language(language)
        async with self._database.write() as tx:
            await uploads.lock(tx, video_id)
            track = await text_tracks.get(tx, video_id, kind, language)
            await text_tracks.remove(tx, track)
        await discard(self._blobs, track.blob_key)

    async def content(self, video_id: str, kind: Kind, language: str) -> bytes:
        """A text track's file, as it was sent.

        Raises:
            NotFound: there is none.
        """

        async def named() -> tuple[str, int]:
            async with self._database.read() as tx:
                track = await text_tracks.get(tx, video_id, kind, language)
            return track.blob_key, track.length

        return await read_named(self._blobs, named)
