"""A webhook's other end: notes what it is told, and answers as it is bidden."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, slots=True)
class Told:
    """One request."""

    headers: dict[str, str]
    """By lower-case names."""
    body: bytes
    at: float
    """By ``time.monotonic``."""

    @property
    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


class Receiver(ThreadingHTTPServer):
    """A server on a loopback port; ``answers`` are the next statuses, then it is 200 for ever."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.told: list[Told] = []
        self.answers: list[int] = []
        self.location = ""

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}/hook"

    def types(self) -> list[str]:
        """The events it was told of, in order."""
        return [str(told.json["type"]) for told in list(self.told)]


class _Answering(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.told.append(Told(headers, body, time.monotonic()))
        status = self.server.answers.pop(0) if self.server.answers else 200
        self.send_response(status)
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def receiver() -> Iterator[Receiver]:
    """One, for the length of a block."""
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
