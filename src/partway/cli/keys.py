"""``partway keys``: API keys, straight in the server's database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

if TYPE_CHECKING:
    from partway.wiring import House

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, help="Create, list and revoke API keys, on the server's own machine.")

Data = Annotated[Path | None, typer.Option(help="The server's data folder (PARTWAY_DATA).")]
Database = Annotated[str | None, typer.Option(help="The server's database URL (PARTWAY_DATABASE).")]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What the key is for.")] = "unnamed",
    data: Data = None,
    database: Database = None,
) -> None:
    """Make an API key and print it; it can't be shown again."""
    key, secret = _with_house(lambda house: house.access.create_key(name), data, database)
    typer.echo(f"Made {key.key_id} ({key.name}). Keep this, it is shown only now:", err=True)
    typer.echo(secret)


@app.command("list")
def list_keys(data: Data = None, database: Database = None) -> None:
    """List the API keys: id, name, made when, revoked when."""
    from datetime import UTC, datetime

    def moment(microseconds: int) -> str:
        return datetime.fromtimestamp(microseconds // 1_000_000, UTC).isoformat()

    for key in _with_house(lambda house: house.access.keys(), data, database):
        made = moment(key.created_at)
        state = "active" if key.revoked_at is None else f"revoked {moment(key.revoked_at)}"
        typer.echo(f"{key.key_id}\t{key.name}\t{made}\t{state}")


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="The key's id, as `partway keys list` shows it.")],
    data: Data = None,
    database: Database = None,
) -> None:
    """Revoke a key and every token made from it; a running server notices within half a minute."""
    _with_house(lambda house: house.access.revoke_key(key_id), data, database)
    typer.echo(f"Revoked {key_id}.", err=True)


def _with_house(work: Callable[[House], Awaitable[T]], data: Path | None, database: str | None) -> T:
    import asyncio

    from partway.errors import ConfigurationError, NotFound
    from partway.settings import read_settings
    from partway.wiring import open_house

    async def run() -> T:
        settings = read_settings(data=data, database=database)
        if not settings.database and not settings.data.is_dir():
            raise ConfigurationError(f"There is no data folder {settings.data}; name the server's with --data.")
        async with open_house(settings) as house:
            return await work(house)

    try:
        return asyncio.run(run())
    except ConfigurationError as error:
        typer.echo(f"partway: {error}", err=True)
        raise typer.Exit(2) from None
    except NotFound as error:
        typer.echo(f"partway: {error}", err=True)
        raise typer.Exit(1) from None
