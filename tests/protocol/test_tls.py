"""https on a real server: HTTP/1.1 alone, absolute URLs that say https, and clients that trust it on purpose."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.protocol.wire import SERVERS, basic, film

from partway.api.tls import own_certificate
from partway.client import Client
from partway.errors import ServerUnreachable
from partway.testing.server import RunningServer, running_server

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[RunningServer]:
    with running_server(environment={"PARTWAY_HTTP_SERVER": request.param}, tls=True) as server:
        yield server


def offered(server: RunningServer, context: ssl.SSLContext) -> ssl.SSLSocket:
    return context.wrap_socket(socket.create_connection(("127.0.0.1", server.port), 30), server_hostname="localhost")


def test_absolute_urls_say_https(server: RunningServer) -> None:
    assert f"serving on https://127.0.0.1:{server.port}" in server.output()
    request = urllib.request.Request(
        f"{server.url}/videos",
        data=json.dumps({"title": "safe"}).encode(),
        headers={"Authorization": basic(server.api_key)},
    )
    with urllib.request.urlopen(request, context=server.trust()) as answer:
        video = json.loads(answer.read())
    assert video["assets"]["player"].startswith(f"{server.url}/vod/")


def test_http_2_is_not_offered(server: RunningServer) -> None:
    context = server.trust()
    assert context is not None
    context.set_alpn_protocols(["h2", "http/1.1"])
    with offered(server, context) as connection:
        assert connection.selected_alpn_protocol() in (None, "http/1.1")
        assert connection.version() == "TLSv1.3"


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_nothing_older_than_tls_1_2(server: RunningServer) -> None:
    context = server.trust()
    assert context is not None
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        offered(server, context)
    context = server.trust()
    assert context is not None
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with offered(server, context) as connection:
        assert connection.version() == "TLSv1.2"


def test_the_client_trusts_it_when_told(server: RunningServer, tmp_path: Path) -> None:
    source = tmp_path / "film.mp4"
    source.write_bytes(film(300_000))
    with Client(server.url, server.api_key, cacert=server.cacert) as client:
        video = client.upload(source)
        assert client.status(video.id).raw["ingest"]["status"] == "uploaded"
    with (
        Client(server.url, server.api_key, retry_for=1) as stranger,
        pytest.raises(ServerUnreachable, match="is not trusted"),
    ):
        stranger.get(video.id)


def test_the_command_trusts_it_when_told(server: RunningServer) -> None:
    assert server.cacert is not None
    command = [sys.executable, "-m", "partway", "list", "--server", server.url, "--json"]
    environment = {**os.environ, "PARTWAY_API_KEY": server.api_key}
    told = subprocess.run([*command, "--cacert", str(server.cacert)], env=environment, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    wrong = subprocess.run([*command, "--cacert", str(server.log)], env=environment, capture_output=True, text=True)
    assert wrong.returncode == 2
    assert "can't be used" in wrong.stderr


@pytest.mark.parametrize("kind", SERVERS)
def test_a_certificate_of_ones_own_with_an_old_kind_of_key(kind: str, tmp_path: Path) -> None:
    """As openssl used to write keys: granian and uvicorn take them as they are."""
    mine = own_certificate(tmp_path / "mine", set())
    key = serialization.load_pem_private_key(mine.key.read_bytes(), None)
    old = tmp_path / "old.pem"
    old.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    assert b"EC PRIVATE KEY" in old.read_bytes()
    server = RunningServer(
        tmp_path / "data",
        {
            "PARTWAY_HTTP_SERVER": kind,
            "PARTWAY_TLS_CERT": str(mine.chain),
            "PARTWAY_TLS_KEY": str(old),
            "PARTWAY_TLS_SELF_SIGNED": "false",
        },
        tls=True,
    )
    server.cacert = mine.chain
    try:
        server.start()
        assert f"serving on {server.url}" in server.output()
        assert not (tmp_path / "data" / "tls").exists()
    finally:
        server.kill()


def test_a_certificate_survives_a_restart(tmp_path: Path) -> None:
    """Whoever trusts it goes on trusting it."""
    with running_server(tmp_path / "data", tls=True) as server:
        assert server.cacert is not None
        first = server.cacert.read_bytes()
        server.restart()
        assert server.cacert.read_bytes() == first


def test_two_kinds_of_certificate_are_one_too_many(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "partway",
        "serve",
        "--data",
        str(tmp_path),
        "--tls-self-signed",
        "--tls-cert",
        "x",
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert "choose one" in done.stderr
