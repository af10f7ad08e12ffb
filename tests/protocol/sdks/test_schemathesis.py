"""schemathesis reads our OpenAPI description and asks a real server whatever comes to its mind.

No server error, no status, content type or member of an answer that the description does not have.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.protocol.wire import Wire, film, text_part

from partway.testing.server import running_server

pytestmark = [pytest.mark.sdk, pytest.mark.slow, pytest.mark.timeout(600)]

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
SETTINGS = {"PARTWAY_PIECE_BYTES_MIN": "1000", "PARTWAY_PIECE_BYTES_MAX": "1000000"}


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    """A server of its own, for everything on it may be deleted, with something of each kind to begin with."""
    with running_server(environment=SETTINGS) as server:
        wire = Wire(server)
        token = wire.token()
        assert wire.upload(token, None, film(5_000)).is_complete
        video_id = wire.create("half", public=False, tags=["a"], metadata=[{"key": "k", "value": "v"}])
        assert wire.send(video_id, "part 1/2", film(5_000), text_part("videoId", video_id)).status == 201
        yield wire


def test_it_finds_nothing(wire: Wire, tmp_path: Path) -> None:
    settings = tmp_path / "schemathesis.toml"
    settings.write_text(f'[auth.openapi.uploadToken]\napi_key = "{wire.token()}"\n', encoding="utf-8")
    program = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(settings)]
    options = ["--checks", CHECKS, "--max-examples", "4", "--seed", "1", "--warnings", "off", "--max-time", "150"]
    # The second door of each asset has the same answers. One worker: CPython 3.11 can't parse in two threads at once.
    options += ["--workers", "1", "--exclude-path-regex", "/token/"]
    where = ["--header", f"Authorization: {wire.key}", "--no-color", "--max-failures", "20"]
    done = subprocess.run(
        [*program, "run", f"{wire.server.url}/-/openapi.json", *options, *where],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=560,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No issues found" in done.stdout or " passed" in done.stdout
    assert wire.get("/healthz", key=None).status == 200
