"""Connections that break: in the body, in the answer, under a commit. A part counts whole or not at all."""

from __future__ import annotations

import os
import random
import signal
import socket
import struct
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from tests.crash.ground import BOUNDARY, HEAD, MIB, TAIL, Answer, Film, Sender, files_in, wait_until_blobs_are

from partway.testing.faults import UPLOAD_POINTS
from partway.testing.proxy import Ending, Fault, Proxy, running_proxy
from partway.testing.server import RunningServer, running_server
from partway.testing.waiting import wait_until

pytestmark = pytest.mark.crash
Serve = Callable[..., Sender]

SERVERS = ["granian", pytest.param("uvicorn", marks=pytest.mark.crash_long)]


@pytest.fixture(scope="module", params=SERVERS)
def running(request: pytest.FixtureRequest) -> Iterator[RunningServer]:
    with running_server(environment={"PARTWAY_HTTP_SERVER": request.param}) as server:
        yield server


@pytest.fixture
def sender(running: RunningServer) -> Iterator[Sender]:
    """A server that is empty again after each test."""
    sender = Sender(running, running.port)
    yield sender
    for video in sender.request("GET", "/videos").json["data"]:
        sender.delete(video["videoId"])
    wait_until_blobs_are(running, 0)


@pytest.fixture
def proxy(sender: Sender) -> Iterator[Proxy]:
    with running_proxy(sender.server.port) as running:
        yield running


def through(proxy: Proxy, sender: Sender) -> Sender:
    return Sender(sender.server, proxy.port)


@pytest.mark.slow
def test_a_proxy_without_a_fault_changes_nothing(sender: Sender, proxy: Proxy, film: Film) -> None:
    far = through(proxy, sender)
    proxy.plan(Fault(), Fault(delay_seconds=0.001))
    video_id = far.create()
    for number, body in enumerate(film.parts, 1):
        assert far.send(video_id, f"part {number}/3", body).is_complete == (number == 3)
    assert far.source(video_id) == film.body


@pytest.mark.slow
def test_a_body_cut_anywhere_leaves_nothing(sender: Sender, proxy: Proxy, film: Film) -> None:
    far = through(proxy, sender)
    video_id = far.create()
    endings: list[Ending] = ["reset", "close", "half"]
    for after in (1, 400, 70_000, 3 * MIB, len(film.parts[0])):
        for ending in endings:
            proxy.plan(Fault(after_sent=after, ending=ending))
            answer = far.try_to_send(video_id, "part 1/3", film.parts[0])
            # Told that no more will come, a server may still say what it thinks of that.
            assert answer is None or (ending == "half" and answer.status >= 400)
    sender.wait_until_still()
    assert sender.held(video_id) == {}
    wait_until_blobs_are(sender.server, 0)
    for number, body in enumerate(film.parts, 1):
        assert far.send(video_id, f"part {number}/3", body).is_complete == (number == 3)
    assert sender.source(video_id) == film.body
    wait_until_blobs_are(sender.server, 3)


def test_a_lost_answer_is_harmless(sender: Sender, proxy: Proxy, film: Film) -> None:
    far = through(proxy, sender)
    video_id = far.create()
    for number, body in enumerate(film.parts, 1):
        for after in (0, 1, 20):
            proxy.plan(Fault(after_answered=after))
            assert far.try_to_send(video_id, f"part {number}/3", body) is None
        sender.wait_until_still()
        assert sender.held(video_id)[number] == film.digests[number - 1]
        again = far.send(video_id, f"part {number}/3", body)
        assert again.is_complete == (number == 3)
    assert sender.source(video_id) == film.body
    wait_until_blobs_are(sender.server, 3)


@pytest.mark.crash_long
def test_a_bad_line_ends_in_the_same_bytes(sender: Sender, proxy: Proxy, film: Film) -> None:
    """Every part is cut at random, both ways, some times before it comes through."""
    chance = random.Random(1)
    far = through(proxy, sender)
    video_id = far.create()
    endings: list[Ending] = ["reset", "close", "half"]

    def send(number: int) -> bool:
        body = film.parts[number - 1]
        for _ in range(12):
            cut = chance.randrange(len(body) + 1000)
            fault = Fault(after_answered=cut % 200) if cut % 5 == 0 else Fault(cut, ending=endings[cut % 3])
            proxy.plan(fault)
            far.try_to_send(video_id, f"part {number}/3", body)
        return far.send(video_id, f"part {number}/3", body).is_complete

    with ThreadPoolExecutor(3) as pool:
        assert any(pool.map(send, (1, 2, 3)))
    assert sender.held(video_id) == dict(enumerate(film.digests, 1))
    assert sender.source(video_id) == film.body
    sender.wait_until_still()
    wait_until_blobs_are(sender.server, 3)


def open_upload(sender: Sender, video_id: str, header: str, body: bytes, sent: int) -> socket.socket:
    """Send the head of a part and the first ``sent`` bytes of its form."""
    connection = socket.create_connection(("127.0.0.1", sender.port), 60)
    form = HEAD + body + TAIL
    lines = [
        f"POST /videos/{video_id}/source HTTP/1.1",
        f"Host: 127.0.0.1:{sender.port}",
        f"Authorization: {sender.authorization}",
        f"Content-Range: {header}",
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}",
        f"Content-Length: {len(form)}",
    ]
    connection.sendall("\r\n".join([*lines, "", ""]).encode() + form[:sent])
    return connection


def answer_on(connection: socket.socket) -> Answer | None:
    """The status of whatever comes back, or None when the connection just ends."""
    received = b""
    try:
        while b"\r\n\r\n" not in received:
            buffer = connection.recv(65536)
            if not buffer:
                return None
            received += buffer
    except ConnectionError:
        return None
    return Answer(int(received.split(b" ", 2)[1]), {}, b"")


@pytest.mark.crash_long
@pytest.mark.parametrize("point", UPLOAD_POINTS)
def test_a_client_that_leaves_under_the_commit(serve: Serve, film: Film, tmp_path: Path, point: str) -> None:
    """It leaves while the server stands still at a step: the part is held whole or not at all."""
    gate = tmp_path / "gate"
    gate.touch()
    sender = serve(PARTWAY_FAULT=f"{point}:pause", PARTWAY_FAULT_FILE=str(gate))
    video_id = sender.create()
    # While the file is being opened nobody reads the body: it can't be sent to its end.
    sent = 100_000 if point == "blob-created" else len(HEAD + film.parts[0] + TAIL)
    with closing(open_upload(sender, video_id, "part 1/2", film.parts[0], sent)) as connection:
        wait_until(lambda: files_in(sender.server), "the part begins to be stored")
        if point not in ("blob-created", "blob-written", "blob-synced"):
            wait_until(lambda: files_in(sender.server)[0].suffix != ".part", "the part is stored")
        # With nothing to wait for: the server sees a reset.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    gate.unlink()
    sender.wait_until_still()
    held = sender.held(video_id)
    assert held in ({}, {} if point == "blob-created" else {1: film.digests[0]})
    wait_until_blobs_are(sender.server, len(held))
    assert not sender.send(video_id, "part 1/2", film.parts[0]).is_complete
    assert sender.send(video_id, "part 2/2", film.parts[2]).is_complete
    assert sender.source(video_id) == film.parts[0] + film.parts[2]


@pytest.mark.crash_long
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("http", ["granian", "uvicorn"])
def test_a_signal_during_a_slow_upload(serve: Serve, film: Film, http: str, number: signal.Signals) -> None:
    """The server ends cleanly within its grace, keeps what it acknowledged and nothing of the rest."""
    sender = serve(PARTWAY_HTTP_SERVER=http, PARTWAY_STOP_GRACE="0.5")
    server = sender.server
    assert server.process is not None
    video_id = sender.create()
    assert not sender.send(video_id, "part 2/2", film.parts[2]).is_complete
    with closing(open_upload(sender, video_id, "part 1/2", film.parts[0], 3 * MIB)) as connection:
        wait_until(lambda: len(files_in(server)) == 2, "the part begins to be stored")
        os.kill(server.process.pid, number)
        assert server.wait_for_end(30) == 0, server.output()
        answer = answer_on(connection)
    assert answer is None or answer.status >= 400
    assert "what was acknowledged is kept" in server.output()
    # uvicorn logs the cancellation of what it cuts off, as it does every exception.
    assert http == "uvicorn" or "Traceback" not in server.output()
    assert [path.suffix for path in files_in(server)] == [""]
    server.start({})
    assert sender.held(video_id) == {2: film.digests[2]}
    assert sender.send(video_id, "part 1/2", film.parts[0]).is_complete
    assert sender.source(video_id) == film.parts[0] + film.parts[2]


@pytest.mark.crash_long
@pytest.mark.parametrize("http", ["granian", "uvicorn"])
def test_an_upload_that_ends_within_the_grace_is_answered(serve: Serve, film: Film, http: str) -> None:
    sender = serve(PARTWAY_HTTP_SERVER=http, PARTWAY_STOP_GRACE="30")
    server = sender.server
    assert server.process is not None
    video_id = sender.create()
    form = HEAD + film.parts[0] + TAIL
    begun = time.monotonic()
    with closing(open_upload(sender, video_id, "part 1/2", film.parts[0], 3 * MIB)) as connection:
        wait_until(lambda: files_in(server), "the part begins to be stored")
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: not is_listening(server.port), "it takes no new connection")
        connection.sendall(form[3 * MIB :])
        answer = answer_on(connection)
    assert answer is not None
    assert answer.status == 201
    assert server.wait_for_end(30) == 0, server.output()
    assert time.monotonic() - begun < 60
    server.start({})
    assert sender.held(video_id) == {1: film.digests[0]}


def is_listening(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 5):
            return True
    except OSError:
        return False
