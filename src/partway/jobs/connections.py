"""Connections to the database of the jobs, and hints that something has changed: where SQLite and PostgreSQL differ.

A transaction is a plain function that runs in a thread of ours from its begin to its commit: on SQLite one hop
instead of one for every statement.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from partway.errors import ConfigurationError, JobsUnavailable

LOOK_SECONDS = 0.05
"""How often SQLite's change counter is read; it costs some microseconds."""
RECONNECT_SECONDS = 1.0
CHANNEL = "partway_jobs"
SCHEMA_LOCK = 7233003
"""Held while the tables are made; the catalog's migrations have another."""
ORDER_LOCK = 7233004
"""Held while several jobs are enqueued."""

Given = ParamSpec("Given")
Answer = TypeVar("Answer")
Transaction = Callable[Concatenate[Connection, Given], Answer]


class Connections(Protocol):
    """Where the transactions of the jobs come from."""

    async def write(self, do: Transaction[Given, Answer], *args: Given.args, **kwargs: Given.kwargs) -> Answer:
        """Run a transaction that may write; committed unless it raises.

        Raises:
            JobsUnavailable: the database can't be reached.
        """
        ...

    async def read(self, do: Transaction[Given, Answer], *args: Given.args, **kwargs: Given.kwargs) -> Answer:
        """Run something that makes one statement, which only reads and waits for no writer.

        Raises:
            JobsUnavailable: the database can't be reached.
        """
        ...

    def lock_schema(self, connection: Connection) -> None:
        """Keep every other process from making the tables, until the transaction ends."""
        ...

    def lock_order(self, connection: Connection) -> None:
        """Let transactions that insert several rows go one after the other: two could wait for each other."""
        ...

    def announce(self, connection: Connection) -> None:
        """Wake the workers of all processes when this transaction commits."""
        ...

    async def watch(self, wake: asyncio.Event) -> None:
        """Set ``wake`` whenever some process has changed something, until cancelled. A hint: it may miss changes."""
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...


class SqliteConnections:
    """One file, written by one process at a time.

    ``synchronous=NORMAL``: a killed process loses nothing; a power cut may lose the last moments, which the
    reconciler enqueues again. So no job waits for the disk, and no part's commit waits for a job.
    """

    def __init__(self, url: URL) -> None:
        if not url.database:
            raise ConfigurationError("The jobs need a database file, not one in memory.")
        self._path = Path(url.database)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._writer = self._engine(url, begin="BEGIN IMMEDIATE")
        self._reader = self._engine(url, begin="BEGIN")
        self._writing = ThreadPoolExecutor(1, "jobs-write")
        self._reading = ThreadPoolExecutor(1, "jobs-read")

    @staticmethod
    def _engine(url: URL, *, begin: str) -> Engine:
        engine = create_engine(
            url.set(drivername="sqlite"),
            pool_size=1,
            max_overflow=0,
            connect_args={"isolation_level": None, "timeout": 30, "check_same_thread": False},
        )

        @event.listens_for(engine, "connect")
        def _connected(connection: Any, _: object) -> None:
            cursor = connection.cursor()
            for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "cache_size=-2048"):
                cursor.execute(f"PRAGMA {pragma}")
            cursor.close()

        @event.listens_for(engine, "begin")
        def _begun(connection: Any) -> None:
            connection.exec_driver_sql(begin)

        return engine

    async def write(self, do: Transaction[Given, Answer], *args: Given.args, **kwargs: Given.kwargs) -> Answer:
        """See ``Connections.write``."""
        return await _run(self._writing, self._writer, do, *args, **kwargs)

    async def read(self, do: Transaction[Given, Answer], *args: Given.args, **kwargs: Given.kwargs) -> Answer:
        """See ``Connections.read``."""
        return await _run(self._reading, self._reader, do, *args, **kwargs)

    def lock_schema(self, connection: Connection) -> None:
        """See ``Connections.lock_schema``; a write transaction is alone already."""

    def lock_order(self, connection: Connection) -> None:
        """See ``Connections.lock_order``; they do already."""

    def announce(self, connection: Connection) -> None:
        """See ``Connections.announce``; every commit moves the counter that ``watch`` reads."""

    async def watch(self, wake: asyncio.Event) -> None:
        """See ``Connections.watch``."""
        with closing(sqlite3.connect(self._path, isolation_level=None, timeout=0)) as connection:
            seen = None
            while True:
                try:
                    (version,) = connection.execute("PRAGMA data_version").fetchone()
                except sqlite3.OperationalError:
                    version = None
                if version != seen:
                    seen = version
                    wake.set()
                await asyncio.sleep(LOOK_SECONDS)

    async def close(self) -> None:
        """See ``Connections.close``."""
        await asyncio.to_thread(_close, self._writing, self._writer)
        await asyncio.to_thread(_close, self._reading, self._reader)


class PostgresConnections:
    """A server, and one more connection for each worker, which listens."""

    def __init__(self, url: URL, patience_seconds: float) -> None:
        self._url = url.set(drivername="postgresql")
        self._engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_size=4,
            max_overflow=0,
            pool_pre_ping=True,
            connect_args={
                "connect_timeout": 10,
                # A worker that was frozen in the middle of a transaction must not keep its rows from others.
                "options": f"-c idle_in_transaction_session_timeout={round(patience_seconds * 1000)}",
            },
        )
        self._reader = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._threads = ThreadPoolExecutor(4, "jobs")

    async def write(self, do: Transaction[Given, Answer], *args: Given.args, **kwargs: Given.kwargs) -> Answer:
        """See ``Connections.write``."""
        return await _run(self._threads, self._engine, do, *args, **kwargs)

    async def read(self, do: Transaction[Given, Answer], *args: Given.args, **kwargs: Given.kwargs) -> Answer:
        """See ``Connections.read``."""
        return await _run(self._threads, self._reader, do, *args, **kwargs)

    def lock_schema(self, connection: Connection) -> None:
        """See ``Connections.lock_schema``."""
        connection.execute(text(f"SELECT pg_advisory_xact_lock({SCHEMA_LOCK})"))

    def lock_order(self, connection: Connection) -> None:
        """See ``Connections.lock_order``."""
        connection.execute(text(f"SELECT pg_advisory_xact_lock({ORDER_LOCK})"))

    def announce(self, connection: Connection) -> None:
        """See ``Connections.announce``."""
        connection.execute(text(f"SELECT pg_notify('{CHANNEL}', '')"))

    async def watch(self, wake: asyncio.Event) -> None:
        """See ``Connections.watch``."""
        import psycopg

        while True:
            try:
                listening = await psycopg.AsyncConnection.connect(
                    self._url.render_as_string(hide_password=False), autocommit=True, connect_timeout=10
                )
                async with listening:
                    await listening.execute(f"LISTEN {CHANNEL}")
                    wake.set()
                    async for _ in listening.notifies():
                        wake.set()
            except (psycopg.Error, OSError):
                await asyncio.sleep(RECONNECT_SECONDS)

    async def close(self) -> None:
        """See ``Connections.close``."""
        await asyncio.to_thread(_close, self._threads, self._engine)


async def _run(
    threads: ThreadPoolExecutor,
    engine: Engine,
    do: Transaction[Given, Answer],
    *args: Given.args,
    **kwargs: Given.kwargs,
) -> Answer:
    def transaction() -> Answer:
        try:
            with engine.begin() as connection:
                return do(connection, *args, **kwargs)
        except (OperationalError, InterfaceError, InternalError, PoolTimeout, OSError) as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            words = str(cause).partition("\n")[0]
            raise JobsUnavailable(f"The database of the jobs can't be reached: {words}") from error

    return await asyncio.get_running_loop().run_in_executor(threads, transaction)


def _close(threads: ThreadPoolExecutor, engine: Engine) -> None:
    threads.shutdown()
    engine.dispose()


def open_connections(url: str, patience_seconds: float) -> Connections:
    """Connections to a database.

    Args:
        url: ``sqlite:////absolute/jobs.db`` or ``postgresql://user@host/name``.
        patience_seconds: how long PostgreSQL waits for the next statement of a transaction. SQLite can't help itself:
            a process that is frozen inside a transaction holds the file until it goes on or is killed.

    Raises:
        ConfigurationError: the URL is of no kind we know.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigurationError(f"The URL of the jobs' database can't be read: {error}") from error
    match parsed.get_backend_name():
        case "sqlite":
            return SqliteConnections(parsed)
        case "postgresql":
            return PostgresConnections(parsed, patience_seconds)
        case other:
            raise ConfigurationError(f"The URL of the jobs' database starts with {other}; use sqlite or postgresql.")
