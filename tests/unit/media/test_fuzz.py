"""Any bytes give an index that can be used to the last segment, or one of our errors; within bounds."""

from __future__ import annotations

import random
import re
import tracemalloc
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partway.errors import MediaError
from partway.media.avc import read_avcc
from partway.media.boxes import Box
from partway.media.container import HEAD_BYTES, MAX_TOP_LEVEL_BOXES, sniff
from partway.media.index import MAX_MOOV_BYTES, read_index
from partway.media.playlists import master_playlist, media_playlist
from partway.media.segments import init_segment, needed, segment
from partway.media.sound import read_sound
from partway.testing.media import sample
from partway.testing.sparse import AVCC, FTYP, audio_entry, moov, sparse_tracks, trak

TABLES = (b"stsz", b"stts", b"ctts", b"stsc", b"stss", b"stco", b"elst", b"stsd", b"avcC", b"esds", b"mdhd", b"tkhd")
EXTREMES = (0, 1, 2, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def use(blob: bytes, size: int) -> bool:
    """Read an index and make all that can be made of it; whether there was one."""
    reading, asked = read_index(size), 0
    try:
        wanted = next(reading)
        while True:
            asked += 1
            assert asked <= MAX_TOP_LEVEL_BOXES + 2
            assert 0 <= wanted.offset <= size
            assert wanted.length <= HEAD_BYTES or wanted.length <= min(size, MAX_MOOV_BYTES)
            wanted = reading.send(blob[wanted.offset : wanted.offset + wanted.length])
    except StopIteration as done:
        index = done.value
    except MediaError:
        return False
    assert master_playlist(index, video_uri="v", audio_uri="a")
    for kind in ("video", "audio") if index.audio else ("video",):
        count = index.segment_count(kind)
        init_segment(index, kind)
        assert media_playlist(index, kind, init_uri="i", segment_uri=str, count=count, ended=True)
        for number in {0, count // 2, count - 1}:
            made = segment(index, kind, number)
            low, high = needed(index, kind, number)
            assert 0 <= low <= high <= size
            assert bool(made.ranges) == (low < high)
            assert all(low <= run.offset and run.length > 0 and run.offset + run.length <= high for run in made.ranges)
            assert made.size == len(made.head) + sum(run.length for run in made.ranges)
            assert len(made.head) < 2 << 20
    return True


@given(st.binary(max_size=2000))
def test_noise(blob: bytes) -> None:
    sniff(blob)
    use(blob, len(blob))
    use(FTYP + blob, len(FTYP) + len(blob))


@given(st.binary(max_size=200), st.booleans())
def test_noise_in_decoder_configurations(noise: bytes, quicktime: bool) -> None:
    for body in (noise, AVCC[:8] + noise, AVCC[:20] + noise):
        with suppress(MediaError):
            assert read_avcc(body)
    for body in (noise, audio_entry()[8:36] + noise, audio_entry()[8:60] + noise, bytes(9) + b"\2" + noise):
        with suppress(MediaError):
            assert read_sound(Box(b"mp4a", memoryview(body)), quicktime=quicktime)


@given(st.data())
def test_forged_tables(data: st.DataObject) -> None:
    """Tables of small and of extreme numbers, each in its place."""
    number = st.one_of(st.integers(0, 700), st.sampled_from(EXTREMES))
    rows = st.lists(st.tuples(number, number), max_size=4)
    video, audio = sparse_tracks(20, 1 << 22, 4096)
    changes = data.draw(
        st.fixed_dictionaries(
            {},
            optional={
                "stts": rows,
                "ctts": rows,
                "stsc": st.lists(st.tuples(number, number, st.integers(0, 2)), max_size=4),
                "stss": st.lists(number, max_size=5),
                "sizes": st.lists(number, max_size=5),
                "offsets": st.lists(number, max_size=5),
                "timescale": number,
                "elst": st.lists(st.tuples(number, st.integers(-2, 2**31 - 1)), max_size=3),
            },
        )
    )
    tracks = [replace(video, **changes), audio] if data.draw(st.booleans()) else [video, replace(audio, **changes)]
    use(FTYP + moov(*map(trak, tracks)), 1 << 23)


def mutate(blob: bytes, chance: random.Random) -> bytes:
    """Flip bits, overwrite counts and what is near them, or cut; all of it in the index."""
    changed, start = bytearray(blob), blob.index(b"moov") - 4
    for _ in range(chance.choice((1, 1, 2, 5))):
        way = chance.random()
        if way < 0.4:
            changed[chance.randrange(start, len(changed))] ^= 1 << chance.randrange(8)
        elif way < 0.9:
            kind = chance.choice(TABLES)
            places = [found.start() for found in re.finditer(kind, changed[start:])]
            if places:
                at = start + chance.choice(places) + 8 + 4 * chance.randrange(4)
                changed[at : at + 4] = chance.choice(EXTREMES).to_bytes(4)
        elif way < 0.95:
            at = chance.randrange(start, len(changed))
            del changed[at : at + chance.randrange(1, 64)]
        else:
            del changed[: chance.randrange(32)]
    return bytes(changed)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["plain", "surround-mov", "mp3-mov", "turned"])
def test_flipped_bits(media_dir: Path, name: str) -> None:
    blob = sample(media_dir, name).read_bytes()
    assert use(blob, len(blob))
    chance, outcomes = random.Random(name), set()
    tracemalloc.start()
    try:
        for _ in range(100):
            changed = mutate(blob, chance)
            outcomes.add(use(changed, len(changed)))
        assert tracemalloc.get_traced_memory()[1] < 96 << 20
    finally:
        tracemalloc.stop()
    assert outcomes == {True, False}
