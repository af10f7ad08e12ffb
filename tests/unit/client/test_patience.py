"""A request is tried again for as long as it was said, counted in time without a sign of life."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partway.client.patience import Life, Patience


@pytest.mark.slow
@given(st.floats(0, 300), st.lists(st.floats(0, 5), min_size=400, max_size=400), st.floats(0, 1))
def test_gives_up_when_the_time_is_out_and_not_before(retry_for, attempts, jitter):
    patience = Patience(retry_for, jitter=lambda: jitter)
    dead = 0.0
    for seconds in attempts:
        delay = patience.failed(seconds)
        dead += seconds
        if delay is None:
            assert dead >= retry_for * 0.999 - 0.001
            return
        assert 0 < delay <= 3
        dead += delay
        assert dead <= retry_for + 0.001
    raise AssertionError("it never gave up")


def test_the_last_attempt_comes_at_the_end_of_the_time():
    patience = Patience(1.0, jitter=lambda: 1.0)
    waits = []
    while (delay := patience.failed(0.0)) is not None:
        waits.append(delay)
    assert waits[:2] == [0.2, 0.4]
    assert abs(sum(waits) - 1.0) < 1e-9


def test_no_time_is_no_second_attempt():
    assert Patience(0).failed(0.0) is None


def test_anything_acknowledged_meanwhile_starts_the_count_anew():
    life = Life()
    patience = Patience(10, life, jitter=lambda: 0.0)
    assert patience.failed(9.0) is not None
    life.acknowledged += 1
    assert patience.failed(9.0) is not None
    assert patience.failed(9.0) is None


def test_what_the_server_asks_for_is_waited():
    patience = Patience(60)
    assert patience.failed(0.0, retry_after=7) == 7
    assert patience.failed(0.0, retry_after=120) is None, "longer than we were told to wait"
