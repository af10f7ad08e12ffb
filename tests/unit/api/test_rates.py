"""The buckets of the rate limits, on a clock of the test's own."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from partway.api import rates
from partway.api.rates import Buckets, Meter
from partway.errors import TooManyRequests


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def asked(buckets: Buckets, caller: str = "a", kind: str = "reads", limit: int = 60) -> Meter:
    meter = Meter(kind, limit, buckets)
    meter.spend(caller)
    return meter


def test_a_minutes_worth_at_once_and_then_as_it_fills_up(clock: Clock) -> None:
    buckets = Buckets(clock)
    assert [asked(buckets).remaining for _ in range(60)] == list(range(59, -1, -1))
    for _ in range(3):  # being refused costs nothing
        meter = Meter("reads", 60, buckets)
        with pytest.raises(TooManyRequests) as refused:
            meter.spend("a")
        assert (meter.remaining, meter.retry_after, refused.value.seconds) == (0, 1, 1)
    clock.now += 1
    assert asked(buckets).remaining == 0
    clock.now += 3600
    assert asked(buckets).remaining == 59


def test_the_wait_told_is_long_enough(clock: Clock) -> None:
    buckets = Buckets(clock)
    for limit in (1, 7, 100):
        for _ in range(limit):
            asked(buckets, kind=str(limit), limit=limit)
        with pytest.raises(TooManyRequests) as refused:
            asked(buckets, kind=str(limit), limit=limit)
        clock.now += refused.value.seconds
        asked(buckets, kind=str(limit), limit=limit)


def test_callers_and_kinds_have_buckets_of_their_own(clock: Clock) -> None:
    buckets = Buckets(clock)
    for caller, kind in (("a", "reads"), ("b", "reads"), ("a", "writes")):
        assert asked(buckets, caller, kind, limit=1).remaining == 0
    with pytest.raises(TooManyRequests):
        asked(buckets, "a", "reads", limit=1)


def test_memory_is_bounded(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "_CALLERS_MOST", 10)
    buckets = Buckets(clock)
    for number in range(1000):
        asked(buckets, str(number))
    assert len(buckets._buckets) == 10


def test_nothing_is_counted_where_nothing_is_enforced() -> None:
    meter = Meter("uploads", 1, None)
    for _ in range(5):
        meter.spend("a")
    assert (meter.remaining, meter.retry_after) == (1, 0)
