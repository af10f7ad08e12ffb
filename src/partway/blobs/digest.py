"""Digests taken while bytes pass by."""

from __future__ import annotations

import google_crc32c
import xxhash

from partway.blobs.base import StoredBlob


class Digesting:
    """Length, XXH3-128 and CRC32C of the buffers seen so far."""

    __slots__ = ("_crc32c", "_xxh3", "length")

    def __init__(self) -> None:
        self.length = 0
        self._xxh3 = xxhash.xxh3_128()
        self._crc32c = 0

    def add(self, buffer: bytes) -> None:
        """Take in the next buffer."""
        self.length += len(buffer)
        self._xxh3.update(buffer)
        self._crc32c = google_crc32c.extend(self._crc32c, buffer)

    def stored(self, key: str) -> StoredBlob:
        """The result, as the store's answer for ``key``."""
        return StoredBlob(key, self.length, self._xxh3.hexdigest(), self._crc32c)
