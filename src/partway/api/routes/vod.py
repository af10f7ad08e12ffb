"""``/vod/{videoId}``: the player and what it plays, all of it behind the gate.

While waiting: 202 with an empty body; failed, deleted or not allowed: 404 with an empty body, for an SDK
takes any other body for "playable" (contract.md 0, fact 19). No cookies, fixed content types.
"""

from __future__ import annotations

import re
from typing import Literal, cast
from urllib.parse import quote

from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute

from partway.api.caller import base_url
from partway.api.gate import GUARDED, NEVER, Answerer, Gate
from partway.api.pages import Pages
from partway.api.ranges import is_held, parse_range
from partway.api.schemas.player_page import player_page_json
from partway.errors import NotFound
from partway.services.house import House
from partway.services.values import TextTrackKind
from partway.services.viewing import Viewer

Kind = Literal["video", "audio"]

_PLAYLIST = "application/vnd.apple.mpegurl"
_MPD = "application/dash+xml"
_FOREVER = {**GUARDED, "Cache-Control": "public, max-age=31536000, immutable"}
_A_MINUTE = {**GUARDED, "Cache-Control": "public, max-age=60"}


def routes(house: House, pages: Pages, public_url: str) -> list[BaseRoute]:
    """The routes; each answers HEAD as well."""

    async def player(request: Request, viewer: Viewer) -> Response:
        """The player page; says why when there is nothing to play yet."""
        video = viewer.video
        status = await house.playback.status(video.video_id)
        tracks = [
            *await house.text_tracks.captions_of(video.video_id),
            *await house.text_tracks.chapters_of(video.video_id),
        ]
        theme = await house.players.theme_of(video.player_id)
        config = player_page_json(viewer, base_url(request, public_url), status, tracks, theme)
        return pages.player(video.title, config)

    async def status(request: Request, viewer: Viewer) -> Response:
        """What the player polls: whether it can be played, and why not."""
        found = await house.playback.status(viewer.video.video_id)
        body = {
            "playable": found.is_playable,
            "complete": found.state == "complete",
            "state": found.state,
            "reason": found.reason,
            "receivedBytes": found.summary.received_bytes,
            "edgeSeconds": found.edge_seconds,
        }
        return JSONResponse(body, headers=NEVER)

    async def master(request: Request, viewer: Viewer) -> Response:
        """The HLS master playlist; 202 until it can be played."""
        made = await house.playback.master_playlist(viewer)
        return Response(made.text, media_type=_PLAYLIST, headers=_A_MINUTE if made.is_final else NEVER)

    async def dash(_: Request, viewer: Viewer) -> Response:
        """The DASH manifest of a complete video; 202 until then."""
        return Response(await house.playback.dash_manifest(viewer), media_type=_MPD, headers=_A_MINUTE)

    async def playlist(request: Request, viewer: Viewer) -> Response:
        """The HLS playlist of the video or of its sound."""
        packaging, kind = _rendition(request)
        made = await house.playback.media_playlist(viewer, packaging, kind)
        return Response(made.text, media_type=_PLAYLIST, headers=_A_MINUTE if made.is_final else NEVER)

    async def init(request: Request, viewer: Viewer) -> Response:
        """The init segment of a rendition."""
        packaging, kind = _rendition(request)
        body = await house.playback.init_segment(viewer.video, packaging, kind)
        return Response(body, media_type=f"{kind}/mp4", headers=_FOREVER)

    async def segment(request: Request, viewer: Viewer) -> Response:
        """A segment, made on request from byte ranges of the source."""
        packaging, kind = _rendition(request)
        number, ending = request.path_params["number"], request.path_params["ending"]
        made = await house.playback.segment(viewer.video, packaging, kind, number, ending)
        headers = {**_FOREVER, "Content-Length": str(made.size)}
        if request.method == "HEAD":
            return Response(media_type=made.media_type, headers=headers)
        return StreamingResponse(made.buffers, media_type=made.media_type, headers=headers)

    async def source(request: Request, viewer: Viewer) -> Response:
        """The source's own bytes, with Range requests; ``?dl=1`` to save it."""
        video = viewer.video
        view, container = await house.playback.source(video)
        etag = f'"{video.video_id}-{view.size}"'
        headers = {**_A_MINUTE, "Accept-Ranges": "bytes", "ETag": etag}
        media_type = "video/mp4" if container == "mp4" else "video/quicktime"
        if "dl" in request.query_params:
            name = re.sub(r"\.(mp4|mov|m4v)$", "", video.title, flags=re.IGNORECASE)[:100]
            headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(f'{name}.{container}', safe='')}"
        if is_held(request.headers.get("if-none-match"), etag):
            return Response(status_code=304, headers=headers)
        # A range means nothing on HEAD (RFC 9110 14.2), nor when it is of another version.
        means_part = request.method == "GET" and request.headers.get("if-range", etag) == etag
        try:
            part = parse_range(request.headers.get("range") if means_part else None, view.size)
        except ValueError:
            return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{view.size}"})
        offset, length = part or (0, view.size)
        headers["Content-Length"] = str(length)
        if part is not None:
            headers["Content-Range"] = f"bytes {offset}-{offset + length - 1}/{view.size}"
        code = 200 if part is None else 206
        if request.method == "HEAD":
            return Response(status_code=code, media_type=media_type, headers=headers)
        return StreamingResponse(view.stream(offset, length), code, headers=headers, media_type=media_type)

    async def thumbnail(request: Request, viewer: Viewer) -> Response:
        """The poster; 202 until there is one."""
        video_id = viewer.video.video_id
        picture = await house.pictures.poster(video_id)
        etag = f'"{video_id}-{picture.version}"'
        headers = {**_A_MINUTE, "ETag": etag}
        if is_held(request.headers.get("if-none-match"), etag):
            return Response(status_code=304, headers=headers)
        headers["Content-Length"] = str(picture.length)
        if request.method == "HEAD":
            return Response(media_type=picture.media_type, headers=headers)
        return StreamingResponse(picture.buffers, media_type=picture.media_type, headers=headers)

    async def text_track(request: Request, viewer: Viewer, kind: TextTrackKind) -> Response:
        content = await house.text_tracks.content(viewer.video.video_id, kind, request.path_params["language"])
        return Response(content, headers={**_A_MINUTE, "Content-Type": "text/vtt"})

    async def captions(request: Request, viewer: Viewer) -> Response:
        """The captions of a language, a WebVTT file."""
        return await text_track(request, viewer, "captions")

    async def chapters(request: Request, viewer: Viewer) -> Response:
        """The chapters of a language, a WebVTT file."""
        return await text_track(request, viewer, "chapters")

    async def session(_: Request, viewer: Viewer) -> Response:
        """A private video's viewer session, for ``?avh=``; uses up the token."""
        if viewer.session is None:
            raise NotFound(name="session")
        return JSONResponse({"session_token": viewer.session}, headers=NEVER)

    rendition = "/hls/{packaging}/{kind:rendition}"
    register_url_convertor("rendition", _Rendition())
    register_url_convertor("number", _Number())
    answers: tuple[tuple[str, Answerer], ...] = (
        ("", player),
        ("/status.json", status),
        ("/hls/manifest.m3u8", master),
        ("/dash/manifest.mpd", dash),
        (rendition + ".m3u8", playlist),
        (rendition + "-init.mp4", init),
        (rendition + "-{number:number}.{ending}", segment),
        ("/mp4/source.mp4", source),
        ("/thumbnail.jpg", thumbnail),
        ("/captions/{language}.vtt", captions),
        ("/chapters/{language}.vtt", chapters),
        ("/session", session),
    )
    gate = Gate(house.viewing)
    return [route for path, answer in answers for route in gate.routes(path, answer)]


class _Rendition(Convertor[str]):
    regex = "video|audio"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


class _Number(Convertor[int]):
    regex = "[0-9]{1,9}"

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


def _rendition(request: Request) -> tuple[str, Kind]:
    return request.path_params["packaging"], cast(Kind, request.path_params["kind"])
