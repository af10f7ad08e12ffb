"""Moments of a video as people write them (contract.md 1.3)."""

from __future__ import annotations

import re

_CLOCK = re.compile(r"([0-9]{2,3}):([0-5][0-9]):([0-5][0-9])(?:\.([0-9]{1,3})|:([0-9]{1,3}))?")
_SECONDS = re.compile(r"[0-9]{1,7}(?:\.[0-9]{1,3})?")
_USUAL_FRAMERATE = 25.0


def is_timecode(text: str) -> bool:
    """Whether this is ``HH:MM:SS``, ``HH:MM:SS.mmm``, ``HH:MM:SS:frame``, or seconds."""
    return (_CLOCK.fullmatch(text) or _SECONDS.fullmatch(text)) is not None


def seconds_of(text: str, framerate: float | None) -> float:
    """The moment in seconds; frames are counted at ``framerate``, 25 a second where that is unknown.

    Raises:
        ValueError: it is no timecode.
    """
    if _SECONDS.fullmatch(text):
        return float(text)
    if (found := _CLOCK.fullmatch(text)) is None:
        raise ValueError(f"{text!r} is no timecode")
    hours, minutes, seconds, fraction, frame = found.groups()
    whole = int(hours) * 3600 + int(minutes) * 60 + int(seconds)
    if frame is not None:
        return whole + int(frame) / (framerate or _USUAL_FRAMERATE)
    return whole + float(f"0.{fraction or 0}")
