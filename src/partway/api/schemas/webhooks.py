"""Webhooks on the wire (contract.md 1.10), and our log of what they were told."""

from __future__ import annotations

import json
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from partway.api.schemas.base import Payload, Text, moment
from partway.services.events import EVENTS
from partway.services.values import Delivery, DeliveryState, Webhook
from partway.services.webhooks import delivery_id


def _event(text: str) -> str:
    if text not in EVENTS:
        raise ValueError(f"There is no such event, use some of {', '.join(EVENTS)}")
    return text


def _address(text: str) -> str:
    try:
        parsed = urlsplit(text)
        is_good = parsed.scheme in ("http", "https") and bool(parsed.hostname) and parsed.port != 0
    except ValueError:
        is_good = False
    if not is_good or any(char.isspace() or not char.isprintable() for char in text):
        raise ValueError("This is not an http or https address")
    return text


class NewWebhook(Payload):
    """The body of ``POST /webhooks``."""

    events: Annotated[list[Annotated[Text, AfterValidator(_event)]], Field(min_length=1, max_length=100)]
    url: Annotated[Text, Field(max_length=2000), AfterValidator(_address)]


def webhook_json(webhook: Webhook) -> dict[str, Any]:
    """A webhook (contract.md 1.10)."""
    return {
        "webhookId": webhook.webhook_id,
        "createdAt": moment(webhook.created_at),
        "events": list(webhook.events),
        "url": webhook.url,
        "signatureSecret": webhook.signature_secret,
    }


def delivery_json(delivery: Delivery) -> dict[str, Any]:
    """One line of the log: ``status`` is waiting, retrying, delivered or failed."""
    is_retrying = delivery.state is DeliveryState.WAITING and delivery.attempts
    return {
        "deliveryId": delivery_id(delivery),
        "webhookId": delivery.webhook_id,
        "event": delivery.event,
        "status": "retrying" if is_retrying else delivery.state.value,
        "attempts": delivery.attempts,
        "responseStatus": delivery.response_status,
        "error": delivery.error,
        "createdAt": moment(delivery.created_at),
        "nextAttemptAt": moment(delivery.next_at),
        "endedAt": moment(delivery.ended_at),
        "redeliveryOf": None if delivery.redelivery_of is None else f"delivery_{delivery.redelivery_of}",
        "body": json.loads(delivery.body),
    }
