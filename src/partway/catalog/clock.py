"""Time as the catalog keeps it."""

from __future__ import annotations

import time
from datetime import UTC, datetime

SECOND = 1_000_000


def now() -> int:
    """The current time in microseconds since 1970."""
    return time.time_ns() // 1000


def to_datetime(microseconds: int) -> datetime:
    """A catalog time as an aware datetime (UTC)."""
    return datetime.fromtimestamp(microseconds / SECOND, UTC)
