"""A source of blobs answers as one file of the same bytes would."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partway.media.source import Extents, Piece


@st.composite
def laid_out(draw: st.DrawFn) -> list[tuple[str, int, int]]:
    """Blobs in any order, with gaps and empty ones."""
    blobs, offset = [], 0
    for number, (gap, length) in enumerate(
        draw(st.lists(st.tuples(st.sampled_from([0, 0, 0, 1, 7]), st.integers(0, 9)), max_size=12))
    ):
        offset += gap
        blobs.append((f"blob-{number}", offset, length))
        offset += length
    return draw(st.permutations(blobs))


@given(laid_out(), st.integers(0, 120), st.integers(0, 60))
def test_agrees_with_a_map_of_every_byte(blobs: list[tuple[str, int, int]], low: int, length: int) -> None:
    held = {offset + at: (key, at) for key, offset, size in blobs for at in range(size)}
    extents = Extents.of(blobs)
    high = low + length
    covered = all(at in held for at in range(low, high))
    assert extents.covered(low, high) == covered
    assert extents.end == max(held, default=-1) + 1
    assert extents.contiguous_prefix == next(at for at in range(len(held) + 1) if at not in held)
    if covered:
        pieces = extents.pieces(low, high)
        spelled = [(piece.key, piece.start + at) for piece in pieces for at in range(piece.length)]
        assert spelled == [held[at] for at in range(low, high)]
        assert all(piece.length for piece in pieces)
    else:
        with pytest.raises(ValueError, match="not all held"):
            extents.pieces(low, high)


def test_a_read_across_parts() -> None:
    extents = Extents.of([("b", 10, 5), ("empty", 10, 0), ("a", 0, 10), ("d", 20, 5)])
    assert extents.pieces(8, 12) == (Piece("a", 8, 2), Piece("b", 0, 2))
    assert extents.pieces(20, 25) == (Piece("d", 0, 5),)
    assert extents.contiguous_prefix == 15
    assert not extents.covered(14, 21)
    assert extents.pieces(3, 3) == ()


def test_nothing_is_held_yet() -> None:
    extents = Extents.of([])
    assert (extents.end, extents.contiguous_prefix) == (0, 0)
    assert extents.covered(0, 0)
    assert not extents.covered(0, 1)


def test_contradictions_are_refused() -> None:
    with pytest.raises(ValueError, match="overlaps"):
        Extents.of([("a", 0, 10), ("b", 9, 5)])
    with pytest.raises(ValueError, match="negative"):
        Extents.of([("a", -1, 10)])
