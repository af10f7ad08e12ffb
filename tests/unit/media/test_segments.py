"""Segments of a source that is long, large or still arriving."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from partway.media.index import Index, Kind, read_index
from partway.media.reading import read_from_bytes, read_from_file
from partway.media.segments import edge, needed, segment
from partway.media.source import Extents
from partway.testing.media import sample
from partway.testing.sparse import pad_mp4, write_sparse_mp4

KINDS: tuple[Kind, ...] = ("video", "audio")


@pytest.mark.slow
@pytest.mark.parametrize("moov_first", [False, True])
def test_four_hours_and_twenty_gigabytes(tmp_path: Path, moov_first: bool) -> None:
    path, size = tmp_path / "long.mp4", 20 * 10**9
    write_sparse_mp4(path, seconds=4 * 3600, size=size, moov_first=moov_first)
    assert path.stat().st_size == size
    assert path.stat().st_blocks * 512 < 50 << 20
    with open(path, "rb") as file:
        index = read_from_file(read_index(size), file)
    assert index.facts.duration_seconds == 14_400
    assert index.segment_count("video") == index.segment_count("audio") == 3601
    assert index.nbytes < 10 << 20
    last = segment(index, "video", 3600)
    assert last.ranges[-1].offset > 1 << 32
    assert len(last.head) < 2000
    # Interleaved by half seconds: eight runs in four seconds, and not one a frame.
    assert len(segment(index, "video", 100).ranges) == 8
    # Nearly all of the file is in some segment.
    assert sum(int(index.track(kind).run_lengths.sum()) for kind in KINDS) > 0.998 * size


def test_the_edge_follows_what_arrives(read: Callable[[str], Index], media_dir: Path) -> None:
    """Parts in any order: the edge never goes back, and is the whole video at the end."""
    index, size = read("faststart"), sample(media_dir, "faststart").stat().st_size
    part = 100_000
    blobs = [(f"part-{at}", at, min(part, size - at)) for at in range(0, size, part)]
    random.Random(2).shuffle(blobs)
    edges = dict.fromkeys(KINDS, 0)
    for held in range(len(blobs) + 1):
        source = Extents.of(blobs[:held])
        for kind in KINDS:
            reached = edge(index, kind, source.covered, edges[kind])
            assert reached >= edges[kind]
            assert reached == edge(index, kind, source.covered)
            for number in range(reached):
                made = segment(index, kind, number)
                assert all(source.pieces(run.offset, run.offset + run.length) for run in made.ranges)
            if reached < index.segment_count(kind):
                assert not source.covered(*needed(index, kind, reached))
            edges[kind] = reached
    assert edges == {kind: index.segment_count(kind) for kind in KINDS}


def test_segments_outside_the_video_are_mistakes(read: Callable[[str], Index]) -> None:
    index = read("silent")
    for number in (-1, index.segment_count("video")):
        with pytest.raises(IndexError):
            segment(index, "video", number)
        with pytest.raises(IndexError):
            needed(index, "video", number)
    with pytest.raises(LookupError):
        segment(index, "audio", 0)


@pytest.mark.parametrize("name", ["plain", "faststart"])
def test_padding_changes_the_size_alone(
    read: Callable[[str], Index], media_dir: Path, tmp_path: Path, name: str
) -> None:
    source, padded = sample(media_dir, name), tmp_path / "padded.mp4"
    pad_mp4(source, padded, 25_000_000)
    blob = padded.read_bytes()
    assert len(blob) == 25_000_000
    assert blob.endswith(source.read_bytes()[-1000:]) == (name == "plain")
    before, after = read(name), read_from_bytes(read_index(len(blob)), blob)
    for kind in KINDS:
        for number in range(before.segment_count(kind)):
            assert segment(after, kind, number) == segment(before, kind, number)
