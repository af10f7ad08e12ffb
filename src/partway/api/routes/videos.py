"""``/videos``: the record of a video (contract.md 1.3)."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Request, Response

from partway.api.caller import authenticate, base_url, idempotency_key, read_json
from partway.api.lists import envelope, ordering, paging, video_filter
from partway.api.schemas.base import parse
from partway.api.schemas.status import status_json
from partway.api.schemas.videos import NewVideo, VideoChanges, video_json
from partway.services.house import House
from partway.services.values import VIDEO_SORT_KEYS, Video


def router(house: House, public_url: str) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/videos", tags=["Videos"])

    def answer(request: Request, video: Video) -> dict[str, Any]:
        return video_json(video, base_url(request, public_url), house.viewing.token(video))

    @routes.get("")
    async def list_videos(request: Request) -> dict[str, Any]:
        """List videos, the newest first."""
        await authenticate(request, house.access)
        page, size = paging(request)
        wanted, order = video_filter(request), ordering(request, VIDEO_SORT_KEYS)
        if request.query_params.get("liveStreamId"):
            # Nothing is recorded from a live stream, so none has any videos.
            return envelope(request, (), total=0, page=page, size=size)
        found = await house.videos.find(wanted, order, page=page, page_size=size)
        base = base_url(request, public_url)
        items = (video_json(video, base, house.viewing.token(video)) for video in found.items)
        return envelope(request, items, total=found.total, page=page, size=size)

    @routes.post("", status_code=201)
    async def create_video(request: Request, response: Response) -> dict[str, Any]:
        """Create a video's container, to be filled by an upload; or, answered 202, a copy of another video."""
        key_id = await authenticate(request, house.access)
        payload = await read_json(request)
        wanted = parse(NewVideo, payload)
        video = await house.videos.create(
            wanted.as_video(),
            asked_by=key_id,
            source=wanted.source,
            idempotency_key=idempotency_key(request),
            asked=json.dumps(payload, sort_keys=True),
        )
        response.status_code = 201 if wanted.source is None else 202
        return answer(request, video)

    @routes.get("/{video_id}")
    async def get_video(request: Request, video_id: str) -> dict[str, Any]:
        """Get a video."""
        await authenticate(request, house.access)
        return answer(request, await house.videos.get(video_id))

    @routes.patch("/{video_id}")
    async def change_video(request: Request, video_id: str) -> dict[str, Any]:
        """Change a video: a merge patch, null unsets, what is absent stays."""
        await authenticate(request, house.access)
        changes = parse(VideoChanges, await read_json(request)).as_changes()
        return answer(request, await house.videos.change(video_id, changes))

    @routes.delete("/{video_id}", status_code=204)
    async def delete_video(request: Request, video_id: str) -> Response:
        """Delete a video and its source."""
        await authenticate(request, house.access)
        await house.videos.delete(video_id)
        house.upkeep.wake()
        return Response(status_code=204)

    @routes.get("/{video_id}/status")
    async def get_status(request: Request, video_id: str) -> dict[str, Any]:
        """Get what has arrived of a video, and whether and why not it can be watched."""
        await authenticate(request, house.access)
        return status_json(await house.playback.status(video_id))

    return routes
