"""Ctrl-C as a word to what runs: once ends it in good order, twice stops it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from partway.cli.outcome import say


@contextmanager
def ended_by_ctrl_c() -> Iterator[Callable[[], bool]]:
    """Take the first Ctrl-C as the end of a recording; yields the question whether there was one.

    The second one raises KeyboardInterrupt, as the first does elsewhere.
    """
    pressed: list[int] = []

    def on_press(number: int, _: Any) -> None:
        if pressed:
            raise KeyboardInterrupt
        pressed.append(number)
        say("The recording ends here; sending the rest. Ctrl-C again stops the upload.")

    before = signal.signal(signal.SIGINT, on_press)
    try:
        yield lambda: bool(pressed)
    finally:
        signal.signal(signal.SIGINT, before)
