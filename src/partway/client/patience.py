"""How long a request is tried again. Pure: time is handed in."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Life:
    """The signs of life of a server, shared by everything that is sent to it for one upload."""

    acknowledged: int = 0
    """Requests that succeeded."""


@dataclass(slots=True)
class Patience:
    """When to try a failed request again, and when to give up.

    What counts is dead time: seconds waited, or spent without a byte moving, since the server last
    acknowledged anything. Time in which bytes flow does not count: a slow line that drops now and
    then is no reason to give up, a server that accepts bytes only to refuse them is.
    """

    retry_for: float
    """Seconds of dead time after which to give up."""
    life: Life = field(default_factory=Life)
    jitter: Callable[[], float] = random.random
    """From 0 to 1: many clients of one server must not come back at the same instant."""
    failures: int = 0
    _dead_seconds: float = 0.0
    _seen: int = -1

    def failed(self, dead_seconds: float, retry_after: float = 0.0) -> float | None:
        """Seconds to wait before the next attempt, or None to give up.

        Args:
            dead_seconds: how long the failed attempt went without a byte moving.
            retry_after: what the server asked for.
        """
        if self._seen != self.life.acknowledged:
            self._seen = self.life.acknowledged
            self._dead_seconds = 0.0
            self.failures = 0
        self._dead_seconds += dead_seconds
        left = self.retry_for - self._dead_seconds
        if left <= 0 or retry_after > left:
            return None
        backoff = min(3.0, 0.2 * 2.0 ** min(self.failures, 10)) * (0.5 + self.jitter() / 2)
        delay = min(left, max(backoff, retry_after))
        self.failures += 1
        self._dead_seconds += delay
        return delay
