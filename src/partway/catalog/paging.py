"""One page of a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, func, select

from partway.catalog.database import Transaction

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Order:
    """How a list is sorted: a key of the contract, or None for newest first."""

    key: str | None = None
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """The items of one page, and how many there are on all pages together."""

    items: Sequence[T]
    total: int


async def fetch_page(
    tx: Transaction,
    statement: Select[Any],
    order: Order,
    sortable: Mapping[str, ColumnElement[Any]],
    *,
    default: ColumnElement[Any],
    tie: ColumnElement[Any],
    page: int,
    size: int,
) -> Page[Any]:
    """Count and read one page (numbered from 1) in a stable order."""
    total = (await tx.execute(select(func.count()).select_from(statement.order_by(None).subquery()))).scalar_one()
    column = default if order.key is None else sortable[order.key]
    descending = order.descending or order.key is None
    ordered = statement.order_by(
        column.desc().nulls_last() if descending else column.asc().nulls_first(), tie.desc() if descending else tie
    )
    rows = (await tx.execute(ordered.limit(size).offset((page - 1) * size))).all()
    return Page(rows, total)
