"""Uploads and their parts: the rows that give blobs their meaning.

Every function that changes an upload expects its row to have been locked by ``lock`` in the same
transaction. None reads more rows than a constant, but ``all_parts`` and ``extents``, which are for
answers about the whole upload.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, Select, case, delete, exists, insert, literal, select, update

from partway.catalog.database import Transaction
from partway.catalog.tables import parts, uploads, videos
from partway.catalog.videos import IS_ALIVE
from partway.errors import NotFound
from partway.ledger import Address, Content, Held, Mode, Neighbours, State, Summary


class Origin(StrEnum):
    """Where a source comes from that nobody uploads."""

    COPIED = "copied"
    DOWNLOADED = "downloaded"


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload's row."""

    video_id: str
    summary: Summary
    upload_token: str | None
    changed_at: int
    origin: Origin | None = None
    """None for an upload; else nothing can be uploaded to it."""
    restarts: int = 0
    """How often a download was begun anew, with other bytes."""
    reason: str | None = None
    """Why it will never be complete, in a sentence."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part's row; ``position`` is its number, or its first byte in bytes mode."""

    position: int
    content: Content
    blob_key: str
    total: int | None


async def lock(tx: Transaction, video_id: str) -> Upload:
    """Lock an upload until the transaction ends: accept, finish, expire and delete all begin with this.

    Raises:
        NotFound: there is no such video, or only its tombstone, or it is in the trash.
    """
    upload = await _read(tx, select(uploads).where(uploads.c.video_id == video_id).with_for_update())
    # A statement of its own: one that has waited for the lock still sees the video as it was before the wait.
    if not (await tx.execute(select(IS_ALIVE).where(videos.c.video_id == video_id))).scalar_one_or_none():
        raise NotFound(name="videoId")
    return upload


async def get(tx: Transaction, video_id: str) -> Upload:
    """Read an upload without locking it.

    Raises:
        NotFound: there is no such video, or only its tombstone, or it is in the trash.
    """
    found = select(uploads).join(videos, videos.c.video_id == uploads.c.video_id)
    return await _read(tx, found.where(uploads.c.video_id == video_id, IS_ALIVE))


async def neighbours(tx: Transaction, video_id: str, address: Address) -> Neighbours:
    """Read the parts at and beside an address: three rows at most."""
    position = address.position
    mine = select(parts.c.position, parts.c.length, parts.c.digest).where(parts.c.video_id == video_id)
    same = (await tx.execute(mine.where(parts.c.position == position))).one_or_none()
    if address.mode is not Mode.BYTES:
        return Neighbours(same=_held(same))
    before = mine.where(parts.c.position < position).order_by(parts.c.position.desc()).limit(1)
    after = mine.where(parts.c.position > position).order_by(parts.c.position).limit(1)
    return Neighbours(
        same=_held(same),
        before=_held((await tx.execute(before)).one_or_none()),
        after=_held((await tx.execute(after)).one_or_none()),
    )


async def add_part(
    tx: Transaction, video_id: str, address: Address, content: Content, *, blob_key: str, crc32c: int, at: int
) -> None:
    """Insert a part: from the commit on, its blob belongs to the video."""
    await tx.execute(
        insert(parts).values(
            video_id=video_id,
            position=address.position,
            length=content.length,
            digest=content.digest,
            crc32c=crc32c,
            blob_key=blob_key,
            total=address.total,
            received_at=at,
        )
    )


async def save(tx: Transaction, upload: Upload, summary: Summary, *, at: int, upload_token: str | None = None) -> None:
    """Write an upload's new summary."""
    await tx.execute(
        update(uploads)
        .where(uploads.c.video_id == upload.video_id)
        .values(
            state=summary.state,
            mode=summary.mode,
            total=summary.total,
            pieces=summary.pieces,
            received_bytes=summary.received_bytes,
            highest=summary.highest,
            upload_token=upload_token or upload.upload_token,
            changed_at=at,
            completed_at=at if summary.state is State.COMPLETE else None,
        )
    )


async def copy(tx: Transaction, source: Upload, video_id: str, *, at: int) -> None:
    """Give a new, empty video the parts of a complete one: new rows, the same blobs.

    The source's row must have been locked: then it is no tombstone, and will be none before this is committed; and
    whoever buries it afterwards sees these rows.
    """
    columns = (parts.c.position, parts.c.length, parts.c.digest, parts.c.crc32c, parts.c.blob_key, parts.c.total)
    copied = select(literal(video_id), *columns, literal(at)).where(parts.c.video_id == source.video_id)
    await tx.execute(insert(parts).from_select(["video_id", *(one.name for one in columns), "received_at"], copied))
    await tx.execute(update(uploads).where(uploads.c.video_id == video_id).values(origin=Origin.COPIED))
    await save(tx, await lock(tx, video_id), source.summary, at=at)


async def release_shared(tx: Transaction, video_id: str) -> None:
    """Remove those parts of a tombstone whose blobs other videos have, too: what stays is its alone.

    No other video can come to share what is left, for nobody copies a tombstone. Of two tombstones that share a blob
    the one that comes second keeps it.
    """
    mine = select(parts.c.blob_key).where(parts.c.video_id == video_id)
    # Whoever else releases one of these blobs waits here, and sees what has become of ours; in one order for all.
    await tx.execute(
        select(parts.c.video_id)
        .where(parts.c.blob_key.in_(mine))
        .order_by(parts.c.blob_key, parts.c.video_id)
        .with_for_update()
    )
    other = parts.alias()
    shared = exists().where(other.c.blob_key == parts.c.blob_key, other.c.video_id != video_id)
    # A statement of its own, for the same reason as in ``lock``.
    await tx.execute(delete(parts).where(parts.c.video_id == video_id, shared))


async def all_parts(tx: Transaction, video_id: str) -> list[Part]:
    """Read every part of a video, in the order in which they make up the source."""
    rows = await tx.execute(
        select(parts.c.position, parts.c.length, parts.c.digest, parts.c.blob_key, parts.c.total)
        .where(parts.c.video_id == video_id)
        .order_by(parts.c.position)
    )
    return [Part(row.position, Content(row.length, row.digest), row.blob_key, row.total) for row in rows]


async def idle(tx: Transaction, *, before: int, limit: int = 100) -> list[str]:
    """The ids of uploads that nothing has reached since ``before`` and that could be finished.

    They are without a gap and without a known total; see ``ledger.finish``.
    """
    filled = case((uploads.c.mode == Mode.BYTES, uploads.c.received_bytes), else_=uploads.c.pieces)
    found = await tx.execute(
        select(uploads.c.video_id)
        .where(
            uploads.c.state == State.RECEIVING,
            uploads.c.changed_at < before,
            uploads.c.total.is_(None),
            uploads.c.origin.is_(None),
            filled == uploads.c.highest,
        )
        .order_by(uploads.c.changed_at)
        .limit(limit)
    )
    return list(found.scalars())


async def unfinished(tx: Transaction, *, before: int, limit: int = 1000) -> list[str]:
    """The ids of uploads, begun or not, that are not complete and that nothing has reached since ``before``."""
    found = await tx.execute(
        select(uploads.c.video_id)
        .join(videos, videos.c.video_id == uploads.c.video_id)
        .where(
            uploads.c.state.in_((State.EMPTY, State.RECEIVING)),
            uploads.c.changed_at < before,
            IS_ALIVE,
        )
        .limit(limit)
    )
    return list(found.scalars())


async def _read(tx: Transaction, statement: Select[Any]) -> Upload:
    row = (await tx.execute(statement)).one_or_none()
    if row is None:
        raise NotFound(name="videoId")
    return Upload(
        row.video_id,
        Summary(
            State(row.state),
            None if row.mode is None else Mode(row.mode),
            row.total,
            row.pieces,
            row.received_bytes,
            row.highest,
        ),
        row.upload_token,
        row.changed_at,
        None if row.origin is None else Origin(row.origin),
        row.restarts,
        row.reason,
    )


def _held(row: Row[*tuple[Any, ...]] | None) -> Held | None:
    return None if row is None else Held(row.position, Content(row.length, row.digest))
