"""``/-/``: what is ours beyond the contract."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from partway.api.caller import authenticate, base_url
from partway.api.schemas.videos import video_json
from partway.services.house import House
from partway.services.values import Mode


def router(house: House, public_url: str) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/-/videos/{video_id}", tags=["Beyond the contract"])

    @routes.get("/parts")
    async def list_parts(request: Request, video_id: str) -> dict[str, Any]:
        """List what is held of a source: number or span, size, XXH3-128 digest, total; for resuming."""
        await authenticate(request, house.access)
        summary, parts = await house.uploads.held(video_id)
        by_bytes = summary.mode is Mode.BYTES
        return {
            "videoId": video_id,
            "state": summary.state,
            "mode": summary.mode,
            "total": summary.total,
            "receivedBytes": summary.received_bytes,
            "pieces": [
                {
                    **(
                        {"from": part.position, "to": part.position + part.content.length - 1}
                        if by_bytes
                        else {"part": part.position}
                    ),
                    "size": part.content.length,
                    "digest": part.content.digest,
                }
                for part in parts
            ],
        }

    @routes.post("/finish")
    async def finish(request: Request, video_id: str) -> dict[str, Any]:
        """Close an upload whose last piece did not say that it was the last."""
        await authenticate(request, house.access)
        await house.uploads.finish(video_id)
        video = await house.videos.get(video_id)
        return video_json(video, base_url(request, public_url), house.viewing.token(video))

    return routes
