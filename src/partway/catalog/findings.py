"""What work has found out about a video: its poster, and facts that only ffprobe could tell; and whose each blob is.

One row a fact: whoever writes it first wins, and a second attempt learns that it has lost.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, exists, insert, select, union_all

from partway.catalog.database import Transaction
from partway.catalog.tables import parts, pictures, players, probes, text_tracks, uploads, videos
from partway.ledger import State

POSTER = "poster"

_OF_VIDEOS = (pictures.c.blob_key, text_tracks.c.blob_key)
_OF_OTHERS = (players.c.logo_key,)
"""Every column that names a blob is in one of these, or is a part's: what is in none is swept."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture's row; no ``blob_key`` where none could be made, and then a ``reason``."""

    blob_key: str | None
    length: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class Probe:
    """A probe's row; ``facts`` is JSON, none where nothing could be found out, and then a ``reason``."""

    facts: str | None
    reason: str | None


async def poster(tx: Transaction, video_id: str) -> Picture | None:
    """A video's poster, if the work on it has ended."""
    row = (
        await tx.execute(
            select(pictures.c.blob_key, pictures.c.length, pictures.c.reason).where(
                pictures.c.video_id == video_id, pictures.c.kind == POSTER
            )
        )
    ).one_or_none()
    return None if row is None else Picture(**row._mapping)


async def add_poster(tx: Transaction, video_id: str, picture: Picture, *, at: int) -> bool:
    """Publish a poster; say whether this one is it. The upload's row must have been locked."""
    values = {"blob_key": picture.blob_key, "length": picture.length, "reason": picture.reason}
    if await poster(tx, video_id) is not None:
        return False
    await tx.execute(insert(pictures).values(video_id=video_id, kind=POSTER, made_at=at, **values))
    return True


async def probe(tx: Transaction, video_id: str) -> Probe | None:
    """What probing a video has found, if it has ended."""
    row = (await tx.execute(select(probes.c.facts, probes.c.reason).where(probes.c.video_id == video_id))).one_or_none()
    return None if row is None else Probe(**row._mapping)


async def add_probe(tx: Transaction, video_id: str, found: Probe, *, at: int) -> bool:
    """Publish what was found; say whether this is it. The upload's row must have been locked."""
    if await probe(tx, video_id) is not None:
        return False
    await tx.execute(insert(probes).values(video_id=video_id, facts=found.facts, reason=found.reason, probed_at=at))
    return True


async def blob_keys(tx: Transaction, video_id: str) -> list[str]:
    """The blobs of a video beside its source."""
    found = await tx.execute(
        union_all(*(select(column).where(column.table.c.video_id == video_id) for column in _OF_VIDEOS))
    )
    return [key for key in found.scalars() if key is not None]


async def without_poster(tx: Transaction, *, after: str = "", limit: int = 100) -> list[str]:
    """Complete videos that nobody has tried to make a poster of, by id."""
    return await _without(tx, exists().where(pictures.c.video_id == uploads.c.video_id), after, limit)


async def without_early_poster(tx: Transaction, *, after: str = "", limit: int = 100) -> list[str]:
    """Videos that are still arriving and have no poster yet, by id."""
    done = exists().where(pictures.c.video_id == uploads.c.video_id)
    return await _without(tx, done, after, limit, State.RECEIVING)


async def without_probe(tx: Transaction, *, after: str = "", limit: int = 100) -> list[str]:
    """Complete videos that nobody has probed, by id."""
    return await _without(tx, exists().where(probes.c.video_id == uploads.c.video_id), after, limit)


async def known_blobs(tx: Transaction, keys: Collection[str]) -> set[str]:
    """Those of the keys that a row gives a meaning."""
    columns = (parts.c.blob_key, *_OF_VIDEOS, *_OF_OTHERS)
    found = await tx.execute(union_all(*(select(column).where(column.in_(keys)) for column in columns)))
    return set(found.scalars())


async def _without(
    tx: Transaction, done: ColumnElement[bool], after: str, limit: int, state: State = State.COMPLETE
) -> list[str]:
    found = await tx.execute(
        select(uploads.c.video_id)
        .join(videos, videos.c.video_id == uploads.c.video_id)
        .where(uploads.c.state == state, videos.c.deleted_at.is_(None), uploads.c.video_id > after, ~done)
        .order_by(uploads.c.video_id)
        .limit(limit)
    )
    return list(found.scalars())
