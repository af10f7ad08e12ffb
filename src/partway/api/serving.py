"""Run the app on an HTTP server in this process: granian, or uvicorn (docs/why/http-server.md)."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable

from starlette.types import ASGIApp

from partway.errors import ConfigurationError

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
    stop: asyncio.Event,
    stop_grace: float,
    on_ready: Callable[[], Awaitable[None]],
) -> None:
    """Serve until ``stop`` is set; requests in flight get ``stop_grace`` seconds to end.

    Args:
        server: ``granian`` or ``uvicorn``.
        on_ready: awaited once the listener accepts connections.
    """
    run, halt = (_granian if server == "granian" else _uvicorn)(app, host, port)
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


def _granian(app: ASGIApp, host: str, port: int) -> tuple[Run, Halt]:
    from granian.constants import HTTPModes, Interfaces
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
    )
    return server.serve, server.stop


def _uvicorn(app: ASGIApp, host: str, port: int) -> tuple[Run, Halt]:
    import uvicorn

    server = uvicorn.Server(
        uvicorn.Config(
            app, host=host, port=port, lifespan="off", access_log=False, log_config=None, server_header=False
        )
    )

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
