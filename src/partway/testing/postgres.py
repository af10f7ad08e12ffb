"""A PostgreSQL server of one's own, on a loopback port and a folder that vanishes, for tests.

It needs PostgreSQL's programs on the machine and no account, service or configuration. PostgreSQL refuses to run
as root; then its programs run as the user ``postgres``.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from partway.testing.waiting import wait_until

_USER = "partway"
_INITDB = (f"--username={_USER}", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")


class PostgresMissing(RuntimeError):
    """PostgreSQL's programs are not on this machine; on Debian and Ubuntu: sudo apt-get install -y postgresql."""


@dataclass(slots=True)
class RunningPostgres:
    """A server that accepts connections."""

    port: int
    _made: list[str] = field(default_factory=list)

    def url_of(self, database: str) -> str:
        """A database's URL, as ``partway serve --database`` takes it."""
        return f"postgresql://{_USER}@127.0.0.1:{self.port}/{database}"

    def create_database(self, template: str | None = None) -> str:
        """Make a database, empty or as a copy of another one to which nobody is connected; its name."""
        name = f"made_{len(self._made)}"
        self._made.append(name)
        self.run("postgres", f"CREATE DATABASE {name} TEMPLATE {template or 'template0'}")
        return name

    def run(self, database: str, statement: str) -> list[tuple[object, ...]]:
        """Run one statement outside any transaction; its rows."""
        engine = create_engine(self._driver_url(database), isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                found = connection.execute(text(statement))
                return [tuple(row) for row in found] if found.returns_rows else []
        finally:
            engine.dispose()

    def accepts_connections(self) -> bool:
        """Whether it is ready."""
        try:
            self.run("postgres", "SELECT 1")
        except OperationalError:
            return False
        return True

    def _driver_url(self, database: str) -> str:
        return self.url_of(database).replace("postgresql://", "postgresql+psycopg://")


@contextlib.contextmanager
def running_postgres() -> Iterator[RunningPostgres]:
    """Run a server for the length of a block.

    Raises:
        PostgresMissing: its programs are not on this machine.
        RuntimeError: it does not start; the message ends with its log.
    """
    programs = _programs()
    with tempfile.TemporaryDirectory(prefix="partway-postgres-") as name:
        folder = Path(name)
        become = _owner_of(folder)
        log = folder / "log"
        with open(log, "wb") as output:
            made = subprocess.run(
                [f"{programs}/initdb", f"--pgdata={folder}/data", *_INITDB],
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=folder,
                **become,
            )
        if made.returncode != 0:
            raise RuntimeError(f"initdb failed:\n{log.read_text(errors='replace')}")
        server = RunningPostgres(_free_port())
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(server.port),
            "unix_socket_directories": str(folder),
            "fsync": "off",  # its own crashes are not what is tested here
            "max_connections": "100",
        }
        with open(log, "ab") as output:
            process = subprocess.Popen(
                [f"{programs}/postgres", "-D", f"{folder}/data"]
                + [word for name, value in options.items() for word in ("-c", f"{name}={value}")],
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=folder,
                **become,
            )
        try:
            wait_until(
                lambda: process.poll() is not None or server.accepts_connections(), "PostgreSQL starts", seconds=60
            )
            if process.poll() is not None:
                raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text(errors='replace')}")
            yield server
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            process.wait(timeout=60)


def _programs() -> Path:
    """The folder of initdb and postgres: on the path, or where Debian keeps them."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    folders = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(folders, key=lambda path: float(path.parts[-3]), default=None)
    if newest is None:
        raise PostgresMissing(PostgresMissing.__doc__)
    return newest.parent


def _owner_of(folder: Path) -> dict[str, Any]:
    """What makes a process PostgreSQL's user, where we are root; the folder becomes theirs."""
    if os.geteuid() != 0:
        return {}
    try:
        entry = pwd.getpwnam("postgres")
    except KeyError:
        raise PostgresMissing(PostgresMissing.__doc__) from None
    os.chown(folder, entry.pw_uid, entry.pw_gid)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
