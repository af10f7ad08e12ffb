"""Watermarks: images to be laid over videos (contract.md 1.7)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, insert, select

from partway.catalog.database import Transaction
from partway.catalog.paging import Order, Page, fetch_page
from partway.catalog.tables import watermarks
from partway.errors import NotFound


@dataclass(frozen=True, slots=True)
class Watermark:
    """A watermark; its size in pixels, ``length`` in bytes, ``created_at`` in microseconds since 1970."""

    watermark_id: str
    blob_key: str
    length: int
    media_type: str
    width: int
    height: int
    created_at: int


_COLUMNS = tuple(watermarks.c)
_SORTABLE = {"createdAt": watermarks.c.created_at}
SORT_KEYS = tuple(_SORTABLE)


async def add(tx: Transaction, watermark: Watermark) -> None:
    """Insert a watermark."""
    await tx.execute(insert(watermarks).values({column.name: getattr(watermark, column.name) for column in _COLUMNS}))


async def get(tx: Transaction, watermark_id: str) -> Watermark:
    """Read a watermark.

    Raises:
        NotFound: there is none.
    """
    row = (await tx.execute(select(*_COLUMNS).where(watermarks.c.watermark_id == watermark_id))).one_or_none()
    if row is None:
        raise NotFound(name="watermarkId")
    return Watermark(**row._mapping)


async def find(tx: Transaction, order: Order, *, page: int, page_size: int) -> Page[Watermark]:
    """Read one page of watermarks."""
    found = await fetch_page(
        tx,
        select(*_COLUMNS),
        order,
        _SORTABLE,
        default=watermarks.c.created_at,
        tie=watermarks.c.watermark_id,
        page=page,
        size=page_size,
    )
    return Page([Watermark(**row._mapping) for row in found.items], found.total)


async def remove(tx: Transaction, watermark: Watermark) -> None:
    """Remove a watermark's row.

    Raises:
        NotFound: somebody else has.
    """
    touched = await tx.execute(delete(watermarks).where(watermarks.c.watermark_id == watermark.watermark_id))
    if touched.rowcount == 0:
        raise NotFound(name="watermarkId")
