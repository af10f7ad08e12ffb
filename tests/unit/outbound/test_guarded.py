"""The guarded client, against a real server on loopback: refused there, whatever the address is dressed up as."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest

from partway.api.tls import own_certificate
from partway.errors import AddressRefused
from partway.outbound.guarded import GuardedTransport, guarded_client

pytestmark = pytest.mark.anyio

PUBLIC = "93.184.215.14"


class Peer(HTTPServer):
    """Notes whom it was asked for, and can send its callers on."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.hosts: list[str] = []
        self.sends_on_to = ""


class Answering(BaseHTTPRequestHandler):
    server: Peer

    def do_GET(self) -> None:
        self.server.hosts.append(self.headers["Host"])
        self.send_response(302 if self.server.sends_on_to else 200)
        if self.server.sends_on_to:
            self.send_header("Location", self.server.sends_on_to)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def peer() -> Iterator[Peer]:
    peer = Peer()
    thread = threading.Thread(target=peer.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield peer
    finally:
        peer.shutdown()
        thread.join()
        peer.server_close()


def answering_names(monkeypatch: pytest.MonkeyPatch, names: dict[str, list[list[str]]]) -> list[str]:
    """Stand in for the world's name servers: each name gives its lists in turn, the last one for ever."""
    asked: list[str] = []
    real = asyncio.get_running_loop().getaddrinfo

    async def resolve(host: str, port: int, **options: Any) -> Any:
        asked.append(host)
        if host not in names:
            return await real(host, port, **options)
        answers = names[host]
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return [entry for address in found for entry in await real(address, port, **options)]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
    return asked


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.0.0.1", "0", "[::ffff:127.0.0.1]"]
)
async def test_loopback_is_refused_however_it_is_written(peer: Peer, host: str) -> None:
    async with guarded_client(allow_private=False, timeout_seconds=10) as client:
        with pytest.raises(AddressRefused):
            await client.get(f"http://{host}:{peer.server_port}/")
    assert peer.hosts == []


async def test_it_is_allowed_by_the_setting(peer: Peer) -> None:
    async with guarded_client(allow_private=True, timeout_seconds=10) as client:
        answer = await client.get(f"http://localhost:{peer.server_port}/")
    assert answer.status_code == 200
    assert peer.hosts == [f"localhost:{peer.server_port}"]


async def test_one_private_address_among_public_ones_is_enough(monkeypatch: pytest.MonkeyPatch, peer: Peer) -> None:
    answering_names(monkeypatch, {"mixed.example": [[PUBLIC, "127.0.0.1"]]})
    async with guarded_client(allow_private=False, timeout_seconds=10) as client:
        with pytest.raises(AddressRefused, match=r"127\.0\.0\.1"):
            await client.get(f"http://mixed.example:{peer.server_port}/")
    assert peer.hosts == []


async def test_a_name_is_resolved_once(monkeypatch: pytest.MonkeyPatch, peer: Peer) -> None:
    """What was checked is what is connected to; a second answer, after rebinding, is never asked for."""
    asked = answering_names(monkeypatch, {"rebound.example": [["127.0.0.1"], ["127.0.0.9"]]})
    async with guarded_client(allow_private=True, timeout_seconds=10) as client:
        answer = await client.get(f"http://rebound.example:{peer.server_port}/")
    assert answer.status_code == 200
    assert peer.hosts == [f"rebound.example:{peer.server_port}"]
    assert asked == ["rebound.example"]


async def test_a_redirect_is_checked_like_the_first_request(monkeypatch: pytest.MonkeyPatch, peer: Peer) -> None:
    """The first hop is taken for public, so that the second one is the question."""
    answering_names(monkeypatch, {"first.example": [["127.0.0.1"]]})
    monkeypatch.setattr("partway.outbound.guarded.is_public", lambda address: str(address) == "127.0.0.1")
    peer.sends_on_to = f"http://127.0.0.2:{peer.server_port}/secret"
    async with guarded_client(allow_private=False, timeout_seconds=10) as client:
        with pytest.raises(AddressRefused, match=r"127\.0\.0\.2"):
            await client.get(f"http://first.example:{peer.server_port}/", follow_redirects=True)
    assert len(peer.hosts) == 1


async def test_the_next_address_is_tried_when_one_is_dead(monkeypatch: pytest.MonkeyPatch, peer: Peer) -> None:
    answering_names(monkeypatch, {"half.example": [["127.0.0.7", "127.0.0.1"]]})
    async with guarded_client(allow_private=True, timeout_seconds=10) as client:
        assert (await client.get(f"http://half.example:{peer.server_port}/")).status_code == 200


async def test_a_name_that_is_nobodys() -> None:
    async with guarded_client(allow_private=False, timeout_seconds=10) as client:
        with pytest.raises(httpx2.ConnectError, match="could not be resolved"):
            await client.get("http://nobody.invalid/")


async def test_the_certificate_is_asked_for_the_name(
    monkeypatch: pytest.MonkeyPatch, peer: Peer, tmp_path: Path
) -> None:
    """Connected to by address, yet SNI and the check of the certificate are the name's."""
    mine = own_certificate(tmp_path, {"hooks.example"})
    asked: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(mine.chain, mine.key)
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    peer.socket = context.wrap_socket(peer.socket, server_side=True)
    answering_names(monkeypatch, {"hooks.example": [["127.0.0.1"]], "other.example": [["127.0.0.1"]]})
    trusting = GuardedTransport(allow_private=True)
    trusting._inner = httpx2.AsyncHTTPTransport(verify=ssl.create_default_context(cafile=mine.chain), trust_env=False)
    async with httpx2.AsyncClient(transport=trusting, timeout=10) as client:
        assert (await client.get(f"https://hooks.example:{peer.server_port}/")).status_code == 200
        with pytest.raises(httpx2.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await client.get(f"https://other.example:{peer.server_port}/")
    assert asked == ["hooks.example", "other.example"]
