"""The promise of a blob store: immutable bytes under keys that are never written twice.

A store survives being killed at any instant: a blob is either there whole or not there. Listing and
ages come from the store's own clock, because the sweep relies on them. Conformance:
``partway.testing.blob_conformance``.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """What a store says of a blob that it has just made durable."""

    key: str
    length: int
    """Bytes."""
    digest: str
    """XXH3-128 of the bytes, 32 lower-case hex digits: the identity of a piece."""
    crc32c: int


@dataclass(frozen=True, slots=True)
class BlobAge:
    """A key in a listing."""

    key: str
    age_seconds: float
    """By the store's clock."""


class BlobStore(Protocol):
    """Keys are 1 to 64 characters of ``a-z 0-9 - _``; the store may lay them out as it likes."""

    async def put(self, key: str, buffers: AsyncIterable[bytes]) -> StoredBlob:
        """Store all buffers as one blob, and return when it is on stable storage.

        An error raised by ``buffers`` passes through and leaves nothing behind.

        Raises:
            BlobExists: the key is taken; the older blob is untouched.
            BlobError: the store failed; the key is not there.
        """
        ...

    def read(self, key: str, offset: int, length: int) -> AsyncIterator[bytes]:
        """Yield the bytes [offset, offset+length), or fewer where the blob ends, in buffers of bounded size.

        Raises:
            BlobMissing: there is no such blob.
        """
        ...

    async def delete(self, key: str) -> None:
        """Remove a blob; removing one that isn't there is fine."""
        ...

    def list(self) -> AsyncIterator[BlobAge]:
        """Yield every blob, and every leftover of a broken ``put``, in no particular order."""
        ...
