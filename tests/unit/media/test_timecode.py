"""Moments as people write them."""

from __future__ import annotations

import pytest

from partway.media.timecode import is_timecode, seconds_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("00:00:00", 0),
        ("00:01:02", 62),
        ("01:00:00.5", 3600.5),
        ("00:15:22.05", 922.05),
        ("100:00:00.123", 360000.123),
        ("00:00:02:15", 2.5),
        ("00:00:00:300", 10),
        ("0", 0),
        ("90", 90),
        ("1.25", 1.25),
        ("9999999", 9999999),
    ],
)
def test_what_they_mean(text: str, seconds: float) -> None:
    assert is_timecode(text)
    assert seconds_of(text, 30.0) == pytest.approx(seconds)


def test_frames_without_a_rate() -> None:
    assert seconds_of("00:00:01:05", None) == pytest.approx(1.2)


@pytest.mark.parametrize(
    "text", ["", " 1", "1\n", "1:02:03", "00:00:60", "00:00:01.1234", "-1", "1e3", "٣", "00:00:00:"]
)
def test_what_is_none(text: str) -> None:
    assert not is_timecode(text)
    with pytest.raises(ValueError, match="timecode"):
        seconds_of(text, 25)
