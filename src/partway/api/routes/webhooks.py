"""``/webhooks`` (contract.md 1.10), and their log under ``/-/webhooks``, which is ours."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from partway.api.caller import authenticate, idempotency_key, read_json
from partway.api.lists import envelope, paging
from partway.api.schemas.base import parse
from partway.api.schemas.webhooks import NewWebhook, delivery_json, webhook_json
from partway.errors import InvalidQueryParameter
from partway.services.house import House

_FILTERS_MOST = 20


def router(house: House) -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["Webhooks"])

    @routes.get("/webhooks")
    async def list_webhooks(request: Request) -> dict[str, Any]:
        """List the webhooks, the newest first; `events` asks for those that want all the events it names."""
        await authenticate(request, house.access)
        page, size = paging(request)
        found = await house.webhooks.find(_events(request), page=page, page_size=size)
        return envelope(request, map(webhook_json, found.items), total=found.total, page=page, size=size)

    @routes.post("/webhooks", status_code=201)
    async def create_webhook(request: Request) -> dict[str, Any]:
        """Register a webhook; its address is not asked before there is something to tell."""
        key_id = await authenticate(request, house.access)
        wanted = parse(NewWebhook, await read_json(request))
        made = await house.webhooks.create(
            wanted.url, wanted.events, asked_by=key_id, idempotency_key=idempotency_key(request)
        )
        return webhook_json(made)

    @routes.get("/webhooks/{webhook_id}")
    async def get_webhook(request: Request, webhook_id: str) -> dict[str, Any]:
        """Get a webhook."""
        await authenticate(request, house.access)
        return webhook_json(await house.webhooks.get(webhook_id))

    @routes.delete("/webhooks/{webhook_id}", status_code=204)
    async def delete_webhook(request: Request, webhook_id: str) -> Response:
        """Delete a webhook and its log; nothing more is delivered to it."""
        await authenticate(request, house.access)
        await house.webhooks.delete(webhook_id)
        return Response(status_code=204)

    @routes.get("/-/webhooks/{webhook_id}/deliveries")
    async def list_deliveries(request: Request, webhook_id: str) -> dict[str, Any]:
        """List what a webhook was, is being and will be told, the newest first."""
        await authenticate(request, house.access)
        page, size = paging(request)
        found = await house.webhooks.deliveries(webhook_id, page=page, page_size=size)
        return envelope(request, map(delivery_json, found.items), total=found.total, page=page, size=size)

    @routes.post("/-/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver", status_code=201)
    async def redeliver(request: Request, webhook_id: str, delivery_id: str) -> dict[str, Any]:
        """Deliver the same body once more, as a delivery of its own."""
        await authenticate(request, house.access)
        return delivery_json(await house.webhooks.redeliver(webhook_id, delivery_id))

    return routes


def _events(request: Request) -> list[str]:
    """The filter, in any way of writing a list."""
    given = [
        value
        for name, text in request.query_params.multi_items()
        if name.partition("[")[0] == "events"
        for value in text.split(",")
        if value
    ]
    if len(given) > _FILTERS_MOST:
        raise InvalidQueryParameter(f"Filter by at most {_FILTERS_MOST} of them.", name="events")
    return given
