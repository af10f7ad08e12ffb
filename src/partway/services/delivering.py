"""Delivering: tell one webhook what waits for it, in order (contract.md 5).

Nothing overtakes: while the oldest delivery waits for its next attempt, those behind it wait as well. An attempt is
written down after it was made, so a worker that dies in between makes it again: at least once, and told by its id.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Protocol

from partway.catalog import deliveries
from partway.catalog.clock import SECOND, now
from partway.catalog.database import Database
from partway.catalog.deliveries import Addressed, DeliveryState
from partway.errors import DeliveryFailed, JobPostponed
from partway.jobs.base import JobContext
from partway.services.webhooks import delivery_id
from partway.testing import faults

RETRIES = 3
RETRY_SECONDS = 3.0
_AT_A_TIME = 20
"""Deliveries of one job: then other webhooks, and other work, have their turn."""


class Courier(Protocol):
    """Posts a body; ``outbound.posting`` is the real one."""

    async def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """The status of the answer, whatever it is.

        Raises:
            DeliveryFailed: there was none, and why.
        """
        ...


class Delivering:
    """The verb of delivering."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def due(self) -> list[str]:
        """The webhooks whose next delivery may be tried now."""
        async with self._database.read() as tx:
            return await deliveries.due(tx, at=now())

    async def deliver(self, webhook_id: str, courier: Courier, context: JobContext) -> None:
        """Make the attempts that are due.

        Raises:
            JobPostponed: the next one is due later.
            JobStopped: another worker may have this webhook.
        """
        for _ in range(_AT_A_TIME):
            async with self._database.read() as tx:
                found = await deliveries.head(tx, webhook_id)
            if found is None:
                return
            wait = (found.delivery.next_at or 0) - now()
            if wait > 0:
                raise JobPostponed(wait / SECOND, f"attempt {found.delivery.attempts + 1} is due later")
            context.check()
            await self._attempt(found, courier)

    async def _attempt(self, found: Addressed, courier: Courier) -> None:
        delivery, body = found.delivery, found.delivery.body.encode()
        headers = {
            "Content-Type": "application/json",
            "X-Api-Video-WebhookID": delivery.webhook_id,
            "X-Api-Video-Signature": signature(found.signature_secret, body),
            "X-Partway-Delivery": delivery_id(delivery),
        }
        answered: int | None = None
        try:
            answered = await courier(found.url, headers, body)
            error = None if answered < 300 else f"It was answered {answered}; anything below 300 would be success."
        except DeliveryFailed as failed:
            error = str(failed)
        faults.reached("delivery-made")
        at = now()
        state, next_at = _after(error, delivery.attempts + 1, at)
        async with self._database.write() as tx:
            await deliveries.settle(tx, delivery, state, response_status=answered, error=error, at=at, next_at=next_at)


def signature(secret: str, body: bytes) -> str:
    """HMAC-SHA256 of the raw body, in lower-case hex (contract.md 5)."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _after(error: str | None, attempts: int, at: int) -> tuple[DeliveryState, int | None]:
    if error is None:
        return DeliveryState.DELIVERED, None
    if attempts > RETRIES:
        return DeliveryState.FAILED, None
    return DeliveryState.WAITING, at + int(RETRY_SECONDS * SECOND)
