"""Connections and transactions: the one place where SQLite and PostgreSQL differ.

Every other module of the catalog is the same code on both. A ``write`` transaction sees a state that no
other writer changes before it ends, where it has locked what it reads (``SELECT ... FOR UPDATE``); SQLite lets
one writer in at a time, PostgreSQL locks rows.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from partway.catalog.migrate import is_current, revision_of, upgrade
from partway.catalog.migrations import HEAD
from partway.errors import ConfigurationError

Transaction = AsyncConnection
"""What every function of the catalog takes first."""


class Database(Protocol):
    """Where the catalog's transactions come from."""

    url: URL

    def write(self) -> AbstractAsyncContextManager[Transaction]:
        """A transaction that may write; committed and on stable storage when the block ends without an error."""
        ...

    def read(self) -> AbstractAsyncContextManager[Transaction]:
        """A transaction that reads one consistent state."""
        ...

    def prepare(self) -> bool:
        """Bring the schema up to date; safe to call from several processes at once; say whether anything changed.

        Raises:
            ConfigurationError: the database can't be used, or its schema is a newer version's.
        """
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...


class SqliteDatabase:
    """One file. One writer connection per process; the file's own lock orders the processes."""

    def __init__(self, url: URL) -> None:
        self.url = url
        if url.database:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        self._writer = self._engine(url, begin="BEGIN IMMEDIATE", pool_size=1)
        self._reader = self._engine(url, begin="BEGIN", pool_size=4)

    @staticmethod
    def _engine(url: URL, *, begin: str, pool_size: int) -> AsyncEngine:
        engine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=60,
            connect_args={"isolation_level": None, "timeout": 30},
        )

        @event.listens_for(engine.sync_engine, "connect")
        def _connected(connection: Any, _: object) -> None:
            cursor = connection.cursor()
            # FULL: a commit is on the disk, not only in the kernel, before an upload is acknowledged.
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-4096"):
                cursor.execute(f"PRAGMA {pragma}")
            cursor.close()
            # SQLite's own lower() knows ASCII alone; filters ignore the case of every script.
            connection.create_function("lower", 1, _lower, deterministic=True)

        @event.listens_for(engine.sync_engine, "begin")
        def _begun(connection: Any) -> None:
            connection.exec_driver_sql(begin)

        return engine

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """See ``Database.write``."""
        async with self._writer.begin() as connection:
            yield connection

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """See ``Database.read``."""
        async with self._reader.begin() as connection:
            yield connection

    def prepare(self) -> bool:
        """See ``Database.prepare``; an older file is first copied to ``<file>.before-<revision>``."""
        engine = create_engine(self.url.set(drivername="sqlite"), connect_args={"isolation_level": None, "timeout": 60})
        try:
            with _in_words(self.url), engine.connect() as connection:
                _become_durable(connection)
                if is_current(connection):
                    return False
                connection.exec_driver_sql("BEGIN EXCLUSIVE")
                # Asked again: another process may have had the lock, and the work, before us.
                if is_current(connection):
                    return False
                if self.url.database and revision_of(connection) is not None:
                    with engine.connect() as beside:
                        _copy(beside, Path(f"{self.url.database}.before-{HEAD}"))
                upgrade(connection)
                connection.exec_driver_sql("COMMIT")
                return True
        finally:
            engine.dispose()

    async def close(self) -> None:
        """See ``Database.close``."""
        await self._reader.dispose()
        await self._writer.dispose()


@contextmanager
def _in_words(url: URL) -> Iterator[None]:
    """What a driver says of a database that is down, full, damaged or not ours, as an error for people."""
    try:
        yield
    except DBAPIError as error:
        what = str(error.orig).splitlines()[0]
        raise ConfigurationError(
            f"The database {url.render_as_string(hide_password=True)} can't be used: {what}"
        ) from error


def _become_durable(connection: Connection) -> None:
    """Choose the journal; where several processes do so at once on a new file, SQLite asks all but one to wait."""
    deadline = time.monotonic() + 60
    while True:
        try:
            for pragma in ("journal_mode=WAL", "synchronous=FULL"):
                connection.exec_driver_sql(f"PRAGMA {pragma}")
            return
        except OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _copy(connection: Connection, target: Path) -> None:
    """SQLite's own copy of what is committed; under its name it is whole."""
    growing = target.with_name(target.name + ".part")
    growing.unlink(missing_ok=True)
    connection.exec_driver_sql("VACUUM INTO ?", (str(growing),))
    growing.replace(target)


def _lower(text: str | None) -> str | None:
    return text if text is None else text.lower()


class PostgresDatabase:
    """A PostgreSQL server; rows are locked by ``SELECT ... FOR UPDATE``."""

    def __init__(self, url: URL) -> None:
        self.url = url
        self._engine = create_async_engine(url, pool_size=10, max_overflow=10, pool_pre_ping=True)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """See ``Database.write``."""
        async with self._engine.begin() as connection:
            yield connection

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """See ``Database.read``."""
        async with self._engine.connect() as plain:
            connection = await plain.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            async with connection.begin():
                yield connection

    def prepare(self) -> bool:
        """See ``Database.prepare``."""
        engine = create_engine(self.url)
        try:
            with _in_words(self.url), engine.begin() as connection:
                connection.execute(text("SELECT pg_advisory_xact_lock(7233001)"))
                if is_current(connection):
                    return False
                upgrade(connection)
                return True
        finally:
            engine.dispose()

    async def close(self) -> None:
        """See ``Database.close``."""
        await self._engine.dispose()


def open_database(url: str) -> Database:
    """Open a catalog's database.

    Args:
        url: ``sqlite:///relative.db``, ``sqlite:////absolute.db`` or ``postgresql://user@host/name``.

    Raises:
        ConfigurationError: the URL is of no kind we know.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigurationError(f"The database URL can't be read: {error}") from error
    if parsed.get_backend_name() == "sqlite":
        return SqliteDatabase(parsed.set(drivername="sqlite+aiosqlite"))
    if parsed.get_backend_name() == "postgresql":
        return PostgresDatabase(parsed.set(drivername="postgresql+psycopg"))
    raise ConfigurationError(f"The database URL starts with {parsed.drivername}; use sqlite:// or postgresql://.")
