"""Private work folders: one for each program, gone when it has ended."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PREFIX = "partway-work-"
_YOUNG_SECONDS = 60


@contextmanager
def work_folder(scratch: Path) -> Iterator[Path]:
    """A folder of mode 0700 that nobody else uses; it is removed with all that is in it.

    It is locked while it is used: ``sweep`` tells by the lock what a killed process has left behind.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=scratch.resolve()))
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def sweep(scratch: Path) -> int:
    """Remove the work folders of processes that are gone; says how many there were.

    One younger than a minute stays: it may not be locked yet.
    """
    removed = 0
    for folder in scratch.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                if time.time() - os.fstat(lock).st_mtime < _YOUNG_SECONDS:
                    continue
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
                removed += 1
            finally:
                os.close(lock)
    return removed


def used_bytes(folder: Path) -> int:
    """Disk space that the files under a folder take, in bytes; links are not followed."""
    used = 0
    for root, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                used += os.lstat(os.path.join(root, name)).st_blocks * 512
    return used
