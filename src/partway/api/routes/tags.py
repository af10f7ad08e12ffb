"""``/tags`` (contract.md 1.8)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from partway.api.caller import authenticate
from partway.api.lists import envelope, ordering, paging
from partway.errors import InvalidQueryParameter
from partway.services.house import House
from partway.services.values import TAG_SORT_KEYS, Order

_VALUE_MOST = 1000


def router(house: House) -> APIRouter:
    """The route."""
    routes = APIRouter(prefix="/tags", tags=["Tags"])

    @routes.get("")
    async def list_tags(request: Request) -> dict[str, Any]:
        """List the tags of all videos and how many have each, by value; ``value`` is a piece to look for."""
        await authenticate(request, house.access)
        page, size = paging(request)
        order = ordering(request, TAG_SORT_KEYS, default="value")
        piece = request.query_params.get("value", "")
        if len(piece) > _VALUE_MOST:
            raise InvalidQueryParameter(f"Look for at most {_VALUE_MOST} characters.", name="value")
        found = await house.tags.find(
            piece, order if order.key is not None else Order("value"), page=page, page_size=size
        )
        items = ({"value": tag.value, "videoCount": tag.video_count} for tag in found.items)
        return envelope(request, items, total=found.total, page=page, size=size)

    return routes
