"""Services on an SQLite file and blobs in memory."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from partway.blobs.base import StoredBlob
from partway.blobs.memory import MemoryBlobs
from partway.catalog.database import Database, open_database
from partway.catalog.videos import Video
from partway.errors import BlobError
from partway.ledger import Limits
from partway.services.tokens import UploadTokens
from partway.services.uploads import Uploads
from partway.services.videos import Videos
from partway.testing.blob_conformance import keys_of

LIMITS = Limits(piece_bytes_min=100, piece_bytes_max=200_000, parts_max=9, source_bytes_max=10_000_000)


@dataclass(slots=True)
class CountingBlobs(MemoryBlobs):
    """A store that counts, and that fails when it is told to."""

    puts: int = 0
    is_full: bool = False
    can_delete: bool = True
    stuck: str = ""
    """A key that can't be removed."""

    async def put(self, key: str, buffers: AsyncIterable[bytes]) -> StoredBlob:
        self.puts += 1
        stored = await MemoryBlobs.put(self, key, buffers)
        if self.is_full:
            await MemoryBlobs.delete(self, key)
            raise BlobError("no room")
        return stored

    async def delete(self, key: str) -> None:
        if not self.can_delete or key == self.stuck:
            raise BlobError("can't delete")
        await MemoryBlobs.delete(self, key)


@dataclass
class Place:
    """The services, and what is beneath them."""

    database: Database
    blobs: CountingBlobs
    uploads: Uploads
    videos: Videos
    tokens: UploadTokens

    async def video(self) -> str:
        """A new, empty video's id."""
        return (await self.videos.create(Video("", "title", created_at=0, updated_at=0), asked_by="test")).video_id

    async def state(self, video_id: str) -> Any:
        """Everything that is held: rows and blobs."""
        summary, parts = await self.uploads.held(video_id)
        return summary, parts, await keys_of(self.blobs)

    def slow(self, deadline: float) -> Uploads:
        """An upload service with another deadline, in seconds."""
        return Uploads(self.database, self.blobs, LIMITS, request_deadline=deadline, token_grace=0)


@pytest.fixture(scope="session")
def empty_catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("catalog") / "partway.db"
    open_database(f"sqlite:///{path}").prepare()
    return path


@pytest.fixture
async def place(tmp_path: Path, empty_catalog: Path) -> AsyncIterator[Place]:
    shutil.copy(empty_catalog, tmp_path / "partway.db")
    database = open_database(f"sqlite:///{tmp_path / 'partway.db'}")
    blobs = CountingBlobs()
    yield Place(
        database,
        blobs,
        Uploads(database, blobs, LIMITS, request_deadline=60, token_grace=3600),
        Videos(database, blobs),
        UploadTokens(database),
    )
    await database.close()
