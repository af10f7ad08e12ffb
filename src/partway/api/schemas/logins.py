"""Logins on the wire (contract.md 1.2)."""

from __future__ import annotations

from pydantic import StrictStr

from partway.api.schemas.base import Payload


class ApiKeyLogin(Payload):
    """The body of ``POST /auth/api-key``."""

    api_key: StrictStr


class Refresh(Payload):
    """The body of ``POST /auth/refresh``."""

    refresh_token: StrictStr
