"""``partway serve``: the API, the pages and their upkeep, in one process."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from partway.api.tls import Certificate
    from partway.settings import Settings
    from partway.wiring import House


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; 0.0.0.0 for every interface.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 picks a free one.")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder for everything that is kept.")] = None,
    database: Annotated[str | None, typer.Option(help="Database URL; default: an SQLite file in --data.")] = None,
    blobs: Annotated[str | None, typer.Option(help="Blob store URL; default: a folder in --data.")] = None,
    public_url: Annotated[str | None, typer.Option(help="Base of every URL we write, behind a proxy.")] = None,
    trusted_proxies: Annotated[
        str | None, typer.Option(help="Proxies whose forwarded headers are believed: addresses, networks, commas.")
    ] = None,
    tls_self_signed: Annotated[
        bool | None, typer.Option("--tls-self-signed", help="Serve https with a certificate made by ourselves.")
    ] = None,
    tls_cert: Annotated[str | None, typer.Option(help="Serve https with this certificate, a PEM file.")] = None,
    tls_key: Annotated[str | None, typer.Option(help="The key of --tls-cert, a PEM file.")] = None,
    http_server: Annotated[str | None, typer.Option(help="HTTP server: granian or uvicorn.")] = None,
    workers: Annotated[
        int | None, typer.Option(help="Jobs (probes, pictures) done at a time; 0 for none; default: cores - 1.")
    ] = None,
    complete_after_idle: Annotated[
        float | None, typer.Option(help="Complete an upload without gaps after so many idle seconds; 0 is off.")
    ] = None,
    log_level: Annotated[str | None, typer.Option(help="Least severe log line: debug, info, warning, error.")] = None,
) -> None:
    """Serve the API and the pages until Ctrl-C.

    The first start makes an API key and shows it once. Every flag is also a variable, such as PARTWAY_PORT,
    and a key of partway.toml in the data folder; docs/reference/settings.md lists the rest.

    Example: partway serve --port 9000 --data /srv/videos
    """
    import asyncio
    import sys

    from partway.errors import ConfigurationError
    from partway.settings import read_settings

    try:
        settings = read_settings(
            host=host,
            port=port,
            data=data,
            database=database,
            blobs=blobs,
            public_url=public_url,
            trusted_proxies=trusted_proxies,
            tls_self_signed=tls_self_signed,
            tls_cert=tls_cert,
            tls_key=tls_key,
            http_server=http_server,
            workers=workers,
            complete_after_idle=complete_after_idle,
            log_level=log_level,
        )
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_serve(settings))
    except ConfigurationError as error:
        print(f"partway: {error}", file=sys.stderr)
        raise typer.Exit(2) from None


async def _serve(settings: Settings) -> None:
    import asyncio
    import os
    import signal

    from partway.api.app import create_app
    from partway.api.serving import check_port, free_port
    from partway.api.serving import serve as serve_app
    from partway.cli.logs import configure_logs
    from partway.wiring import open_house, open_jobs, run_worker

    configure_logs(settings.log_level)
    port = settings.port or free_port(settings.host)
    check_port(settings.host, port)
    certificate = _certificate(settings) if settings.is_tls else None
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, _on_signal, stop)
    concurrency = settings.workers if settings.workers >= 0 else max(1, (os.cpu_count() or 1) - 1)
    async with open_house(settings) as house, open_jobs(settings) as jobs:
        lines = await _welcome(settings, house, port, certificate)

        async def ready() -> None:
            print("\n".join(lines), flush=True)

        caring = [asyncio.create_task(house.upkeep.run())]
        if concurrency:
            caring.append(asyncio.create_task(run_worker(house, jobs, settings, concurrency=concurrency, stop=stop)))
        try:
            await serve_app(
                create_app(house, settings),
                server=settings.http_server,
                host=settings.host,
                port=port,
                certificate=certificate,
                stop=stop,
                stop_grace=settings.stop_grace,
                on_ready=ready,
            )
        finally:
            # The worker hands its jobs back by itself; the upkeep has nothing to hand back.
            stop.set()
            caring[0].cancel()
            await asyncio.gather(*caring, return_exceptions=True)
    print("partway has stopped; what was acknowledged is kept, anything else can be sent again.", flush=True)


def _certificate(settings: Settings) -> Certificate:
    import ipaddress
    import socket
    from urllib.parse import urlsplit

    from partway.api.tls import given_certificate, own_certificate
    from partway.errors import ConfigurationError

    if settings.tls_cert or settings.tls_key:
        if settings.tls_self_signed:
            raise ConfigurationError("--tls-self-signed makes a certificate, --tls-cert brings one: choose one.")
        return given_certificate(settings.tls_cert, settings.tls_key)
    names = {settings.host, socket.gethostname(), urlsplit(settings.public_url).hostname or "localhost"}
    for name in list(names):
        with contextlib.suppress(ValueError):
            # 0.0.0.0 and :: are every address of this machine, and the name of none.
            if ipaddress.ip_address(name).is_unspecified:
                names.remove(name)
    return own_certificate(settings.data.absolute(), names)


async def _welcome(settings: Settings, house: House, port: int, certificate: Certificate | None) -> list[str]:
    """Make sure that there is an API key; the lines to show."""
    import os
    import sys

    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)
    url = settings.public_url or f"{'https' if certificate else 'http'}://{shown}:{port}"
    lines = [f"partway is serving on {url}", f"  videos and upload page   {url}/"]
    if settings.api_key:
        if not await house.access.is_known(settings.api_key):
            await house.access.create_key("PARTWAY_API_KEY", settings.api_key)
        lines.append("  API key                  as PARTWAY_API_KEY says")
    elif not any(key.revoked_at is None for key in await house.access.keys()):
        _, secret = await house.access.create_key("first start")
        if sys.stdout.isatty():
            lines.append(f"  API key (shown once)     {secret}")
        else:
            path = settings.data / "api-key"
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secret + "\n")
            lines.append(f"  API key                  in {path}")
    else:
        path = settings.data / "api-key"
        hint = f"in {path}" if path.is_file() else "made earlier; for a new one: partway keys create"
        lines.append(f"  API key                  {hint}")
    lines.append(f"  data                     {settings.data.absolute()}")
    if certificate is not None and settings.tls_self_signed:
        lines.append(f"  certificate to trust     {certificate.chain}")
        lines.append(f"    its SHA-256            {certificate.fingerprint}")
    lines.append("Ctrl-C stops it.")
    return lines


def _on_signal(stop: asyncio.Event) -> None:
    """Stop cleanly at the first signal, at once at the second."""
    import os

    if stop.is_set():
        os._exit(130)
    stop.set()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
