"""Blobs in memory, for tests: the smallest store that keeps the promise."""

from __future__ import annotations

import time
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass, field

from partway.blobs.base import BlobAge, StoredBlob
from partway.blobs.digest import Digesting
from partway.errors import BlobExists, BlobMissing

_READ = 1024 * 1024


@dataclass(slots=True)
class MemoryBlobs:
    """A dictionary of blobs."""

    _blobs: dict[str, tuple[bytes, float]] = field(default_factory=dict)

    async def put(self, key: str, buffers: AsyncIterable[bytes]) -> StoredBlob:
        """See ``BlobStore.put``."""
        digesting, body = Digesting(), bytearray()
        async for buffer in buffers:
            digesting.add(buffer)
            body += buffer
        if key in self._blobs:
            raise BlobExists(key)
        self._blobs[key] = (bytes(body), time.monotonic())
        return digesting.stored(key)

    async def read(self, key: str, offset: int, length: int) -> AsyncIterator[bytes]:
        """See ``BlobStore.read``."""
        if key not in self._blobs:
            raise BlobMissing(key)
        body = self._blobs[key][0]
        for start in range(offset, min(offset + length, len(body)), _READ):
            yield body[start : min(start + _READ, offset + length)]

    async def delete(self, key: str) -> None:
        """See ``BlobStore.delete``."""
        self._blobs.pop(key, None)

    async def list(self) -> AsyncIterator[BlobAge]:
        """See ``BlobStore.list``."""
        now = time.monotonic()
        for key, (_, born) in list(self._blobs.items()):
            yield BlobAge(key, now - born)
