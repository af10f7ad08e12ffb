"""``/discarded/videos``: the trash (contract.md 1.3)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from partway.api.caller import authenticate, base_url, read_json
from partway.api.lists import envelope, ordering, paging, video_filter
from partway.api.schemas.base import parse
from partway.api.schemas.videos import Restoration, video_json
from partway.services.house import House
from partway.services.values import VIDEO_SORT_KEYS, Video


def router(house: House, public_url: str) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/discarded/videos", tags=["Videos"])

    def answer(request: Request, video: Video) -> dict[str, Any]:
        return video_json(video, base_url(request, public_url), house.viewing.token(video))

    @routes.get("")
    async def list_discarded_videos(request: Request) -> dict[str, Any]:
        """List the videos in the trash, the newest first."""
        await authenticate(request, house.access)
        page, size = paging(request)
        wanted, order = video_filter(request), ordering(request, VIDEO_SORT_KEYS)
        if request.query_params.get("liveStreamId"):
            return envelope(request, (), total=0, page=page, size=size)
        found = await house.videos.find(wanted, order, page=page, page_size=size, discarded=True)
        items = (answer(request, video) for video in found.items)
        return envelope(request, items, total=found.total, page=page, size=size)

    @routes.get("/{video_id}")
    async def get_discarded_video(request: Request, video_id: str) -> dict[str, Any]:
        """Get a video in the trash."""
        await authenticate(request, house.access)
        return answer(request, await house.videos.get(video_id, discarded=True))

    @routes.patch("/{video_id}")
    async def restore_video(request: Request, video_id: str) -> dict[str, Any]:
        """Take a video out of the trash: ``{"discarded": false}``."""
        await authenticate(request, house.access)
        parse(Restoration, await read_json(request))
        return answer(request, await house.videos.restore(video_id))

    return routes
