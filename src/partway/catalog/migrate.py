"""Bring a schema up to date, in this process: alembic without its ini file, and only when there is work."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from partway.catalog.migrations import HEAD
from partway.errors import ConfigurationError

_MIGRATIONS = Path(__file__).parent / "migrations"


def revision_of(connection: Connection) -> str | None:
    """The revision a database's schema has, None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def is_current(connection: Connection) -> bool:
    """Whether a database's schema is this version's.

    Raises:
        ConfigurationError: it is a newer version's; revisions are numbered upwards.
    """
    found = revision_of(connection)
    if found is not None and found > HEAD:
        raise ConfigurationError(
            f"The database has the schema {found} of a newer partway; this one knows {HEAD}. Start the newer version, "
            "or go back to a copy of the database from before it."
        )
    return found == HEAD


def upgrade(connection: Connection) -> None:
    """Run the migrations that are missing, inside the connection's transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, HEAD)
