"""Servers of one test each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.crash.ground import Film, Sender

from partway.testing.postgres import RunningPostgres, running_postgres
from partway.testing.server import RunningServer


@pytest.fixture(scope="session")
def film() -> Film:
    return Film()


@pytest.fixture(scope="session")
def postgres() -> Iterator[RunningPostgres]:
    with running_postgres() as server:
        yield server


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Sender]]:
    """Start a server with these variables; it is killed at the end."""
    with ExitStack() as stack:

        def started(**environment: str) -> Sender:
            server = RunningServer(tmp_path / "data", environment)
            stack.callback(server.kill)
            server.start()
            return Sender(server, server.port)

        yield started
