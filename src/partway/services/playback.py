"""Playback: the playlists and segments to watch a video with, made on request from its index."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from partway.catalog import findings, uploads, videos
from partway.catalog.database import Database
from partway.catalog.videos import Video
from partway.errors import NotFound, NotReady, PartwayError
from partway.ledger import State
from partway.services.examination import Examination, Examinations
from partway.services.source import SourceView
from partway.services.status import Status, is_given_up, status_of
from partway.services.viewing import Viewer

if TYPE_CHECKING:
    from partway.media.index import Index

Kind = Literal["video", "audio"]

PACKAGER = 1
"""Raised when the packager writes other bytes for the same source; part of segment URLs."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Bytes for an answer."""

    size: int
    media_type: str
    buffers: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class Playlist:
    """A playlist's text."""

    text: str
    is_final: bool
    """Whether a later one will be the same."""


class Playback:
    """The verbs of watching.

    Args:
        early: whether a video may be watched while it is still arriving, unless it says itself.
    """

    def __init__(self, database: Database, examinations: Examinations, *, early: bool) -> None:
        self._database = database
        self._examinations = examinations
        self._early = early

    async def status(self, video_id: str) -> Status:
        """Tell where a video stands.

        Raises:
            NotFound: there is no such video.
        """
        async with self._database.read() as tx:
            video = await videos.get(tx, video_id)
            upload = await uploads.get(tx, video_id)
            parts = tuple(await uploads.all_parts(tx, video_id))
            probe = await findings.probe(tx, video_id)
        is_there = upload.summary.state is not State.EMPTY and upload.reason is None
        try:
            found = await self._examinations.of(video_id) if is_there else None
        except NotFound:
            # Gone, or given up, since its rows were read; they say which.
            return await self.status(video_id)
        status = status_of(video, upload.summary, parts, found, probe, early=self._may_be_early(video))
        status = replace(status, origin=upload.origin)
        if upload.reason is not None:
            return replace(status, is_failed=True, reason=upload.reason)
        if upload.origin is uploads.Origin.DOWNLOADED and found is None:
            return replace(status, reason="The video is still to be fetched from its address.")
        return status

    async def master_playlist(self, viewer: Viewer) -> Playlist:
        """The master playlist.

        Raises:
            NotFound: the video is gone.
            NotReady: not yet.
            MediaMalformed: never.
        """
        from partway.media.playlists import master_playlist

        found, index = await self._playable(viewer.video)
        folder = packaging_of(viewer.video, found)
        text = master_playlist(
            index,
            video_uri=viewer.uri(f"{folder}/video.m3u8"),
            audio_uri=viewer.uri(f"{folder}/audio.m3u8"),
        )
        return Playlist(text, found.is_ended)

    async def dash_manifest(self, viewer: Viewer) -> str:
        """The DASH manifest, once the video is complete; raises as ``master_playlist``."""
        from partway.media.dash import dash_manifest

        found, index = await self._playable(viewer.video)
        if not found.is_ended:
            raise NotReady()
        folder = packaging_of(viewer.video, found)
        return dash_manifest(index, uri=lambda name: viewer.uri(f"../hls/{folder}/{name}"))

    async def media_playlist(self, viewer: Viewer, packaging: str, kind: Kind) -> Playlist:
        """The playlist of one rendition, as far as it has arrived; raises as ``master_playlist``."""
        from partway.media.playlists import media_playlist

        found, index = await self._rendition(viewer.video, packaging, kind)
        assert found.edge is not None
        text = media_playlist(
            index,
            kind,
            init_uri=viewer.uri(f"{kind}-init.mp4"),
            segment_uri=lambda number: viewer.uri(f"{kind}-{number}.{index.suffix(kind)}"),
            count=index.segment_count(kind) if found.is_ended else found.edge.count(kind),
            ended=found.is_ended,
        )
        return Playlist(text, found.is_ended)

    async def init_segment(self, video: Video, packaging: str, kind: Kind) -> bytes:
        """The init segment of one rendition; raises as ``master_playlist``."""
        from partway.media.segments import init_segment

        _, index = await self._rendition(video, packaging, kind)
        if index.is_packed(kind):
            raise NotFound(name="init")
        return init_segment(index, kind)

    async def segment(self, video: Video, packaging: str, kind: Kind, number: int, ending: str) -> Stream:
        """One segment, made from byte ranges of the source; raises as ``master_playlist``.

        One behind a gap of a source that is still arriving is served, though no playlist lists it yet.

        Args:
            ending: of its name in the playlist, ``m4s`` or ``mp3``.

        Raises:
            NotReady: not all of its bytes have arrived.
        """
        from partway.media.segments import needed, segment

        found, index = await self._rendition(video, packaging, kind)
        source = found.played
        if not 0 <= number < index.closed_count(kind) or ending != index.suffix(kind):
            raise NotFound(name="segment")
        if not source.covered(*needed(index, kind, number)):
            raise NotReady()
        made = segment(index, kind, number)

        async def buffers() -> AsyncIterator[bytes]:
            yield made.head
            async for buffer in source.gather(made.ranges):
                yield buffer

        return Stream(made.size, index.media_type(kind), buffers())

    async def source(self, video: Video) -> tuple[SourceView, str]:
        """The source's own bytes, and ``mp4`` or ``mov``.

        Raises:
            NotFound: the video is gone, or it is not offered as a file.
            NotReady: it is not complete, or would have to be made an MP4 first.
        """
        if not video.mp4_support:
            raise NotFound(name="mp4")
        found = await self._examinations.of(video.video_id)
        if not found.is_whole or found.container not in ("mp4", "mov"):
            raise await self._why_not(video, found)
        return found.source, found.container

    def _may_be_early(self, video: Video) -> bool:
        return self._early if video.early_playback is None else video.early_playback

    async def _playable(self, video: Video) -> tuple[Examination, Index]:
        found = await self._examinations.of(video.video_id)
        if found.is_failed:
            raise found.error or NotFound(name="videoId")
        if found.index is None or not found.is_playable or not (found.is_whole or self._may_be_early(video)):
            raise await self._why_not(video, found)
        return found, found.index

    async def _why_not(self, video: Video, found: Examination) -> PartwayError:
        """What to raise where nothing can be played: not yet, or never."""
        async with self._database.read() as tx:
            probe = await findings.probe(tx, video.video_id)
        return NotFound(name="videoId") if is_given_up(found, probe) else NotReady()

    async def _rendition(self, video: Video, packaging: str, kind: Kind) -> tuple[Examination, Index]:
        found, index = await self._playable(video)
        if packaging != packaging_of(video, found) or (kind == "audio" and index.audio is None):
            raise NotFound(name="packaging")
        return found, index


def packaging_of(video: Video, found: Examination) -> str:
    """The folder of a video's playlists and segments.

    It names everything that decides about their bytes: the packager's version, the visibility's generation, and which
    derived stream they are cut from, if they are.
    """
    attempt = f"-{found.derived.attempt}" if found.derived else ""
    return f"{PACKAGER}-{video.generation}{attempt}"
