"""A sender for benchmarks: raw sockets, so that the moment of the last byte is known."""

from __future__ import annotations

import http.client
import json
import os
import socket
import time
from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

MIB = 1024 * 1024
NOISE = os.urandom(MIB)


@dataclass(frozen=True, slots=True)
class Sent:
    """One part's journey; times in seconds."""

    status: int
    body: dict[str, Any]
    sending_seconds: float
    answer_seconds: float
    """From the last byte handed to the kernel to the whole answer."""


class Sender:
    """Talks to one server with one API key."""

    def __init__(self, url: str, api_key: str) -> None:
        self.host, port = url.removeprefix("http://").split(":")
        self.port = int(port)
        self.authorization = "Basic " + b64encode(f"{api_key}:".encode()).decode()

    def call(self, method: str, path: str, payload: dict[str, Any] | None = None) -> dict[str, Any]:
        """One small request."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=600)
        connection.request(method, path, json.dumps(payload or {}), {"Authorization": self.authorization})
        answer = connection.getresponse().read()
        connection.close()
        return dict(json.loads(answer)) if answer else {}

    def create(self, title: str) -> str:
        """Make a container; its id."""
        return str(self.call("POST", "/videos", {"title": title})["videoId"])

    def send(self, video_id: str, content_range: str, size: int, buffers: Iterable[bytes] | None = None) -> Sent:
        """Send one part of ``size`` bytes: those of ``buffers``, or noise."""
        head = b'--bench\r\nContent-Disposition: form-data; name="file"; filename="file"\r\n\r\n'
        tail = b"\r\n--bench--\r\n"
        request = (
            f"POST /videos/{video_id}/source HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n"
            f"Authorization: {self.authorization}\r\nContent-Range: {content_range}\r\n"
            "Content-Type: multipart/form-data; boundary=bench\r\nConnection: close\r\n"
            f"Content-Length: {len(head) + size + len(tail)}\r\n\r\n"
        ).encode()
        with socket.create_connection((self.host, self.port), timeout=600) as connection:
            begun = time.perf_counter()
            connection.sendall(request + head)
            for buffer in noise(size) if buffers is None else buffers:
                connection.sendall(buffer)
            connection.sendall(tail)
            sent = time.perf_counter()
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            body = answer.read()
            return Sent(answer.status, json.loads(body), sent - begun, time.perf_counter() - sent)


def noise(size: int) -> Iterator[bytes]:
    """Yield ``size`` bytes that nothing can compress."""
    for _ in range(size // MIB):
        yield NOISE
    yield NOISE[: size % MIB]


def peak_rss_bytes(pid: int) -> int:
    """The largest resident memory so far of a process and its living descendants, summed, in bytes."""
    total = 0
    with open(f"/proc/{pid}/status") as status:
        total += next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children") as children:
            total += sum(peak_rss_bytes(int(child)) for child in children.read().split())
    return total
