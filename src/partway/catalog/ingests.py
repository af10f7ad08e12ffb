"""Ingests: sources that are still to be fetched from an address, a row each, until they are there or given up."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update

from partway.catalog.database import Transaction
from partway.catalog.tables import ingests, parts, uploads, videos
from partway.catalog.uploads import Origin, Upload
from partway.catalog.videos import IS_ALIVE
from partway.errors import NotFound
from partway.ledger import State


@dataclass(frozen=True, slots=True)
class Ingest:
    """An ingest's row."""

    video_id: str
    url: str
    """May carry somebody's secrets: it is written into no log and no answer."""
    asked_at: int
    size: int | None = None
    """Bytes of the whole source, once the other side has told."""
    validator: str | None = None
    """A strong ETag or a date, by which the other side knows whether the source is still the same."""
    failures: int = 0
    """Attempts in a row that have brought nothing."""


async def add(tx: Transaction, video_id: str, url: str, *, at: int) -> None:
    """Ask for the source of a new, empty video to be fetched."""
    await tx.execute(insert(ingests).values(video_id=video_id, url=url, asked_at=at, failures=0))
    await tx.execute(update(uploads).where(uploads.c.video_id == video_id).values(origin=Origin.DOWNLOADED))


async def get(tx: Transaction, video_id: str) -> Ingest:
    """Read what is still to be fetched.

    Raises:
        NotFound: nothing is: it is there, or was given up, or the video is gone.
    """
    found = select(ingests).join(videos, videos.c.video_id == ingests.c.video_id)
    row = (await tx.execute(found.where(ingests.c.video_id == video_id, IS_ALIVE))).one_or_none()
    if row is None:
        raise NotFound(name="videoId")
    return Ingest(**row._mapping)


async def unfetched(tx: Transaction, *, after: str = "", limit: int = 100) -> list[str]:
    """The ids of videos whose sources are still to be fetched."""
    found = await tx.execute(
        select(ingests.c.video_id)
        .join(videos, videos.c.video_id == ingests.c.video_id)
        .where(IS_ALIVE, ingests.c.video_id > after)
        .order_by(ingests.c.video_id)
        .limit(limit)
    )
    return list(found.scalars())


async def describe(tx: Transaction, video_id: str, *, size: int | None, validator: str | None) -> None:
    """Write down what the other side says of the source."""
    await tx.execute(update(ingests).where(ingests.c.video_id == video_id).values(size=size, validator=validator))


async def count_failures(tx: Transaction, video_id: str, failures: int) -> None:
    """Write down how many attempts in a row have brought nothing."""
    await tx.execute(update(ingests).where(ingests.c.video_id == video_id).values(failures=failures))


async def end(tx: Transaction, video_id: str, *, reason: str | None = None) -> None:
    """There is nothing more to fetch; ``reason`` says why the source will never be complete, if it won't."""
    await tx.execute(delete(ingests).where(ingests.c.video_id == video_id))
    if reason is not None:
        await tx.execute(update(uploads).where(uploads.c.video_id == video_id).values(reason=reason))


async def start_over(tx: Transaction, upload: Upload, *, at: int) -> list[str]:
    """Forget what has arrived, for it is of another file; its blobs, which no row names from the commit on.

    The upload's row must have been locked. Nobody can have copied it: it was not complete.
    """
    mine = parts.c.video_id == upload.video_id
    keys = list((await tx.execute(select(parts.c.blob_key).where(mine))).scalars())
    await tx.execute(delete(parts).where(mine))
    nothing = {"state": State.EMPTY, "mode": None, "total": None, "pieces": 0, "received_bytes": 0, "highest": 0}
    await tx.execute(
        update(uploads)
        .where(uploads.c.video_id == upload.video_id)
        .values(**nothing, restarts=uploads.c.restarts + 1, changed_at=at)
    )
    # Whoever has begun to watch it keeps no segment of it.
    await tx.execute(
        update(videos).where(videos.c.video_id == upload.video_id).values(generation=videos.c.generation + 1)
    )
    return keys
