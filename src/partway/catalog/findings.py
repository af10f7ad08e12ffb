"""What work has found out about a video: its poster, and facts that only ffprobe could tell; and whose each blob is.

One row a fact: whoever writes it first wins, and a second attempt learns that it has lost. A poster can be chosen,
again and again: every choice raises the row's version, and only the outcome of the newest choice is ever published.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, insert, select, union_all, update

from partway.catalog.database import Transaction
from partway.catalog.tables import (
    derived,
    parts,
    pictures,
    players,
    probes,
    text_tracks,
    uploads,
    videos,
    watermarks,
)
from partway.catalog.videos import IS_ALIVE, may_be_early
from partway.ledger import State

POSTER = "poster"
_PICTURE = (
    *(pictures.c.blob_key, pictures.c.length, pictures.c.reason, pictures.c.media_type),
    *(pictures.c.timecode, pictures.c.version, pictures.c.made_version),
)

_OF_VIDEOS = (pictures.c.blob_key, text_tracks.c.blob_key, derived.c.blob_key)
_OF_OTHERS = (players.c.logo_key, watermarks.c.blob_key)
"""Every column that names a blob is in one of these, or is a part's: what is in none is swept."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture's row; no ``blob_key`` where none could be made, and then a ``reason``."""

    blob_key: str | None
    length: int
    reason: str | None
    media_type: str = "image/jpeg"
    timecode: str | None = None
    """Where somebody wants it taken; None leaves that to us."""
    version: int = 0
    """Raised by every choice."""
    made_version: int = 0
    """The choice that ``blob_key`` and ``reason`` are the outcome of."""

    @property
    def is_current(self) -> bool:
        """Whether the work on the newest choice has ended."""
        return self.made_version == self.version


@dataclass(frozen=True, slots=True)
class Probe:
    """A probe's row; ``facts`` is JSON, none where nothing could be found out, and then a ``reason``."""

    facts: str | None
    reason: str | None


async def poster(tx: Transaction, video_id: str) -> Picture | None:
    """A video's poster, if there is one, or a wish for one, or a reason why there is none."""
    row = (await tx.execute(select(*_PICTURE).where(_is_poster_of(video_id)))).one_or_none()
    return None if row is None else Picture(**row._mapping)


async def save_poster(tx: Transaction, video_id: str, picture: Picture, *, at: int) -> None:
    """Write a poster's row, whatever was there. The upload's row must have been locked."""
    values = {column.name: getattr(picture, column.name) for column in _PICTURE}
    touched = await tx.execute(update(pictures).where(_is_poster_of(video_id)).values(made_at=at, **values))
    if touched.rowcount == 0:
        await tx.execute(insert(pictures).values(video_id=video_id, kind=POSTER, made_at=at, **values))


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
    """Complete videos whose poster nobody has tried to make, or not as it was last chosen, by id.

    A choice stands behind the id, as ``<id>:<version>``: it is a fact of its own.
    """
    chosen = select(pictures.c.version).where(_is_poster_of(uploads.c.video_id)).scalar_subquery()
    made = exists().where(_is_poster_of(uploads.c.video_id), pictures.c.made_version == pictures.c.version)
    found = await tx.execute(_without(made, after, limit).add_columns(chosen))
    return [f"{video_id}:{version}" if version else video_id for video_id, version in found]


async def without_early_poster(tx: Transaction, *, early: bool, after: str = "", limit: int = 100) -> list[str]:
    """Videos that are still arriving, may be seen while they do, and have no poster yet, by id.

    Args:
        early: whether those may that don't say.
    """
    done = exists().where(pictures.c.video_id == uploads.c.video_id)
    found = await tx.execute(_without(done, after, limit, State.RECEIVING).where(may_be_early(early)))
    return list(found.scalars())


async def without_probe(tx: Transaction, *, after: str = "", limit: int = 100) -> list[str]:
    """Complete videos that nobody has probed, by id."""
    found = await tx.execute(_without(exists().where(probes.c.video_id == uploads.c.video_id), after, limit))
    return list(found.scalars())


async def known_blobs(tx: Transaction, keys: Collection[str]) -> set[str]:
    """Those of the keys that a row gives a meaning."""
    columns = (parts.c.blob_key, *_OF_VIDEOS, *_OF_OTHERS)
    found = await tx.execute(union_all(*(select(column).where(column.in_(keys)) for column in columns)))
    return set(found.scalars())


def _is_poster_of(video_id: str | ColumnElement[str]) -> ColumnElement[bool]:
    return and_(pictures.c.video_id == video_id, pictures.c.kind == POSTER)


def _without(done: ColumnElement[bool], after: str, limit: int, state: State = State.COMPLETE) -> Select[Any]:
    return (
        select(uploads.c.video_id)
        .join(videos, videos.c.video_id == uploads.c.video_id)
        .where(uploads.c.state == state, IS_ALIVE, uploads.c.video_id > after, ~done)
        .order_by(uploads.c.video_id)
        .limit(limit)
    )
