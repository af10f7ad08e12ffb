"""Absolute URLs behind a proxy: ``public_url`` first, a trusted proxy's word next, the caller's Host last."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.protocol.wire import SERVERS, Wire

from partway.testing.server import running_server

SAID = [
    ("X-Forwarded-For", "203.0.113.9"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Host", "videos.example.com"),
]
RFC7239 = [("Forwarded", "for=203.0.113.9;proto=https;host=videos.example.com")]


def player_of(wire: Wire, headers: list[tuple[str, str]]) -> str:
    answer = wire.ask("POST", "/videos", json_body={"title": "behind"}, headers=headers)
    assert answer.status == 201, answer
    player = str(answer.json["assets"]["player"])
    return player.removesuffix(f"/vod/{answer.video_id}")


@pytest.mark.slow
@pytest.mark.parametrize("kind", SERVERS)
def test_a_trusted_proxy_is_believed(kind: str) -> None:
    environment = {
        "PARTWAY_HTTP_SERVER": kind,
        "PARTWAY_TRUSTED_PROXIES": "10.0.0.0/8, 127.0.0.1",
        "PARTWAY_LOG_LEVEL": "debug",
    }
    with running_server(environment=environment) as server:
        wire = Wire(server)
        assert player_of(wire, SAID) == "https://videos.example.com"
        assert player_of(wire, RFC7239) == "https://videos.example.com"
        assert player_of(wire, []) == server.url
        assert '"client": "203.0.113.9"' in server.output()


@pytest.mark.slow
@pytest.mark.parametrize("kind", SERVERS)
def test_nobody_is_trusted_unasked(kind: str) -> None:
    with running_server(environment={"PARTWAY_HTTP_SERVER": kind}) as server:
        wire = Wire(server)
        assert player_of(wire, SAID) == server.url
        assert player_of(wire, RFC7239) == server.url


@pytest.mark.slow
def test_public_url_has_the_last_word() -> None:
    environment = {"PARTWAY_TRUSTED_PROXIES": "127.0.0.1", "PARTWAY_PUBLIC_URL": "https://public.example.com/films"}
    with running_server(environment=environment) as server:
        assert player_of(Wire(server), SAID) == "https://public.example.com/films"
        assert "serving on https://public.example.com/films" in server.output()


def test_a_network_that_is_none_is_named() -> None:
    command = [sys.executable, "-m", "partway", "serve", "--trusted-proxies", "10.0.0.1/8"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert "trusted_proxies" in done.stderr


def doctor(data: Path, public_url: str) -> str:
    command = [sys.executable, "-m", "partway", "doctor", "--data", str(data), "--public-url", public_url]
    done = subprocess.run(command, capture_output=True, text=True)
    (line,) = (line for line in done.stdout.splitlines() if "public_url" in line)
    return line


@pytest.mark.slow
def test_the_doctor_asks_public_url(tmp_path: Path, free_port: int) -> None:
    with running_server(tmp_path / "data", tls=True) as server:
        assert doctor(tmp_path / "data", server.url).startswith("ok ")
        elsewhere = doctor(tmp_path / "another", server.url)
        assert elsewhere.startswith("WRONG")
        assert "certificate is not trusted" in elsewhere
        assert "is this our server?" in doctor(tmp_path / "data", f"{server.url}/nowhere")
    assert "can't be reached" in doctor(tmp_path / "data", f"http://127.0.0.1:{free_port}")
