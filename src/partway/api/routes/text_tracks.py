"""``/videos/{videoId}/captions`` and ``/chapters`` (contract.md 1.5, 1.6)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from partway.api.caller import authenticate, base_url, read_json
from partway.api.lists import envelope, paging
from partway.api.schemas.base import parse
from partway.api.schemas.text_tracks import CaptionChanges, caption_json, chapter_json
from partway.api.schemas.videos import asset_root
from partway.api.small_forms import small_form
from partway.errors import InvalidAttribute
from partway.services.house import House
from partway.services.text_tracks import FILE_BYTES_MAX


def captions(house: House, public_url: str) -> APIRouter:
    """The routes of captions."""
    routes = APIRouter(prefix="/videos/{video_id}/captions", tags=["Captions"])

    @routes.get("")
    async def list_captions(request: Request, video_id: str) -> dict[str, Any]:
        """List a video's captions, by language."""
        await authenticate(request, house.access)
        page, size = paging(request)
        found = await house.text_tracks.find(video_id, "captions", page=page, page_size=size)
        root = await _root(house, request, video_id, public_url)
        items = (caption_json(track, root) for track in found.items)
        return envelope(request, items, total=found.total, page=page, size=size)

    @routes.post("/{language}")
    async def upload_captions(request: Request, video_id: str, language: str) -> dict[str, Any]:
        """Upload captions, a WebVTT file; they replace those of the same language."""
        await authenticate(request, house.access)
        async with small_form(request, FILE_BYTES_MAX) as form:
            track = await house.text_tracks.put(video_id, "captions", language, form)
        return caption_json(track, await _root(house, request, video_id, public_url))

    @routes.get("/{language}")
    async def get_captions(request: Request, video_id: str, language: str) -> dict[str, Any]:
        """Get what is known of a video's captions in a language."""
        await authenticate(request, house.access)
        track = await house.text_tracks.get(video_id, "captions", language)
        return caption_json(track, await _root(house, request, video_id, public_url))

    @routes.patch("/{language}")
    async def change_captions(request: Request, video_id: str, language: str) -> dict[str, Any]:
        """Make captions the video's default, or no longer; there is one default at most."""
        await authenticate(request, house.access)
        changes = parse(CaptionChanges, await read_json(request))
        if changes.default is None:
            if "default" in changes.model_fields_set:
                raise InvalidAttribute("This attribute can't be null.", name="default")
            track = await house.text_tracks.get(video_id, "captions", language)
        else:
            track = await house.text_tracks.set_default(video_id, "captions", language, changes.default)
        return caption_json(track, await _root(house, request, video_id, public_url))

    @routes.delete("/{language}", status_code=204)
    async def delete_captions(request: Request, video_id: str, language: str) -> Response:
        """Delete a video's captions in a language."""
        await authenticate(request, house.access)
        await house.text_tracks.delete(video_id, "captions", language)
        return Response(status_code=204)

    return routes


def chapters(house: House, public_url: str) -> APIRouter:
    """The routes of chapters."""
    routes = APIRouter(prefix="/videos/{video_id}/chapters", tags=["Chapters"])

    @routes.get("")
    async def list_chapters(request: Request, video_id: str) -> dict[str, Any]:
        """List a video's chapters, by language."""
        await authenticate(request, house.access)
        page, size = paging(request)
        found = await house.text_tracks.find(video_id, "chapters", page=page, page_size=size)
        root = await _root(house, request, video_id, public_url)
        items = (chapter_json(track, root) for track in found.items)
        return envelope(request, items, total=found.total, page=page, size=size)

    @routes.post("/{language}")
    async def upload_chapters(request: Request, video_id: str, language: str) -> dict[str, Any]:
        """Upload chapters, a WebVTT file; they replace those of the same language."""
        await authenticate(request, house.access)
        async with small_form(request, FILE_BYTES_MAX) as form:
            track = await house.text_tracks.put(video_id, "chapters", language, form)
        return chapter_json(track, await _root(house, request, video_id, public_url))

    @routes.get("/{language}")
    async def get_chapters(request: Request, video_id: str, language: str) -> dict[str, Any]:
        """Get what is known of a video's chapters in a language."""
        await authenticate(request, house.access)
        track = await house.text_tracks.get(video_id, "chapters", language)
        return chapter_json(track, await _root(house, request, video_id, public_url))

    @routes.delete("/{language}", status_code=204)
    async def delete_chapters(request: Request, video_id: str, language: str) -> Response:
        """Delete a video's chapters in a language."""
        await authenticate(request, house.access)
        await house.text_tracks.delete(video_id, "chapters", language)
        return Response(status_code=204)

    return routes


async def _root(house: House, request: Request, video_id: str, public_url: str) -> str:
    video = await house.videos.get(video_id)
    return asset_root(video_id, base_url(request, public_url), house.viewing.token(video))
