"""``/upload-tokens`` (contract.md 1.4)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from partway.api.caller import authenticate, idempotency_key, read_json
from partway.api.lists import envelope, ordering, paging
from partway.api.schemas.base import parse
from partway.api.schemas.tokens import NewUploadToken, token_json
from partway.services.house import House
from partway.services.values import TOKEN_SORT_KEYS


def router(house: House) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/upload-tokens", tags=["Upload tokens"])

    @routes.get("")
    async def list_tokens(request: Request) -> dict[str, Any]:
        """List the active upload tokens, the newest first."""
        await authenticate(request, house.access)
        page, size = paging(request)
        found = await house.tokens.find(ordering(request, TOKEN_SORT_KEYS), page=page, page_size=size)
        return envelope(request, map(token_json, found.items), total=found.total, page=page, size=size)

    @routes.post("")
    async def create_token(request: Request) -> dict[str, Any]:
        """Make an upload token."""
        key_id = await authenticate(request, house.access)
        wanted = parse(NewUploadToken, await read_json(request, may_be_missing=True))
        return token_json(
            await house.tokens.create(wanted.ttl, asked_by=key_id, idempotency_key=idempotency_key(request))
        )

    @routes.get("/{token}")
    async def get_token(request: Request, token: str) -> dict[str, Any]:
        """Get an upload token."""
        await authenticate(request, house.access)
        return token_json(await house.tokens.get(token))

    @routes.delete("/{token}", status_code=204)
    async def delete_token(request: Request, token: str) -> Response:
        """Delete an upload token; it is dead at once."""
        await authenticate(request, house.access)
        await house.tokens.delete(token)
        return Response(status_code=204)

    return routes
