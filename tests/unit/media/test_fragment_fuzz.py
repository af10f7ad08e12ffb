"""Fragments that lie: any bytes give an index that can be used to its end, or one of our errors; within bounds."""

from __future__ import annotations

import random
import re
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partway.errors import MediaError, MediaMalformed, MediaTooLarge, MediaUnsupported
from partway.media.boxes import box, full_box
from partway.media.edge import edge_of
from partway.media.fragmented import index_of
from partway.media.index import Index, read_index
from partway.media.playlists import media_playlist
from partway.media.reading import read_from_bytes
from partway.media.runs import Defaults, Run, read_moof
from partway.media.segments import needed, segment
from partway.testing.media import sample

KINDS = (b"moof", b"mfhd", b"traf", b"tfhd", b"tfdt", b"trun", b"mdat", b"trex", b"mvex")
EXTREMES = (0, 1, 2, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
KNOWN = {1: Defaults()}


def index_from(blob: bytes) -> Index | None:
    found = read_from_bytes(read_index(len(blob)), blob)
    if isinstance(found, Index):
        return found
    read_from_bytes(found.reading(len(blob)), blob)
    return index_of(found, is_whole=True)


def use(blob: bytes) -> bool:
    """Make all that can be made of a file; whether it was anything."""
    try:
        index = index_from(blob)
    except MediaError:
        return False
    if index is None:
        return False
    for kind in ("video", "audio") if index.audio else ("video",):
        count = index.segment_count(kind)
        assert media_playlist(index, kind, init_uri="i", segment_uri=str, count=count, ended=True)
        for number in range(count):
            made = segment(index, kind, number)
            low, high = needed(index, kind, number)
            assert 0 <= low <= high
            assert made.size == len(made.head) + sum(run.length for run in made.ranges)
    edge_of(index, lambda low, high: high <= len(blob))
    return True


def mutate(blob: bytes, chance: random.Random) -> bytes:
    changed = bytearray(blob)
    for _ in range(chance.choice((1, 1, 2, 5))):
        places = [found.start() for found in re.finditer(chance.choice(KINDS), changed)]
        if places:
            at = chance.choice(places) - 4 + 4 * chance.randrange(12)
            if at + 4 <= len(changed):
                if chance.random() < 0.5:
                    changed[at : at + 4] = chance.choice(EXTREMES).to_bytes(4)
                else:
                    changed[at + chance.randrange(4)] ^= 1 << chance.randrange(8)
    return bytes(changed)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fragmented", "fragmented-finely", "fragmented-mov"])
def test_flipped_bits(media_dir: Path, name: str) -> None:
    blob = sample(media_dir, name).read_bytes()
    assert use(blob)
    chance, outcomes = random.Random(name), set()
    tracemalloc.start()
    try:
        for _ in range(150):
            outcomes.add(use(mutate(blob, chance)))
        assert tracemalloc.get_traced_memory()[1] < 96 << 20
    finally:
        tracemalloc.stop()
    assert outcomes == {True, False}


@given(st.binary(max_size=500))
def test_noise_in_fragments(noise: bytes) -> None:
    for body in (noise, box(b"traf", noise), box(b"traf", box(b"tfhd", noise)), fragment(noise)):
        try:
            runs = read_moof(memoryview(body), 0, KNOWN, most=1000)
        except MediaError:
            continue
        assert sum(len(run.sizes) for run in runs) <= 1000
        assert all(run.offset >= 0 for run in runs)


def fragment(trun: bytes, *, flags: int = 0x020000, tfhd: bytes = b"", track: int = 1) -> bytes:
    head = full_box(b"tfhd", 0, flags, struct.pack(">I", track) + tfhd)
    return box(b"traf", head, box(b"trun", trun))


def run(count: int, *rows: int, flags: int = 0x300) -> bytes:
    return struct.pack(f">II{len(rows)}I", flags, count, *rows)


def runs_of(*trafs: bytes, most: int = 10_000) -> list[Run]:
    return read_moof(memoryview(b"".join(trafs)), 1000, KNOWN, most=most)


@pytest.mark.parametrize(
    ("call", "kind", "word"),
    [
        (lambda: runs_of(fragment(run(0xFFFFFFFF, 1, 1))), MediaTooLarge, "more samples"),
        (lambda: runs_of(fragment(run(9000, 1, 1))), MediaMalformed, "more samples than it lists"),
        (lambda: runs_of(*[fragment(run(6000, flags=0), flags=0x020010, tfhd=b"\0\0\0\1")] * 2), MediaTooLarge, "more"),
        (lambda: runs_of(fragment(run(1, 1, 0))), MediaUnsupported, "empty samples"),
        (lambda: runs_of(fragment(run(1, 1 << 31, 5))), MediaMalformed, "backwards"),
        (lambda: runs_of(fragment(struct.pack(">IIiII", 0x301, 1, -5000, 1, 1))), MediaMalformed, "outside the file"),
        (lambda: runs_of(fragment(run(1, 1, 1), flags=1, tfhd=b"\xff" * 8)), MediaMalformed, "outside the file"),
        (lambda: runs_of(fragment(run(1, 1, 1), flags=2, tfhd=b"\0\0\0\2")), MediaUnsupported, "changes its format"),
        (lambda: runs_of(box(b"traf", box(b"trun", run(1, 1, 1)))), MediaMalformed, "tfhd box is missing"),
        (lambda: runs_of(*[box(b"free")] * 1001), MediaMalformed, "1000 others"),
    ],
)
def test_lies_are_refused(call: Callable[[], object], kind: type[MediaError], word: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(kind, match=word):
            call()
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_other_tracks_are_passed_over() -> None:
    found = runs_of(fragment(run(2, 5, 100, 5, 50), flags=0, track=7), fragment(run(1, 5, 9), flags=0))
    assert [(one.track_id, one.offset) for one in found] == [(1, 1150)], "and yet what follows them is found"


def test_bytes_that_are_claimed_again_and_again(media_dir: Path) -> None:
    blob = sample(media_dir, "fragmented").read_bytes()
    head = blob[: blob.index(b"moof") - 4]
    same = fragment(run(1, 512, 1000), flags=1, tfhd=struct.pack(">Q", len(head) + 8))
    lie = head + box(b"mdat", bytes(1000)) + box(b"moof", same) * 100
    with pytest.raises(MediaMalformed, match="more bytes than there are"):
        index_from(lie)
