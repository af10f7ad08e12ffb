"""``/players``: player themes and their logos (contract.md 1.11)."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Request, Response

from partway.api.caller import authenticate, base_url, idempotency_key, read_json
from partway.api.lists import envelope, ordering, paging
from partway.api.schemas.base import parse
from partway.api.schemas.players import PlayerChanges, player_json
from partway.api.small_forms import small_form
from partway.services.house import House
from partway.services.players import LOGO_BYTES_MAX
from partway.services.values import PLAYER_SORT_KEYS

_LOGO_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox",
    "Cache-Control": "public, max-age=60",
}


def router(house: House, public_url: str) -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["Player themes"])

    @routes.get("/players")
    async def list_players(request: Request) -> dict[str, Any]:
        """List player themes, the newest first."""
        await authenticate(request, house.access)
        page, size = paging(request)
        found = await house.players.find(ordering(request, PLAYER_SORT_KEYS), page=page, page_size=size)
        base = base_url(request, public_url)
        items = (player_json(theme, base) for theme in found.items)
        return envelope(request, items, total=found.total, page=page, size=size)

    @routes.post("/players", status_code=201)
    async def create_player(request: Request) -> dict[str, Any]:
        """Make a player theme."""
        key_id = await authenticate(request, house.access)
        payload = await read_json(request, may_be_missing=True)
        wanted = parse(PlayerChanges, payload)
        theme = await house.players.create(
            wanted.name,
            wanted.as_look(),
            asked_by=key_id,
            idempotency_key=idempotency_key(request),
            asked=json.dumps(payload, sort_keys=True),
        )
        return player_json(theme, base_url(request, public_url))

    @routes.get("/players/{player_id}")
    async def get_player(request: Request, player_id: str) -> dict[str, Any]:
        """Get a player theme."""
        await authenticate(request, house.access)
        return player_json(await house.players.get(player_id), base_url(request, public_url))

    @routes.patch("/players/{player_id}")
    async def change_player(request: Request, player_id: str) -> dict[str, Any]:
        """Change a player theme: a merge patch, null unsets, what is absent stays."""
        await authenticate(request, house.access)
        changes = parse(PlayerChanges, await read_json(request)).as_changes()
        return player_json(await house.players.change(player_id, changes), base_url(request, public_url))

    @routes.delete("/players/{player_id}", status_code=204)
    async def delete_player(request: Request, player_id: str) -> Response:
        """Delete a player theme and its logo."""
        await authenticate(request, house.access)
        await house.players.delete(player_id)
        return Response(status_code=204)

    @routes.post("/players/{player_id}/logo", status_code=201)
    async def upload_logo(request: Request, player_id: str) -> dict[str, Any]:
        """Upload a theme's logo, JPEG or PNG, and where a click on it leads; it replaces an earlier one."""
        await authenticate(request, house.access)
        async with small_form(request, LOGO_BYTES_MAX) as form:
            theme = await house.players.put_logo(player_id, form)
        return player_json(theme, base_url(request, public_url))

    @routes.delete("/players/{player_id}/logo", status_code=204)
    async def delete_logo(request: Request, player_id: str) -> Response:
        """Delete a theme's logo."""
        await authenticate(request, house.access)
        await house.players.delete_logo(player_id)
        return Response(status_code=204)

    @routes.get("/-/players/{player_id}/logo", tags=["Playback"])
    async def get_logo(player_id: str) -> Response:
        """A theme's logo, for everybody: it is part of the player."""
        media_type, content = await house.players.logo(player_id)
        return Response(content, media_type=media_type, headers=_LOGO_HEADERS)

    return routes
