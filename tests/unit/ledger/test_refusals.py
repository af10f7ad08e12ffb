"""The upload error table (contract.md 1.1) and the corners under "Decided", row by row."""

from __future__ import annotations

import pytest

from partway import errors
from partway.dialects import apivideo
from partway.ledger import (
    MIB,
    MOVES,
    Address,
    Book,
    ByteSpan,
    Content,
    Limits,
    Mode,
    Move,
    PartNumber,
    State,
    Summary,
    Whole,
    check_state,
)

MIN, MAX = 5 * MIB, 200 * MIB
MOST = 50_000 * MIB


def piece(text: str) -> tuple[Address, Content]:
    """``"part 2/* 5242880 a"``: a header (``-`` for none), a length in bytes, a letter that stands for the digest."""
    header, length, digest = text.rsplit(" ", 2)
    return apivideo.parse(None if header == "-" else header), Content(int(length), digest)


def book_of(*pieces: str) -> Book:
    book = Book()
    for text in pieces:
        book.take(*piece(text))
    return book


PART_1, PART_2 = f"part 1/* {MIN} a", f"part 2/* {MIN} b"
FIRST = f"bytes 0-{MIN - 1}/* {MIN} a"

REFUSED = [
    # held, sent, refusal
    ([], "- 0 a", errors.FileEmpty),
    ([], "part 1/1 0 a", errors.FileEmpty),
    ([], f"- {MAX + 1} a", errors.FileTooLarge),
    ([], f"part 1/* {MAX + 1} a", errors.FileTooLarge),
    (["- 7 a"], "- 7 b", errors.AlreadyUploaded),
    (["- 7 a"], "part 1/1 7 a", errors.AlreadyUploaded),
    (["- 7 a"], "bytes 0-6/7 7 a", errors.AlreadyUploaded),
    (["part 1/1 7 a"], "- 7 a", errors.AlreadyUploaded),
    (["part 1/1 7 a"], "part 1/1 7 b", errors.AlreadyUploaded),
    (["part 1/1 7 a"], f"part 2/2 {MIN} b", errors.AlreadyUploaded),
    (["part 1/1 7 a"], f"part 2/* {MIN} b", errors.AlreadyUploaded),
    (["part 1/1 7 a"], "part 1/2 7 a", errors.AlreadyUploaded),
    (["part 1/1 7 a"], "bytes 0-6/7 7 a", errors.AlreadyUploaded),
    (["bytes 0-6/7 7 a"], "bytes 0-6/7 7 b", errors.AlreadyUploaded),
    (["bytes 0-6/7 7 a"], "bytes 0-5/6 6 a", errors.AlreadyUploaded),
    (["bytes 0-6/7 7 a"], "bytes 7-7/8 1 b", errors.AlreadyUploaded),
    # Complete comes before anything about lengths.
    ([f"part 1/2 {MIN} a", "part 2/2 7 b"], "part 1/* 3 z", errors.AlreadyUploaded),
    ([f"part 1/2 {MIN} a", "part 2/2 7 b"], f"part 1/* {MAX + 1} z", errors.AlreadyUploaded),
    (["- 7 a"], "- 0 z", errors.AlreadyUploaded),
    (["bytes 0-6/7 7 a"], "bytes 0-6/7 3 z", errors.AlreadyUploaded),
    (["bytes 0-6/7 7 a"], "bytes 0-5/* 7 a", errors.AlreadyUploaded),
    ([PART_1], "- 7 a", errors.AlreadyInitiated),
    ([FIRST], "- 7 a", errors.AlreadyInitiated),
    ([PART_1], FIRST, errors.StartedWithPart),
    ([FIRST], PART_1, errors.StartedWithBytes),
    ([], f"part 0/* {MIN} a", errors.PartZero),
    ([], f"part 1/0 {MIN} a", errors.PartsTotalZero),
    ([], f"part 10001/* {MIN} a", errors.PartAboveLimit),
    ([], f"part 1/10001 {MIN} a", errors.PartsTotalAboveLimit),
    ([], f"part 3/2 {MIN} a", errors.PartAboveTotal),
    ([f"part 1/2 {MIN} a"], f"part 3/* {MIN} c", errors.PartAboveTotal),
    ([PART_1], f"part 1/* {MIN} z", errors.PartAlreadySent),
    ([PART_1], f"part 1/* {MIN + 1} a", errors.PartAlreadySent),
    ([PART_1], f"part 1/1 {MIN} z", errors.PartAlreadySent),
    ([PART_1, PART_2], f"part 1/1 {MIN} a", errors.PartsTotalTooLow),
    ([PART_2], f"part 1/1 {MIN} a", errors.PartsTotalTooLow),
    ([f"part 1/3 {MIN} a"], f"part 2/4 {MIN} b", errors.PartsTotalDiffers),
    ([], f"part 1/* {MIN - 1} a", errors.PartTooSmall),
    ([], f"part 1/2 {MIN - 1} a", errors.PartTooSmall),
    ([], "part 1/* 0 a", errors.PartTooSmall),
    ([PART_1], f"part 2/* {MIN - 1} b", errors.PartTooSmall),
    ([], f"bytes {MIN}-0/* {MIN} a", errors.FromAboveTo),
    ([], f"bytes 0-{MIN}/{MIN} {MIN + 1} a", errors.ToAboveTotal),
    ([f"bytes 0-{MIN - 1}/{MIN + 7} {MIN} a"], f"bytes {MIN}-{2 * MIN}/* {MIN + 1} b", errors.ToAboveTotal),
    ([], f"bytes {MOST - MIN + 1}-{MOST}/* {MIN} a", errors.ToAboveLimit),
    ([], f"bytes 0-{MIN - 1}/0 {MIN} a", errors.BytesTotalZero),
    ([], f"bytes 0-{MIN - 1}/{MOST + 1} {MIN} a", errors.BytesTotalAboveLimit),
    ([f"bytes {MIN}-{2 * MIN - 1}/* {MIN} b"], f"bytes 0-{MIN - 1}/{MIN + 1} {MIN} a", errors.BytesTotalTooLow),
    (
        [f"bytes 0-{MIN - 1}/{3 * MIN} {MIN} a"],
        f"bytes {MIN}-{2 * MIN - 1}/{4 * MIN} {MIN} b",
        errors.BytesTotalDiffers,
    ),
    ([], f"bytes 0-{MIN - 1}/* {MIN - 1} a", errors.RangeMismatch),
    ([], f"bytes 0-{MIN - 1}/* {MIN + 1} a", errors.RangeMismatch),
    ([FIRST], f"bytes {MIN - 1}-{2 * MIN}/* {MIN + 2} b", errors.RangeOverlap),
    ([FIRST], f"bytes 0-{MIN}/* {MIN + 1} a", errors.RangeOverlap),
    ([FIRST], f"bytes 0-{MIN - 1}/* {MIN} z", errors.RangeOverlap),
    ([f"bytes {MIN}-{2 * MIN - 1}/* {MIN} b"], f"bytes 1-{MIN}/* {MIN} a", errors.RangeOverlap),
    ([f"bytes {MIN}-{2 * MIN - 1}/* {MIN} b"], f"bytes 0-{3 * MIN - 1}/* {3 * MIN} a", errors.RangeOverlap),
    ([], f"bytes 0-{MIN - 2}/* {MIN - 1} a", errors.RangeTooSmall),
    ([], f"bytes 0-{MIN - 2}/{MIN} {MIN - 1} a", errors.RangeTooSmall),
    ([], f"bytes 0-{MAX}/* {MAX + 1} a", errors.RangeTooLarge),
    ([], f"bytes 0-{MAX}/{MAX + 1} {MAX + 1} a", errors.RangeTooLarge),
]

# Those that need no ledger: the form's, the header's, the one of ``finish`` (see test_machine.py), and those of files
# that are no sources.
ELSEWHERE = {
    errors.AlreadyCopied,
    errors.AlreadyDownloaded,
    errors.FileMissing,
    errors.SeveralFiles,
    errors.RangeMalformed,
    errors.UploadHasGaps,
}
ELSEWHERE |= {errors.FileInvalid, errors.ExtensionInvalid}


@pytest.mark.parametrize(
    ("held", "sent", "refusal"), REFUSED, ids=[f"{row[2].__name__}-{index}" for index, row in enumerate(REFUSED)]
)
def test_refused_without_effect(held: list[str], sent: str, refusal: type[errors.UploadRefused]) -> None:
    book, untouched = book_of(*held), book_of(*held)
    with pytest.raises(errors.UploadRefused) as caught:
        book.take(*piece(sent))
    assert type(caught.value) is refusal
    assert (book.summary, book.ordered()) == (untouched.summary, untouched.ordered())


def test_every_upload_error_has_a_row() -> None:
    def leaves(kind: type[errors.UploadRefused]) -> set[type[errors.UploadRefused]]:
        below = kind.__subclasses__()
        return {kind} if not below else set().union(*map(leaves, below))

    assert {row[2] for row in REFUSED} | ELSEWHERE == leaves(errors.UploadRefused)


TWO_FAULTS = [
    # Both of its faults are in the sent piece; the first check of contract.md 2.3 that fails is the answer.
    ([], f"part 0/0 {MIN} a", errors.PartZero),
    ([], f"part 0/10001 {MIN} a", errors.PartZero),
    ([], f"part 10001/0 {MIN} a", errors.PartsTotalZero),
    ([], f"part 10001/10001 {MIN} a", errors.PartAboveLimit),
    ([], f"part 10002/10001 {MIN} a", errors.PartAboveLimit),
    ([], f"part 10001/2 {MIN} a", errors.PartAboveLimit),
    ([FIRST], f"part 3/2 {MIN} a", errors.PartAboveTotal),
    ([FIRST], "part 1/* 7 a", errors.StartedWithBytes),
    ([f"part 1/2 {MIN} a"], f"part 3/3 {MIN} c", errors.PartAboveTotal),
    ([f"part 2/3 {MIN} b"], f"part 1/1 {MIN} a", errors.PartsTotalDiffers),
    ([f"part 1/3 {MIN} a"], f"part 2/4 {MAX + 1} b", errors.PartsTotalDiffers),
    ([PART_2], f"part 1/1 {MAX + 1} a", errors.PartsTotalTooLow),
    ([PART_1, PART_2], f"part 1/1 {MIN} z", errors.PartsTotalTooLow),
    ([PART_1], "part 1/* 7 z", errors.PartTooSmall),
    ([PART_1], f"part 1/* {MAX + 1} z", errors.FileTooLarge),
    ([], f"bytes 5-3/0 {MIN} a", errors.BytesTotalZero),
    ([], f"bytes 5-3/{MOST + 1} {MIN} a", errors.FromAboveTo),
    ([], f"bytes 0-{MOST + 5}/{MOST + 1} {MIN} a", errors.BytesTotalAboveLimit),
    ([], f"bytes 0-{MOST}/7 {MIN} a", errors.ToAboveLimit),
    ([PART_1], f"bytes 0-9/5 {MIN} a", errors.ToAboveTotal),
    ([PART_1], "bytes 0-9/10 3 a", errors.StartedWithPart),
    ([f"bytes 0-{MIN - 1}/{2 * MIN} {MIN} a"], f"bytes {MIN}-{3 * MIN - 1}/{3 * MIN} {2 * MIN} b", errors.ToAboveTotal),
    ([f"bytes {MIN}-{2 * MIN - 1}/{3 * MIN} {MIN} b"], f"bytes 0-{MIN - 1}/{MIN} {MIN} a", errors.BytesTotalDiffers),
    ([f"bytes {MIN}-{2 * MIN - 1}/* {MIN} b"], f"bytes 0-{MIN - 1}/{MIN} 3 a", errors.BytesTotalTooLow),
    ([], f"bytes 0-6/* {MAX + 1} a", errors.RangeMismatch),
    ([FIRST], "bytes 3-6/* 4 b", errors.RangeTooSmall),
    ([FIRST], f"bytes 3-{MAX + 3}/* {MAX + 1} b", errors.RangeTooLarge),
]


@pytest.mark.parametrize(("held", "sent", "refusal"), TWO_FAULTS)
def test_the_first_check_answers(held: list[str], sent: str, refusal: type[errors.UploadRefused]) -> None:
    with pytest.raises(errors.UploadRefused) as caught:
        book_of(*held).take(*piece(sent))
    assert type(caught.value) is refusal


WELCOME = [
    # held, sent, is new, state, total
    ([], "- 7 a", True, State.COMPLETE, 1),
    ([], f"- {MAX} a", True, State.COMPLETE, 1),
    ([], "part 1/1 7 a", True, State.COMPLETE, 1),
    ([], f"part 1/* {MIN} a", True, State.RECEIVING, None),
    ([], f"part 1/* {MAX} a", True, State.RECEIVING, None),
    ([], f"part 10000/* {MIN} a", True, State.RECEIVING, None),
    # The last may come first, and may be small or empty.
    ([], "part 3/3 0 c", True, State.RECEIVING, 3),
    ([PART_1], "part 2/2 0 b", True, State.COMPLETE, 2),
    ([PART_1, PART_2], "part 3/3 0 c", True, State.COMPLETE, 3),
    # The total may become known with any part; equal to a number held is fine.
    ([PART_2], f"part 1/2 {MIN} a", True, State.COMPLETE, 2),
    ([PART_2], f"part 1/3 {MIN} a", True, State.RECEIVING, 3),
    # A small "part n/*" is fine when n is a total already known.
    ([f"part 1/2 {MIN} a"], "part 2/* 7 b", True, State.COMPLETE, 2),
    # The last part again as k/k closes the upload.
    ([PART_1, PART_2], f"part 2/2 {MIN} b", False, State.COMPLETE, 2),
    ([PART_2], f"part 2/2 {MIN} b", False, State.RECEIVING, 2),
    # A re-send of an earlier part may bring the total, and so close it.
    ([PART_1, PART_2], f"part 1/2 {MIN} a", False, State.COMPLETE, 2),
    # Complete: an identical re-send is welcome, however it names the total.
    (["- 7 a"], "- 7 a", False, State.COMPLETE, 1),
    (["part 1/1 7 a"], "part 1/1 7 a", False, State.COMPLETE, 1),
    ([PART_1, "part 2/2 7 b"], f"part 1/* {MIN} a", False, State.COMPLETE, 2),
    ([PART_1, "part 2/2 7 b"], "part 2/* 7 b", False, State.COMPLETE, 2),
    ([f"bytes 0-{MIN - 1}/{MIN} {MIN} a"], f"bytes 0-{MIN - 1}/* {MIN} a", False, State.COMPLETE, MIN),
    # Bytes: any order; an open total that a later range closes; a last range of one byte.
    ([], "bytes 0-0/1 1 a", True, State.COMPLETE, 1),
    ([FIRST], f"bytes {MIN}-{MIN}/{MIN + 1} 1 b", True, State.COMPLETE, MIN + 1),
    ([f"bytes {MIN}-{MIN}/{MIN + 1} 1 b"], FIRST, True, State.COMPLETE, MIN + 1),
    ([FIRST], f"bytes 0-{MIN - 1}/{MIN} {MIN} a", False, State.COMPLETE, MIN),
    ([FIRST], f"bytes {2 * MIN}-{3 * MIN - 1}/* {MIN} c", True, State.RECEIVING, None),
    ([], f"bytes {MOST - MIN}-{MOST - 1}/{MOST} {MIN} z", True, State.RECEIVING, MOST),
]


@pytest.mark.parametrize(("held", "sent", "is_new", "state", "total"), WELCOME)
def test_welcome(held: list[str], sent: str, is_new: bool, state: State, total: int | None) -> None:
    book = book_of(*held)
    decision = book.take(*piece(sent))
    assert decision.is_new is is_new
    assert decision.summary is book.summary
    assert (book.summary.state, book.summary.total) == (state, total)


def test_a_source_has_a_greatest_size_in_part_mode_too() -> None:
    limits = Limits(source_bytes_max=2 * MIN)
    book = Book(limits)
    book.take(*piece(PART_1))
    with pytest.raises(errors.FileTooLarge):
        book.take(PartNumber(2), Content(MIN + 1, "b"))
    assert book.take(PartNumber(2, 2), Content(MIN, "b")).summary.state is State.COMPLETE


def test_ten_thousand_parts_may_come_backwards() -> None:
    book = Book()
    for number in range(10_000, 0, -1):
        summary = book.take(PartNumber(number, 10_000), Content(MIN, str(number))).summary
        assert (summary.state is State.COMPLETE) == (number == 1)


SITUATIONS = [
    (State.EMPTY, None),
    (State.RECEIVING, Mode.PART),
    (State.RECEIVING, Mode.BYTES),
    (State.COMPLETE, Mode.SINGLE),
    (State.COMPLETE, Mode.PART),
    (State.COMPLETE, Mode.BYTES),
]
"""Every (state, mode) a source can be in; the state machine of test_machine.py finds no other."""

KINDS: dict[Mode, Address] = {Mode.SINGLE: Whole(), Mode.PART: PartNumber(1), Mode.BYTES: ByteSpan(0, 3)}


@pytest.mark.parametrize("kind", list(Mode))
@pytest.mark.parametrize(("state", "mode"), SITUATIONS)
def test_a_move_or_an_error_for_everything(state: State, mode: Mode | None, kind: Mode) -> None:
    total = {State.EMPTY: None, State.RECEIVING: None, State.COMPLETE: 1 if mode is not Mode.BYTES else 4}[state]
    summary = Summary(state, mode, total, pieces=int(state is not State.EMPTY), highest=total or 0)
    if state is State.EMPTY:
        assert check_state(summary, KINDS[kind], Limits()) is Move.START
    elif mode is kind:
        move = Move.REPEAT if state is State.COMPLETE else Move.CONTINUE
        assert check_state(summary, KINDS[kind], Limits()) is move
    else:
        clash = {Mode.PART: errors.StartedWithPart, Mode.BYTES: errors.StartedWithBytes}
        expected: type[errors.UploadRefused] = errors.AlreadyUploaded
        if state is State.RECEIVING and mode is not None:
            expected = errors.AlreadyInitiated if kind is Mode.SINGLE else clash[mode]
        with pytest.raises(errors.UploadRefused) as caught:
            check_state(summary, KINDS[kind], Limits())
        assert type(caught.value) is expected


def test_the_table_holds_no_situation_that_can_not_be() -> None:
    assert {(state, mode) for state, mode, _ in MOVES} <= set(SITUATIONS)
