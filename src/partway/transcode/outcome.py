"""How a program ended, as a value."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass
from enum import Enum
from typing import Any

from partway.transcode.sandbox import Limits

_HEAD_BYTES, _TAIL_BYTES = 4096, 12288
_NO_MEMORY = ("Cannot allocate memory", "Out of memory", "MemoryError", "bad_alloc")


class Ending(Enum):
    """How a program ended."""

    FINISHED = "finished"
    """By itself, with exit code 0."""
    FAILED = "failed"
    """By itself, with another."""
    CRASHED = "crashed"
    """By a signal that is its own fault."""
    KILLED = "killed"
    """By a signal of somebody else: the kernel short of memory, or a person."""
    STOPPED = "stopped"
    """By us, because it was not wanted any more."""
    TIMEOUT = "timeout"
    CPU = "cpu"
    MEMORY = "memory"
    FILE_SIZE = "file size"
    OUTPUT = "output"
    """It wrote more than it may, to standard output or into its folder."""


_BY_SIGNAL = {
    -signal.SIGXFSZ: Ending.FILE_SIZE,
    -signal.SIGXCPU: Ending.CPU,
    -signal.SIGALRM: Ending.TIMEOUT,
    -signal.SIGKILL: Ending.KILLED,
    -signal.SIGTERM: Ending.KILLED,
    -signal.SIGINT: Ending.KILLED,
    -signal.SIGHUP: Ending.KILLED,
}
_TOLD_BY_SHELLS = frozenset(range(2, 65)) & frozenset(map(int, signal.valid_signals()))
_FFMPEG_SIGNALLED = 255
"""ffmpeg catches SIGXCPU, as SIGTERM, and exits so."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is left of a program."""

    ending: Ending
    exit_code: int | None
    """None if a signal ended it."""
    signal: int | None
    output: bytes
    """What ``wait`` found on standard output; bounded by ``Limits.output_bytes``."""
    messages: str
    """The beginning and the end of standard error."""
    wall_seconds: float
    cpu_seconds: float | None
    """None where bubblewrap's process namespace keeps it to itself; so with ``peak_bytes``."""
    peak_bytes: int | None
    """Of memory in use, by the largest of its processes."""


def outcome_of(
    status: int,
    usage: Any,
    limits: Limits,
    *,
    cause: Ending | None,
    output: bytes,
    messages: str,
    wall_seconds: float,
    in_namespace: bool,
) -> Outcome:
    """Put together what wait4 and the pipes have told.

    ``cause`` is why we have ended it, None if we haven't. ``in_namespace``: under bubblewrap, whose first process tells
    signals as a shell does, and keeps the usage to itself.
    """
    code = os.waitstatus_to_exitcode(status)
    if in_namespace and code - 128 in _TOLD_BY_SHELLS:
        code = 128 - code
    cpu_seconds = None if in_namespace else usage.ru_utime + usage.ru_stime
    could_have_used = wall_seconds * (os.cpu_count() or 1) if cpu_seconds is None else cpu_seconds
    is_spent = could_have_used >= limits.cpu_seconds * 0.95
    return Outcome(
        ending=cause or _ending(code, messages, is_spent=is_spent),
        exit_code=code if code >= 0 else None,
        signal=-code if code < 0 else None,
        output=output,
        messages=messages,
        wall_seconds=round(wall_seconds, 3),
        cpu_seconds=None if cpu_seconds is None else round(cpu_seconds, 3),
        # Linux counts in KiB, macOS in bytes.
        peak_bytes=None if in_namespace else usage.ru_maxrss * (1024 if sys.platform == "linux" else 1),
    )


def _ending(code: int, messages: str, *, is_spent: bool) -> Ending:
    """How a program ended that nobody here has stopped; a negative code is a signal."""
    if code == 0:
        return Ending.FINISHED
    if is_spent and code in (-signal.SIGKILL, _FFMPEG_SIGNALLED):
        return Ending.CPU
    if code in _BY_SIGNAL:
        return _BY_SIGNAL[code]
    if any(words in messages for words in _NO_MEMORY):
        return Ending.MEMORY
    return Ending.FAILED if code > 0 else Ending.CRASHED


class Excerpt:
    """The beginning and the end of a text that may have no end."""

    def __init__(self) -> None:
        self._head, self._tail, self._left_out = b"", b"", 0

    def add(self, arrived: bytes) -> None:
        """Take what has arrived."""
        room = _HEAD_BYTES - len(self._head)
        self._head += arrived[:room]
        self._tail += arrived[room:]
        surplus = max(0, len(self._tail) - _TAIL_BYTES)
        self._tail = self._tail[surplus:]
        self._left_out += surplus

    def text(self) -> str:
        """What is kept of it, and how much isn't."""
        between = f"\n[{self._left_out} bytes left out]\n".encode() if self._left_out else b""
        return (self._head + between + self._tail).decode("utf-8", "replace")
