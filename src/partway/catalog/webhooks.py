"""Webhooks: who wants to hear of what (contract.md 1.10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete as remove
from sqlalchemy import func, insert, select

from partway.catalog.database import Transaction
from partway.catalog.paging import Order, Page, fetch_page
from partway.catalog.tables import deliveries, webhook_events, webhooks
from partway.errors import NotFound


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook; ``created_at`` in microseconds since 1970."""

    webhook_id: str
    url: str
    signature_secret: str
    created_at: int
    events: tuple[str, ...] = ()


async def add(tx: Transaction, webhook: Webhook) -> None:
    """Insert a webhook."""
    await tx.execute(
        insert(webhooks).values(
            webhook_id=webhook.webhook_id,
            url=webhook.url,
            signature_secret=webhook.signature_secret,
            created_at=webhook.created_at,
        )
    )
    rows = [
        {"webhook_id": webhook.webhook_id, "position": position, "event": event}
        for position, event in enumerate(webhook.events)
    ]
    await tx.execute(insert(webhook_events), rows)


async def count(tx: Transaction) -> int:
    """How many there are."""
    return int((await tx.execute(select(func.count()).select_from(webhooks))).scalar_one())


async def get(tx: Transaction, webhook_id: str) -> Webhook:
    """Read a webhook.

    Raises:
        NotFound: there is none.
    """
    row = (await tx.execute(select(webhooks).where(webhooks.c.webhook_id == webhook_id))).one_or_none()
    if row is None:
        raise NotFound(name="webhookId")
    return Webhook(**row._mapping, events=(await _events(tx, [webhook_id]))[webhook_id])


async def find(tx: Transaction, events: Sequence[str], *, page: int, page_size: int) -> Page[Webhook]:
    """Read one page, newest first, of the webhooks that want all of ``events``."""
    statement = select(webhooks)
    for event in events:
        wanting = select(webhook_events.c.webhook_id).where(webhook_events.c.event == event)
        statement = statement.where(webhooks.c.webhook_id.in_(wanting))
    found = await fetch_page(
        tx,
        statement,
        Order(),
        {},
        default=webhooks.c.created_at,
        tie=webhooks.c.webhook_id,
        page=page,
        size=page_size,
    )
    wanted = await _events(tx, [row.webhook_id for row in found.items])
    return Page([Webhook(**row._mapping, events=wanted[row.webhook_id]) for row in found.items], found.total)


async def delete(tx: Transaction, webhook_id: str) -> None:
    """Delete a webhook, and everything that was or would be delivered to it.

    Raises:
        NotFound: there is none.
    """
    touched = await tx.execute(remove(webhooks).where(webhooks.c.webhook_id == webhook_id))
    if touched.rowcount == 0:
        raise NotFound(name="webhookId")
    await tx.execute(remove(deliveries).where(deliveries.c.webhook_id == webhook_id))


async def _events(tx: Transaction, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    rows = await tx.execute(
        select(webhook_events.c.webhook_id, webhook_events.c.event)
        .where(webhook_events.c.webhook_id.in_(ids))
        .order_by(webhook_events.c.webhook_id, webhook_events.c.position)
    )
    found: dict[str, tuple[str, ...]] = dict.fromkeys(ids, ())
    for row in rows:
        found[row.webhook_id] += (row.event,)
    return found
