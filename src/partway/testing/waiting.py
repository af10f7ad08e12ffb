"""Wait for a condition, with a deadline: what tests do instead of sleeping."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(condition: Callable[[], T], what: str, *, seconds: float = 30.0) -> T:
    """Ask again and again until ``condition`` gives something true, and return that.

    Args:
        what: what is waited for, in words, for the error.
        seconds: the deadline.

    Raises:
        TimeoutError: the deadline has passed.
    """
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:g} s in vain: {what}")
        time.sleep(0.005)
