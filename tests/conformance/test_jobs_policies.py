"""The pure decisions about jobs: when to try again, when to give up, when a clock ticks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partway.errors import ConfigurationError, JobHopeless, MediaTooLarge
from partway.jobs.base import Schedule, Terms
from partway.jobs.memory import MemoryJobs
from partway.jobs.retry import REASON_LENGTH, Again, GivenUp, RetryPolicy, after_death, reason_of
from partway.jobs.table import TableJobs
from partway.jobs.worker import Worker


def test_pauses_grow_up_to_a_bound() -> None:
    policy = RetryPolicy(attempts_max=9, first_seconds=2.0, factor=4.0, longest_seconds=100.0)
    pauses = [policy.after(failures, OSError("disk")) for failures in range(1, 10)]
    assert [one.delay_seconds for one in pauses if isinstance(one, Again)] == [2, 8, 32, 100, 100, 100, 100, 100]
    assert pauses[-1] == GivenUp("OSError: disk (attempt 9 of 9)")


@given(st.integers(1, 10**9))
def test_a_pause_is_always_a_number(failures: int) -> None:
    assert 0 <= RetryPolicy().delay_seconds(failures) <= RetryPolicy().longest_seconds


@pytest.mark.parametrize("error", [JobHopeless("never"), MediaTooLarge("never")])
def test_what_is_hopeless_is_not_tried_again(error: Exception) -> None:
    assert RetryPolicy().after(1, error) == GivenUp("never")


def test_the_first_death_costs_nothing_and_the_last_is_the_end() -> None:
    verdicts = [after_death(deaths, 4, "w") for deaths in range(1, 5)]
    assert [one.delay_seconds for one in verdicts if isinstance(one, Again)] == [0, 2, 4]
    assert verdicts[-1] == GivenUp(
        "its worker w died or lost touch while doing it; that happened 4 times", counted=False
    )


def test_reasons_are_bounded() -> None:
    assert reason_of(ValueError()) == "ValueError"
    assert len(reason_of(ValueError("x" * 10_000))) == REASON_LENGTH


@given(
    st.floats(0, 4e9, allow_nan=False),
    st.sampled_from([0.5, 1.0, 60.0, 3600.0, 86400.0]),
    st.floats(0, 86400, allow_nan=False),
)
def test_a_tick_is_never_in_the_future(now: float, every: float, offset: float) -> None:
    clock = Schedule("clock", "tick", every_seconds=every, offset_seconds=offset)
    tick = clock.tick_at(now)
    assert tick <= now + 1e-3
    assert now < tick + every + 1e-3


def test_a_clock_of_three_in_the_morning() -> None:
    clock = Schedule("nightly", "sweep", every_seconds=86400.0, offset_seconds=3 * 3600.0)
    before, after = 1_800_000_000 // 86400 * 86400 + 10799.0, 1_800_000_000 // 86400 * 86400 + 10800.0
    assert clock.tick_at(after) == after
    assert clock.tick_at(before) == after - 86400
    assert clock.job_at(after).id == f"nightly@{after:.0f}"


def test_a_clock_may_not_be_slower_than_memory() -> None:
    jobs = MemoryJobs(Terms(keep_done_seconds=3600.0))
    clock = Schedule("nightly", "sweep", every_seconds=86400.0)
    with pytest.raises(ValueError, match="forgotten"):
        Worker(jobs, jobs, {}, jobs.terms, concurrency=1, schedules=[clock])


@pytest.mark.parametrize("url", ["mysql://host/jobs", "nonsense", "sqlite://"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(ConfigurationError):
        TableJobs(url)
