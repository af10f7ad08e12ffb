"""Videos: the record a user creates first, its tags and metadata."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, case, delete, exists, func, insert, or_, select, update

from partway.catalog.database import Transaction
from partway.catalog.folding import folded
from partway.catalog.paging import Order, Page, fetch_page
from partway.catalog.tables import uploads, video_metadata, video_tags, videos
from partway.errors import NotFound


@dataclass(frozen=True, slots=True)
class Video:
    """A video as the catalog keeps it; times in microseconds since 1970."""

    video_id: str
    title: str
    created_at: int
    updated_at: int
    description: str | None = None
    public: bool = True
    panoramic: bool = False
    mp4_support: bool = True
    early_playback: bool | None = None
    """Whether it may be watched while it arrives; None: as the server is set."""
    player_id: str | None = None
    language: str | None = None
    generation: int = 0
    published_at: int | None = None
    clip: Mapping[str, str] | None = None
    watermark: Mapping[str, str] | None = None
    transcript: bool = False
    transcript_summary: bool = False
    transcript_summary_attributes: tuple[str, ...] = ()
    discarded_at: int | None = None
    """In the trash since."""
    deletes_at: int | None = None
    """When the trash gives it up."""
    tags: tuple[str, ...] = ()
    metadata: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class VideoFilter:
    """What a list is narrowed to; texts match anywhere, whatever their case; several values must all match."""

    title: str | None = None
    description: str | None = None
    tags: tuple[str, ...] = ()
    metadata: tuple[tuple[str, str], ...] = ()


_COLUMNS = tuple(column for column in videos.c if column.name != "deleted_at")
_CHANGEABLE = frozenset(
    (
        *("title", "description", "public", "panoramic", "mp4_support", "player_id", "language", "published_at"),
        *("early_playback", "transcript", "transcript_summary", "transcript_summary_attributes"),
    )
)
IS_ALIVE = and_(videos.c.deleted_at.is_(None), videos.c.discarded_at.is_(None))
"""Neither a tombstone nor in the trash: what everybody but the trash itself sees."""
_IS_DISCARDED = and_(videos.c.deleted_at.is_(None), videos.c.discarded_at.is_not(None))
_SORTABLE = {
    "title": videos.c.title,
    "createdAt": videos.c.created_at,
    "publishedAt": videos.c.published_at,
    "updatedAt": videos.c.updated_at,
}
SORT_KEYS = tuple(_SORTABLE)


def may_be_early(usual: bool) -> ColumnElement[bool]:
    """Whether a video may be watched while it arrives; ``usual`` is for those that don't say."""
    says = videos.c.early_playback
    return or_(says.is_(True), says.is_(None)) if usual else says.is_(True)


async def add(tx: Transaction, video: Video) -> None:
    """Insert a video and its empty upload."""
    await tx.execute(insert(videos).values({column.name: getattr(video, column.name) for column in _COLUMNS}))
    await tx.execute(
        insert(uploads).values(
            video_id=video.video_id, state="empty", pieces=0, received_bytes=0, highest=0, changed_at=video.created_at
        )
    )
    await _set_tags(tx, video.video_id, video.tags)
    await _set_metadata(tx, video.video_id, video.metadata)


async def get(tx: Transaction, video_id: str, *, discarded: bool = False) -> Video:
    """Read one video; with ``discarded`` one of the trash.

    Raises:
        NotFound: there is none, or only its tombstone.
    """
    row = (await tx.execute(_selected(discarded).where(videos.c.video_id == video_id))).one_or_none()
    if row is None:
        raise NotFound(name="videoId")
    return (await _with_lists(tx, [row]))[0]


async def find(
    tx: Transaction, wanted: VideoFilter, order: Order, *, page: int, page_size: int, discarded: bool = False
) -> Page[Video]:
    """Read one page of videos, or of the trash; the newest come first unless ``order`` says otherwise."""
    statement = _selected(discarded).where(*_conditions(wanted))
    found = await fetch_page(
        tx, statement, order, _SORTABLE, default=videos.c.created_at, tie=videos.c.video_id, page=page, size=page_size
    )
    return Page(await _with_lists(tx, found.items), found.total)


async def change(tx: Transaction, video_id: str, changes: dict[str, Any], *, at: int) -> None:
    """Set the columns, tags and metadata named in ``changes``.

    Raises:
        NotFound: there is no such video.
    """
    values = {name: value for name, value in changes.items() if name in _CHANGEABLE}
    if "public" in changes:
        # Only a change: to be told once more what is so ends nobody's session.
        as_before = videos.c.public == changes["public"]
        values["generation"] = case((as_before, videos.c.generation), else_=videos.c.generation + 1)
    await _touch(tx, video_id, IS_ALIVE, updated_at=at, **values)
    if "tags" in changes:
        await tx.execute(delete(video_tags).where(video_tags.c.video_id == video_id))
        await _set_tags(tx, video_id, changes["tags"])
    if "metadata" in changes:
        await tx.execute(delete(video_metadata).where(video_metadata.c.video_id == video_id))
        await _set_metadata(tx, video_id, changes["metadata"])


async def entomb(tx: Transaction, video_id: str, *, at: int) -> None:
    """Turn a video into a tombstone: gone for everybody, its blobs not yet removed.

    Raises:
        NotFound: there is no such video.
    """
    await _touch(tx, video_id, IS_ALIVE, deleted_at=at)


async def discard(tx: Transaction, video_id: str, *, at: int, until: int) -> None:
    """Put a video into the trash: gone for everybody else, with all that it has.

    Raises:
        NotFound: there is no such video.
    """
    await _touch(tx, video_id, IS_ALIVE, discarded_at=at, deletes_at=until)


async def restore(tx: Transaction, video_id: str, *, at: int) -> None:
    """Take a video out of the trash; what it has of an unfinished upload counts as just arrived.

    Raises:
        NotFound: it is not there.
    """
    await _touch(tx, video_id, _IS_DISCARDED, discarded_at=None, deletes_at=None, updated_at=at)
    await tx.execute(
        update(uploads).where(uploads.c.video_id == video_id, uploads.c.completed_at.is_(None)).values(changed_at=at)
    )


async def is_discarded(tx: Transaction, video_id: str) -> bool:
    """Whether a video is in the trash."""
    found = await tx.execute(select(videos.c.video_id).where(videos.c.video_id == video_id, _IS_DISCARDED))
    return found.one_or_none() is not None


async def outlived_trash(tx: Transaction, *, at: int, limit: int = 1000) -> list[str]:
    """The ids of videos that the trash gives up."""
    found = await tx.execute(
        select(videos.c.video_id)
        .where(_IS_DISCARDED, videos.c.deletes_at <= at)
        .order_by(videos.c.deletes_at)
        .limit(limit)
    )
    return list(found.scalars())


async def entomb_discarded(tx: Transaction, video_id: str, *, at: int) -> None:
    """As ``entomb``, of a video in the trash whose time there is over.

    Raises:
        NotFound: it is not there, or not yet: somebody may have restored it.
    """
    await _touch(tx, video_id, and_(_IS_DISCARDED, videos.c.deletes_at <= at), deleted_at=at)


async def tombstones(tx: Transaction, limit: int = 100) -> list[str]:
    """The ids of tombstones, oldest first."""
    found = await tx.execute(
        select(videos.c.video_id).where(videos.c.deleted_at.is_not(None)).order_by(videos.c.deleted_at).limit(limit)
    )
    return list(found.scalars())


async def remove_tombstone(tx: Transaction, video_id: str) -> None:
    """Remove a tombstone and all rows that hang on it."""
    await tx.execute(delete(videos).where(videos.c.video_id == video_id, videos.c.deleted_at.is_not(None)))


async def _touch(tx: Transaction, video_id: str, wanted: ColumnElement[bool], **values: Any) -> None:
    touched = await tx.execute(update(videos).where(videos.c.video_id == video_id, wanted).values(**values))
    if touched.rowcount == 0:
        raise NotFound(name="videoId")


def _selected(discarded: bool) -> Select[Any]:
    return select(*_COLUMNS).where(_IS_DISCARDED if discarded else IS_ALIVE)


def _conditions(wanted: VideoFilter) -> Iterable[ColumnElement[bool]]:
    for column, text in ((videos.c.title, wanted.title), (videos.c.description, wanted.description)):
        if text:
            yield func.lower(column).contains(text.lower(), autoescape=True)
    for tag in wanted.tags:
        yield exists().where(video_tags.c.video_id == videos.c.video_id, video_tags.c.value == tag)
    for key, value in wanted.metadata:
        yield exists().where(
            video_metadata.c.video_id == videos.c.video_id,
            video_metadata.c.key == key,
            video_metadata.c.value == value,
        )


async def _with_lists(tx: Transaction, rows: Sequence[Row[Any]]) -> list[Video]:
    ids = [row.video_id for row in rows]
    tags: dict[str, list[str]] = {video_id: [] for video_id in ids}
    pairs: dict[str, list[tuple[str, str]]] = {video_id: [] for video_id in ids}
    for row in await tx.execute(
        select(video_tags).where(video_tags.c.video_id.in_(ids)).order_by(video_tags.c.position)
    ):
        tags[row.video_id].append(row.value)
    for row in await tx.execute(
        select(video_metadata).where(video_metadata.c.video_id.in_(ids)).order_by(video_metadata.c.position)
    ):
        pairs[row.video_id].append((row.key, row.value))
    return [
        Video(
            **{**row._mapping, "transcript_summary_attributes": tuple(row.transcript_summary_attributes or ())},
            tags=tuple(tags[row.video_id]),
            metadata=tuple(pairs[row.video_id]),
        )
        for row in rows
    ]


async def _set_tags(tx: Transaction, video_id: str, tags: Sequence[str]) -> None:
    if tags:
        await tx.execute(
            insert(video_tags),
            [
                {"video_id": video_id, "position": at, "value": value, "folded": folded(value)}
                for at, value in enumerate(tags)
            ],
        )


async def _set_metadata(tx: Transaction, video_id: str, pairs: Sequence[tuple[str, str]]) -> None:
    if pairs:
        await tx.execute(
            insert(video_metadata),
            [
                {"video_id": video_id, "position": at, "key": key, "value": value}
                for at, (key, value) in enumerate(pairs)
            ],
        )
