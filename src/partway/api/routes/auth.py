"""``/auth``: an API key becomes a bearer token (contract.md 1.2)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from partway.api.caller import read_json
from partway.api.schemas.base import parse
from partway.api.schemas.logins import ApiKeyLogin, Refresh
from partway.services.access import Login
from partway.services.house import House


def router(house: House) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/auth", tags=["Authentication"])

    @routes.post("/api-key")
    async def log_in(request: Request) -> dict[str, Any]:
        """Get an access token for an API key."""
        return _login_json(await house.access.login(parse(ApiKeyLogin, await read_json(request)).api_key))

    @routes.post("/refresh")
    async def refresh(request: Request) -> dict[str, Any]:
        """Get a new access token for a refresh token, which is good once."""
        return _login_json(await house.access.refresh(parse(Refresh, await read_json(request)).refresh_token))

    return routes


def _login_json(login: Login) -> dict[str, Any]:
    return {
        "token_type": "Bearer",
        "expires_in": login.expires_in,
        "access_token": login.access_token,
        "refresh_token": login.refresh_token,
    }
