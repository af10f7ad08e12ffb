"""Post a webhook's body, through the guard."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from importlib.metadata import version

import httpx2

from partway.errors import AddressRefused, DeliveryFailed
from partway.outbound.guarded import guarded_client

_SECONDS = 10.0


async def post(url: str, headers: Mapping[str, str], body: bytes, *, allow_private: bool) -> int:
    """The status of the answer; its body is not read, and a redirect is an answer like any other.

    Raises:
        DeliveryFailed: none came within 10 seconds, and why.
    """
    sent = {**headers, "User-Agent": f"partway/{version('partway')}"}
    try:
        async with (
            asyncio.timeout(_SECONDS),
            guarded_client(allow_private=allow_private, timeout_seconds=_SECONDS) as http,
            http.stream("POST", url, headers=sent, content=body) as answer,
        ):
            return answer.status_code
    except AddressRefused as error:
        raise DeliveryFailed(str(error)) from error
    except TimeoutError as error:
        raise DeliveryFailed(f"There was no answer within {_SECONDS:.0f} seconds.") from error
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
        words = " ".join(str(error).split())[:300] or type(error).__name__
        raise DeliveryFailed(f"It could not be delivered: {words.rstrip('.')}.") from error
