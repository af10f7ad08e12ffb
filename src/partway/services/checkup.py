"""The check-up behind ``partway doctor``: does the store keep its promise, is there room, is the clock sane?"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from partway.blobs.base import BlobStore
from partway.catalog.clock import SECOND, now
from partway.catalog.database import Database
from partway.catalog.paging import Order
from partway.catalog.upload_tokens import find
from partway.errors import BlobExists, BlobMissing
from partway.services.identifiers import new_blob_key


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the check-up."""

    subject: str
    is_fine: bool
    words: str


async def check_store(blobs: BlobStore) -> Finding:
    """Write, read, refuse a second time, delete: what the blob store's promise says."""
    key, body = new_blob_key(), b"partway doctor " * 1000

    async def buffers() -> AsyncIterator[bytes]:
        yield body

    begun = time.perf_counter()
    stored = await blobs.put(key, buffers())
    try:
        took = time.perf_counter() - begun
        back = b"".join([buffer async for buffer in blobs.read(key, 10, 1000)])
        if stored.length != len(body) or back != body[10:1010]:
            return Finding("blob store", False, "gives back other bytes than were stored")
        try:
            await blobs.put(key, buffers())
        except BlobExists:
            pass
        else:
            return Finding("blob store", False, "overwrites a key that exists; it must not be used")
    finally:
        await blobs.delete(key)
    try:
        async for _ in blobs.read(key, 0, 1):
            break
    except BlobMissing:
        return Finding("blob store", True, f"keeps its promise; a durable write took {took * 1000:.1f} ms")
    return Finding("blob store", False, "still gives a blob that was deleted")


async def check_database(database: Database) -> Finding:
    """Read and write one row's worth."""
    begun = time.perf_counter()
    async with database.write() as tx:
        await find(tx, Order(), at=now(), page=1, page_size=1)
    return Finding("database", True, f"answers in {(time.perf_counter() - begun) * 1000:.1f} ms")


def check_clock(earliest: int) -> Finding:
    """A clock before this release was made would expire what is new and keep what is old."""
    if now() < earliest * SECOND:
        return Finding("clock", False, "is years behind: set it, or tokens and uploads will not expire")
    return Finding("clock", True, time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()))
