"""Summaries: what a video is about, in words (contract.md 1.9). A video has one at most."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Row, Select, delete, insert, select, update

from partway.catalog.database import Transaction
from partway.catalog.paging import Order, Page, fetch_page
from partway.catalog.tables import summaries, videos
from partway.catalog.videos import IS_ALIVE
from partway.errors import NotFound

Origin = Literal["api", "auto"]
SourceStatus = Literal["missing", "waiting", "failed", "completed", "unprocessable"]


@dataclass(frozen=True, slots=True)
class Summary:
    """A summary; times in microseconds since 1970."""

    summary_id: str
    video_id: str
    origin: Origin
    source_status: SourceStatus
    created_at: int
    updated_at: int
    abstract: str | None = None
    takeaways: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class SummaryFilter:
    """What a list is narrowed to."""

    video_id: str | None = None
    origin: str | None = None
    source_status: str | None = None


_SORTABLE = {
    "createdAt": summaries.c.created_at,
    "updatedAt": summaries.c.updated_at,
    "videoId": summaries.c.video_id,
}
SORT_KEYS = tuple(_SORTABLE)


async def add(tx: Transaction, summary: Summary) -> None:
    """Insert a summary. The upload's row must have been locked, and the video have none."""
    await tx.execute(
        insert(summaries).values(
            summary_id=summary.summary_id,
            video_id=summary.video_id,
            origin=summary.origin,
            created_at=summary.created_at,
            **_changeable(summary),
        )
    )


async def get(tx: Transaction, summary_id: str, *, lock: bool = False) -> Summary:
    """Read a summary, and keep others from changing it if ``lock`` is set.

    Raises:
        NotFound: there is none.
    """
    statement = _selected().where(summaries.c.summary_id == summary_id)
    row = (await tx.execute(statement.with_for_update(of=summaries) if lock else statement)).one_or_none()
    if row is None:
        raise NotFound(name="summaryId")
    return _summary(row)


async def of_video(tx: Transaction, video_id: str) -> Summary | None:
    """A video's summary, if it has one."""
    row = (await tx.execute(_selected().where(summaries.c.video_id == video_id))).one_or_none()
    return None if row is None else _summary(row)


async def find(tx: Transaction, wanted: SummaryFilter, order: Order, *, page: int, page_size: int) -> Page[Summary]:
    """Read one page of the summaries that fit."""
    statement = _selected()
    for column, value in (
        (summaries.c.video_id, wanted.video_id),
        (summaries.c.origin, wanted.origin),
        (summaries.c.source_status, wanted.source_status),
    ):
        if value is not None:
            statement = statement.where(column == value)
    found = await fetch_page(
        tx,
        statement,
        order,
        _SORTABLE,
        default=summaries.c.created_at,
        tie=summaries.c.summary_id,
        page=page,
        size=page_size,
    )
    return Page([_summary(row) for row in found.items], found.total)


async def save(tx: Transaction, summary: Summary) -> None:
    """Write a summary that was read with its lock."""
    await tx.execute(
        update(summaries).where(summaries.c.summary_id == summary.summary_id).values(**_changeable(summary))
    )


async def remove(tx: Transaction, summary: Summary) -> None:
    """Remove a summary that was read with its lock."""
    await tx.execute(delete(summaries).where(summaries.c.summary_id == summary.summary_id))


def _selected() -> Select[Any]:
    return select(summaries).join(videos, videos.c.video_id == summaries.c.video_id).where(IS_ALIVE)


def _changeable(summary: Summary) -> dict[str, Any]:
    return {
        "source_status": summary.source_status,
        "abstract": summary.abstract,
        "takeaways": None if summary.takeaways is None else json.dumps(summary.takeaways),
        "updated_at": summary.updated_at,
    }


def _summary(row: Row[Any]) -> Summary:
    takeaways = None if row.takeaways is None else tuple(json.loads(row.takeaways))
    return Summary(**{**row._mapping, "takeaways": takeaways})
