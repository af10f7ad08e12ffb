"""While a source grows: every playlist is the beginning of every later one, and lists only what can be fetched."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from partway.media.edge import Edge, edge_of
from partway.media.fragmented import Fragments, index_of
from partway.media.index import Index, Kind, read_index
from partway.media.playlists import media_playlist
from partway.media.reading import Reading, Wanted, read_from_bytes
from partway.media.segments import init_segment, segment
from partway.testing.media import PLAYED, sample

FRAGMENTED = [name for name in PLAYED if name.startswith("fragmented")]
STEPS = 37


def listed(index: Index, kind: Kind, count: int, *, ended: bool) -> str:
    return media_playlist(index, kind, init_uri="init.mp4", segment_uri=lambda n: f"{n}.m4s", count=count, ended=ended)


def made(index: Index, kind: Kind, number: int, blob: bytes) -> bytes:
    recipe = segment(index, kind, number)
    for run in recipe.ranges:
        assert run.offset + run.length <= len(blob), "a listed segment's bytes are there"
    return recipe.head + b"".join(blob[run.offset : run.offset + run.length] for run in recipe.ranges)


def seconds(index: Index, kind: Kind, border: int) -> float:
    return int(index.track(kind).times[border]) / index.track(kind).timescale


def _within(held: int, low: int, high: int) -> bool:
    return low <= high <= held


def grow(fragments: Fragments, held: bytes) -> None:
    """Read on as far as the bytes go, and leave the reading where it is stuck."""
    reading: Reading[None] = fragments.reading(None)
    wanted: Wanted = next(reading)
    try:
        while True:
            reach = len(held) - wanted.offset
            if reach < min(wanted.length, wanted.least or wanted.length):
                return
            wanted = reading.send(held[wanted.offset : wanted.offset + wanted.length])
    except StopIteration:
        return


@pytest.mark.parametrize("name", FRAGMENTED)
def test_fragments_only_append(media_dir: Path, name: str) -> None:
    blob = sample(media_dir, name).read_bytes()
    fragments = read_from_bytes(read_index(None), blob)
    assert isinstance(fragments, Fragments)
    before: dict[str, str] = {}
    segments: dict[tuple[str, int], bytes] = {}
    inits: dict[str, bytes] = {}
    edge, grown = Edge(), 0
    for step in range(1, STEPS + 1):
        held = blob[: len(blob) * step // STEPS]
        grow(fragments, held)
        index = index_of(fragments, is_whole=False)
        if index is None:
            continue
        assert index.facts.duration_seconds is None
        later = edge_of(index, partial(_within, len(held)), edge)
        assert (later.video, later.audio, later.seconds) >= (edge.video, edge.audio, edge.seconds)
        edge = later
        kinds: list[Kind] = ["video", "audio"] if index.audio else ["video"]
        for kind in kinds:
            text = listed(index, kind, edge.count(kind), ended=False)
            assert text.startswith(before.get(kind, "")), "an earlier answer is a prefix"
            grown += text != before.get(kind, text)
            before[kind] = text
            assert init_segment(index, kind) == inits.setdefault(kind, init_segment(index, kind))
            for number in range(edge.count(kind)):
                one = made(index, kind, number, held)
                assert one == segments.setdefault((kind, number), one), "a listed segment never changes"
    assert grown, "it grew while it was arriving"
    read_from_bytes(fragments.reading(len(blob)), blob)
    whole = index_of(fragments, is_whole=True)
    assert whole is not None
    for kind in ("video", "audio") if whole.audio else ("video",):
        text = listed(whole, kind, whole.segment_count(kind), ended=True)
        assert text.startswith(before[kind])
        for (which, number), one in segments.items():
            if which == kind:
                assert made(whole, kind, number, blob) == one


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in PLAYED if name not in FRAGMENTED])
def test_an_edge_moves_forward_with_the_bytes(media_dir: Path, name: str) -> None:
    """Bytes in any order: here those at the end come first, and the middle from both sides."""
    blob = sample(media_dir, name).read_bytes()
    index = read_from_bytes(read_index(None), blob)
    assert isinstance(index, Index)
    kinds: list[Kind] = ["video", "audio"] if index.audio else ["video"]
    edge, before = Edge(), dict.fromkeys(kinds, "")
    blocks = 40
    size = -(-len(blob) // blocks)
    order = [blocks - 1, *sorted(range(blocks - 1), key=lambda n: (n // 3, -n))]
    held: set[int] = set()

    def covered(low: int, high: int) -> bool:
        return all(block in held for block in range(low // size, -(-high // size)))

    for block in order:
        held.add(block)
        later = edge_of(index, covered, edge)
        assert (later.video, later.audio) >= (edge.video, edge.audio)
        edge = later
        for kind in kinds:
            for number in range(edge.count(kind)):
                assert all(covered(run.offset, run.offset + run.length) for run in segment(index, kind, number).ranges)
            text = listed(index, kind, edge.count(kind), ended=False)
            if edge.video:
                assert text.startswith(before[kind])
                before[kind] = text
        if index.audio is not None and edge.video:
            ends = [int(index.track(kind).times[edge.count(kind)]) / index.track(kind).timescale for kind in kinds]
            starts = [
                int(index.track(kind).times[edge.count(kind) - 1]) / index.track(kind).timescale for kind in kinds
            ]
            lasts = [edge.count(kind) == index.segment_count(kind) for kind in kinds]
            assert any(lasts) or max(starts) <= min(ends), "picture and sound end within one segment"
    assert [edge.count(kind) for kind in kinds] == [index.segment_count(kind) for kind in kinds]


def test_a_fragment_that_was_cut_off_is_left_out(media_dir: Path) -> None:
    blob = sample(media_dir, "fragmented").read_bytes()
    blob = blob[: blob.rindex(b"mdat") + 100]
    fragments = read_from_bytes(read_index(len(blob)), blob)
    assert isinstance(fragments, Fragments)
    read_from_bytes(fragments.reading(len(blob)), blob)
    index = index_of(fragments, is_whole=True)
    assert index is not None
    assert index.end_bytes <= len(blob)
