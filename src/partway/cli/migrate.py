"""``partway migrate``: the schema, brought up to date by itself, before servers are started or renewed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def migrate(
    data: Annotated[Path | None, typer.Option(help="The server's data folder (PARTWAY_DATA).")] = None,
    database: Annotated[str | None, typer.Option(help="The server's database URL (PARTWAY_DATABASE).")] = None,
) -> None:
    """Bring the tables of the database up to this version; harmless when they are, and while others do the same.

    `partway serve` and `partway worker` do it themselves when they start. This is for those who want it done
    before, by somebody with more rights, or to see first that it works. An SQLite file is copied before.

    Example: partway migrate --database postgresql://partway@db/partway
    """
    import asyncio

    from partway.errors import ConfigurationError, JobsUnavailable
    from partway.settings import read_settings
    from partway.wiring import migrate as bring_up_to_date

    try:
        settings = read_settings(data=data, database=database)
        for line in asyncio.run(bring_up_to_date(settings)):
            typer.echo(line)
    except (ConfigurationError, JobsUnavailable) as error:
        typer.echo(f"partway: {error}", err=True)
        raise typer.Exit(2) from None
