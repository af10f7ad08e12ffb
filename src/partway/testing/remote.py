"""Somebody else's HTTP server, on this machine, that can be told to behave badly."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_SECONDS = 60.0


@dataclass
class Remote:
    """One file, and how it is given away."""

    body: bytes = b""
    etag: str | None = '"one"'
    knows_ranges: bool = True
    tells_length: bool = True
    status: int = 200
    location: str | None = None
    """Then it redirects there."""
    headers: dict[str, str] = field(default_factory=dict)
    breaks_at: int | None = None
    """Each answer ends after so many bytes, without a word."""
    holds_at: int | None = None
    """An answer waits there, before this byte of the file, until ``gate`` is set."""
    gate: threading.Event = field(default_factory=threading.Event)
    asked: list[dict[str, str]] = field(default_factory=list)
    """The headers of every request, in lower case, with ``path``."""
    url: str = ""


@contextmanager
def running_remote(body: bytes = b"") -> Iterator[Remote]:
    """Serve a file for the length of a block; every path is that file."""
    remote = Remote(body)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            remote.asked.append({name.lower(): value for name, value in self.headers.items()} | {"path": self.path})
            self.close_connection = True
            if remote.location is not None or remote.status != 200:
                self.send_response(302 if remote.location is not None else remote.status)
                if remote.location is not None:
                    self.send_header("Location", remote.location)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            body, start = remote.body, self._start()
            self.send_response(200 if start is None else 206)
            if start is not None:
                self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
            if remote.tells_length:
                self.send_header("Content-Length", str(len(body) - (start or 0)))
            else:
                self.send_header("Connection", "close")
            if remote.etag is not None:
                self.send_header("ETag", remote.etag)
            for name, value in remote.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self._write(body, start or 0)

        def _start(self) -> int | None:
            found = re.fullmatch(r"bytes=([0-9]+)-", self.headers.get("Range", ""))
            is_same = remote.etag is not None and self.headers.get("If-Range") == remote.etag
            return int(found[1]) if found and remote.knows_ranges and is_same else None

        def _write(self, body: bytes, at: int) -> None:
            end = len(body) if remote.breaks_at is None else min(len(body), at + remote.breaks_at)
            while at < end:
                if remote.holds_at is not None and at >= remote.holds_at:
                    remote.gate.wait(_SECONDS)
                until = end if remote.holds_at is None or at >= remote.holds_at else min(end, remote.holds_at)
                try:
                    self.wfile.write(body[at:until])
                    self.wfile.flush()
                except OSError:
                    return
                at = until

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    remote.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield remote
    finally:
        remote.gate.set()
        server.shutdown()
        server.server_close()
