"""What is held is placed in the file, and what is missing completes it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partway.client.resume import HeldPiece, Listing, place_parts, place_spans
from partway.errors import ClientError, FileChanged
from partway.ledger import Book, Content, Limits, Mode, PartNumber, State

LIMITS = Limits(piece_bytes_min=5 * 2**20, piece_bytes_max=200 * 2**20)
SIZE = st.integers(1, 2_000 * 2**20)


def piece(position: int, size: int) -> HeldPiece:
    return HeldPiece(position, size, f"{position}:{size}")


def parts(total: int | None, *held: HeldPiece) -> Listing:
    return Listing(State.RECEIVING, Mode.PART, total, held)


@given(SIZE, st.integers(5 * 2**20, 200 * 2**20), st.booleans(), st.randoms(use_true_random=False))
def test_missing_parts_complete_an_upload_of_equal_parts(size, usual, is_total_known, random):
    """As a script leaves it that sends pieces of one size and dies."""
    sizes = [usual] * (size // usual) + ([size % usual] if size % usual else [])
    true_offsets = {number: (number - 1) * usual for number in range(1, len(sizes) + 1)}
    total = len(sizes) if is_total_known else None
    may_be_held = [number for number in true_offsets if total is not None or sizes[number - 1] == usual]
    if not may_be_held:
        return
    held = sorted(random.sample(may_be_held, random.randint(1, len(may_be_held))))
    book = Book(LIMITS)
    for number in held:
        book.take(PartNumber(number, total), Content(sizes[number - 1], str(number)))
    placed, missing = place_parts(parts(total, *(piece(n, sizes[n - 1]) for n in held)), size, LIMITS)
    assert [(each.offset, each.piece.position) for each in placed] == [(true_offsets[n], n) for n in held]
    covered = sorted(
        [(each.offset, each.piece.size) for each in placed] + [(each.offset, each.length) for each in missing]
    )
    at = 0
    for offset, length in covered:
        assert offset == at
        at += length
    assert at == size
    random.shuffle(missing)
    for each in missing:
        book.take(each.address, Content(each.length, "new"))
    if not missing:
        book.finish()
    assert book.summary.state is State.COMPLETE


def test_parts_of_different_sizes_are_placed_up_to_a_gap():
    placed, missing = place_parts(parts(None, piece(1, 6 * 2**20), piece(2, 9 * 2**20)), 30 * 2**20, LIMITS)
    assert [each.offset for each in placed] == [0, 6 * 2**20]
    assert [(each.offset, each.length) for each in missing] == [(at * 2**20, 5 * 2**20) for at in (15, 20, 25)]
    assert [each.address for each in missing] == [PartNumber(3, 5), PartNumber(4, 5), PartNumber(5, 5)]


def test_another_length_is_another_file():
    with pytest.raises(FileChanged):
        place_parts(parts(2, piece(1, 6 * 2**20), piece(2, 3)), 6 * 2**20 + 4, LIMITS)
    with pytest.raises(FileChanged):
        place_parts(parts(None, piece(1, 6 * 2**20)), 6 * 2**20 - 1, LIMITS)
    spans = Listing(State.RECEIVING, Mode.BYTES, 100, (piece(0, 50),))
    with pytest.raises(FileChanged):
        place_spans(spans, 101)
    with pytest.raises(FileChanged):
        place_spans(Listing(State.RECEIVING, Mode.BYTES, None, (piece(60, 50),)), 100)


def test_an_announced_total_that_the_rest_does_not_fit_is_told():
    with pytest.raises(ClientError, match="3 parts"):
        place_parts(parts(3, piece(1, 5 * 2**20)), 5 * 2**20 + 4, LIMITS)
    with pytest.raises(ClientError, match="2 parts"):
        place_parts(parts(2, piece(1, 5 * 2**20)), 300 * 2**20, LIMITS)


def test_an_empty_last_part_is_sent_when_it_was_announced():
    placed, missing = place_parts(parts(2, piece(1, 6 * 2**20)), 6 * 2**20, LIMITS)
    assert len(placed) == 1
    assert [(each.address, each.length) for each in missing] == [(PartNumber(2, 2), 0)]


def test_a_listing_is_read_in_each_mode():
    assert Listing.from_json({"state": "empty", "mode": None, "total": None, "pieces": []}) == Listing(
        State.EMPTY, None, None, ()
    )
    spans = Listing.from_json(
        {
            "state": "receiving",
            "mode": "bytes",
            "total": 9,
            "pieces": [{"from": 3, "to": 8, "size": 6, "digest": "ab"}],
        }
    )
    assert spans.pieces == (HeldPiece(3, 6, "ab"),)
    whole = Listing.from_json(
        {"state": "complete", "mode": "single", "total": 1, "pieces": [{"part": 1, "size": 6, "digest": "ab"}]}
    )
    assert place_spans(whole, 6)[0].offset == 0
    with pytest.raises(FileChanged):
        place_spans(whole, 7)
