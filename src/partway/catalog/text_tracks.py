"""Text tracks: the captions and chapters of a video, one of each kind per language (contract.md 1.5, 1.6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Select, delete, insert, select, update

from partway.catalog.database import Transaction
from partway.catalog.paging import Order, Page, fetch_page
from partway.catalog.tables import text_tracks, videos
from partway.catalog.videos import IS_ALIVE
from partway.errors import NotFound

Kind = Literal["captions", "chapters"]


@dataclass(frozen=True, slots=True)
class TextTrack:
    """A text track; ``length`` in bytes, ``made_at`` in microseconds since 1970."""

    video_id: str
    kind: Kind
    tag: str
    """The language, as it was given; two tags are one language whatever their case."""
    is_default: bool
    blob_key: str
    length: int
    made_at: int


_COLUMNS = tuple(column for column in text_tracks.c if column.name != "language")


async def get(tx: Transaction, video_id: str, kind: Kind, tag: str) -> TextTrack:
    """Read one text track.

    Raises:
        NotFound: there is none, or no such video.
    """
    row = (await tx.execute(_of(video_id, kind).where(text_tracks.c.language == tag.lower()))).one_or_none()
    if row is None:
        raise NotFound(name="language")
    return TextTrack(**row._mapping)


async def all_of(tx: Transaction, video_id: str, kind: Kind) -> Sequence[TextTrack]:
    """A video's text tracks of one kind, by language."""
    rows = await tx.execute(_of(video_id, kind).order_by(text_tracks.c.language))
    return [TextTrack(**row._mapping) for row in rows]


async def find(tx: Transaction, video_id: str, kind: Kind, *, page: int, page_size: int) -> Page[TextTrack]:
    """Read one page of a video's text tracks of one kind, by language."""
    language = text_tracks.c.language
    found = await fetch_page(
        tx,
        _of(video_id, kind),
        Order("language"),
        {"language": language},
        default=language,
        tie=language,
        page=page,
        size=page_size,
    )
    return Page([TextTrack(**row._mapping) for row in found.items], found.total)


async def put(tx: Transaction, track: TextTrack) -> None:
    """Write a text track's row, in the place of an earlier one. The upload's row must have been locked."""
    await remove(tx, track)
    values = {column.name: getattr(track, column.name) for column in _COLUMNS}
    await tx.execute(insert(text_tracks).values(language=track.tag.lower(), **values))


async def remove(tx: Transaction, track: TextTrack) -> None:
    """Remove a text track's row, if there is one. The upload's row must have been locked."""
    await tx.execute(delete(text_tracks).where(*_is(track)))


async def set_default(tx: Transaction, track: TextTrack, is_default: bool) -> None:
    """Make a text track the default of its kind, or no default. The upload's row must have been locked."""
    if is_default:
        others = update(text_tracks).where(
            text_tracks.c.video_id == track.video_id, text_tracks.c.kind == track.kind, text_tracks.c.is_default
        )
        await tx.execute(others.values(is_default=False))
    await tx.execute(update(text_tracks).where(*_is(track)).values(is_default=is_default))


def _of(video_id: str, kind: Kind) -> Select[Any]:
    return (
        select(*_COLUMNS)
        .join(videos, videos.c.video_id == text_tracks.c.video_id)
        .where(text_tracks.c.video_id == video_id, text_tracks.c.kind == kind, IS_ALIVE)
    )


def _is(track: TextTrack) -> tuple[Any, ...]:
    return (
        text_tracks.c.video_id == track.video_id,
        text_tracks.c.kind == track.kind,
        text_tracks.c.language == track.tag.lower(),
    )
