"""A plain HTTP/1.1 client for these tests: it hides nothing of the wire, and shares no code with partway."""

from __future__ import annotations

import base64
import json
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import pytest

from partway.testing.server import RunningServer

BOUNDARY = "----boundary-of-these-tests"
SECONDS = 60.0
SERVERS = ("granian", pytest.param("uvicorn", marks=pytest.mark.slow))


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        assert self.headers["content-type"] == "application/json", self
        return json.loads(self.body)

    @property
    def slug(self) -> str:
        """Which problem it is."""
        return str(self.json["type"].rpartition("/")[2])

    @property
    def video_id(self) -> str:
        assert self.status == 201, self
        return str(self.json["videoId"])

    @property
    def is_complete(self) -> bool:
        """Whether a part's answer is the completing one: the full Video, not ``{"videoId"}`` alone."""
        assert self.status == 201, self
        return set(self.json) != {"videoId"}


@dataclass
class Connection:
    """One TCP connection."""

    port: int
    socket: socket.socket = field(init=False)

    def __post_init__(self) -> None:
        self.socket = socket.create_connection(("127.0.0.1", self.port), SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._read = bytearray()

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, *texts: bytes) -> None:
        for text in texts:
            self.socket.sendall(text)

    def is_closed(self) -> bool:
        """Whether the server closes the connection without another byte."""
        try:
            return not self._read and self.socket.recv(1) == b""
        except ConnectionError:
            return True

    def head(self) -> tuple[int, dict[str, str]]:
        """Read one status line and its headers."""
        raw = self._until(b"\r\n\r\n").decode("latin-1")
        line, *lines = raw.split("\r\n")
        headers: dict[str, str] = {}
        for one in filter(None, lines):
            name, _, value = one.partition(":")
            headers[name.lower()] = value.strip()
        return int(line.split(" ")[1]), headers

    def answer(self, method: str = "POST", *, continues: bool = True) -> Answer:
        """Read one whole answer; words that are not final, such as 100, are passed over if it ``continues``."""
        status, headers = self.head()
        while status < 200 and continues:
            status, headers = self.head()
        body = b""
        if method == "HEAD" or status in (204, 304):
            pass
        elif headers.get("transfer-encoding") == "chunked":
            while size := int(self._until(b"\r\n"), 16):
                body += self.read(size)
                self.read(2)
            self.read(2)
        else:
            body = self.read(int(headers["content-length"]))
        return Answer(status, headers, body)

    def _more(self) -> None:
        received = self.socket.recv(1 << 20)
        if not received:
            raise ConnectionError("the server closed the connection in the middle of an answer")
        self._read += received

    def _until(self, end: bytes) -> bytes:
        while end not in self._read:
            self._more()
        found, _, self._read = self._read.partition(end)
        return bytes(found)

    def read(self, size: int) -> bytes:
        """Read exactly so many bytes."""
        while len(self._read) < size:
            self._more()
        found, self._read = bytes(self._read[:size]), self._read[size:]
        return found


@dataclass(frozen=True)
class Part:
    """One part of a form, written as it is given."""

    body: bytes
    headers: tuple[tuple[str, str], ...]


def file_part(body: bytes, name: str = "file", filename: str = "film.mp4", kind: str | None = "video/mp4") -> Part:
    """A file, as most clients write it."""
    disposition = ("Content-Disposition", f'form-data; name="{name}"; filename="{filename}"')
    return Part(body, (disposition,) if kind is None else (disposition, ("Content-Type", kind)))


def text_part(name: str, value: str) -> Part:
    return Part(value.encode(), (("Content-Disposition", f'form-data; name="{name}"'),))


def form(*parts: Part, boundary: str = BOUNDARY) -> bytes:
    """The body of a multipart/form-data request."""
    lines = []
    for part in parts:
        head = "".join(f"{name}: {value}\r\n" for name, value in part.headers)
        lines += [f"--{boundary}\r\n{head}\r\n".encode(), part.body, b"\r\n"]
    return b"".join([*lines, f"--{boundary}--\r\n".encode()])


def basic(key: str) -> str:
    return "Basic " + base64.b64encode(f"{key}:".encode()).decode()


class Wire:
    """Asks one server; every request has a connection of its own."""

    def __init__(self, server: RunningServer) -> None:
        self.server = server
        self.port = server.port
        self.key = basic(server.api_key)

    def connect(self) -> Connection:
        return Connection(self.port)

    def head(self, method: str, path: str, headers: Iterable[tuple[str, str]] = ()) -> bytes:
        """A request's head; Host comes by itself."""
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
        return f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n{lines}\r\n".encode("latin-1")

    def ask(
        self,
        method: str,
        path: str,
        *,
        json_body: Any = None,
        body: bytes | None = None,
        headers: Sequence[tuple[str, str]] = (),
        key: str | None = "",
    ) -> Answer:
        """Ask one thing. ``key`` is the Authorization header: empty for the good one, None for none."""
        sent = [*headers]
        if key is not None:
            sent.append(("Authorization", key or self.key))
        if json_body is not None:
            body = json.dumps(json_body).encode()
            sent.append(("Content-Type", "application/json"))
        if body is not None:
            sent.append(("Content-Length", str(len(body))))
        with self.connect() as connection:
            # A server may answer and close before it has heard everything; what it said counts.
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.send(self.head(method, path, sent) + (body or b""))
            return connection.answer(method)

    def get(self, path: str, **options: Any) -> Answer:
        return self.ask("GET", path, **options)

    def create(self, title: str = "a film", **fields: Any) -> str:
        """Make a video; its id."""
        return self.ask("POST", "/videos", json_body={"title": title, **fields}).video_id

    def token(self, ttl: int = 0) -> str:
        """Make an upload token."""
        answer = self.ask("POST", "/upload-tokens", json_body={"ttl": ttl})
        assert answer.status == 200, answer
        return str(answer.json["token"])

    def post_form(
        self,
        path: str,
        content_range: str | None,
        *parts: Part,
        headers: Sequence[tuple[str, str]] = (),
        key: str | None = "",
        boundary: str = BOUNDARY,
    ) -> Answer:
        ranged = [] if content_range is None else [("Content-Range", content_range)]
        kind = ("Content-Type", f"multipart/form-data; boundary={boundary}")
        body = form(*parts, boundary=boundary)
        return self.ask("POST", path, body=body, headers=[*ranged, kind, *headers], key=key)

    def send(self, video_id: str, content_range: str | None, body: bytes, *others: Part) -> Answer:
        """Upload one piece to a video's source."""
        return self.post_form(f"/videos/{video_id}/source", content_range, *others, file_part(body))

    def upload(
        self,
        token: str,
        content_range: str | None,
        body: bytes,
        video_id: str | None = None,
        filename: str = "film.mp4",
    ) -> Answer:
        """Upload one piece with an upload token."""
        named = [] if video_id is None else [text_part("videoId", video_id)]
        path = f"/upload?token={quote(token)}"
        return self.post_form(path, content_range, file_part(body, filename=filename), *named, key=None)

    def upload_picture(self, video_id: str, body: bytes, filename: str = "picture.png", name: str = "file") -> Answer:
        """Upload a thumbnail."""
        return self.post_form(f"/videos/{video_id}/thumbnail", None, file_part(body, name, filename, "image/x"))

    def status(self, video_id: str) -> Any:
        answer = self.get(f"/videos/{video_id}/status")
        assert answer.status == 200, answer
        return answer.json

    def held(self, video_id: str) -> Any:
        """Everything that is stored of a source, digests included."""
        answer = self.get(f"/-/videos/{video_id}/parts")
        assert answer.status == 200, answer
        return answer.json

    def source(self, video_id: str) -> bytes:
        """The source's own bytes, as they come back."""
        answer = self.get(f"/vod/{video_id}/mp4/source.mp4", key=None)
        assert answer.status == 200, answer
        return answer.body


Serve = Callable[[str, str], Wire]
"""Gives the server of a kind (see ``SERVERS``) and a name of settings (see ``conftest.py``)."""


def film(size: int, salt: int = 0) -> bytes:
    """Bytes that look like the start of an MP4, so that they can be had back, and repeat nowhere."""
    start = b"\x00\x00\x00\x14ftypisom\x00\x00\x00\x00isom"
    numbers = (salt * 1_000_003 + at for at in range(size // 8 + 1))
    return (start + b"".join(number.to_bytes(8, "big") for number in numbers))[:size]


def pieces_of(source: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(source), size):
        yield source[start : start + size]


def wait_for(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Ask until it is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.05)
