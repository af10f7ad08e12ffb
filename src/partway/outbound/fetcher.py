"""Fetch a file from an address that a stranger names: over guarded connections, a few redirects, never by a proxy.

No message holds more of an address than its host: paths and queries carry people's secrets.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx2

from partway.errors import AddressRefused, FetchBroken, FetchRefused
from partway.outbound.guarded import guarded_client

_REDIRECTS_MAX = 5
_TIMEOUT = 30.0
_PASSING = frozenset((408, 425, 429))
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Answered:
    """See ``services.ingest.Fetched``."""

    starts_at: int
    size: int | None
    validator: str | None
    buffers: AsyncIterator[bytes]


class HttpFetcher:
    """See ``services.ingest.Fetcher``.

    Args:
        allow_private: see ``GuardedTransport``.
    """

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private

    @asynccontextmanager
    async def fetch(self, url: str, *, offset: int, validator: str | None) -> AsyncIterator[Answered]:
        """See ``services.ingest.Fetcher.fetch``; ``offset`` counts only with a validator."""
        # As the bytes are: a compressed answer has other offsets.
        headers = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "partway"}
        if offset and validator is not None:
            headers |= {"Range": f"bytes={offset}-", "If-Range": validator}
        async with guarded_client(allow_private=self._allow_private, timeout_seconds=_TIMEOUT) as client:
            place = _checked(url)
            for _ in range(_REDIRECTS_MAX + 1):
                response = await _sent(client, place, headers)
                try:
                    if response.status_code in (301, 302, 303, 307, 308) and "location" in response.headers:
                        place = _redirected(place, response.headers["location"])
                        continue
                    if response.status_code == 416 and "Range" in headers:
                        # It has become shorter than what we hold.
                        del headers["Range"], headers["If-Range"]
                        continue
                    yield _read(response, place.host, offset)
                    return
                finally:
                    await response.aclose()
        raise FetchRefused(f"{place.host} redirects more than {_REDIRECTS_MAX} times.")


def _checked(url: str | httpx2.URL) -> httpx2.URL:
    try:
        place = httpx2.URL(url)
    except httpx2.InvalidURL:
        raise FetchRefused("This is no address.") from None
    if place.scheme not in ("http", "https") or not place.host:
        raise FetchRefused("Only http and https addresses are fetched.")
    return place


def _redirected(place: httpx2.URL, location: str) -> httpx2.URL:
    try:
        return _checked(place.join(location))
    except httpx2.InvalidURL:
        raise FetchRefused(f"{place.host} redirects to what is no address.") from None


async def _sent(client: httpx2.AsyncClient, place: httpx2.URL, headers: dict[str, str]) -> httpx2.Response:
    try:
        return await client.send(client.build_request("GET", place, headers=headers), stream=True)
    except AddressRefused:
        # Which address that is remains ours to know: names of a private network are none of a stranger's business.
        raise FetchRefused(
            f"{place.host} is not at a public address; the setting allow_private_addresses would permit it."
        ) from None
    except httpx2.TimeoutException:
        raise FetchBroken(f"{place.host} does not answer in time.") from None
    except httpx2.TransportError:
        raise FetchBroken(f"{place.host} can't be reached.") from None


def _read(response: httpx2.Response, host: str, offset: int) -> Answered:
    status = response.status_code
    if status >= 500 or status in _PASSING:
        raise FetchBroken(f"{host} answers {status}.")
    if status not in (200, 206):
        raise FetchRefused(f"{host} answers {status}.")
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise FetchRefused(f"{host} sends it compressed, though it was asked not to.")
    starts_at, size = 0, _number(response.headers.get("content-length"))
    if status == 206:
        found = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
        if found is None or int(found[1]) != offset or int(found[2]) != int(found[3]) - 1:
            raise FetchRefused(f"{host} answers with another range than it was asked for.")
        starts_at, size = offset, int(found[3])
    return Answered(starts_at, size, _validator(response.headers), _buffers(response, host))


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"[0-9]{1,18}", text) else None


def _validator(headers: httpx2.Headers) -> str | None:
    """What If-Range takes: a strong ETag, else a date (RFC 9110 13.1.5)."""
    etag = headers.get("etag", "")
    found = etag if re.fullmatch(r'"[\x21\x23-\x7e]{1,200}"', etag) else headers.get("last-modified", "")
    return found if found and len(found) <= 250 else None


async def _buffers(response: httpx2.Response, host: str) -> AsyncIterator[bytes]:
    try:
        async for buffer in response.aiter_raw():
            yield buffer
    except httpx2.TimeoutException:
        raise FetchBroken(f"{host} has stopped sending.") from None
    except httpx2.TransportError:
        raise FetchBroken(f"{host} has broken off.") from None
