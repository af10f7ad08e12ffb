"""Upload tokens on the wire (contract.md 1.4)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StrictInt

from partway.api.schemas.base import Payload, moment
from partway.services.values import UploadToken


class NewUploadToken(Payload):
    """The body of ``POST /upload-tokens``."""

    ttl: Annotated[StrictInt, Field(ge=0, le=2_147_483_647)] = 0


def token_json(token: UploadToken) -> dict[str, Any]:
    """An upload token (contract.md 1.4)."""
    return {
        "token": token.token,
        "ttl": token.ttl,
        "createdAt": moment(token.created_at),
        "expiresAt": moment(token.expires_at),
    }
