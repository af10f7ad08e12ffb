"""The client's memory does not grow with what it sends."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading

import pytest

MIB = 2**20
BOUND = 128 * MIB
"""Far below what is sent; an interpreter with the HTTP library takes some 50 MiB of it."""

UPLOAD = """
import re, resource, sys
from partway.client import Client
source = sys.argv[2] if len(sys.argv) > 2 else open(0, "rb")
with Client(sys.argv[1], "k", parallel=6) as client:
    client.upload(source, remember=False)
if sys.platform == "linux":  # where ru_maxrss counts what the parent had when it forked
    print(int(re.search(r"VmHWM:\\s*(\\d+) kB", open("/proc/self/status").read())[1]) * 1024)
else:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


class Sink(asyncio.Protocol):
    """A server that takes everything and keeps nothing."""

    received = 0
    requests = 0

    def connection_made(self, transport):
        self.transport, self.head, self.left = transport, b"", 0

    def data_received(self, data):
        while data:
            if not self.left:
                self.head += data
                head, end, data = self.head.partition(b"\r\n\r\n")
                if not end:
                    return
                self.head = b""
                self.begin(head.decode())
            taken = min(self.left, len(data))
            self.left -= taken
            Sink.received += taken
            data = data[taken:]
            if not self.left:
                body = json.dumps(self.answer).encode()
                self.transport.write(b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    def begin(self, head):
        Sink.requests += 1
        lines = head.lower().split("\r\n")
        self.left = next((int(line[16:]) for line in lines if line.startswith("content-length: ")), 0)
        video = {"videoId": "vi1", "title": "t", "assets": {"player": "http://x"}}
        playable = {"encoding": {"playable": True}, "videoId": "vi1"}
        self.answer = playable if "/status" in lines[0] else video


@pytest.fixture
def sink():
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(loop.create_server(Sink, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    Sink.received = Sink.requests = 0
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    loop.call_soon_threadsafe(server.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def peak(*words, stdin=None):
    done = subprocess.run([sys.executable, "-c", UPLOAD, *words], stdin=stdin, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.slow
def test_a_large_file(sink, tmp_path):
    size = 1024 * MIB
    with open(tmp_path / "sparse.mp4", "wb") as sparse:
        sparse.truncate(size)
    assert peak(sink, str(tmp_path / "sparse.mp4")) < BOUND
    assert Sink.received > size


@pytest.mark.slow
def test_a_long_pipe(sink, tmp_path):
    """Its parts stand on disk while they are on their way."""
    size = 384 * MIB
    writer = subprocess.Popen(["head", "-c", str(size), "/dev/zero"], stdout=subprocess.PIPE)
    assert peak(sink, stdin=writer.stdout) < BOUND
    writer.stdout.close()
    assert writer.wait() == 0
    assert Sink.received > size
