"""Whatever the order of frames: segments stand alone, and together they are the whole video."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partway.errors import MediaUnsupported
from partway.media.index import Index, Kind, read_index
from partway.media.reading import read_from_bytes
from partway.testing.sparse import FTYP, TrackTables, audio_entry, moov, trak, video_entry

FRAMES = 40
"""At a frame a second."""


@st.composite
def orders(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    """When each frame is shown, in decoding order, and which are keyframes, from 1; now and then two are swapped."""
    shown: list[int] = []
    numbers: list[int] = []
    while len(shown) < FRAMES:
        start, length = len(shown), draw(st.integers(1, min(9, FRAMES - len(shown))))
        numbers.append(start + 1)
        shown += [start, *(start + later for later in draw(st.permutations(range(1, length))))]
    if draw(st.integers(0, 3)) == 0:
        one, other = draw(st.integers(1, FRAMES - 1)), draw(st.integers(1, FRAMES - 1))
        shown[one], shown[other] = shown[other], shown[one]
    return shown, numbers


def video(offsets: list[int], numbers: list[int], media_time: int) -> bytes:
    return trak(
        TrackTables(
            entry=video_entry(), timescale=10, stts=[(FRAMES, 10)], sizes=range(1, FRAMES + 1), stsc=[(1, 1, 1)],
            offsets=[1000 * number for number in range(1, FRAMES + 1)], ctts=[(1, 10 * one) for one in offsets],
            stss=numbers, elst=[(0, 10 * media_time)],
        )
    )  # fmt: skip


@given(orders(), st.booleans())
def test_every_segment_stands_alone(
    samples_of: Callable[[Index, Kind, int], list[Any]], order: tuple[list[int], list[int]], has_edit: bool
) -> None:
    shown, numbers = order
    delay = max(at - when for at, when in enumerate(shown))
    offsets = [when - at + delay for at, when in enumerate(shown)]
    reading, blob = read_index(1 << 20), FTYP + moov(video(offsets, numbers, delay if has_edit else 0))
    times = [0, *(shown[at - 1] + (0 if has_edit else delay) for at in numbers[1:])]
    times.append(max(shown) + 1 + (0 if has_edit else delay))
    is_closed = all(max(shown[: at - 1], default=-1) < shown[at - 1] == min(shown[at - 1 :]) for at in numbers)
    if not is_closed or max(after - before for before, after in pairwise(times)) > 10:
        with pytest.raises(MediaUnsupported, match=r"open GOP|apart"):
            read_from_bytes(reading, blob)
        return
    index = read_from_bytes(reading, blob)
    expected = [0, *(10 * (when + (0 if has_edit else delay)) for when in shown[1:])]
    seen: list[Any] = []
    for number in range(index.segment_count("video")):
        samples = samples_of(index, "video", number)
        low, high = index.video.times[number : number + 2].tolist()
        assert samples[0].is_sync
        assert samples[0].pts == low
        assert all(low <= one.pts < high for one in samples)
        seen += samples
    assert [one.pts for one in seen] == expected
    assert [one.size for one in seen] == list(range(1, FRAMES + 1))
    assert [at for at, one in enumerate(seen, 1) if one.is_sync] == numbers
    assert int(index.video.times[-1]) == max(one.pts + 10 for one in seen)


@given(
    st.integers(0, 30),
    st.integers(0, 60),
    st.integers(0, 45),
    st.lists(st.integers(1, 90), min_size=1, max_size=50),
)
def test_sound_keeps_its_time_whatever_is_cut_of_it(
    samples_of: Callable[[Index, Kind, int], list[Any]], delay: int, hidden: int, shown: int, durations: list[int]
) -> None:
    """Of frames of any length, in tenths of a second: those that the edit shows, where it shows them, and silence."""
    count = len(durations)
    sound = TrackTables(
        entry=audio_entry(), timescale=10, stts=[(1, one) for one in durations], sizes=range(100, count + 100),
        stsc=[(1, 1, 1)], offsets=[50_000 + 200 * number for number in range(count)], handler=b"soun",
        elst=[(delay * 100, -1), (shown * 100, hidden)],
    )  # fmt: skip
    movie = moov(video([0] * FRAMES, list(range(1, FRAMES + 1)), 0), trak(sound))
    starts = [sum(durations[:at]) for at in range(count)]
    kept = [
        (start, length, at + 100)
        for at, (start, length) in enumerate(zip(starts, durations, strict=True))
        if start + length > hidden and (shown == 0 or start < hidden + shown)
    ]
    reading = read_index(1 << 20)
    too_long = kept and kept[-1][0] + kept[-1][1] - hidden + delay > (FRAMES + 10) * 10
    if not kept or too_long:
        with pytest.raises(MediaUnsupported, match="long after" if too_long else "hides all"):
            read_from_bytes(reading, FTYP + movie)
        return
    index = read_from_bytes(reading, FTYP + movie)
    heard, at = [], None
    for number in range(index.segment_count("audio")):
        for one in samples_of(index, "audio", number):
            assert at in (None, one.pts), "no hole, no overlap"
            at = one.pts + one.duration
            if one.size >= 100:
                heard.append((one.pts, one.duration, one.size))
    first = kept[0]
    cut = max(0, hidden - first[0])
    assert heard[0] == (first[0] + cut - hidden + delay, first[1] - cut, first[2])
    assert heard[1:] == [(start - hidden + delay, length, size) for start, length, size in kept[1:]]
