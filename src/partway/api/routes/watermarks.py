"""``/watermarks`` (contract.md 1.7)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from partway.api.caller import authenticate, idempotency_key
from partway.api.lists import envelope, ordering, paging
from partway.api.schemas.base import moment
from partway.api.small_forms import small_form
from partway.services.house import House
from partway.services.values import WATERMARK_SORT_KEYS, Watermark
from partway.services.watermarks import FILE_BYTES_MAX


def router(house: House) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/watermarks", tags=["Watermarks"])

    @routes.get("")
    async def list_watermarks(request: Request) -> dict[str, Any]:
        """List watermarks, the newest first."""
        await authenticate(request, house.access)
        page, size = paging(request)
        found = await house.watermarks.find(ordering(request, WATERMARK_SORT_KEYS), page=page, page_size=size)
        return envelope(request, map(_json, found.items), total=found.total, page=page, size=size)

    @routes.post("")
    async def upload_watermark(request: Request) -> dict[str, Any]:
        """Upload a watermark, JPEG or PNG."""
        key_id = await authenticate(request, house.access)
        async with small_form(request, FILE_BYTES_MAX) as form:
            made = await house.watermarks.create(form, asked_by=key_id, idempotency_key=idempotency_key(request))
        return _json(made)

    @routes.delete("/{watermark_id}", status_code=204)
    async def delete_watermark(request: Request, watermark_id: str) -> Response:
        """Delete a watermark."""
        await authenticate(request, house.access)
        await house.watermarks.delete(watermark_id)
        return Response(status_code=204)

    return routes


def _json(watermark: Watermark) -> dict[str, Any]:
    return {"watermarkId": watermark.watermark_id, "createdAt": moment(watermark.created_at)}
