"""``partway worker``: only the work, beside one or more servers on the same database and store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from partway.settings import Settings


def worker(
    concurrency: Annotated[
        int | None, typer.Option(min=1, help="Jobs done at a time; default: cores - 1, at least 1.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="The server's data folder (PARTWAY_DATA).")] = None,
    database: Annotated[str | None, typer.Option(help="The server's database URL (PARTWAY_DATABASE).")] = None,
    blobs: Annotated[str | None, typer.Option(help="The server's blob store URL (PARTWAY_BLOBS).")] = None,
    log_level: Annotated[str | None, typer.Option(help="Least severe log line: debug, info, warning, error.")] = None,
) -> None:
    """Do the server's work - probes, pictures, clean-ups - until Ctrl-C, which hands back what is not done.

    `partway serve` does this by itself; start workers where its machine is not enough.

    Example: partway worker --data /srv/videos --concurrency 4
    """
    import asyncio

    from partway.errors import ConfigurationError
    from partway.settings import read_settings

    try:
        settings = read_settings(data=data, database=database, blobs=blobs, log_level=log_level)
        asyncio.run(_work(settings, concurrency))
    except ConfigurationError as error:
        typer.echo(f"partway: {error}", err=True)
        raise typer.Exit(2) from None


async def _work(settings: Settings, concurrency: int | None) -> None:
    import asyncio
    import os
    import signal

    from partway.cli.logs import configure_logs
    from partway.wiring import open_house, open_jobs, run_worker

    configure_logs(settings.log_level)
    many = concurrency or max(1, (os.cpu_count() or 1) - 1)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with open_house(settings) as house, open_jobs(settings) as jobs:
        typer.echo(f"partway is working, {many} at a time, on {settings.data.absolute()}. Ctrl-C stops it.")
        await run_worker(house, jobs, settings, concurrency=many, stop=stop)
    typer.echo("partway has stopped working; what was not done is left for other workers.")
