"""Real servers: granian and uvicorn, with small limits where many pieces are sent, else the contract's own.

Each is started when it is first asked for and serves the whole run; tests keep out of each other's way by
making videos of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache

import pytest
from tests.protocol.wire import SERVERS, Serve, Wire

from partway.testing.postgres import running_postgres
from partway.testing.server import running_server

SMALL = {"PARTWAY_PIECE_BYTES_MIN": "1000", "PARTWAY_PIECE_BYTES_MAX": "1000000"}
"""The rules are the same whatever the numbers; 1,000 bytes are quicker than 5 MiB."""
HASTY = {**SMALL, "PARTWAY_COMPLETE_AFTER_IDLE": "1", "PARTWAY_UPLOAD_TOKEN_GRACE": "0"}
BRIEF = {**SMALL, "PARTWAY_REQUEST_DEADLINE": "0.5"}
LATE = {**SMALL, "PARTWAY_EARLY_PLAYBACK": "false"}
FETCHING = {**SMALL, "PARTWAY_ALLOW_PRIVATE_ADDRESSES": "true", "PARTWAY_SOURCE_BYTES_MAX": "5000000"}
TRASH = {**SMALL, "PARTWAY_TRASH_DAYS": "90"}
IMPATIENT = {**FETCHING, "PARTWAY_FETCH_DEADLINE": "3"}
HURRIED = {**FETCHING, "PARTWAY_REQUEST_DEADLINE": "0.5"}
STRICT = {"PARTWAY_PRIVATE_TOKEN_GRACE": "0"}
FLEETING = {"PARTWAY_PRIVATE_TOKEN_LIFE": "0.5", "PARTWAY_VIEWER_SESSION_LIFE": "0.5"}
SETTINGS = {
    "small": SMALL,
    "plain": {},
    "hasty": HASTY,
    "brief": BRIEF,
    "late": LATE,
    "trash": TRASH,
    "fetching": FETCHING,
    "impatient": IMPATIENT,
    "hurried": HURRIED,
    "strict": STRICT,
    "fleeting": FLEETING,
}


@pytest.fixture(scope="session")
def serve() -> Iterator[Serve]:
    """Gives the server of a kind and a name of ``SETTINGS``; the kind "postgres" is granian on a PostgreSQL."""
    with ExitStack() as stack:

        @cache
        def serving(kind: str, settings: str) -> Wire:
            environment = {**SETTINGS[settings], "PARTWAY_HTTP_SERVER": kind}
            if kind == "postgres":
                server = stack.enter_context(running_postgres())
                environment |= {
                    "PARTWAY_HTTP_SERVER": "granian",
                    "PARTWAY_DATABASE": server.url_of(server.create_database()),
                }
            return Wire(stack.enter_context(running_server(environment=environment)))

        yield serving


KINDS = [
    "granian",
    pytest.param("uvicorn", marks=pytest.mark.slow),
    pytest.param("postgres", marks=pytest.mark.services),
]


@pytest.fixture(scope="session", params=KINDS)
def wire(request: pytest.FixtureRequest, serve: Serve) -> Wire:
    """A server whose pieces have 1,000 to 1,000,000 bytes; what stands close to the wire asks ``SERVERS`` instead."""
    return serve(request.param, "small")


@pytest.fixture(scope="session", params=SERVERS)
def plain_wire(request: pytest.FixtureRequest, serve: Serve) -> Wire:
    """Each HTTP server in turn, as it comes, with the contract's limits."""
    return serve(request.param, "plain")


@pytest.fixture(scope="session")
def hasty_wire(serve: Serve) -> Wire:
    """A server that completes idle uploads after a second, and forgets expired upload tokens at once."""
    return serve("granian", "hasty")


@pytest.fixture(scope="session")
def fetching_wire(serve: Serve) -> Wire:
    """A server that fetches from this machine, too, in pieces of a megabyte, and no more than five of them."""
    return serve("granian", "fetching")


@pytest.fixture(scope="session")
def trash_wire(serve: Serve) -> Wire:
    """A server that keeps deleted videos for 90 days."""
    return serve("granian", "trash")


@pytest.fixture
def upload_token(wire: Wire) -> str:
    """A token that never expires."""
    return wire.token()
