"""What the tests of the client and the command line stand on: a large video, a proxy, a home for a user."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

from typer.testing import CliRunner, Result

from partway.cli import app
from partway.testing.media import sample
from partway.testing.server import RunningServer

MIB = 2**20


def large_video(media_dir: Path, path: Path, size: int, seed: int = 0) -> bytes:
    """A video that plays, of any size, its index at the end: the media box is filled up with noise."""
    plain = sample(media_dir, "plain").read_bytes()
    at = plain.index(b"mdat") - 4
    length = int.from_bytes(plain[at : at + 4], "big")
    noise = Random(seed).randbytes(size - len(plain))
    media = struct.pack(">I4s", length + len(noise), b"mdat") + plain[at + 8 : at + length]
    whole = plain[:at] + media + noise + plain[at + length :]
    path.write_bytes(whole)
    assert len(whole) == size
    return whole


def moov_offset(data: bytes) -> int:
    return data.rindex(b"moov") - 4


def fetched(url: str | None) -> bytes:
    assert url is not None
    with urllib.request.urlopen(url, timeout=60) as answer:
        content: bytes = answer.read()
        return content


def wait_for(condition: Callable[[], Any], seconds: float = 30.0) -> Any:
    """The first true value of ``condition``; an error if there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain")
        time.sleep(0.01)


@dataclass
class Proxy:
    """Between a client and a server: counts what the client sends, and can stop letting it through."""

    target: str
    budget: int = 2**62
    """Bytes from the client still to be let through; then its sending stalls."""
    bytes_per_second: int = 2**62
    """How fast one connection may send."""
    answers_pass: bool = True
    """Or are they lost, and the connection with them?"""
    sent: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _sockets: list[socket.socket] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def allow(self, budget: int) -> None:
        with self._changed:
            self.budget, self.sent = budget, 0
            self._changed.notify_all()

    @property
    def is_exhausted(self) -> bool:
        return self.budget <= 0

    def cut(self) -> None:
        """End all connections."""
        with self._changed:
            sockets, self._sockets = self._sockets, []
        _close(*sockets)

    def close(self) -> None:
        self._listener.close()
        self.allow(2**62)
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            where = urlsplit(self.target)
            try:
                server = socket.create_connection((where.hostname or "", where.port or 80))
            except OSError:
                client.close()
                continue
            with self._changed:
                self._sockets += [client, server]
            threading.Thread(target=self._up, args=(client, server), daemon=True).start()
            threading.Thread(target=self._down, args=(server, client), daemon=True).start()

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        try:
            while data := client.recv(65536):
                with self._changed:
                    self._changed.wait_for(lambda: self.budget > 0)
                    self.budget -= len(data)
                    self._changed.wait_for(lambda: False, timeout=len(data) / self.bytes_per_second)
                server.sendall(data)
                self.sent += len(data)
            server.shutdown(socket.SHUT_WR)
        except OSError:
            _close(client, server)

    def _down(self, server: socket.socket, client: socket.socket) -> None:
        try:
            while data := server.recv(65536):
                if not self.answers_pass:
                    _close(client, server)
                    return
                client.sendall(data)
            client.shutdown(socket.SHUT_WR)
        except OSError:
            _close(client, server)


def _close(*sockets: socket.socket) -> None:
    for each in sockets:
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()


@contextlib.contextmanager
def proxied(server: RunningServer) -> Iterator[Proxy]:
    proxy = Proxy(server.url)
    try:
        yield proxy
    finally:
        proxy.close()


@dataclass
class Home:
    """A user's folder and environment, in which the command line is run."""

    folder: Path
    url: str
    api_key: str

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PARTWAY_", "XDG_"))}
        return {
            **kept,
            "HOME": str(self.folder),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "PARTWAY_SERVER": self.url,
            "PARTWAY_API_KEY": self.api_key,
            "COLUMNS": "200",
            "NO_COLOR": "1",
        }

    def command(self, *words: str | Path) -> list[str]:
        return [sys.executable, "-W", "error", "-m", "partway", *map(str, words)]

    def run(
        self, *words: str | Path, stdin: Any = subprocess.DEVNULL, **changes: str
    ) -> subprocess.CompletedProcess[str]:
        """Run ``partway WORDS`` to its end."""
        return subprocess.run(
            self.command(*words),
            stdin=stdin,
            capture_output=True,
            text=True,
            timeout=100,
            env={**self.environment, **changes},
        )

    def call(self, *words: str | Path, **changes: str | None) -> Result:
        """Run ``partway WORDS`` in this process, which is quicker; standard input is no terminal, and empty."""
        kept: dict[str, str | None] = {name: None for name in os.environ if name.startswith(("PARTWAY_", "XDG_"))}
        return CliRunner().invoke(app, [*map(str, words)], env={**kept, **self.environment, **changes})

    def start(self, *words: str | Path, stdin: Any = subprocess.DEVNULL) -> subprocess.Popen[str]:
        """Start ``partway WORDS``."""
        return subprocess.Popen(
            self.command(*words),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
        )
