"""``/videos/{videoId}/thumbnail``: choose a video's poster (contract.md 1.3)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from partway.api.caller import authenticate, base_url, read_json
from partway.api.schemas.base import parse
from partway.api.schemas.videos import ThumbnailPick, video_json
from partway.api.small_forms import small_form
from partway.services.house import House
from partway.services.pictures import PICTURE_BYTES_MAX
from partway.services.values import Video


def router(house: House, public_url: str) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/videos/{video_id}/thumbnail", tags=["Videos"])

    def answer(request: Request, video: Video) -> dict[str, Any]:
        return video_json(video, base_url(request, public_url), house.viewing.token(video))

    @routes.post("")
    async def upload_thumbnail(request: Request, video_id: str) -> dict[str, Any]:
        """Upload a video's poster: JPEG, PNG or WebP, of 8 MiB at the most."""
        await authenticate(request, house.access)
        async with small_form(request, PICTURE_BYTES_MAX) as form:
            return answer(request, await house.pictures.put_poster(video_id, form))

    @routes.patch("")
    async def pick_thumbnail(request: Request, video_id: str) -> dict[str, Any]:
        """Pick a moment of the video as its poster."""
        await authenticate(request, house.access)
        picked = parse(ThumbnailPick, await read_json(request))
        return answer(request, await house.pictures.pick_poster(video_id, picked.timecode))

    return routes
