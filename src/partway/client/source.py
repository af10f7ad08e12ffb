"""What is uploaded: a regular file that is read at any offset, or a stream that is read once."""

from __future__ import annotations

import contextlib
import inspect
import io
import os
import stat
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol

import anyio
import anyio.to_thread
import xxhash

from partway.errors import ClientError, FileChanged

BUFFER_BYTES = 1024 * 1024
"""Read at a time, and so held in memory per connection."""


class Slices(Protocol):
    """Bytes that can be read at any offset, as often as a retry needs them."""

    def read_at(self, offset: int, length: int) -> bytes:
        """Exactly ``length`` bytes at ``offset``; fewer is an error of ours (``FileChanged``)."""


if sys.platform == "win32":
    _one_reader = threading.Lock()

    def _pread(fd: int, length: int, offset: int) -> bytes:
        with _one_reader:
            os.lseek(fd, offset, os.SEEK_SET)
            return os.read(fd, length)
else:
    _pread = os.pread


@dataclass(slots=True)
class RegularFile:
    """A file of known size, open for reading.

    It watches that the file stays what it was: a piece is only finished if size and time of change
    are those of the start, so that no mixture of two states can complete.
    """

    fd: int
    name: str
    """For people and for the multipart frame; without folders."""
    size: int
    base: int = 0
    """Where in the file the source starts, for streams handed over in the middle."""
    changed_ns: int = 0
    owner: IO[bytes] | None = field(default=None, repr=False)
    """What is to be closed with it: None for a stream that belongs to the caller."""

    def read_at(self, offset: int, length: int) -> bytes:
        data = _pread(self.fd, length, self.base + offset)
        while 0 < len(data) < length:  # a read may stop short at a signal or a network file system's border
            more = _pread(self.fd, length - len(data), self.base + offset + len(data))
            if not more:
                break
            data += more
        if len(data) < length:
            raise FileChanged(f"{self.name} became shorter while it was being uploaded.")
        return data

    def peek(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes at ``offset``."""
        return self.read_at(offset, max(0, min(length, self.size - offset)))

    def check_unchanged(self) -> None:
        """Raise FileChanged if the file was written to since it was opened."""
        now = os.fstat(self.fd)
        if (now.st_size - self.base, now.st_mtime_ns) != (self.size, self.changed_ns):
            raise FileChanged(f"{self.name} was changed while it was being uploaded.")

    def look(self) -> None:
        """Take the size and the time of change as they are now: for a file that is still being written."""
        now = os.fstat(self.fd)
        self.size, self.changed_ns = now.st_size - self.base, now.st_mtime_ns

    def digest(self, offset: int, length: int) -> str:
        """The XXH3-128 of a slice, as the server computes it."""
        state = xxhash.xxh3_128()
        end = offset + length
        while offset < end:
            data = self.read_at(offset, min(BUFFER_BYTES, end - offset))
            state.update(data)
            offset += len(data)
        return state.hexdigest()

    def close(self) -> None:
        if self.owner is not None:
            self.owner.close()


@dataclass(slots=True)
class Stream:
    """An input of unknown length: a pipe, a socket, anything with ``read``."""

    reader: Any
    name: str
    owner: IO[bytes] | None = field(default=None, repr=False)

    async def read(self, length: int) -> bytes:
        """Some of the next bytes, ``length`` at most; none at the end."""
        if isinstance(self.reader, io.FileIO) and sys.platform != "win32":
            # Waiting needs no thread that nothing could end: a silent pipe must not keep the program alive.
            with contextlib.suppress(PermissionError):  # a device that can't be waited for
                while True:
                    await anyio.wait_readable(self.reader)
                    available = self.reader.read(length)
                    if available is not None:
                        return available
        data = await anyio.to_thread.run_sync(self.reader.read, length, abandon_on_cancel=True)
        if inspect.isawaitable(data):
            data = await data
        if data is None:
            raise ClientError(f"{self.name} is a non-blocking stream; give one whose read() waits for bytes.")
        if not isinstance(data, bytes | bytearray | memoryview):
            raise ClientError(f"{self.name} is open as text; open it in binary mode.")
        return bytes(data)

    def close(self) -> None:
        if self.owner is not None:
            self.owner.close()


class Spool:
    """One part of a stream in an unlinked temporary file, kept until the server has it.

    On disk because a retry must read it again, and because parts in flight would otherwise stand in
    memory. TMPDIR chooses the disk.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="partway-", buffering=0)  # noqa: SIM115  closed by close()
        self.length = 0

    def append(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            written = self._file.write(view)
            view = view[written:]
            self.length += written

    def read_at(self, offset: int, length: int) -> bytes:
        return _pread(self._file.fileno(), length, offset)

    def close(self) -> None:
        self._file.close()


def open_source(source: str | os.PathLike[str] | IO[bytes] | Any) -> RegularFile | Stream:
    """Open a path, or take over a binary stream.

    A stream that is a regular file (say, a redirected standard input) is uploaded from its present
    position as a file is; everything else is read once, to its end.

    Raises:
        OSError: the path can't be opened.
        ClientError: it is a folder, or nothing that can be read.
    """
    if isinstance(source, str | os.PathLike):
        opened = open(source, "rb", buffering=0, opener=_open_at_once)  # noqa: SIM115  closed by the source
        described, name = os.fstat(opened.fileno()), _readable(Path(source).name)
        if stat.S_ISREG(described.st_mode):
            return RegularFile(opened.fileno(), name, described.st_size, changed_ns=described.st_mtime_ns, owner=opened)
        return Stream(opened, name, owner=opened)
    if not hasattr(source, "read"):
        raise ClientError(f"A {type(source).__name__} can't be uploaded: give a path or a binary stream.")
    if isinstance(source, io.TextIOBase):
        raise ClientError("This stream is open as text; open it in binary mode.")
    name = _stream_name(source)
    try:
        fd = source.fileno()
        described = os.fstat(fd)
        if stat.S_ISREG(described.st_mode) and described.st_size > 0:
            base = source.tell()
            return RegularFile(fd, name, described.st_size - base, base, described.st_mtime_ns)
    except (AttributeError, OSError):  # has no descriptor
        pass
    return Stream(source, name)


def _open_at_once(path: str, flags: int) -> int:
    """Open a named pipe without waiting for its writer; ``Stream.read`` waits, and can be cancelled."""
    if sys.platform != "win32" and stat.S_ISFIFO(os.stat(path).st_mode):
        flags |= os.O_NONBLOCK
    return os.open(path, flags)


def _stream_name(source: Any) -> str:
    name = getattr(source, "name", None)
    return _readable(Path(name).name) if isinstance(name, str) and not name.startswith("<") else "stream"


def _readable(name: str) -> str:
    """A file's name as text, whatever bytes the file system holds."""
    return name.encode("utf-8", "replace").decode()
