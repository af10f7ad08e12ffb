"""What the tests of the sandbox stand on: small Python programs that try what a hostile file might."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
import sys
import sysconfig
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from partway.transcode.outcome import Outcome
from partway.transcode.process import run
from partway.transcode.sandbox import Limits, Sandbox

INTERPRETER = os.path.realpath(sys.executable)
GENEROUS = Limits(wall_seconds=60, cpu_seconds=60)


def program(code: str) -> tuple[str, ...]:
    return (INTERPRETER, "-I", "-S", "-c", code)


def library() -> tuple[Path, ...]:
    """What a Python program must be able to read."""
    named = (Path(sysconfig.get_path("stdlib")), Path(sys.base_prefix, "lib"))
    return tuple(path for path in named if path.is_dir())


async def python(sandbox: Sandbox, code: str, limits: Limits = GENEROUS, **more: Any) -> Outcome:
    """Run a Python program in a sandbox."""
    return await run(program(code), limits, sandbox, reads=library(), **more)


class FileSource:
    """A source that is one file, and counts what is read of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = path.stat().st_size
        self.read_bytes = 0

    async def read(self, offset: int, length: int) -> bytes:
        return b"".join([buffer async for buffer in self.stream(offset, length)])

    async def stream(self, offset: int, length: int) -> AsyncIterator[bytes]:
        with self.path.open("rb") as file:
            file.seek(offset)
            while length > 0 and (buffer := file.read(min(length, 1 << 16))):
                length -= len(buffer)
                self.read_bytes += len(buffer)
                yield buffer


class BytesSource:
    """A source in memory, repeated as often as it takes to be ``size`` long."""

    def __init__(self, content: bytes, size: int | None = None) -> None:
        self.content = content
        self.size = len(content) if size is None else size
        self.read_bytes = 0

    async def read(self, offset: int, length: int) -> bytes:
        return b"".join([buffer async for buffer in self.stream(offset, length)])

    async def stream(self, offset: int, length: int) -> AsyncIterator[bytes]:
        end = min(offset + length, self.size)
        while offset < end:
            at = offset % len(self.content)
            buffer = self.content[at : at + min(end - offset, 1 << 16)]
            self.read_bytes += len(buffer)
            offset += len(buffer)
            yield buffer
            await asyncio.sleep(0)


async def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Wait for a condition, with a deadline."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        await asyncio.sleep(0.01)


def is_running(pid: int) -> bool:
    """Whether a process is there, and not only waiting to be reaped by whoever should."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def is_there(path: object) -> bool:
    """Whether a file, folder or process (``/proc/...``) exists."""
    return os.path.exists(str(path))


def names_in(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


class Listener:
    """Somebody to call, who tells our callers from everybody else's by what they say."""

    def __init__(self) -> None:
        self.word = secrets.token_hex(8)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self.port: int = self._socket.getsockname()[1]

    def was_called(self) -> bool:
        """Whether anybody has called since the last time, and said the word."""
        heard = False
        while True:
            try:
                caller, _ = self._socket.accept()
            except BlockingIOError:
                return heard
            with caller:
                caller.settimeout(1)
                with contextlib.suppress(OSError):
                    heard = self.word.encode() in caller.recv(4096) or heard

    def close(self) -> None:
        self._socket.close()
