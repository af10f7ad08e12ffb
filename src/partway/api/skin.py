"""What every answer wears: CORS (contract.md 3.1), rate-limit headers (contract.md 1), and a last resort."""

from __future__ import annotations

import asyncio
import contextlib
import time

import structlog
from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from partway.api import metrics
from partway.api.body import BodyStream
from partway.api.problems import server_error
from partway.api.rates import Buckets, Meter, place
from partway.errors import ClientGone

_DRAINED_BYTES = 1024 * 1024
_DRAINED_SECONDS = 10
_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
_ALLOWED = (
    "Authorization, Content-Type, Content-Range, Accept, Range, Idempotency-Key, "
    "AV-Origin-Client, AV-Origin-App, AV-Origin-Sdk"
)
_EXPOSED = (
    "X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Retry-After, "
    "Content-Length, Content-Range, Accept-Ranges, ETag, Retry-After"
)

log = structlog.get_logger("partway.api")


class Skin:
    """Wraps the whole app; pure ASGI, so that no answer escapes it.

    Args:
        uploads, writes, reads: requests a minute that one caller has.
        buckets: what they are counted in; None tells them and enforces none.
    """

    def __init__(self, app: ASGIApp, *, uploads: int, writes: int, reads: int, buckets: Buckets | None = None) -> None:
        self._app = app
        self._buckets = buckets
        self._uploads, self._writes, self._reads = uploads, writes, reads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope = _without_nul(scope)
        meter = self._meter(scope)
        place(scope, meter)
        body = BodyStream(scope, receive)
        begun, status = time.perf_counter(), 0

        async def send_dressed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-RateLimit-Limit"] = str(meter.limit)
                headers["X-RateLimit-Remaining"] = str(meter.remaining)
                headers["X-RateLimit-Retry-After"] = str(meter.retry_after)
                headers["Access-Control-Allow-Origin"] = "*"
                headers["Access-Control-Expose-Headers"] = _EXPOSED
                if status >= 400 and body.is_expected and "Connection" not in headers and not await _hear_out(body):
                    headers["Connection"] = "close"
            await send(message)

        try:
            if scope["method"] == "OPTIONS":
                await _preflight(scope)(scope, receive, send_dressed)
            else:
                await self._app(scope, body.receive, send_dressed)
        except ClientGone:
            log.debug("client gone", method=scope["method"], path=scope["path"])
        except Exception:
            log.exception("unexpected error", method=scope["method"], path=scope["path"])
            if status:
                raise
            await JSONResponse(server_error(), 500)(scope, receive, send_dressed)
        finally:
            metrics.REQUESTS.labels(scope["method"], str(status)).inc()
            log.debug(
                "request",
                method=scope["method"],
                path=scope["path"],
                client=(scope.get("client") or ("",))[0],
                status=status,
                seconds=round(time.perf_counter() - begun, 4),
            )

    def _meter(self, scope: Scope) -> Meter:
        if scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return Meter("reads", self._reads, self._buckets)
        path: str = scope["path"]
        if path == "/upload" or path.endswith("/source"):
            return Meter("uploads", self._uploads, self._buckets)
        return Meter("writes", self._writes, self._buckets)


async def _hear_out(body: BodyStream) -> bool:
    """Read on before an error is answered: while the body is being sent, a reset of the connection would swallow it."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_DRAINED_SECONDS):
            return await body.discard(_DRAINED_BYTES)
    return False


def _without_nul(scope: Scope) -> Scope:
    """A request whose path and query have no NUL: PostgreSQL takes none in a text, and what has one names nothing."""
    return {
        **scope,
        "path": scope["path"].replace("\0", "\ufffd"),
        "query_string": scope["query_string"].replace(b"%00", b"%EF%BF%BD"),
    }


def _preflight(scope: Scope) -> Response:
    headers = {
        "Access-Control-Allow-Methods": _METHODS,
        "Access-Control-Allow-Headers": _ALLOWED,
        "Access-Control-Max-Age": "7200",
        "Vary": "Access-Control-Request-Headers",
    }
    for name, value in scope["headers"]:
        if name == b"access-control-request-headers":
            headers["Access-Control-Allow-Headers"] = f"{_ALLOWED}, {_names_only(value)}"
        if name == b"access-control-request-private-network":
            headers["Access-Control-Allow-Private-Network"] = "true"
    return Response(status_code=204, headers=headers)


def _names_only(value: bytes) -> str:
    """A header list as the asker wrote it, without anything that isn't a header's name."""
    names = (name.strip() for name in value[:1024].decode("latin-1").split(","))
    return ", ".join(name for name in names if name and name.replace("-", "").replace("_", "").isalnum())
