"""Bit rates of an index, as RFC 8216 section 4.3.4.2 defines them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from partway.media.tables import I64
    from partway.media.track import Track

_HEAD_BYTES = 160
_HEAD_BYTES_PER_SAMPLE = 12


def bandwidths(video: Track, audio: Track | None) -> tuple[int, int]:
    """Peak and average bits a second of video and sound together, segment heads included."""
    tracks = [video] if audio is None else [video, audio]
    end = max(track.end_seconds for track in tracks)
    total = sum(int(_segment_bytes(track).sum()) for track in tracks)
    return sum(_peak(track) for track in tracks), max(1, round(total * 8 / end))


def _segment_bytes(track: Track) -> I64:
    heads: I64 = _HEAD_BYTES + _HEAD_BYTES_PER_SAMPLE * np.diff(track.cuts)
    return track.segment_bytes + heads


def _peak(track: Track) -> int:
    """The largest rate of any run of segments that lasts at least half the target duration.

    A last segment of one frame would else be the peak of many videos.
    """
    times = track.times / track.timescale
    before = np.concatenate(([0], np.cumsum(_segment_bytes(track))))
    half = np.diff(times).max() / 2
    since = np.maximum(0, np.searchsorted(times, times[1:] - half, "right") - 1)
    # Where the search ended at the segment's own start or later, the segment alone is long enough or is all there is.
    since = np.minimum(since, np.arange(len(since)))
    lasting = times[1:] - times[since]
    return round(float(((before[1:] - before[since]) * 8 / np.maximum(lasting, 1e-3)).max()))
