"""How a program ended, from what the kernel says; and what that says about a file."""

from __future__ import annotations

import os
import signal

import pytest

from partway.errors import MediaMalformed, MediaTooLarge, PartwayError, ProgramFailed
from partway.transcode.outcome import Ending, Excerpt, Outcome, outcome_of
from partway.transcode.sandbox import Limits
from partway.transcode.verdict import blame

LIMITS = Limits(cpu_seconds=10)


class Usage:
    ru_utime, ru_stime, ru_maxrss = 1.0, 0.5, 2048


class Spent(Usage):
    ru_utime = 9.8


def outcome(
    code: int = 0,
    number: int = 0,
    *,
    usage: type[Usage] = Usage,
    messages: str = "",
    wall: float = 1,
    in_namespace: bool = False,
    cause: Ending | None = None,
) -> Outcome:
    """As wait4 would tell of this exit code or this signal."""
    return outcome_of(
        number or code << 8,
        usage,
        LIMITS,
        cause=cause,
        output=b"",
        messages=messages,
        wall_seconds=wall,
        in_namespace=in_namespace,
    )


@pytest.mark.parametrize(
    ("ended", "ending"),
    [
        (outcome(0), Ending.FINISHED),
        (outcome(1), Ending.FAILED),
        (outcome(255), Ending.FAILED),
        (outcome(1, messages="x: Cannot allocate memory"), Ending.MEMORY),
        (outcome(1, messages="x: Out of memory"), Ending.MEMORY),
        (outcome(number=signal.SIGSEGV), Ending.CRASHED),
        (outcome(number=signal.SIGABRT, messages="terminate called: std::bad_alloc"), Ending.MEMORY),
        (outcome(number=signal.SIGSYS), Ending.CRASHED),
        (outcome(number=signal.SIGKILL), Ending.KILLED),
        (outcome(number=signal.SIGKILL, usage=Spent), Ending.CPU),
        (outcome(number=signal.SIGXCPU), Ending.CPU),
        (outcome(255, usage=Spent), Ending.CPU),
        (outcome(number=signal.SIGXFSZ), Ending.FILE_SIZE),
        (outcome(number=signal.SIGALRM), Ending.TIMEOUT),
        (outcome(number=signal.SIGTERM), Ending.KILLED),
        (outcome(0, cause=Ending.OUTPUT), Ending.OUTPUT),
        (outcome(number=signal.SIGTERM, cause=Ending.TIMEOUT), Ending.TIMEOUT),
        # Under bubblewrap signals come as a shell tells them, and the usage doesn't come.
        (outcome(128 + signal.SIGXFSZ, in_namespace=True), Ending.FILE_SIZE),
        (outcome(128 + signal.SIGSEGV, in_namespace=True), Ending.CRASHED),
        (outcome(128 + signal.SIGKILL, in_namespace=True, wall=0.1), Ending.KILLED),
        (outcome(128 + signal.SIGKILL, in_namespace=True, wall=11), Ending.CPU),
        (outcome(255, in_namespace=True, wall=0.1), Ending.FAILED),
        (outcome(234, in_namespace=True), Ending.FAILED),
        (outcome(128 + signal.SIGXFSZ), Ending.FAILED),
    ],
)
def test_endings(ended: Outcome, ending: Ending) -> None:
    assert ended.ending is ending
    assert (ended.exit_code is None) != (ended.signal is None)


def test_usage_is_told_where_it_is_known() -> None:
    known = outcome(0)
    assert (known.cpu_seconds, known.peak_bytes) == (1.5, 2048 * (1024 if os.uname().sysname == "Linux" else 1))
    unknown = outcome(0, in_namespace=True)
    assert (unknown.cpu_seconds, unknown.peak_bytes) == (None, None)


@pytest.mark.parametrize(
    ("ended", "error", "words"),
    [
        (outcome(cause=Ending.TIMEOUT), ProgramFailed, "longer than 60 s"),
        (outcome(number=signal.SIGXCPU), MediaTooLarge, "more than 10 s of computing"),
        (outcome(1, messages="Cannot allocate memory"), MediaTooLarge, "more than 2048 MiB of memory"),
        (outcome(1, messages="exceeds max_streams: Out of memory"), MediaTooLarge, "too many tracks"),
        (outcome(1, messages="exceeds specified max pixel count"), MediaTooLarge, "35389440 pixels"),
        (outcome(cause=Ending.OUTPUT), MediaTooLarge, "more than there is room for"),
        (outcome(number=signal.SIGXFSZ), MediaTooLarge, "more than there is room for"),
        (outcome(number=signal.SIGSEGV), MediaMalformed, "damaged in a way"),
        (outcome(number=signal.SIGKILL), ProgramFailed, "from outside"),
        (outcome(1, messages="/folder/source: Invalid data\nmore"), MediaMalformed, "it can't be read"),
    ],
)
def test_blame(ended: Outcome, error: type[PartwayError], words: str) -> None:
    found = blame(ended, LIMITS)
    assert type(found) is error
    assert words in str(found)


@pytest.mark.parametrize("ending", Ending)
def test_every_ending_has_its_sentence(ending: Ending) -> None:
    sentence = str(blame(outcome(1, cause=ending), LIMITS))
    assert sentence.endswith(".")
    assert sentence.count(". ") == 0


def test_an_excerpt_keeps_both_ends() -> None:
    short, long = Excerpt(), Excerpt()
    short.add(b"one\n")
    short.add(b"two\n")
    assert short.text() == "one\ntwo\n"
    for number in range(20_000):
        long.add(b"%d\n" % number)
    assert long.text().startswith("0\n1\n2\n")
    assert long.text().endswith("19998\n19999\n")
    assert "bytes left out]" in long.text()
    assert len(long.text()) < 17_000
    one = Excerpt()
    one.add(bytes(1 << 20) + b"\xff\xfe")
    assert len(one.text()) < 17_000
