"""Attached files: small blobs that a row names, and that may be exchanged or removed at any time."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from partway.blobs.base import BlobStore, StoredBlob
from partway.errors import BlobError, BlobMissing
from partway.services.identifiers import new_blob_key


async def keep(blobs: BlobStore, content: bytes) -> StoredBlob:
    """Store a file under a key of its own; until a row names it, it means nothing.

    Raises:
        BlobError: the store failed.
    """
    return await blobs.put(new_blob_key(), at_once(content))


async def discard(blobs: BlobStore, key: str) -> None:
    """Remove a file that no row names any more; what the store can't remove now is left to the sweep."""
    with contextlib.suppress(BlobError):
        await blobs.delete(key)


async def read_named(blobs: BlobStore, named: Callable[[], Awaitable[tuple[str, int]]]) -> bytes:
    """Read the file that a row names now.

    Args:
        named: reads its key and its length in bytes from the row; what it raises passes through.

    Raises:
        BlobMissing: the store has lost it.
    """
    key, length = await named()
    while True:
        try:
            return b"".join([buffer async for buffer in blobs.read(key, 0, length)])
        except BlobMissing:
            # Between the two reads another one may have taken its place.
            earlier, (key, length) = key, await named()
            if key == earlier:
                raise


async def at_once(content: bytes) -> AsyncIterator[bytes]:
    """Bytes in memory as a store wants to be given them."""
    yield content
