"""What a run leaves behind so that the next one goes on where it stopped.

One small file per upload under the user's state folder, written whole or not at all. It holds no
bytes and no progress: what has arrived is asked of the server, which alone knows.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

import platformdirs
import xxhash

from partway.errors import ClientError

if sys.platform == "win32":
    import msvcrt

    def _try_lock(fd: int) -> None:
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise BlockingIOError(str(error)) from error
else:
    import fcntl

    def _try_lock(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


@dataclass(frozen=True, slots=True)
class Entry:
    """An upload that was begun."""

    server: str
    file: str
    """Its absolute path."""
    idempotency_key: str
    """Of the creating request: with it, a creation whose answer got lost is not repeated."""
    payload: Mapping[str, Any]
    """Of the creating request."""
    size: int
    """Of the file when it was begun, in bytes."""
    mtime_ns: int
    video_id: str | None = None
    """None until the creation was answered."""
    is_complete: bool = False
    """Done, and kept only because other files of the same command are not."""
    begun_at: float = field(default_factory=time.time)


class Journal:
    """The entry of one file on one server, for as long as it is locked; without a path it keeps nothing."""

    def __init__(self, path: Path | None, file: str = "") -> None:
        self._path = path
        self.file = file

    def read(self) -> Entry | None:
        """The entry of an earlier run, if there is a whole one."""
        if self._path is None:
            return None
        try:
            return Entry(**json.loads(self._path.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, entry: Entry) -> None:
        """Replace the entry, durably. A folder that can't be written to costs resuming, not the upload."""
        if self._path is None:
            return
        with contextlib.suppress(OSError):
            with tempfile.NamedTemporaryFile(
                "w", encoding="utf-8", dir=self._path.parent, prefix=".", suffix=".tmp", delete=False
            ) as file:
                json.dump(asdict(entry), file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(file.name, self._path)

    def restore(self, entry: Entry | None) -> None:
        """Let it be as it was read."""
        if entry is None:
            self.forget()
        else:
            self.write(entry)

    def forget(self) -> None:
        """Remove the entry."""
        if self._path is not None:
            with contextlib.suppress(OSError):
                self._path.unlink()


def entry_path(server: str, file: str) -> Path:
    """Where the entry of a file on a server is kept."""
    name = xxhash.xxh3_128_hexdigest(f"{server}\n{file}".encode("utf-8", "surrogateescape"))
    return platformdirs.user_state_path("partway") / "uploads" / f"{name}.json"


def forget(server: str, file: str | os.PathLike[str]) -> None:
    """Remove the entry of a file that was uploaded with ``forget=False``."""
    Journal(entry_path(server, os.path.realpath(file))).forget()


@contextlib.contextmanager
def locked(server: str, file: str) -> Iterator[Journal]:
    """The journal of a file on a server, held by no other process meanwhile.

    Raises:
        ClientError: another process uploads this file to this server now.
    """
    path = entry_path(server, file)
    lock: IO[bytes] | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = _lock(path.with_suffix(".lock"))
    except BlockingIOError as error:
        raise ClientError(f"{file} is being uploaded to {server} by another process already.") from error
    except OSError:  # no state folder here: this upload can be resumed by its video id alone
        pass
    try:
        yield Journal(path, file)
    finally:
        if lock is not None:
            with contextlib.suppress(OSError):
                path.with_suffix(".lock").unlink()
            lock.close()


def _lock(path: Path) -> IO[bytes]:
    """Take the lock file, which its last holder may be removing at this moment."""
    while True:
        file = open(path, "ab")  # noqa: SIM115  closing it releases the lock
        try:
            _try_lock(file.fileno())
            if os.path.samestat(os.fstat(file.fileno()), os.stat(path)):
                return file
        except FileNotFoundError:
            pass
        except OSError:
            file.close()
            raise
        file.close()
