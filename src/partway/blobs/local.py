"""Blobs as files in one folder.

A ``put`` opens ``<key>.part`` exclusively, writes, syncs, renames it to ``<key>`` and syncs the folder; so a
blob is whole or absent after any crash. The folder is split in 256 by a hash of the key, so that none grows large.
Layout: ``<root>/<2 hex digits>/<key>``; specified in docs/formats.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import sys
import time
import zlib
from collections.abc import AsyncIterable, AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

from partway.blobs.base import BlobAge, StoredBlob
from partway.blobs.digest import Digesting
from partway.errors import BlobError, BlobExists, BlobMissing
from partway.testing import faults

P = ParamSpec("P")
T = TypeVar("T")

_BATCH = 256 * 1024
_BATCH_BUFFERS = 512
"""``writev`` takes 1024 at most (IOV_MAX)."""
_READ = 512 * 1024
_WRITE_BACK = 8 * 1024 * 1024
_PART = ".part"
_FOLDERS = tuple(f"{number:02x}" for number in range(256))


class LocalBlobs:
    """A folder of blobs.

    Args:
        root: the folder; made when it isn't there.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(parents=True, exist_ok=True)
        self._durable_folders = {name for name in _FOLDERS if (root / name).is_dir()}
        _sync_folder(root)
        # The folders above may be as new as this one; where we may not even look, somebody else made them.
        for folder in root.absolute().parents:
            with contextlib.suppress(OSError):
                _sync_folder(folder)

    async def put(self, key: str, buffers: AsyncIterable[bytes]) -> StoredBlob:
        """See ``BlobStore.put``."""
        path = self._path(key)
        file = _GrowingFile(path)
        writing: asyncio.Future[None] | None = None
        try:
            if path.parent.name not in self._durable_folders:
                await _step(self._make_folder, path.parent)
            await _step(file.open)
            # One batch is written while the next one arrives: at most two are in memory.
            async for batch in _batches(buffers):
                if writing is not None:
                    await writing
                writing = asyncio.ensure_future(_step(file.append, batch))
            if writing is not None:
                await writing
            # From here on nothing may tear the steps apart: the thread ends what it began.
            await _step(file.seal)
        except BaseException:
            try:
                await _settled(writing)
            finally:
                await _in_thread(file.discard)
            raise
        return file.digesting.stored(key)

    async def read(self, key: str, offset: int, length: int) -> AsyncIterator[bytes]:
        """See ``BlobStore.read``."""
        file = _OpenFile(self._path(key))
        try:
            await _step(file.open)
            end = offset + length
            while offset < end:
                buffer = await _step(file.read, min(_READ, end - offset), offset)
                if not buffer:
                    return
                offset += len(buffer)
                yield buffer
        finally:
            file.close()

    async def delete(self, key: str) -> None:
        """See ``BlobStore.delete``."""
        await _step(self._delete, self._path(key))

    async def list(self) -> AsyncIterator[BlobAge]:
        """See ``BlobStore.list``."""
        for name in _FOLDERS:
            for found in await _step(_ages, self._root / name):
                yield found

    def _path(self, key: str) -> Path:
        return self._root / _FOLDERS[zlib.crc32(key.encode()) & 0xFF] / key

    def _make_folder(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        # Also when it is there: whoever has made it may not have come to this line yet.
        _sync_folder(self._root)
        self._durable_folders.add(folder.name)

    @staticmethod
    def _delete(path: Path) -> None:
        path.unlink(missing_ok=True)
        path.with_name(path.name + _PART).unlink(missing_ok=True)


class _GrowingFile:
    """A blob that is being written; every method runs in a thread."""

    def __init__(self, path: Path) -> None:
        self.digesting = Digesting()
        self._path = path
        self._part = path.with_name(path.name + _PART)
        self._descriptor = -1
        self._is_ours = False
        self._written_back = 0

    def open(self) -> None:
        try:
            self._descriptor = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise BlobExists(self._path.name) from None
        self._is_ours = True
        # Only now: whoever renames a part of this name must have held it before us.
        if self._path.exists():
            raise BlobExists(self._path.name)
        faults.reached("blob-created")

    def append(self, batch: list[bytes]) -> None:
        for buffer in batch:
            self.digesting.add(buffer)
        written = os.writev(self._descriptor, batch)
        if written < sum(map(len, batch)):
            rest = memoryview(b"".join(batch))[written:]
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        if self.digesting.length - self._written_back >= _WRITE_BACK:
            _start_write_back(self._descriptor, self._written_back, self.digesting.length - self._written_back)
            self._written_back = self.digesting.length

    def seal(self) -> None:
        faults.reached("blob-written")
        _sync(self._descriptor)
        faults.reached("blob-synced")
        self._close()
        os.rename(self._part, self._path)
        self._part = self._path
        faults.reached("blob-renamed")
        _sync_folder(self._path.parent)
        faults.reached("blob-durable")

    def discard(self) -> None:
        """Take back what ``open`` made, wherever ``append`` and ``seal`` got to; what can't be is the sweep's."""
        if not self._is_ours:
            return
        with contextlib.suppress(OSError):
            self._close()
        with contextlib.suppress(OSError):
            self._part.unlink(missing_ok=True)

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


class _OpenFile:
    """A blob that is being read; ``open`` and ``read`` run in a thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1

    def open(self) -> None:
        try:
            self._descriptor = os.open(self._path, os.O_RDONLY)
        except FileNotFoundError:
            raise BlobMissing(self._path.name) from None

    def read(self, length: int, offset: int) -> bytes:
        return os.pread(self._descriptor, length, offset)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)


async def _batches(buffers: AsyncIterable[bytes]) -> AsyncIterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    async for buffer in buffers:
        batch.append(buffer)
        size += len(buffer)
        if size >= _BATCH or len(batch) == _BATCH_BUFFERS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


async def _step(call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Run one step of the store in a thread; what the machine refuses becomes our error."""
    try:
        return await _in_thread(call, *args, **kwargs)
    except OSError as error:
        raise BlobError(f"The blob store failed: {error.strerror or error}.") from error


async def _in_thread(call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Run ``call`` in a thread; a cancellation, and each further one, waits until the thread is done."""
    # No task: a loop that ends cancels its tasks, and the thread would go on unseen.
    running = asyncio.get_running_loop().run_in_executor(None, partial(call, *args, **kwargs))
    await _settled(running)
    return running.result()


async def _settled(running: asyncio.Future[T] | None) -> None:
    """Wait for the end of ``running``, and only then hear of a cancellation.

    A descriptor must not be closed while a thread writes to it: the number may be another file's by then.
    """
    cancelled: asyncio.CancelledError | None = None
    while running is not None and not running.done():
        try:
            await asyncio.wait({running})
        except asyncio.CancelledError as error:
            cancelled = error
    if running is not None and not running.cancelled():
        running.exception()
    if cancelled is not None:
        raise cancelled


def _ages(folder: Path) -> list[BlobAge]:
    now = time.time()
    found: list[BlobAge] = []
    if not folder.is_dir():
        return found
    for entry in os.scandir(folder):
        try:
            age = now - entry.stat().st_mtime
        except FileNotFoundError:
            continue
        found.append(BlobAge(entry.name.removesuffix(_PART), age))
    return found


def _sync(descriptor: int) -> None:
    if sys.platform == "darwin":
        import fcntl

        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    else:
        os.fdatasync(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _load_sync_file_range() -> Callable[[int, int, int, int], int] | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        call = ctypes.CDLL(None, use_errno=True).sync_file_range
    except (OSError, AttributeError):
        return None
    call.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)
    return call


_sync_file_range = _load_sync_file_range()


def _start_write_back(descriptor: int, offset: int, length: int) -> None:
    """Ask the kernel to begin writing, so that the last sync is short; a hint, so errors don't matter."""
    if _sync_file_range is not None:
        _sync_file_range(descriptor, offset, length, 2)  # SYNC_FILE_RANGE_WRITE
