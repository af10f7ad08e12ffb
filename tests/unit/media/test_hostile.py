"""Tables that lie are refused, with a sentence, before they cost anything."""

from __future__ import annotations

import struct
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from partway.errors import MediaError, MediaMalformed, MediaTooLarge, MediaUnsupported
from partway.media.boxes import box, full_box
from partway.media.facts import facts_of
from partway.media.index import Index, read_index
from partway.media.reading import Wanted, read_from_bytes
from partway.media.segments import segment
from partway.testing.sparse import (
    FTYP,
    audio_entry,
    moov,
    sparse_tracks,
    table,
    trak,
    video_entry,
)

SIZE = 1 << 30
VIDEO, AUDIO = sparse_tracks(20, 1 << 22, 4096)
"""Twenty seconds: 600 frames of 512 ticks at 15360, 937 AAC frames."""


def read(front: bytes, size: int = SIZE) -> Index:
    return read_from_bytes(read_index(size), FTYP + front)


def video(**changes: Any) -> Index:
    return read(moov(trak(replace(VIDEO, **changes))))


def audio(**changes: Any) -> Index:
    return read(moov(trak(VIDEO), trak(replace(AUDIO, **changes))))


@contextmanager
def little_memory(limit: int = 16 << 20) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < limit
    finally:
        tracemalloc.stop()


def test_the_truth_passes() -> None:
    index = read(moov(trak(VIDEO), trak(AUDIO)))
    assert (index.facts.duration_seconds, index.facts.framerate) == (20.0, 30.0)


SIZES = struct.Struct(">II")

MALFORMED: dict[str, tuple[dict[str, Any], str]] = {
    "2^31 samples in one run": ({"stts": [(1 << 31, 512)]}, "another number of samples"),
    "runs that add up to nothing": ({"stts": [(0, 512)] * 50}, "another number of samples"),
    "2^32 - 1 runs": ({"raw": {b"stts": table([(600, 512)], claimed=0xFFFFFFFF)}}, "claims more entries"),
    "times that run backwards": ({"stts": [(599, 512), (1, 0xFFFFFE00)]}, "backwards"),
    "too few compositions": ({"ctts": [(599, 512)]}, "another number of samples"),
    "2^32 - 1 compositions": ({"raw": {b"ctts": table([], claimed=0xFFFFFFFF)}}, "claims more entries"),
    "frames shown at absurd times": (
        {"timescale": 10**9, "stts": [(59, 33_000_000), (1, 600_000_000)] * 10,
         "ctts": [(60, (1 << 31) - 1 - group * 470_000_000) for group in range(10)], "elst": None}, "absurd"),
    "a size table without its sizes": ({"raw": {b"stsz": SIZES.pack(0, 600) + bytes(8)}}, "claims more entries"),
    "constant sizes beyond the file": ({"raw": {b"stsz": SIZES.pack(1 << 30, 600)}}, "more bytes than the file"),
    "sizes that add up beyond the file": ({"sizes": [1 << 31] * 600}, "outside the file"),
    "no samples but chunks": ({"raw": {b"stsz": b""}}, "ends before its fields"),
    "chunks outside the file": ({"offsets": [SIZE] * 40}, "outside the file"),
    "chunks beyond 2^63": ({"offsets": [(1 << 64) - 1] * 40}, "outside the file"),
    "2^32 - 1 chunks": ({"raw": {b"co64": struct.pack(">I", 0xFFFFFFFF)}}, "claims more entries"),
    "no chunks": ({"offsets": []}, "outside the file"),
    "samples of chunk 0": ({"stsc": [(0, 15, 1)]}, "chunks are out of order"),
    "chunks in disorder": ({"stsc": [(1, 15, 1), (9, 15, 1), (8, 15, 1)]}, "chunks are out of order"),
    "more chunks than places": ({"stsc": [(1, 15, 1), (41, 15, 1)]}, "chunks are out of order"),
    "2^32 - 1 samples in a chunk": ({"stsc": [(1, 0xFFFFFFFF, 1)]}, "another number of samples"),
    "no chunk runs": ({"stsc": []}, "chunks are out of order"),
    "an entry that is not there": ({"stsc": [(1, 15, 2)]}, "not there"),
    "entry 0": ({"stsc": [(1, 15, 0)]}, "not there"),
    "keyframes in disorder": ({"stss": [1, 121, 61]}, "out of order"),
    "keyframe 0": ({"stss": [0, 60]}, "out of order"),
    "keyframes beyond the end": ({"stss": [1, 601]}, "out of order"),
    "2^32 - 1 keyframes": ({"raw": {b"stss": table([(1,)], claimed=0xFFFFFFFF)}}, "claims more entries"),
    "a clock without ticks": ({"timescale": 0}, "zero ticks"),
    "2^32 - 1 edits": (
        {"elst": None, "edts": box(b"edts", full_box(b"elst", 0, 0, struct.pack(">I", 0xFFFFFFFF)))},
        "edit list claims more"),
    "two empty edits": ({"elst": [(1000, -1), (1000, -1)]}, "begins before"),
    "an edit before the beginning": ({"elst": [(20_000, -2)]}, "begins before"),
    "no sample description": ({"entry": b""}, "sample descriptions"),
    "a description longer than its box": ({"entry": struct.pack(">I4s", 999, b"avc1")}, "does not fit"),
    "a description that ends too soon": ({"entry": box(b"avc1", bytes(3))}, "ends before its fields"),
    "a broken decoder configuration": ({"entry": video_entry(b"\1\x64\0\x28\xff\xe1\0\x20\x67\x64")}, "damaged"),
    "a configuration of zeros": ({"entry": video_entry(b"\1\x64\0\x28\xff\xe1\0\x08\x67" + bytes(7))}, "damaged"),
    "a data source that is not listed": (
        {"dinf": box(b"dinf", full_box(b"dref", 0, 0, bytes(4)))}, "data source that is not listed"),
}  # fmt: skip


@pytest.mark.parametrize("case", MALFORMED)
def test_contradictions_are_malformed(case: str) -> None:
    changes, word = MALFORMED[case]
    with little_memory(), pytest.raises(MediaMalformed, match=word):
        video(**changes)


UNSUPPORTED: dict[str, tuple[dict[str, Any], str]] = {
    "three edits": ({"elst": [(1000, 0), (1000, 0), (1000, 0)]}, "pieces"),
    "two edits": ({"elst": [(1000, 0), (1000, 5000)]}, "pieces"),
    "an empty edit alone": ({"elst": [(1000, -1)]}, "hides a whole track"),
    "a hidden beginning": ({"elst": [(19_000, 513)]}, "hides the beginning"),
    "a hidden end": ({"elst": [(19_000, 512)]}, "hides the end"),
    "a late beginning": ({"elst": [(11_000, -1), (20_000, 512)]}, "begins long after the audio"),
    "no keyframe first": ({"stss": range(2, 600, 60)}, "does not begin with a keyframe"),
    "no keyframes": ({"stss": []}, "no keyframes"),
    "frames before their keyframe": ({"ctts": [(1, 1024), *[(59, 1024), (1, 2048)] * 9, (59, 1024)]}, "open GOP"),
    "frames after the next keyframe": ({"ctts": [(1, 1024), *[(59, 1024), (1, 0)] * 9, (59, 1024)]}, "open GOP"),
    "one keyframe": ({"stss": [1]}, "20.0 s apart"),
    "two formats": (
        {"raw": {b"stsd": struct.pack(">I", 2) + 2 * video_entry()}, "stsc": [(1, 15, 1), (20, 15, 2)]},
        "changes its format"),
    "empty samples": ({"sizes": [0] * 600}, "empty samples"),
    "parameters among the frames": ({"entry": video_entry(kind=b"avc3")}, "among the frames"),
    "no decoder configuration": ({"entry": video_entry(b"")}, "not in the file's index"),
    "encryption": ({"entry": video_entry(kind=b"encv")}, "encrypted"),
    "an unknown codec": ({"entry": video_entry(kind=b"<x>&")}, "The video codec is x, which"),
    "a mirror": ({"matrix": (-0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)}, "mirrored"),
    "a scale": ({"matrix": (0x20000, 0, 0, 0, 0x20000, 0, 0, 0, 0x40000000)}, "scaled"),
    "an odd angle": ({"matrix": (0xB504, 0xB504, 0, -0xB504, 0xB504, 0, 0, 0, 0x40000000)}, "odd angle"),
    "media elsewhere": (
        {"dinf": box(b"dinf", full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 0, b"file:///etc\0")))},
        "another file"),
}  # fmt: skip


@pytest.mark.parametrize("case", UNSUPPORTED)
def test_what_is_sound_but_does_not_pass_is_unsupported(case: str) -> None:
    changes, word = UNSUPPORTED[case]
    with little_memory(), pytest.raises(MediaUnsupported, match=word) as refusal:
        video(**changes)
    assert facts_of(refusal.value) is not None


def test_compact_sizes_are_unsupported() -> None:
    with pytest.raises(MediaUnsupported, match="stz2"):
        read(moov(trak(VIDEO).replace(b"stsz", b"stz2")))


SOUND: dict[str, tuple[dict[str, Any], str]] = {
    "uncompressed, by the million": (
        {"entry": audio_entry(kind=b"sowt"), "stts": [(1 << 31, 1)], "raw": {b"stsz": SIZES.pack(4, 1 << 31)}}, "PCM"),
    "hidden altogether": ({"elst": [(20_000, 1 << 30)]}, "hides all of the audio"),
    "longer than the video": ({"stts": [(937, 2048)], "elst": None}, "long after the video has ended"),
    "later than the video": ({"elst": [(31_000, -1), (9_000, 0)]}, "long after the video has ended"),
    "later than ever": ({"elst": [(0x7FFFFFFF, -1), (9_000, 0)]}, "long after the video has ended"),
    "late MP3": ({"elst": [(2_000, -1), (9_000, 0)], "entry": audio_entry(object_type=0x6B)}, "begins long after"),
    "out of order": ({"ctts": [(937, 5)]}, "not in order"),
    "encrypted": ({"entry": audio_entry(kind=b"enca")}, "encrypted"),
    "without configuration": ({"entry": audio_entry(b"")}, "decoder configuration"),
    "AAC Main": ({"entry": audio_entry(b"\x09\x90")}, "rare kind"),
    "xHE-AAC": ({"entry": audio_entry(b"\xf9\x46\x40\x00")}, "rare kind"),
    "any sample rate": ({"entry": audio_entry(b"\x17\x80\x5d\xc0\x10")}, "rare kind"),
    "a layout of its own": ({"entry": audio_entry(b"\x11\x80")}, "channel layout"),
    "960 samples": ({"entry": audio_entry(b"\x11\x94")}, "960"),
    "AC-3 in mp4a": ({"entry": audio_entry(object_type=0xA5)}, "AC-3"),
}  # fmt: skip


@pytest.mark.parametrize("case", SOUND)
def test_sound_that_does_not_pass_is_unsupported(case: str) -> None:
    changes, word = SOUND[case]
    with little_memory(), pytest.raises(MediaUnsupported, match=word):
        audio(**changes)


TOO_LARGE: dict[str, tuple[Callable[[], object], str]] = {
    "samples": (lambda: video(raw={b"stsz": SIZES.pack(1, 1 << 31)}), "samples in one track"),
    "tracks": (lambda: read(moov(*[trak(replace(VIDEO, handler=b"text", entry=b"", sizes=[]))] * 5000)), "1000 tracks"),
    "hours": (lambda: video(stts=[(600, 1 << 30)]), "100 hours"),
    "hours of sound": (lambda: audio(stts=[(936, 1024), (1, (1 << 31) - 1), ], timescale=1), "100 hours"),
    "samples in a moment": (lambda: video(**CROWDED), "samples in a few seconds"),
}  # fmt: skip
CROWDED: dict[str, Any] = {
    "stts": [(70_000, 1)], "sizes": [9] * 70_000, "stsc": [(1, 70_000, 1)], "offsets": [4096], "ctts": None,
    "stss": [1], "elst": None,
}  # fmt: skip


@pytest.mark.parametrize("case", TOO_LARGE)
def test_what_is_beyond_bounds_is_too_large(case: str) -> None:
    build, word = TOO_LARGE[case]
    with pytest.raises(MediaTooLarge, match=word):
        build()


def test_an_index_larger_than_256_mib_is_not_even_asked_for() -> None:
    reading = read_index(1 << 40)
    head = FTYP + struct.pack(">I4s", (256 << 20) + 1, b"moov")
    with pytest.raises(MediaTooLarge, match="256 MiB"):
        read_from_bytes(reading, head)


def test_an_index_that_the_file_ends_in() -> None:
    blob = FTYP + moov(trak(VIDEO))
    with pytest.raises(MediaMalformed, match="ends inside its index"):
        read_from_bytes(read_index(len(blob)), blob[:-1])
    with pytest.raises(MediaMalformed, match="cut off"):
        read_from_bytes(read_index(len(blob) - 1), blob)


def test_boxes_within_boxes_are_not_followed() -> None:
    nested = b""
    for _ in range(20_000):
        nested = box(b"trak", nested) if len(nested) < 100_000 else nested
    with pytest.raises(MediaError):
        read(box(b"moov", nested))
    with pytest.raises(MediaMalformed, match="128 others"):
        read(moov(trak(VIDEO).replace(b"stbl", b"stbl"), box(b"trak", box(b"free") * 200)))
    with pytest.raises(MediaMalformed, match="2000 others"):
        read(moov(trak(VIDEO), more=box(b"free") * 2001))


@pytest.mark.parametrize(
    ("front", "kind", "word"),
    [
        (moov(timescale=0), MediaMalformed, "zero ticks"),
        (box(b"moov"), MediaMalformed, "mvhd"),
        (moov(), MediaUnsupported, "no video track"),
        (moov(trak(AUDIO)), MediaUnsupported, "no video track"),
        (moov(trak(VIDEO), more=box(b"cmov", bytes(50))), MediaUnsupported, "compressed"),
        (moov(trak(VIDEO)).replace(struct.pack(">i", 0x40000000), bytes(4), 1), MediaUnsupported, "turned"),
        (moov(more=struct.pack(">I4s", 100, b"trak")), MediaMalformed, "does not fit"),
    ],
)
def test_movies_that_are_none(front: bytes, kind: type[MediaError], word: str) -> None:
    with pytest.raises(kind, match=word):
        read(front)


def test_other_tracks_are_left_alone() -> None:
    """Text, time codes, disabled tracks and cover pictures do not disturb, however broken their tables."""
    broken = {b"stts": b"", b"stsz": b"", b"stsc": b""}
    others = [
        trak(replace(VIDEO, handler=b"tmcd", raw=broken)),
        trak(replace(VIDEO, handler=b"meta", raw=broken, timescale=0)),
        trak(replace(VIDEO, flags=2, stts=[(1 << 31, 1)])),
        trak(replace(VIDEO, entry=video_entry(kind=b"jpeg"), sizes=[5], raw={b"stsz": SIZES.pack(0, 1) + bytes(4)})),
        trak(replace(AUDIO, flags=2, entry=audio_entry(kind=b"ac-3"))),
        box(b"trak", b""),
    ]
    index = read(moov(*others, trak(VIDEO), trak(AUDIO)))
    assert (index.facts.video_codec, index.facts.audio_codec) == ("h264", "aac")


def test_where_nothing_is_enabled_everything_counts() -> None:
    index = read(moov(trak(replace(VIDEO, flags=0)), trak(replace(AUDIO, flags=0))))
    assert index.audio is not None


def test_a_track_without_samples_is_no_track() -> None:
    empty = replace(AUDIO, sizes=[], stts=[], stsc=[], offsets=[])
    assert read(moov(trak(VIDEO), trak(empty))).audio is None


def test_badly_interleaved_sound_is_found_wherever_it_is() -> None:
    """All of the sound after all of the video, in one chunk."""
    sizes = list(AUDIO.sizes)
    index = audio(stsc=[(1, len(sizes), 1)], offsets=[SIZE - sum(sizes)])
    (only,) = segment(index, "audio", 1).ranges
    assert only.offset > SIZE - sum(sizes)


def test_requests_are_bounded() -> None:
    blob = FTYP + moov(trak(VIDEO))
    reading = read_index(SIZE)
    wanted = next(reading)
    assert wanted == Wanted(0, 4096)
    for expected in (Wanted(0, 16), Wanted(len(FTYP), 16), Wanted(len(FTYP), len(blob) - len(FTYP))):
        wanted = reading.send(blob[wanted.offset : wanted.offset + wanted.length])
        assert wanted == expected
