"""``/summaries`` (contract.md 1.9)."""

from __future__ import annotations

import json
from typing import Any, get_args

from fastapi import APIRouter, Request, Response

from partway.api.caller import authenticate, idempotency_key, read_json
from partway.api.lists import chosen, envelope, ordering, paging
from partway.api.schemas.base import parse
from partway.api.schemas.summaries import NewSummary, SummaryText, summary_json, summary_text_json
from partway.services.house import House
from partway.services.values import SUMMARY_SORT_KEYS, SummaryFilter, SummaryOrigin, SummaryStatus


def router(house: House) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/summaries", tags=["Summaries"])

    @routes.get("")
    async def list_summaries(request: Request) -> dict[str, Any]:
        """List summaries, the newest first."""
        await authenticate(request, house.access)
        page, size = paging(request)
        order = ordering(request, SUMMARY_SORT_KEYS)
        wanted = SummaryFilter(
            request.query_params.get("videoId"),
            chosen(request, "origin", get_args(SummaryOrigin)),
            chosen(request, "sourceStatus", get_args(SummaryStatus)),
        )
        found = await house.summaries.find(wanted, order, page=page, page_size=size)
        return envelope(request, map(summary_json, found.items), total=found.total, page=page, size=size)

    @routes.post("", status_code=201)
    async def create_summary(request: Request) -> dict[str, Any]:
        """Make a video's summary, to be written with PATCH; there is no model to write it."""
        key_id = await authenticate(request, house.access)
        payload = await read_json(request)
        wanted = parse(NewSummary, payload)
        made = await house.summaries.create(
            wanted.video_id,
            is_auto=wanted.origin == "auto",
            asked_by=key_id,
            idempotency_key=idempotency_key(request),
            asked=json.dumps(payload, sort_keys=True),
        )
        return summary_json(made)

    @routes.delete("/{summary_id}", status_code=204)
    async def delete_summary(request: Request, summary_id: str) -> Response:
        """Delete a summary."""
        await authenticate(request, house.access)
        await house.summaries.delete(summary_id)
        return Response(status_code=204)

    @routes.get("/{summary_id}/source")
    async def get_summary_text(request: Request, summary_id: str) -> dict[str, Any]:
        """Get a summary's text."""
        await authenticate(request, house.access)
        return summary_text_json(await house.summaries.written(summary_id))

    @routes.patch("/{summary_id}/source", status_code=201)
    async def write_summary(request: Request, summary_id: str) -> dict[str, Any]:
        """Write a summary's text; what is absent stays."""
        await authenticate(request, house.access)
        changes = parse(SummaryText, await read_json(request)).as_changes()
        return summary_text_json(await house.summaries.write(summary_id, changes))

    return routes
