"""Run the app on an HTTP server in this process: granian, or uvicorn (docs/why/http-server.md)."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from starlette.types import ASGIApp

from partway.errors import ConfigurationError

if TYPE_CHECKING:
    from partway.api.tls import Certificate

_CONNECTIONS = 4096


def free_port(host: str) -> int:
    """A port that is free at this moment."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def check_port(host: str, port: int) -> None:
    """Say in words why a listener can't be had.

    Raises:
        ConfigurationError: the port is taken, or the address isn't ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        raise ConfigurationError(
            f"Can't listen on {host}:{port}: {error.strerror}. Choose another port with --port, or 0 for any free one."
        ) from error


async def serve(
    app: ASGIApp,
    *,
    server: str,
    host: str,
    port: int,
    certificate: Certificate | None = None,
    stop: asyncio.Event,
    stop_grace: float,
    on_ready: Callable[[], Awaitable[None]],
) -> None:
    """Serve until ``stop`` is set; requests in flight get ``stop_grace`` seconds to end.

    Args:
        server: ``granian`` or ``uvicorn``.
        certificate: serve https with it, HTTP/1.1 alone; None is plain http.
        on_ready: awaited once the listener accepts connections.
    """
    run, halt = (_granian if server == "granian" else _uvicorn)(app, host, port, certificate)
    running = asyncio.ensure_future(run())
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await _listening(host, port, running)
        await on_ready()
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        halt()
        await asyncio.wait({running}, timeout=stop_grace)
    finally:
        stopping.cancel()
        if not running.done():
            # Its time is over: granian still reports the requests that are cut off, to futures that are gone.
            asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
            running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


Run = Callable[[], Awaitable[None]]
Halt = Callable[[], None]


def _granian(app: ASGIApp, host: str, port: int, certificate: Certificate | None) -> tuple[Run, Halt]:
    from granian.constants import HTTPModes, Interfaces, SSLProtocols
    from granian.server.embed import Server

    server = Server(
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        websockets=False,
        backlog=1024,
        backpressure=_CONNECTIONS,
        log_enabled=False,
        ssl_cert=certificate.chain if certificate else None,
        ssl_key=certificate.key if certificate else None,
        ssl_protocol_min=SSLProtocols.tls12,
    )
    return server.serve, server.stop


def _uvicorn(app: ASGIApp, host: str, port: int, certificate: Certificate | None) -> tuple[Run, Halt]:
    import uvicorn

    tls: dict[str, Any] = {}
    if certificate is not None:
        tls = {"ssl_certfile": certificate.chain, "ssl_keyfile": certificate.key}
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        **tls,
    )
    config.load()
    if config.ssl is not None:
        config.ssl.minimum_version = ssl.TLSVersion.TLSv1_2
    server = uvicorn.Server(config)

    async def run() -> None:
        # Signals are the command's: uvicorn's own handlers would swallow them.
        await server._serve()

    def halt() -> None:
        server.should_exit = True

    return run, halt


async def _listening(host: str, port: int, running: asyncio.Future[None]) -> None:
    address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    while not running.done():
        try:
            _, writer = await asyncio.open_connection(address, port)
        except OSError:
            await asyncio.sleep(0.01)
            continue
        writer.close()
        return
    await running
