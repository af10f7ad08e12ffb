"""One track of an index: its samples, put on the timeline of the presentation and cut into segments.

The timeline (docs/why/index-not-remux.md): an edit's media time is subtracted, so that presentation starts at 0, or at
the delay that an empty edit asks for. Video keeps every sample; its composition offsets become signed, relative to the
first sample's. Sound loses the samples that end before its edit starts (the encoder's priming), and the first one kept
is shortened by what of it is before the start, so that every later one is exactly where it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from partway.errors import MediaMalformed, MediaTooLarge, MediaUnsupported
from partway.media.edits import Edit
from partway.media.grid import Grid, borders
from partway.media.tables import Samples

if TYPE_CHECKING:
    from partway.media.tables import I32, I64, U32

MAX_KEYFRAME_GAP_SECONDS = 10.5
"""Ten seconds, as counted by encoders: 250 frames, the default of x264, last 10.43 s at 23.976 frames a second."""
MAX_TAIL_SECONDS = 10
"""How much longer than the video its sound may be: it all goes into the last segment."""
MAX_DELAY_SECONDS = 10
MAX_SECONDS = 100 * 3600
MAX_SEGMENT_SAMPLES = 1 << 16
"""Bounds the head of a segment to about 1 MiB."""


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """What segments are made of. All times are ticks of ``timescale``."""

    timescale: int
    sizes: U32
    durations: U32
    first_duration: int
    """How long the first sample really lasts, instead of ``durations[0]``."""
    compositions: I32 | None
    """Presentation minus decoding; None where all are zero."""
    keyframes: I64 | None
    """Sample numbers; None if every sample is one."""

    cuts: I64
    """The first sample of each segment, and the number of samples."""
    times: I64
    """When each segment is presented, from 0 on without gaps, and when the last one ends."""
    decode_times: I64
    """Decoding time of each segment's first sample."""

    run_cuts: I64
    """The first run of each segment, and the number of runs."""
    run_offsets: I64
    """Where in the source each unbroken run of bytes starts."""
    run_lengths: I64
    lows: I64
    """The first source byte that each segment needs."""
    highs: I64
    """One past the last."""
    silence: tuple[bytes, int] | None = None
    """A silent frame and its duration, for segments without samples; None where there are none."""

    @property
    def count(self) -> int:
        """How many segments there are."""
        return len(self.cuts) - 1

    @property
    def segment_bytes(self) -> I64:
        """How many bytes of media each segment takes from the source."""
        before = np.concatenate(([0], np.cumsum(self.run_lengths)))
        return before[self.run_cuts[1:]] - before[self.run_cuts[:-1]]

    @property
    def end_seconds(self) -> float:
        """When the last sample's presentation ends."""
        return int(self.times[-1]) / self.timescale

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        columns = (
            self.sizes, self.durations, self.compositions, self.keyframes, self.cuts, self.times, self.decode_times,
            self.run_cuts, self.run_offsets, self.run_lengths, self.lows, self.highs,
        )  # fmt: skip
        return sum(column.nbytes for column in columns if column is not None and column.strides != (0,))


def lay_video(samples: Samples, timescale: int, edit: Edit, movie_timescale: int) -> tuple[Track, Grid]:
    """Cut the video's samples at their keyframes.

    Raises MediaUnsupported where they don't pass through: hidden frames, no keyframe first, keyframes that are too far
    apart or depend on other frames.
    """
    shown = np.cumsum(samples.durations, dtype=np.int64)
    shown -= samples.durations
    if samples.compositions is not None:
        shown += samples.compositions
    count = len(samples.sizes)
    start, end = int(shown[0]), int((shown + samples.durations).max())
    check_length(end - start, timescale)
    _check_nothing_hidden(int(shown.min()), int(shown.max()), timescale, edit, movie_timescale)
    keyframes = samples.keyframes if samples.keyframes is not None else np.arange(count)
    if keyframes[0] != 0:
        raise MediaUnsupported("The video does not begin with a keyframe, so it needs transcoding.")
    _check_closed(shown, keyframes)
    gap = int(np.diff(np.concatenate(([edit.media_time], shown[keyframes[1:]], [end]))).max())
    if gap > MAX_KEYFRAME_GAP_SECONDS * timescale:
        length = gap / timescale
        raise MediaUnsupported(f"The video's keyframes are up to {length:.1f} s apart, which needs transcoding.")

    if edit.delay > MAX_DELAY_SECONDS * movie_timescale:
        raise MediaUnsupported("The video begins long after the audio, which needs transcoding.")
    delay = _ticks(edit.delay, timescale, movie_timescale)
    # Where the edit begins before the first frame does (a composition delay no edit list mentions), that frame is shown
    # from the start: it lasts ``late`` longer, and everything after it stays where it was.
    late = start - edit.media_time
    cuts = keyframes[borders(cast("Sequence[int]", shown[keyframes]), timescale)]
    times = shown[cuts] - edit.media_time + delay
    decode_times = shown[cuts] + late + delay
    compositions = samples.compositions
    if compositions is not None:
        decode_times -= compositions[cuts]
        compositions = _signed_offsets(compositions, int(compositions[0]))
    times[0] = decode_times[0] = delay
    grid = Grid(timescale, tuple(times.tolist()), end - edit.media_time + delay)
    track = _assemble(
        samples,
        np.append(cuts, count),
        timescale=timescale,
        first_duration=int(samples.durations[0]) + late,
        compositions=compositions,
        keyframes=samples.keyframes,
        # The playlist starts at 0, whatever the delay.
        times=np.concatenate(([0], times[1:], [grid.end])),
        decode_times=decode_times,
    )
    return track, grid


def lay_audio(
    samples: Samples, timescale: int, edit: Edit, movie_timescale: int, grid: Grid, *, whole_frames: bool
) -> Track:
    """Cut the sound where the video is cut: a sample belongs to the segment in which it begins.

    A segment in which no sample begins is left out, and the one before it lasts longer. ``whole_frames``: the first
    sample can't be shortened, so one that begins too early is dropped. Raises MediaUnsupported where sound and video do
    not go together.
    """
    if samples.compositions is not None:
        raise MediaUnsupported("The audio is not in order, which needs transcoding.")
    ends = np.cumsum(samples.durations, dtype=np.int64)
    starts = ends - samples.durations
    check_length(int(ends[-1]), timescale)
    if whole_frames:
        first = int(np.searchsorted(starts, edit.media_time, "left"))
    else:
        first = int(np.searchsorted(ends, edit.media_time, "right"))
    last = len(starts)
    if edit.duration:
        length = -(-edit.duration * timescale // movie_timescale)
        last = int(np.searchsorted(starts, min(edit.media_time + length, 1 << 62), "left"))
    if first >= last:
        raise MediaUnsupported("An edit list hides all of the audio, which needs transcoding.")

    delay = _ticks(edit.delay, timescale, movie_timescale)
    if delay > MAX_SECONDS * timescale:
        raise MediaUnsupported("The audio goes on long after the video has ended, which needs transcoding.")
    starts = starts[first:last] - edit.media_time + delay
    end = int(ends[last - 1]) - edit.media_time + delay
    cut_off = max(0, delay - int(starts[0]))
    starts[0] += cut_off
    if end * grid.timescale > (grid.end + MAX_TAIL_SECONDS * grid.timescale) * timescale:
        raise MediaUnsupported("The audio goes on long after the video has ended, which needs transcoding.")
    ticks = [-(-border * timescale // grid.timescale) for border in grid.starts[1:]]
    cuts = np.unique(np.concatenate(([0], np.searchsorted(starts, ticks, "left"), [last - first]))).astype(np.int64)
    decode_times = starts[cuts[:-1]]
    return _assemble(
        samples,
        cuts + first,
        timescale=timescale,
        first_duration=int(samples.durations[first]) - cut_off,
        compositions=None,
        keyframes=None,
        times=np.concatenate(([0], decode_times[1:], [end])),
        decode_times=decode_times,
    )


def check_length(ticks: int, timescale: int) -> None:
    """Raise MediaTooLarge for media longer than 100 hours."""
    if ticks > MAX_SECONDS * timescale:
        raise MediaTooLarge(f"The file claims to last longer than {MAX_SECONDS // 3600} hours.")


def _check_nothing_hidden(first: int, last: int, timescale: int, edit: Edit, movie_timescale: int) -> None:
    if edit.media_time > first:
        raise MediaUnsupported("An edit list hides the beginning of the video, which needs transcoding.")
    # The edit's length is counted in ticks of the movie, which are coarse: one of them is granted.
    if edit.duration and (last - edit.media_time) * movie_timescale >= (edit.duration + 1) * timescale:
        raise MediaUnsupported("An edit list hides the end of the video, which needs transcoding.")


def _ticks(movie_ticks: int, timescale: int, movie_timescale: int) -> int:
    return (movie_ticks * timescale + movie_timescale // 2) // movie_timescale


def _check_closed(shown: I64, keyframes: I64) -> None:
    """Raise MediaUnsupported unless decoding can start at every keyframe, by what the frames' times tell.

    All frames decoded before one must be shown before it, and none decoded later: in an "open" group of pictures, the
    first frames refer to the group before. Chromium takes such a keyframe for a place to seek to, whatever a segment
    says, and gives up there.
    """
    at = shown[keyframes]
    latest = np.maximum.reduceat(shown, keyframes)
    np.maximum.accumulate(latest, out=latest)
    closed = bool((latest[:-1] < at[1:]).all())
    del latest  # Every sample may be a keyframe, and there may be millions.
    earliest = np.minimum.reduceat(shown, keyframes)[::-1]
    np.minimum.accumulate(earliest, out=earliest)
    if not (closed and (earliest[::-1] >= at).all()):
        raise MediaUnsupported("The video's keyframes depend on other frames (open GOP), so it needs transcoding.")


def _signed_offsets(compositions: I32, first: int) -> I32:
    wide = compositions.astype(np.int64) - first
    limits = np.iinfo(np.int32)
    if wide.min() < limits.min or wide.max() > limits.max:
        raise MediaMalformed("The file's index is damaged: its frames are shown at absurd times.")
    return wide.astype(np.int32)


def _assemble(
    samples: Samples,
    cuts: I64,
    *,
    timescale: int,
    first_duration: int,
    compositions: I32 | None,
    keyframes: I64 | None,
    times: I64,
    decode_times: I64,
) -> Track:
    if int(np.diff(cuts).max()) > MAX_SEGMENT_SAMPLES:
        raise MediaTooLarge(f"The file has more than {MAX_SEGMENT_SAMPLES} samples in a few seconds.")
    first, last = int(cuts[0]), int(cuts[-1])
    run_cuts, offsets, lengths = _runs(samples, cuts)
    kept = slice(first, last)
    return Track(
        timescale=timescale,
        sizes=samples.sizes[kept],
        durations=samples.durations[kept],
        first_duration=first_duration,
        compositions=None if compositions is None else compositions[kept],
        keyframes=keyframes,
        cuts=cuts - first,
        times=times,
        decode_times=decode_times,
        run_cuts=run_cuts,
        run_offsets=offsets,
        run_lengths=lengths,
        lows=np.minimum.reduceat(offsets, run_cuts[:-1]),
        highs=np.maximum.reduceat(offsets + lengths, run_cuts[:-1]),
    )


def _runs(samples: Samples, cuts: I64) -> tuple[I64, I64, I64]:
    """The unbroken runs of source bytes between cuts: first run of each segment, offsets, lengths.

    A chunk is one run of bytes by definition; neighbours in the file that are neighbours in time are joined.
    """
    inside = samples.chunk_firsts[(samples.chunk_firsts > cuts[0]) & (samples.chunk_firsts < cuts[-1])]
    marks = np.union1d(inside, cuts)
    firsts = marks[:-1]
    chunk = np.searchsorted(samples.chunk_firsts, firsts, "right") - 1
    before = samples.byte_ends
    offsets = samples.chunk_offsets[chunk] + before[firsts] - before[samples.chunk_firsts[chunk]]
    lengths = before[marks[1:]] - before[firsts]
    fresh = np.ones(len(firsts), np.bool_)
    fresh[1:] = offsets[1:] != offsets[:-1] + lengths[:-1]
    fresh[np.searchsorted(firsts, cuts[:-1])] = True
    heads = np.flatnonzero(fresh)
    run_cuts = np.append(np.searchsorted(firsts[heads], cuts[:-1]), len(heads))
    return run_cuts, offsets[heads], np.add.reduceat(lengths, heads)
