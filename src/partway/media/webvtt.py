"""WebVTT: is this a text that a player can show (W3C WebVTT, sections 4.1 and 6.1)?

Stricter than a browser, which passes over what it can't read without a word: somebody who uploads captions has to
hear about the cue that would be missing. What a browser shows as it is meant, such as cues out of order, is fine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, auto

from partway.errors import MediaMalformed

LINES_MAX = 400_000
"""A cue a second for a whole day, with its number, times, text and blank line."""

_LINE = re.compile(r"([^\r\n]*)(?:\r\n|\n|\r|\Z)")
_SIGNATURE = re.compile(r"WEBVTT(?:[ \t].*)?")
_BLOCK = re.compile(r"(?:NOTE|STYLE|REGION)(?:[ \t].*)?")
_TIME = r"(?:([0-9]{1,9}):)?([0-5][0-9]):([0-5][0-9])\.([0-9]{3})"
_TIMING = re.compile(rf"[ \t\f]*{_TIME}[ \t\f]*-->[ \t\f]*{_TIME}(?:[ \t\f].*)?")


class _At(Enum):
    """Where in the file a line stands."""

    NOWHERE = auto()
    INSIDE = auto()
    """Of a block whose lines may be anything."""
    NAMED = auto()
    """After a cue's identifier: its times have to follow."""


def count_cues(content: bytes) -> int:
    """Check a whole WebVTT file, and say how many cues it has.

    Raises:
        MediaMalformed: it is none, or a cue of it would not be shown; the message says why and where.
    """
    try:
        text = content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise MediaMalformed("A WebVTT file is written in UTF-8, and this one is not.") from None
    if "\0" in text:
        raise MediaMalformed("This is no text: it has a NUL.")
    lines = enumerate(_lines(text), 1)
    if not _SIGNATURE.fullmatch(next(lines)[1]):
        raise MediaMalformed("The first line of a WebVTT file starts with the word WEBVTT.")
    cues, at = 0, _At.INSIDE
    for number, line in lines:
        if number > LINES_MAX:
            raise MediaMalformed(f"The file has more than {LINES_MAX} lines.")
        if "-->" in line:
            _check_timing(line, number)
            cues, at = cues + 1, _At.INSIDE
        elif at is _At.NAMED:
            raise MediaMalformed(f"Line {number - 1} belongs to no cue: no times follow it.")
        elif not line:
            at = _At.NOWHERE
        elif at is _At.NOWHERE and not line.isspace():
            at = _At.INSIDE if _BLOCK.fullmatch(line) else _At.NAMED
    return cues


def _check_timing(line: str, number: int) -> None:
    found = _TIMING.fullmatch(line)
    if found is None:
        raise MediaMalformed(f"Line {number}: a cue's times are written 00:00:01.000 --> 00:00:02.000.")
    if _milliseconds(*found.groups()[4:]) < _milliseconds(*found.groups()[:4]):
        raise MediaMalformed(f"Line {number}: the cue ends before it starts.")


def _milliseconds(hours: str | None, minutes: str, seconds: str, thousandths: str) -> int:
    return ((int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + int(thousandths)


def _lines(text: str) -> Iterator[str]:
    """The lines, and an empty one at the end; ``str.splitlines`` also breaks at characters that are text here."""
    for found in _LINE.finditer(text):
        yield found[1]
