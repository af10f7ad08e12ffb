"""Silence where a source has no sound, so that players do not wait for it.

Media Source Extensions show video only where there is sound too: in Chromium, sound that starts more than a second
late costs the beginning of the video, and sound that ends long before the video stops it for ever. So such stretches
become segments of their own that hold silent AAC frames and not a byte of the source. Shorter ones need nothing, and
get nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from partway.errors import MediaUnsupported

if TYPE_CHECKING:
    from partway.media.grid import Grid
    from partway.media.sound import Sound
    from partway.media.tables import I64
    from partway.media.track import Track

MAX_LATE_SECONDS = 1
"""Chromium starts to play where the first buffered byte is less than a second away."""
MAX_EARLY_SECONDS = 10
"""The end of the sound within which every player has the rest of the video in its buffer."""

_SINGLE, _PAIR, _LOW = 0, 1, 3
_ELEMENTS = {
    1: (_SINGLE,),
    2: (_PAIR,),
    3: (_SINGLE, _PAIR),
    4: (_SINGLE, _PAIR, _SINGLE),
    5: (_SINGLE, _PAIR, _PAIR),
    6: (_SINGLE, _PAIR, _PAIR, _LOW),
    8: (_SINGLE, _PAIR, _PAIR, _PAIR, _LOW),
}
"""The syntactic elements of a frame by number of channels (ISO/IEC 14496-3 table 1.19)."""


def silent_frame(sound: Sound) -> bytes:
    """A raw AAC frame in which every channel has no spectrum at all (ISO/IEC 14496-3 clause 4.4.2)."""
    bits, seen = "", [0, 0, 0, 0]
    # Gain, one long window without bands, and none of: prediction, pulses, noise shaping, gain control.
    channel = "0" * 8 + "0" + "00" + "0" + "0" * 6 + "0" + "000"
    for element in _ELEMENTS[sound.channels]:
        bits += f"{element:03b}{seen[element]:04b}" + ("0" + 2 * channel if element == _PAIR else channel)
        seen[element] += 1
    bits += "111"
    return int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8))


def fill(track: Track, sound: Sound, grid: Grid, *, is_whole: bool = True) -> Track:
    """The same sound with silence before it if it is late, and after it if it ends early; ``is_whole``: it has ended.

    Raises MediaUnsupported where that would take silent MP3.
    """
    begins, ends = int(track.decode_times[0]), int(track.times[-1])
    borders = [-(-start * track.timescale // grid.timescale) for start in grid.starts[1:]]
    stop = grid.end * track.timescale // grid.timescale
    second = track.timescale
    before, after = [], []
    # No border within a second of the sound itself: segments of a few milliseconds help nobody.
    if begins > MAX_LATE_SECONDS * second:
        before = [0, *(border for border in borders if border + second < begins)]
    if is_whole and stop - ends > MAX_EARLY_SECONDS * second:
        after = [ends, *(border for border in borders if border > ends + second)]
    if not before and not after:
        return track
    if sound.codec != "aac":
        raise MediaUnsupported("The audio begins long after the video or ends long before it, which needs transcoding.")

    def padded(column: I64, front: list[int], back: list[int]) -> I64:
        return np.concatenate((np.array(front, np.int64), column, np.array(back, np.int64)))

    # Silent segments have no samples, no runs and no bytes.
    none_before, none_after = [0] * len(before), [0] * len(after)
    inner = track.times.copy()
    if before:
        inner[0] = begins
    return replace(
        track,
        cuts=padded(track.cuts, none_before, [int(track.cuts[-1])] * len(after)),
        times=padded(inner, before, [*after[1:], stop] if after else []),
        decode_times=padded(track.decode_times, before, after),
        run_cuts=padded(track.run_cuts, none_before, [int(track.run_cuts[-1])] * len(after)),
        lows=padded(track.lows, none_before, none_after),
        highs=padded(track.highs, none_before, none_after),
        silence=(silent_frame(sound), _usual_duration(track)),
    )


def _usual_duration(track: Track) -> int:
    # At least ten milliseconds, whatever the tables say: it bounds how many frames a segment takes.
    return max(1, track.timescale // 100, int(np.median(track.durations)))
