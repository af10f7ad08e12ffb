"""Who is calling, and where we are: what routes take from a request's headers."""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any

from starlette.requests import Request

from partway.api.body import BodyStream
from partway.api.rates import count
from partway.errors import ClientGone, InvalidAttribute, InvalidAuthorization, InvalidPayload, MissingAuthorization
from partway.services.access import Access

_JSON_MOST = 1024 * 1024
_HOST = re.compile(r"[A-Za-z0-9.\-_]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")


async def authenticate(request: Request, access: Access) -> str:
    """The id of the API key behind the request: Basic with the key as user name, or Bearer (contract.md 1).

    Raises:
        Unauthorized: in one of its kinds.
        TooManyRequests: it has none left.
    """
    key_id = await _key_of(request, access)
    count(request.scope, key_id)
    return key_id


async def _key_of(request: Request, access: Access) -> str:
    header = request.headers.get("authorization", "").strip()
    if not header:
        raise MissingAuthorization()
    scheme, _, value = header.partition(" ")
    value = value.strip()
    if scheme.lower() == "bearer" and value:
        return await access.by_access_token(value)
    if scheme.lower() == "basic" and value:
        return await access.by_api_key(_user_name(value))
    raise InvalidAuthorization()


async def read_json(request: Request, *, may_be_missing: bool = False) -> dict[str, Any]:
    """The body as a JSON object, whatever its content type (contract.md 0, fact 11).

    Args:
        may_be_missing: no body is an empty object.

    Raises:
        InvalidPayload: it is missing, something else, or too long.
    """
    try:
        raw = await BodyStream(request.scope, request.receive).read(_JSON_MOST)
    except ClientGone:
        raise InvalidPayload("The body broke off.") from None
    if len(raw) > _JSON_MOST:
        raise InvalidPayload(f"The body is longer than {_JSON_MOST} bytes.")
    if may_be_missing and not raw.strip():
        return {}
    try:
        payload = json.loads(raw)
    except (ValueError, RecursionError):
        raise InvalidPayload("The body is not JSON.") from None
    if not isinstance(payload, dict):
        raise InvalidPayload("The body has to be a JSON object.")
    return payload


def idempotency_key(request: Request) -> str | None:
    """The Idempotency-Key header.

    Raises:
        InvalidAttribute: it is longer than 255 characters.
    """
    key = request.headers.get("idempotency-key", "").strip()
    if len(key) > 255:
        raise InvalidAttribute("The key has at most 255 characters.", name="Idempotency-Key")
    return key or None


def base_url(request: Request, public_url: str) -> str:
    """The base of the absolute URLs in an answer: ``public_url``, else the listener as the caller addressed it."""
    if public_url:
        return public_url
    host = request.headers.get("host", "")
    if not _HOST.fullmatch(host):
        server = request.scope.get("server") or ("127.0.0.1", 8080)
        host = f"{server[0]}:{server[1]}"
    return f"{request.scope.get('scheme', 'http')}://{host}"


def _user_name(encoded: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        raise InvalidAuthorization() from None
