"""Segments: a generated head, and byte ranges of the source (RFC 8216 section 3)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from partway.media.initial import TRACK_NUMBERS, init_segment

if TYPE_CHECKING:
    from partway.media.index import Index, Kind
    from partway.media.track import Track

__all__ = ["ByteRange", "Segment", "edge", "init_segment", "needed", "segment"]


class ByteRange(NamedTuple):
    """A run of bytes of the source."""

    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment as a recipe: ``head``, then the ``ranges`` of the source one after the other.

    Silence that is made up for a source (``media/silence.py``) is all head.
    """

    head: bytes
    ranges: tuple[ByteRange, ...]
    size: int
    """Of all of it, in bytes."""


def segment(index: Index, kind: Kind, number: int) -> Segment:
    """Make one segment, counted from 0.

    Raises IndexError outside 0 .. ``index.track(kind).count`` - 1, LookupError if the video has no sound.
    """
    track = index.track(kind)
    _check(track, number)
    first, last = int(track.run_cuts[number]), int(track.run_cuts[number + 1])
    ranges = tuple(map(ByteRange, track.run_offsets[first:last].tolist(), track.run_lengths[first:last].tolist()))
    media = sum(run.length for run in ranges)
    if not ranges:
        return _silent_segment(track, number)
    if index.is_packed(kind):
        head = _timestamp_tag(round(int(track.decode_times[number]) * 90_000 / track.timescale))
    else:
        mdat = _mdat_header(media)
        head = _fragment(track, kind, number, len(mdat)) + mdat
    return Segment(head, ranges, len(head) + media)


def needed(index: Index, kind: Kind, number: int) -> tuple[int, int]:
    """The source bytes [low, high) within which everything a segment needs lies.

    Raises as ``segment`` does.
    """
    track = index.track(kind)
    _check(track, number)
    return int(track.lows[number]), int(track.highs[number])


def edge(index: Index, kind: Kind, covered: Callable[[int, int], bool], after: int = 0) -> int:
    """How many segments, from the first on, have all their bytes and won't change any more.

    ``covered(low, high)`` says whether the source holds [low, high). ``after`` is an earlier answer for the same video,
    from which the search goes on: the cost is that of what is new.
    """
    count = index.closed_count(kind)
    while after < count and covered(*needed(index, kind, after)):
        after += 1
    return after


def _check(track: Track, number: int) -> None:
    if not 0 <= number < track.count:
        raise IndexError(f"no segment {number}: there are {track.count}")


def _fragment(track: Track, kind: Kind, number: int, mdat_header: int) -> bytes:
    import numpy as np

    from partway.media.fragments import moof

    first, last = int(track.cuts[number]), int(track.cuts[number + 1])
    durations, keyframes = track.durations[first:last], track.keyframes
    if first == 0:
        durations = durations.copy()
        durations[0] = track.first_duration
    if keyframes is not None:
        low, high = np.searchsorted(keyframes, (first, last))
        keyframes = keyframes[low:high] - first
    return moof(
        track_number=TRACK_NUMBERS[kind],
        sequence=number + 1,
        decode_time=int(track.decode_times[number]),
        sizes=track.sizes[first:last],
        durations=durations,
        keyframes=keyframes,
        compositions=None if track.compositions is None else track.compositions[first:last],
        mdat_header=mdat_header,
    )


def _silent_segment(track: Track, number: int) -> Segment:
    """A segment that takes nothing from the source."""
    import numpy as np

    from partway.media.fragments import moof

    assert track.silence is not None
    frame, usual = track.silence
    ticks = int(track.times[number + 1] - track.times[number])
    count = -(-ticks // usual)
    durations = np.full(count, usual, np.uint32)
    durations[-1] = ticks - usual * (count - 1)
    media = frame * count
    mdat = _mdat_header(len(media))
    fragment = moof(
        track_number=TRACK_NUMBERS["audio"],
        sequence=number + 1,
        decode_time=int(track.decode_times[number]),
        sizes=np.full(count, len(frame), np.uint32),
        durations=durations,
        keyframes=None,
        compositions=None,
        mdat_header=len(mdat),
    )
    head = fragment + mdat + media
    return Segment(head, (), len(head))


def _mdat_header(media: int) -> bytes:
    if media + 8 < 1 << 32:
        return struct.pack(">I4s", media + 8, b"mdat")
    return struct.pack(">I4sQ", 1, b"mdat", media + 16)


def _timestamp_tag(ticks: int) -> bytes:
    """An ID3 tag that gives packed audio its time, in ticks of 90 kHz (RFC 8216 section 3.4)."""
    owner = b"com.apple.streaming.transportStreamTimestamp\0"
    content = owner + struct.pack(">Q", ticks % (1 << 33))
    frame = b"PRIV" + struct.pack(">IH", len(content), 0) + content
    return b"ID3\x04\x00\x00" + struct.pack(">I", len(frame)) + frame
