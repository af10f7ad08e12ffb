"""Borders are where the contract wants them, and stay there."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from partway.media.grid import borders
from partway.media.index import Index

TIMESCALE = 600

keyframes = st.lists(st.integers(1, 12 * TIMESCALE), min_size=1, max_size=60).map(
    lambda gaps: [sum(gaps[:count]) for count in range(len(gaps))]
)


@given(keyframes)
def test_segments_last_four_seconds_and_the_first_two(times: list[int]) -> None:
    chosen = borders(times, TIMESCALE)
    assert chosen[0] == 0
    for number, (start, end) in enumerate(pairwise(chosen)):
        least = (2 if number == 0 else 4) * TIMESCALE
        assert times[end] - times[start] >= least
        # No keyframe before would have done.
        assert all(times[between] - times[start] < least for between in range(start + 1, end))


@given(keyframes, st.data())
def test_growing_only_appends(times: list[int], data: st.DataObject) -> None:
    known = data.draw(st.integers(0, len(times)))
    earlier, later = borders(times[:known], TIMESCALE), borders(times, TIMESCALE)
    assert later[: len(earlier)] == earlier


def test_audio_follows_the_videos_borders(read: Callable[[str], Index]) -> None:
    for name in ("plain", "mov", "late-audio", "long-audio"):
        index = read(name)
        assert index.audio is not None
        for video, audio in zip(index.grid.starts[1:], index.audio.times[1:-1].tolist(), strict=True):
            # The first sound that begins in a segment begins less than one AAC frame after the segment does.
            late = audio / index.audio.timescale - video / index.grid.timescale
            assert 0 <= late < 1024 / index.audio.timescale
