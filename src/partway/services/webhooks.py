"""Webhooks and their log (contract.md 1.10)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from partway.catalog import deliveries, idempotency, webhooks
from partway.catalog.clock import SECOND, now
from partway.catalog.database import Database
from partway.catalog.deliveries import Delivery
from partway.catalog.paging import Page
from partway.catalog.webhooks import Webhook
from partway.errors import NotFound, WebhookLimitReached
from partway.services.identifiers import fingerprint, new_id

_DELIVERY = re.compile(r"delivery_([1-9][0-9]{0,17})")


class Webhooks:
    """The verbs of webhooks.

    Args:
        most: how many there may be.
        kept: seconds a delivery stays in the log; one that has waited for so long is given up.
    """

    def __init__(self, database: Database, *, most: int, kept: float) -> None:
        self._database = database
        self._most = most
        self._kept = kept

    async def create(
        self, url: str, events: Sequence[str], *, asked_by: str, idempotency_key: str | None = None
    ) -> Webhook:
        """Register a webhook; nothing is asked of its address before there is something to tell.

        Raises:
            WebhookLimitReached: there are as many as there may be.
            InvalidAttribute: the idempotency key was used for another request.
        """
        at = now()
        webhook = Webhook(new_id("webhook_"), url, new_id("sig_sec_"), at, tuple(dict.fromkeys(events)))
        scope, asked = f"webhooks:{asked_by}", fingerprint("\n".join((url, *events)))
        async with self._database.write() as tx:
            earlier = await idempotency.claim(tx, scope, idempotency_key, asked, webhook.webhook_id, at=at)
            if earlier is not None:
                return await webhooks.get(tx, earlier)
            if await webhooks.count(tx) >= self._most:
                raise WebhookLimitReached(f"At most {self._most} webhooks can be registered.")
            await webhooks.add(tx, webhook)
        return webhook

    async def get(self, webhook_id: str) -> Webhook:
        """Read a webhook.

        Raises:
            NotFound: there is none.
        """
        async with self._database.read() as tx:
            return await webhooks.get(tx, webhook_id)

    async def find(self, events: Sequence[str], *, page: int, page_size: int) -> Page[Webhook]:
        """Read one page of the webhooks that want all of ``events``."""
        async with self._database.read() as tx:
            return await webhooks.find(tx, events, page=page, page_size=page_size)

    async def delete(self, webhook_id: str) -> None:
        """Delete a webhook, its log, and what it still would have been told.

        Raises:
            NotFound: there is none.
        """
        async with self._database.write() as tx:
            await webhooks.delete(tx, webhook_id)

    async def deliveries(self, webhook_id: str, *, page: int, page_size: int) -> Page[Delivery]:
        """Read one page of a webhook's log, the newest first.

        Raises:
            NotFound: there is no such webhook.
        """
        async with self._database.read() as tx:
            await webhooks.get(tx, webhook_id)
            return await deliveries.find(tx, webhook_id, page=page, page_size=page_size)

    async def redeliver(self, webhook_id: str, delivery_id: str) -> Delivery:
        """Deliver the same body once more, as a delivery of its own.

        Raises:
            NotFound: there is no such webhook or delivery.
        """
        found = _DELIVERY.fullmatch(delivery_id)
        async with self._database.write() as tx:
            await webhooks.get(tx, webhook_id)
            if found is None:
                raise NotFound(name="deliveryId")
            return await deliveries.add_again(tx, webhook_id, int(found[1]), at=now())

    async def forget(self) -> int:
        """Remove what has been in the log for long enough; say how many deliveries."""
        async with self._database.write() as tx:
            return await deliveries.forget(tx, before=now() - int(self._kept * SECOND))


def delivery_id(delivery: Delivery) -> str:
    """A delivery's name outside."""
    return f"delivery_{delivery.number}"
