"""What the conformance tests share: empty catalogs on SQLite and PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from partway.catalog.database import Database, open_database
from partway.testing.postgres import RunningPostgres, running_postgres


@dataclass(frozen=True)
class Catalog:
    """A catalog that is empty and whose schema is current."""

    url: str
    has_waiter: Callable[[], bool]
    """Whether somebody waits for a lock; where nobody can tell, always true."""

    def open(self) -> Database:
        return open_database(self.url)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "partway.db"
    assert open_database(f"sqlite:///{path}").prepare()
    return path


@pytest.fixture(scope="session")
def postgres() -> Iterator[RunningPostgres]:
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres: RunningPostgres) -> str:
    name = postgres.create_database()
    assert open_database(postgres.url_of(name)).prepare()
    return name


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def catalog(request: pytest.FixtureRequest, tmp_path: Path) -> Catalog:
    if request.param == "sqlite":
        path = tmp_path / "partway.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        return Catalog(f"sqlite:///{path}", lambda: True)
    server: RunningPostgres = request.getfixturevalue("postgres")
    name = server.create_database(request.getfixturevalue("postgres_template"))
    waiting = f"SELECT 1 FROM pg_stat_activity WHERE datname = '{name}' AND wait_event_type = 'Lock'"
    return Catalog(server.url_of(name), lambda: bool(server.run("postgres", waiting)))
