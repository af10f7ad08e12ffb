"""Deliveries: what webhooks are to be told, and how telling it went.

They are written in the transaction of the fact they tell of, by one statement that inserts a row for each webhook
that wants to hear of it. So no fact goes untold, and none is told that did not come to be.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import BigInteger, Integer, String, Text, func, insert, literal, select, update
from sqlalchemy import delete as remove

from partway.catalog.database import Transaction
from partway.catalog.paging import Order, Page, fetch_page
from partway.catalog.tables import deliveries, webhook_events, webhooks
from partway.errors import NotFound


class DeliveryState(StrEnum):
    """How a delivery stands."""

    WAITING = "waiting"  # for its turn, or for another attempt
    DELIVERED = "delivered"
    FAILED = "failed"  # after the last attempt


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery's row; times in microseconds since 1970."""

    number: int
    webhook_id: str
    event: str
    body: str
    state: DeliveryState
    attempts: int
    response_status: int | None
    """What the last attempt was answered, if it was."""
    error: str | None
    """Why the last attempt failed."""
    redelivery_of: int | None
    created_at: int
    next_at: int | None
    ended_at: int | None


@dataclass(frozen=True, slots=True)
class Addressed:
    """A delivery whose turn it is, and where it goes."""

    delivery: Delivery
    url: str
    signature_secret: str


_COLUMNS = tuple(deliveries.columns)


async def announce(tx: Transaction, event: str, body: str, *, at: int) -> None:
    """Leave an event for every webhook that wants it; one statement, and no row where nobody does."""
    wanting = select(
        webhook_events.c.webhook_id,
        literal(event, String),
        literal(body, Text),
        literal(DeliveryState.WAITING.value, String),
        literal(0, Integer),
        literal(at, BigInteger),
        literal(at, BigInteger),
    ).where(webhook_events.c.event == event)
    columns = ["webhook_id", "event", "body", "state", "attempts", "created_at", "next_at"]
    await tx.execute(insert(deliveries).from_select(columns, wanting))


async def due(tx: Transaction, *, at: int) -> list[str]:
    """The webhooks whose next delivery may be tried at ``at``."""
    heads = (
        select(func.min(deliveries.c.number).label("number"))
        .where(deliveries.c.state == DeliveryState.WAITING)
        .group_by(deliveries.c.webhook_id)
        .subquery()
    )
    found = await tx.execute(
        select(deliveries.c.webhook_id)
        .join(heads, heads.c.number == deliveries.c.number)
        .join(webhooks, webhooks.c.webhook_id == deliveries.c.webhook_id)
        .where(deliveries.c.next_at <= at)
        .order_by(deliveries.c.number)
    )
    return list(found.scalars())


async def head(tx: Transaction, webhook_id: str) -> Addressed | None:
    """The delivery whose turn it is: the oldest of its webhook that has not ended."""
    row = (
        await tx.execute(
            select(*_COLUMNS, webhooks.c.url, webhooks.c.signature_secret)
            .join(webhooks, webhooks.c.webhook_id == deliveries.c.webhook_id)
            .where(deliveries.c.webhook_id == webhook_id, deliveries.c.state == DeliveryState.WAITING)
            .order_by(deliveries.c.number)
            .limit(1)
        )
    ).one_or_none()
    if row is None:
        return None
    values = dict(row._mapping)
    url, secret = values.pop("url"), values.pop("signature_secret")
    return Addressed(_read(values), url, secret)


async def settle(
    tx: Transaction,
    tried: Delivery,
    state: DeliveryState,
    *,
    response_status: int | None,
    error: str | None,
    at: int,
    next_at: int | None,
) -> bool:
    """Write down how an attempt went; say whether it counts: of two workers at one attempt the first has it."""
    touched = await tx.execute(
        update(deliveries)
        .where(
            deliveries.c.number == tried.number,
            deliveries.c.state == DeliveryState.WAITING,
            deliveries.c.attempts == tried.attempts,
        )
        .values(
            state=state,
            attempts=tried.attempts + 1,
            response_status=response_status,
            error=error,
            next_at=next_at,
            ended_at=None if state is DeliveryState.WAITING else at,
        )
    )
    return touched.rowcount == 1


async def find(tx: Transaction, webhook_id: str, *, page: int, page_size: int) -> Page[Delivery]:
    """Read one page of a webhook's deliveries, newest first."""
    found = await fetch_page(
        tx,
        select(*_COLUMNS).where(deliveries.c.webhook_id == webhook_id),
        Order(),
        {},
        default=deliveries.c.number,
        tie=deliveries.c.number,
        page=page,
        size=page_size,
    )
    return Page([_read(dict(row._mapping)) for row in found.items], found.total)


async def add_again(tx: Transaction, webhook_id: str, number: int, *, at: int) -> Delivery:
    """Leave the same once more, behind everything that waits.

    Raises:
        NotFound: there is no such delivery of this webhook.
    """
    row = (
        await tx.execute(select(*_COLUMNS).where(deliveries.c.number == number, deliveries.c.webhook_id == webhook_id))
    ).one_or_none()
    if row is None:
        raise NotFound(name="deliveryId")
    values = {
        "webhook_id": webhook_id,
        "event": row.event,
        "body": row.body,
        "state": DeliveryState.WAITING,
        "attempts": 0,
        "redelivery_of": number,
        "created_at": at,
        "next_at": at,
    }
    made = (await tx.execute(insert(deliveries).values(**values).returning(*_COLUMNS))).one()
    return _read(dict(made._mapping))


async def forget(tx: Transaction, *, before: int) -> int:
    """Remove the deliveries made before a time, however they stand; say how many."""
    return (await tx.execute(remove(deliveries).where(deliveries.c.created_at < before))).rowcount


def _read(values: dict[str, object]) -> Delivery:
    return Delivery(**{**values, "state": DeliveryState(str(values["state"]))})  # type: ignore[arg-type]
