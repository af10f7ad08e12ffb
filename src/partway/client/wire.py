"""The requests: authorised, retried, and their refusals turned into errors."""

from __future__ import annotations

import base64
import json
import os
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from typing import Any

import anyio
import anyio.to_thread

from partway.client.framing import frame
from partway.client.http import httpx
from partway.client.patience import Life, Patience
from partway.client.source import BUFFER_BYTES, Slices
from partway.dialects import apivideo
from partway.errors import ClientError, ConfigurationError, ServerRefused, ServerUnreachable
from partway.ledger import Address

_TIMEOUT = httpx.Timeout(connect=10, write=30, read=45, pool=None)
"""Seconds: for a connection, for one buffer to leave, and for the answer after the last byte."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece on its way: where it belongs, and where its bytes are."""

    address: Address
    slices: Slices
    offset: int
    """Within ``slices``."""
    length: int
    file_name: str
    before_end: Callable[[], None] = lambda: None
    """Called when all bytes are read and the last buffer isn't sent: it may still refuse."""


class Listener:
    """Hears of the attempts to send something; this one does nothing with it."""

    def begun(self) -> None:
        """An attempt starts, the first or a later one."""

    def sent(self, length: int) -> None:
        """So many bytes more were handed to the network."""

    def failed(self, reason: str) -> None:
        """The attempt failed, and there will be another."""


class Pulse:
    """When bytes last moved in one attempt."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self.at = time.monotonic()

    def beat(self, length: int) -> None:
        self.at = time.monotonic()
        self._listener.sent(length)


@dataclass(slots=True)
class Wire:
    """A server, spoken to with one API key."""

    server: str
    api_key: str = field(repr=False)
    retry_for: float = 60.0
    connections: int = 6
    cacert: str | os.PathLike[str] | None = None
    _http: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.server = check_server(self.server)
        if not self.api_key or not self.api_key.isprintable() or not self.api_key.isascii():
            raise ConfigurationError("The API key is empty or has characters that no key has.")
        # The key as the user name needs no login, and works on every route (contract.md, fact 12).
        basic = base64.b64encode(f"{self.api_key}:".encode()).decode()
        self._http = httpx.AsyncClient(
            base_url=self.server,
            headers={"Authorization": f"Basic {basic}", "Accept": "application/json", "User-Agent": _user_agent()},
            timeout=_TIMEOUT,
            verify=True if self.cacert is None else _trusting(self.cacert),
            limits=httpx.Limits(max_connections=self.connections, max_keepalive_connections=self.connections),
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def ask(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
        patience: Patience | None = None,
    ) -> Any:
        """One API call; the answer's JSON, or None when it has none.

        Raises:
            ServerRefused: a 4xx, with the problem the server tells.
            ServerUnreachable: nothing else for ``retry_for`` seconds.
        """
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}

        async def attempt(_: Pulse) -> Any:
            return await self._http.request(method, path, json=body, params=query, headers=headers)

        patience = patience or Patience(self.retry_for)
        try:
            return await self._persist(attempt, patience, Listener())
        except ServerRefused as refused:
            if method == "DELETE" and refused.status == 404 and patience.failures:
                return None  # it was this request, whose answer got lost
            raise

    async def send(
        self,
        path: str,
        piece: Piece,
        life: Life,
        listener: Listener,
    ) -> Mapping[str, Any]:
        """Upload one piece, again and again until it is acknowledged; the answer's JSON.

        Re-sending is harmless: a piece that did arrive is recognised by its digest (design.md, promise 4).

        Raises:
            ServerRefused, ServerUnreachable: as ``ask``.
            FileChanged: the source can no longer be what was started.
        """

        async def attempt(pulse: Pulse) -> Any:
            framed = frame(piece.file_name)
            headers = {
                "Content-Type": framed.content_type,
                "Content-Length": str(framed.content_length(piece.length)),
            }
            address = apivideo.render(piece.address)
            if address is not None:
                headers[apivideo.HEADER] = address

            async def content() -> AsyncIterator[bytes]:
                yield framed.head
                async for buffer in _buffers(piece):
                    yield buffer
                    pulse.beat(len(buffer))
                yield framed.tail

            return await self._http.post(path, content=content(), headers=headers)

        answer = await self._persist(attempt, Patience(self.retry_for, life), listener)
        life.acknowledged += 1
        return answer if isinstance(answer, dict) else {}

    async def _persist(self, attempt: Callable[[Pulse], Awaitable[Any]], patience: Patience, listener: Listener) -> Any:
        while True:
            listener.begun()
            pulse = Pulse(listener)
            retry_after = 0.0
            try:
                response = await attempt(pulse)
            except httpx.TransportError as error:
                reason = _described(error)
                if "CERTIFICATE_VERIFY_FAILED" in reason:
                    raise ServerUnreachable(f"The certificate of {self.server} is not trusted: {reason}") from error
            else:
                if not _is_transient(response.status_code):
                    return self._read(response)
                reason = f"it answers {response.status_code}: {_problem(response).title}"
                retry_after = _retry_after(response)
            delay = patience.failed(time.monotonic() - pulse.at, retry_after)
            if delay is None:
                wish = f" It asks to wait {retry_after:.0f} s." if retry_after else ""
                raise ServerUnreachable(f"{self.server} can't be reached, try again later: {reason.rstrip('.')}.{wish}")
            listener.failed(reason)
            await anyio.sleep(delay)

    def _read(self, response: Any) -> Any:
        if response.status_code >= 400:
            raise _problem(response)
        if response.status_code >= 300:
            target = response.headers.get("location", "another address")
            raise ServerRefused(response.status_code, f"{self.server} sends us on to {target}; use that as the server.")
        if not response.content:
            return None
        try:
            return response.json()
        except ValueError as error:
            raise ClientError(f"{self.server} doesn't answer as a partway server does.") from error


async def _buffers(piece: Piece) -> AsyncIterator[bytes]:
    end = piece.offset + piece.length
    offset = piece.offset
    while offset < end:
        data = await anyio.to_thread.run_sync(piece.slices.read_at, offset, min(BUFFER_BYTES, end - offset))
        offset += len(data)
        if offset == end:
            piece.before_end()
        yield data


def check_server(server: str) -> str:
    """The address of a server without a slash at its end.

    Raises:
        ConfigurationError: it is none.
    """
    try:
        url = httpx.URL(server)
    except (httpx.InvalidURL, TypeError) as error:
        raise ConfigurationError(f"{server!r} is not the address of a server: {error}.") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise ConfigurationError(f"{server!r} is not the address of a server, such as http://127.0.0.1:8080.")
    return str(url).rstrip("/")


def _trusting(cacert: str | os.PathLike[str]) -> ssl.SSLContext:
    """What this machine trusts, and a certificate more."""
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(cafile=cacert)
    except (OSError, ssl.SSLError) as error:
        reason = getattr(error, "strerror", None) or "it holds no certificate"
        raise ConfigurationError(f"The certificates in {os.fspath(cacert)} can't be used: {reason}.") from error
    return context


def _is_transient(status: int) -> bool:
    return status >= 500 or status in (408, 429)


def _retry_after(response: Any) -> float:
    """Seconds (RFC 9110, 10.2.3); the form with a date is left to the backoff."""
    value = response.headers.get("retry-after", "")
    return float(value) if value.isascii() and value.isdigit() and len(value) < 8 else 0.0


def _problem(response: Any) -> ServerRefused:
    status = response.status_code
    try:
        told = json.loads(response.content)
        title, slug = str(told["title"]), str(told.get("type") or "").rpartition("/")[2]
    except (ValueError, KeyError, TypeError, AttributeError):
        return ServerRefused(status, f"The server answered {status} {response.reason_phrase}".rstrip() + ".")
    details = [told.get("detail")] + [
        ": ".join(str(each[key]) for key in ("name", "title") if each.get(key))
        for each in told.get("problems") or ()
        if isinstance(each, dict)
    ]
    return ServerRefused(status, title, slug=slug or None, detail="; ".join(str(each) for each in details if each))


def _described(error: Exception) -> str:
    text = str(error).strip()
    name = type(error).__name__
    return text or {
        "ReadTimeout": "no answer came",
        "WriteTimeout": "it takes no more bytes",
        "ConnectTimeout": "no connection came about",
    }.get(name, f"the connection ended ({name})")


@cache
def _user_agent() -> str:
    try:
        return f"partway/{metadata.version('partway')}"
    except metadata.PackageNotFoundError:  # from a checkout
        return "partway"
