"""``/live-streams``: there are none, and every answer says so in the contract's shape (contract.md 1.12)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from partway.api.caller import authenticate, read_json
from partway.api.lists import envelope, ordering, paging
from partway.api.schemas.base import parse
from partway.api.schemas.live_streams import NewLiveStream
from partway.errors import NoLiveStreams, NotFound
from partway.services.house import House

_SORT_KEYS = ("name", "createdAt", "updatedAt")


def router(house: House) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/live-streams", tags=["Live streams"])

    async def none_like_it(request: Request) -> NotFound:
        await authenticate(request, house.access)
        return NotFound("This server has no live streams.", name="liveStreamId")

    @routes.get("")
    async def list_live_streams(request: Request) -> dict[str, Any]:
        """List live streams: an empty page."""
        await authenticate(request, house.access)
        page, size = paging(request)
        ordering(request, _SORT_KEYS)
        return envelope(request, (), total=0, page=page, size=size)

    @routes.post("")
    async def create_live_stream(request: Request) -> Response:
        """Refuse to make a live stream: uploads are what this server is for."""
        await authenticate(request, house.access)
        parse(NewLiveStream, await read_json(request))
        raise NoLiveStreams("Upload to /videos/{videoId}/source instead, while the recording goes on.")

    @routes.get("/{live_stream_id}")
    async def get_live_stream(request: Request, live_stream_id: str) -> Response:
        """Get a live stream: there is none."""
        raise await none_like_it(request)

    @routes.patch("/{live_stream_id}")
    async def change_live_stream(request: Request, live_stream_id: str) -> Response:
        """Change a live stream: there is none."""
        raise await none_like_it(request)

    @routes.delete("/{live_stream_id}")
    async def delete_live_stream(request: Request, live_stream_id: str) -> Response:
        """Delete a live stream: there is none."""
        raise await none_like_it(request)

    @routes.post("/{live_stream_id}/thumbnail")
    async def upload_live_thumbnail(request: Request, live_stream_id: str) -> Response:
        """Upload a live stream's thumbnail: there is no such stream."""
        raise await none_like_it(request)

    @routes.delete("/{live_stream_id}/thumbnail")
    async def delete_live_thumbnail(request: Request, live_stream_id: str) -> Response:
        """Delete a live stream's thumbnail: there is no such stream."""
        raise await none_like_it(request)

    @routes.put("/{live_stream_id}/complete")
    async def complete_live_stream(request: Request, live_stream_id: str) -> Response:
        """End a live stream: there is none."""
        raise await none_like_it(request)

    return routes
