"""Tags: every value that some video has, and how many have it (contract.md 1.8)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from partway.catalog.database import Transaction
from partway.catalog.folding import folded
from partway.catalog.paging import Order, Page, fetch_page
from partway.catalog.tables import video_tags, videos
from partway.catalog.videos import IS_ALIVE


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag and its number of videos."""

    value: str
    video_count: int


_COUNT = func.count(video_tags.c.video_id.distinct())
_SORTABLE = {"value": video_tags.c.value, "videoCount": _COUNT}
SORT_KEYS = tuple(_SORTABLE)


async def find(tx: Transaction, piece: str, order: Order, *, page: int, page_size: int) -> Page[Tag]:
    """Read one page of the tags that have ``piece`` in them, whatever its case and accents."""
    statement = (
        select(video_tags.c.value, _COUNT.label("video_count"))
        .join(videos, videos.c.video_id == video_tags.c.video_id)
        .where(IS_ALIVE)
        .group_by(video_tags.c.value)
    )
    if piece:
        statement = statement.where(video_tags.c.folded.contains(folded(piece), autoescape=True))
    value = video_tags.c.value
    found = await fetch_page(tx, statement, order, _SORTABLE, default=value, tie=value, page=page, size=page_size)
    return Page([Tag(**row._mapping) for row in found.items], found.total)
