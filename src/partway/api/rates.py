"""Rate limits, where they are switched on: a token bucket for each caller and kind of request.

Each process counts for itself, in memory: several behind one address let through as much each. Playback is not
limited, nor is whoever has shown no key: there is nothing to count them by but an address that many may share.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import Scope

from partway.errors import TooManyRequests

_CALLERS_MOST = 10_000
_METER = "partway.meter"


@dataclass(slots=True)
class Bucket:
    """What a caller has left, and since when that is known."""

    left: float
    at: float


class Buckets:
    """The buckets of one process; full ones that nobody has used for long are forgotten first.

    Args:
        clock: seconds that only go forward.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: OrderedDict[tuple[str, str], Bucket] = OrderedDict()

    def spend(self, caller: str, kind: str, limit: int) -> Bucket:
        """Take one request from a bucket that holds ``limit`` and fills up within a minute; below 0 it was empty."""
        now = self._clock()
        bucket = self._buckets.setdefault((caller, kind), Bucket(limit, now))
        self._buckets.move_to_end((caller, kind))
        left = min(float(limit), bucket.left + (now - bucket.at) * limit / 60)
        bucket.at, bucket.left = now, left - 1 if left >= 1 else left
        while len(self._buckets) > _CALLERS_MOST:
            self._buckets.popitem(last=False)
        return Bucket(left - 1, now)


@dataclass(slots=True)
class Meter:
    """One request's rate limit: what its answer tells, and what it is refused by."""

    kind: str
    limit: int
    buckets: Buckets | None
    """None where nothing is enforced; then it tells the limit, and that nothing is used up."""
    remaining: int = -1
    retry_after: int = 0

    def __post_init__(self) -> None:
        self.remaining = self.limit

    def spend(self, caller: str) -> None:
        """Count the request.

        Raises:
            TooManyRequests: the caller has none left.
        """
        if self.buckets is None:
            return
        left = self.buckets.spend(caller, self.kind, self.limit).left
        self.remaining = max(0, math.floor(left))
        if left < 0:
            self.retry_after = max(1, math.ceil(-left * 60 / self.limit))
            refusal = TooManyRequests(f"The next one may come in {self.retry_after} s.")
            refusal.seconds = self.retry_after
            raise refusal


def place(scope: Scope, meter: Meter) -> None:
    """Leave a meter where ``count`` finds it."""
    scope[_METER] = meter


def count(scope: Scope, caller: str) -> None:
    """Count a request, now that its caller is known.

    Raises:
        TooManyRequests: the caller has none left.
    """
    meter: Meter | None = scope.get(_METER)
    if meter is not None:
        meter.spend(caller)
