"""Whatever is held and in whatever order the spans arrive, a plan fills the file with legal pieces."""

from __future__ import annotations

import contextlib
import itertools

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from partway.client.plan import Pace, Plan, part_bytes
from partway.errors import ClientError, RangeTooLarge, UploadRefused
from partway.ledger import MIB, Book, ByteSpan, Content, Limits, State

SMALL = Limits(piece_bytes_min=5, piece_bytes_max=40, parts_max=10_000, source_bytes_max=100_000)
REAL = Limits()
SIZES = st.integers(1, 1_000)
OFFSETS = st.none() | st.integers(0, 1_100)
TARGETS = st.lists(st.integers(1, 60), min_size=1, max_size=8)


def content(span: ByteSpan) -> Content:
    return Content(span.length, f"{span.first}-{span.last}")


def spans_of(plan: Plan, targets: list[int]) -> list[ByteSpan]:
    spans = []
    for target in itertools.cycle(targets):
        span = plan.next(target)
        if span is None:
            break
        spans.append(span)
    return spans


def assert_fills(book: Book, spans: list[ByteSpan]) -> None:
    for span in spans:
        book.take(span, content(span))
    assert book.summary.state is State.COMPLETE


@given(SIZES, OFFSETS, TARGETS, st.randoms(use_true_random=False))
def test_a_plan_is_taken_by_the_ledger_in_any_order(size, moov_offset, targets, random):
    spans = spans_of(Plan(size, moov_offset, SMALL), targets)
    assert sum(span.length for span in spans) == size
    random.shuffle(spans)
    assert_fills(Book(SMALL), spans)


@given(SIZES, OFFSETS, TARGETS, TARGETS, st.randoms(use_true_random=False))
def test_whatever_arrived_of_a_plan_another_one_sends_the_rest(size, moov_offset, before, after, random):
    first = spans_of(Plan(size, moov_offset, SMALL), before)
    held = random.sample(first, random.randint(0, len(first)))
    book = Book(SMALL)
    for span in held:
        book.take(span, content(span))
    rest = spans_of(Plan(size, moov_offset, SMALL, [(span.first, span.last + 1) for span in held]), after)
    assert sum(span.length for span in rest) == size - book.summary.received_bytes
    random.shuffle(rest)
    for span in rest:
        book.take(span, content(span))
    assert book.summary.state is State.COMPLETE


@given(SIZES, OFFSETS, TARGETS, TARGETS, TARGETS, st.randoms(use_true_random=False))
def test_what_is_accepted_late_of_an_earlier_run_leaves_no_hole_that_is_too_small(
    size, moov_offset, before, after, last, random
):
    """Pieces of a killed run that the server takes only after the next one has asked what it holds."""
    first = spans_of(Plan(size, moov_offset, SMALL), before)
    held, late = [], []
    for span in first:
        random.choice((held, late, [])).append(span)
    book = Book(SMALL)
    for span in held:
        book.take(span, content(span))
    second = spans_of(Plan(size, moov_offset, SMALL, [(span.first, span.last + 1) for span in held]), after)
    mixed = late + second
    random.shuffle(mixed)
    for span in mixed:
        with contextlib.suppress(UploadRefused):
            book.take(span, content(span))
    covered = [(each.position, each.end) for each in book.ordered()]
    assert_fills(book, spans_of(Plan(size, moov_offset, SMALL, covered), last))


@given(
    st.integers(50, 1_000),
    OFFSETS,
    TARGETS,
    st.lists(st.tuples(st.integers(0, 1_000), st.integers(5, 40)), min_size=1, max_size=12),
)
def test_what_others_sent_is_filled_or_refused_in_words(size, moov_offset, targets, sent):
    """Spans of another client leave any holes; those that no legal piece fits are told before anything is sent."""
    book = Book(SMALL)
    for start, length in sent:
        span = ByteSpan(start, min(size, start + length) - 1, size)
        with contextlib.suppress(UploadRefused):
            book.take(span, content(span))
    held = [(each.position, each.end) for each in book.ordered()]
    gaps = [(before[1], after[0]) for before, after in itertools.pairwise([(0, 0), *held, (size, size)])]
    if any(0 < end - start < 5 and end < size for start, end in gaps):
        with pytest.raises(ClientError, match="--restart"):
            Plan(size, moov_offset, SMALL, held)
        return
    for span in spans_of(Plan(size, moov_offset, SMALL, held), targets):
        book.take(span, content(span))
    assert book.summary.state is State.COMPLETE


@given(st.integers(1, REAL.source_bytes_max), st.integers(0, REAL.source_bytes_max) | st.none())
def test_the_order_is_head_then_index_then_middle(size, moov_offset):
    plan = Plan(size, moov_offset, REAL)
    head = plan.next(8 * MIB)
    assert head is not None
    assert head.first == 0
    assert head.length == min(size, REAL.piece_bytes_min) or size < 2 * REAL.piece_bytes_min
    second = plan.next(8 * MIB)
    if second is None:
        return
    is_index = second.last == size - 1 and second.first <= (moov_offset or 0)
    fits = moov_offset is not None and head.length <= moov_offset < size
    assume(fits)
    assert moov_offset is not None
    if size - moov_offset <= REAL.piece_bytes_max - REAL.piece_bytes_min:
        assert is_index
        assert moov_offset - second.first < REAL.piece_bytes_min
    third = plan.next(8 * MIB)
    if third is not None:
        assert third.first == (head.last + 1 if is_index else second.last + 1)


@given(SIZES, OFFSETS, TARGETS)
def test_the_head_goes_alone_and_then_the_index_at_most(size, moov_offset, targets):
    plan = Plan(size, moov_offset, SMALL)
    spans = spans_of(plan, targets)
    alone = list(itertools.takewhile(plan.goes_alone, spans))
    assert [span.first for span in alone[:1]] == [0]
    assert len(alone) <= 2
    if len(alone) == 2:
        assert alone[1].first <= (moov_offset or 0) <= alone[1].last == size - 1


def test_an_index_beyond_one_piece_falls_back_to_the_order():
    plan = Plan(1000 * MIB, 100 * MIB, REAL)
    assert [span.first for span in (plan.next(MIB), plan.next(MIB), plan.next(MIB)) if span] == [0, 5 * MIB, 10 * MIB]


@pytest.mark.parametrize("size", [REAL.source_bytes_max, REAL.source_bytes_max - 1, REAL.source_bytes_max // 2 + 7])
@pytest.mark.parametrize("moov_offset", [None, 20_000 * MIB + 3])
def test_the_largest_file_at_the_slowest_pace_needs_at_most_10000_pieces(size, moov_offset):
    spans = spans_of(Plan(size, moov_offset, REAL), [REAL.piece_bytes_min])
    assert len(spans) <= REAL.parts_max
    assert max(span.length for span in spans) <= 2 * REAL.piece_bytes_min or moov_offset is not None
    assert_fills(Book(REAL), spans)


@given(st.lists(st.tuples(st.integers(1, 200 * MIB), st.floats(0, 1e5)), max_size=30))
def test_pieces_grow_and_shrink_within_bounds(sent):
    pace = Pace()
    for length, seconds in sent:
        pace.sent(length, seconds)
        assert 5 * MIB <= pace.target_bytes <= 32 * MIB
        assert pace.target_bytes <= max(5 * MIB, 2 * length)


def test_a_fast_line_reaches_32_mib_and_a_slow_one_stays_small():
    fast, slow = Pace(), Pace()
    for _ in range(4):
        fast.sent(fast.target_bytes, 0.1)
        slow.sent(slow.target_bytes, 60)
    assert (fast.target_bytes, slow.target_bytes) == (32 * MIB, 5 * MIB)


def test_parts_of_a_pipe_reach_the_largest_source_long_before_10000():
    sent = parts = 0
    while sent < REAL.source_bytes_max:
        length = part_bytes(sent)
        assert REAL.piece_bytes_min <= length <= 32 * MIB
        sent, parts = sent + length, parts + 1
    assert parts < REAL.parts_max / 4


def test_the_small_limits_are_limits():
    """Or the properties above would prove nothing."""
    with pytest.raises(RangeTooLarge):
        Book(SMALL).take(ByteSpan(0, 40, 100), Content(41, ""))
