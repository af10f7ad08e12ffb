"""A house on an SQLite file and a folder, with a real store and a clock that tests may turn back."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import text

from partway.blobs.local import LocalBlobs
from partway.catalog import uploads
from partway.catalog.database import Database, open_database
from partway.catalog.videos import Video
from partway.ledger import Content, Limits, Neighbours, Whole, accept
from partway.services.house import House
from partway.settings import Settings
from partway.wiring import furnish

DAY = 86400


@dataclass
class Place:
    """The house, and what is beneath it."""

    settings: Settings
    database: Database
    blobs: LocalBlobs
    house: House

    async def empty(self) -> str:
        """A new container."""
        wanted = Video("", "title", created_at=0, updated_at=0)
        return (await self.house.videos.create(wanted, asked_by="test")).video_id

    async def complete(self, content: bytes, key: str) -> str:
        """A video whose source is ``content``, stored under ``key``."""
        video_id = await self.empty()

        async def buffers() -> AsyncIterator[bytes]:
            yield content

        stored = await self.blobs.put(key, buffers())
        piece = Content(stored.length, stored.digest)
        async with self.database.write() as tx:
            upload = await uploads.lock(tx, video_id)
            decision = accept(upload.summary, Neighbours(), Whole(), piece, Limits())
            await uploads.add_part(tx, video_id, Whole(), piece, blob_key=key, crc32c=stored.crc32c, at=1)
            await uploads.save(tx, upload, decision.summary, at=1)
        return video_id

    async def age(self, video_id: str, days: float) -> None:
        """Let an upload have been silent for so long."""
        at = int((time.time() - days * DAY) * 1_000_000)
        async with self.database.write() as tx:
            await tx.execute(text("UPDATE uploads SET changed_at=:at WHERE video_id=:id"), {"at": at, "id": video_id})

    async def rows(self, table: str) -> list[tuple[object, ...]]:
        """Everything in a table."""
        async with self.database.read() as tx:
            return [tuple(row) for row in await tx.execute(text(f"SELECT * FROM {table}"))]

    def files(self) -> dict[str, Path]:
        """Every blob's file."""
        return {path.name: path for path in (self.settings.data / "blobs").glob("*/*")}

    def age_blob(self, key: str, seconds: float) -> None:
        """Let a blob be so old, by the store's clock."""
        then = time.time() - seconds
        os.utime(self.files()[key], (then, then))


async def no_courier(url: str, headers: Mapping[str, str], body: bytes) -> int:
    """Stands where nothing is to be told."""
    raise AssertionError(url)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    """A fresh one."""
    settings = Settings(data=tmp_path)
    database = open_database(f"sqlite:///{tmp_path / 'partway.db'}")
    database.prepare()
    blobs = LocalBlobs(tmp_path / "blobs")
    yield Place(settings, database, blobs, furnish(settings, database, blobs, b"secret"))
    await database.close()
