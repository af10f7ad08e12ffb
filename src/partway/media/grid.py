"""The grid: where one segment ends and the next begins.

A border is a keyframe, at least four seconds after the one before; the first segment may end after two, so that
playing can start sooner. Whether a keyframe is a border depends on nothing after it: as a source grows, borders are
added at the end and never moved.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

FIRST_SEGMENT_SECONDS = 2
SEGMENT_SECONDS = 4


@dataclass(frozen=True, slots=True)
class Grid:
    """The borders of the video's segments, which everything else follows."""

    timescale: int
    """Ticks a second."""
    starts: tuple[int, ...]
    """When each segment begins, in ticks of the presentation."""
    end: int
    """When the last one ends."""

    @property
    def count(self) -> int:
        """How many segments there are."""
        return len(self.starts)


def borders(keyframe_times: Sequence[int], timescale: int) -> list[int]:
    """Which of the keyframes start a segment: positions in ``keyframe_times``, which must ascend.

    Appending keyframes only ever appends borders.
    """
    if len(keyframe_times) == 0:
        return []
    chosen = [0]
    wait = FIRST_SEGMENT_SECONDS * timescale
    while True:
        at = bisect_left(keyframe_times, keyframe_times[chosen[-1]] + wait, chosen[-1] + 1)
        if at == len(keyframe_times):
            return chosen
        chosen.append(at)
        wait = SEGMENT_SECONDS * timescale
