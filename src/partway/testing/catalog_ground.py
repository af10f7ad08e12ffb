"""What the checks of ``catalog_conformance`` and ``catalog_barriers`` stand on."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

from partway.catalog import uploads, videos
from partway.catalog.database import Database, Transaction
from partway.catalog.videos import Video
from partway.errors import NotFound
from partway.ledger import Address, Content, Decision, Limits, accept

T = TypeVar("T")
Opener = Callable[[], Database]
Check = Callable[[Opener], Awaitable[None]]

LIMITS = Limits(piece_bytes_min=1)


def name_of(check: Check) -> str:
    """A check's name, for test ids."""
    return getattr(check, "__name__", repr(check))


@contextlib.asynccontextmanager
async def opened(opener: Opener, count: int = 1) -> AsyncIterator[list[Database]]:
    """So many databases on one catalog, closed at the end."""
    databases = [opener() for _ in range(count)]
    try:
        yield databases
    finally:
        for database in databases:
            await database.close()


async def add_video(database: Database, video_id: str = "vi1", **values: Any) -> Video:
    """Add a video whose fields are plain but for ``values``."""
    video = replace(Video(video_id, "A title", created_at=10, updated_at=10, published_at=10), **values)
    async with database.write() as tx:
        await videos.add(tx, video)
    return video


async def enter(tx: Transaction, video_id: str, address: Address, content: Content, key: str) -> Decision:
    """Accept a part as the service does, inside a transaction: lock, ask the ledger, write."""
    upload = await uploads.lock(tx, video_id)
    return await enter_locked(tx, upload, address, content, key)


async def enter_locked(
    tx: Transaction, upload: uploads.Upload, address: Address, content: Content, key: str
) -> Decision:
    """The second half of ``enter``: ask the ledger and write."""
    found = await uploads.neighbours(tx, upload.video_id, address)
    decision = accept(upload.summary, found, address, content, LIMITS)
    if decision.is_new:
        await uploads.add_part(tx, upload.video_id, address, content, blob_key=key, crc32c=0, at=20)
    await uploads.save(tx, upload, decision.summary, at=20)
    return decision


async def in_own_transaction(database: Database, work: Callable[[Transaction], Awaitable[T]]) -> T:
    async with database.write() as tx:
        return await work(tx)


async def expect_missing(work: Awaitable[object]) -> None:
    try:
        await work
    except NotFound:
        return
    raise AssertionError("what isn't there was found")
