"""The ledger against a naive model that keeps every piece and thinks in sets."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from partway import errors
from partway.ledger import (
    Address,
    Book,
    ByteSpan,
    Content,
    Limits,
    Mode,
    PartNumber,
    State,
    Summary,
    Whole,
    accept,
    can_be_new,
    check_address,
    check_length,
    check_state,
)

# Small enough that a source is a set of byte offsets, and that random pieces meet often.
LIMITS = Limits(piece_bytes_min=4, piece_bytes_max=12, parts_max=6, source_bytes_max=40)

REACHABLE = {
    (State.EMPTY, None),
    (State.RECEIVING, Mode.PART),
    (State.RECEIVING, Mode.BYTES),
    (State.COMPLETE, Mode.SINGLE),
    (State.COMPLETE, Mode.PART),
    (State.COMPLETE, Mode.BYTES),
}

totals = st.none() | st.integers(0, 7)
addresses: st.SearchStrategy[Address] = st.one_of(
    st.builds(PartNumber, st.integers(0, 7), totals),
    st.builds(PartNumber, st.integers(0, 7), totals),
    st.builds(ByteSpan, st.integers(0, 41), st.integers(0, 41), st.none() | st.integers(0, 42)),
    st.just(Whole()),
)
digests = st.sampled_from("ab")


@st.composite
def likely_spans(draw: st.DrawFn) -> ByteSpan:
    """Ranges on a grid of 4, so that they often touch, match or overlap by a step."""
    first = draw(st.integers(0, 9)) * 4
    last = first + draw(st.sampled_from([3, 7, 11, 15, 0]))
    return ByteSpan(first, last, draw(st.sampled_from([None, last + 1, 12, 20, 40])))


@dataclass
class Naive:
    """Every piece that was ever accepted, and the total somebody has told."""

    total: int | None = None
    pieces: dict[int, tuple[Address, Content]] = field(default_factory=dict)

    @property
    def mode(self) -> Mode | None:
        return next((address.mode for address, _ in self.pieces.values()), None)

    @property
    def filled(self) -> set[int]:
        """Part numbers, or byte offsets."""
        if self.mode is Mode.BYTES:
            spans = [address for address, _ in self.pieces.values()]
            return {
                offset for span in spans if isinstance(span, ByteSpan) for offset in range(span.first, span.last + 1)
            }
        return set(self.pieces)

    @property
    def wanted(self) -> set[int] | None:
        if self.total is None:
            return None
        return set(range(self.total)) if self.mode is Mode.BYTES else set(range(1, self.total + 1))

    @property
    def is_complete(self) -> bool:
        return bool(self.pieces) and self.filled == self.wanted

    def holds(self, address: Address, content: Content) -> bool:
        position = address.first if isinstance(address, ByteSpan) else getattr(address, "number", 1)
        held = self.pieces.get(position)
        return held is not None and held[0].mode is address.mode and held[1] == content

    def verdict(self, address: Address, content: Content) -> type[errors.UploadRefused] | None:
        """The refusal this piece deserves; the order is contract.md 2.3's and that of "Decided"."""
        match address:
            case PartNumber(number, total):
                return self._part_verdict(number, total, address, content)
            case ByteSpan(first, last, total):
                return self._bytes_verdict(first, last, total, address, content)
        if self.is_complete:
            return None if self.holds(address, content) else errors.AlreadyUploaded
        if self.pieces:
            return errors.AlreadyInitiated
        if content.length > LIMITS.piece_bytes_max:
            return errors.FileTooLarge
        return errors.FileEmpty if content.length == 0 else None

    def _part_verdict(
        self, number: int, total: int | None, address: Address, content: Content
    ) -> type[errors.UploadRefused] | None:
        known = self.total if total is None else total
        impossible = (
            (number == 0, errors.PartZero),
            (total == 0, errors.PartsTotalZero),
            (number > LIMITS.parts_max, errors.PartAboveLimit),
            (total is not None and total > LIMITS.parts_max, errors.PartsTotalAboveLimit),
            (total is not None and number > total, errors.PartAboveTotal),
        )
        for is_wrong, refusal in impossible:
            if is_wrong:
                return refusal
        if self.is_complete:
            is_repeat = self.holds(address, content) and total in (None, self.total)
            return None if is_repeat else errors.AlreadyUploaded
        held = self.filled if self.mode is Mode.PART else set()
        checks = (
            (self.mode is Mode.BYTES, errors.StartedWithBytes),
            (self.total is not None and number > self.total, errors.PartAboveTotal),
            (total is not None and self.total is not None and total != self.total, errors.PartsTotalDiffers),
            (total is not None and any(one > total for one in held), errors.PartsTotalTooLow),
            (content.length > LIMITS.piece_bytes_max, errors.FileTooLarge),
            (content.length == 0 and known == 1, errors.FileEmpty),
            (content.length < LIMITS.piece_bytes_min and number != known, errors.PartTooSmall),
            (number in held and not self.holds(address, content), errors.PartAlreadySent),
            (
                number not in held and self.received_bytes + content.length > LIMITS.source_bytes_max,
                errors.FileTooLarge,
            ),
        )
        return next((refusal for is_wrong, refusal in checks if is_wrong), None)

    def _bytes_verdict(
        self, first: int, last: int, total: int | None, address: Address, content: Content
    ) -> type[errors.UploadRefused] | None:
        impossible = (
            (total == 0, errors.BytesTotalZero),
            (first > last, errors.FromAboveTo),
            (total is not None and total > LIMITS.source_bytes_max, errors.BytesTotalAboveLimit),
            (last >= LIMITS.source_bytes_max, errors.ToAboveLimit),
            (total is not None and last >= total, errors.ToAboveTotal),
        )
        for is_wrong, refusal in impossible:
            if is_wrong:
                return refusal
        if self.is_complete:
            is_repeat = (
                self.holds(address, content) and last - first + 1 == content.length and total in (None, self.total)
            )
            return None if is_repeat else errors.AlreadyUploaded
        known = self.total if total is None else total
        span = set(range(first, last + 1))
        held = self.filled if self.mode is Mode.BYTES else set()
        checks = (
            (self.mode is Mode.PART, errors.StartedWithPart),
            (self.total is not None and last >= self.total, errors.ToAboveTotal),
            (total is not None and self.total is not None and total != self.total, errors.BytesTotalDiffers),
            (total is not None and any(offset >= total for offset in held), errors.BytesTotalTooLow),
            (content.length != len(span), errors.RangeMismatch),
            (content.length < LIMITS.piece_bytes_min and last + 1 != known, errors.RangeTooSmall),
            (content.length > LIMITS.piece_bytes_max, errors.RangeTooLarge),
            (bool(span & held) and not self.holds(address, content), errors.RangeOverlap),
        )
        return next((refusal for is_wrong, refusal in checks if is_wrong), None)

    @property
    def received_bytes(self) -> int:
        return sum(content.length for _, content in self.pieces.values())

    def enter(self, address: Address, content: Content) -> bool:
        """Take in a legal piece; whether it was new."""
        is_new = not self.holds(address, content)
        if is_new:
            position = address.first if isinstance(address, ByteSpan) else getattr(address, "number", 1)
            self.pieces[position] = (address, content)
        if self.total is None:
            self.total = address.total
        return is_new


def everything(book: Book) -> tuple[Summary, dict[int, object], list[object]]:
    return book.summary, dict(book.pieces), list(book.ordered())


class LedgerMachine(RuleBasedStateMachine):
    """Random pieces, legal or not, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.book = Book(LIMITS)
        self.naive = Naive()

    def enter(self, address: Address, content: Content) -> None:
        before = everything(self.book)
        refusal = self.naive.verdict(address, content)
        welcome = can_be_new(self.book.summary, self.book.neighbours(address.position), address)
        if refusal is not None:
            with pytest.raises(errors.UploadRefused) as caught:
                self.book.take(address, content)
            assert type(caught.value) is refusal
            assert everything(self.book) == before
            return
        decision = self.book.take(address, content)
        assert decision.is_new == self.naive.enter(address, content)
        assert decision.is_new == welcome
        if not decision.is_new:
            summary, pieces, ordered = before
            assert (self.book.pieces, self.book.ordered()) == (pieces, ordered)
            assert summary.total in (None, self.book.summary.total)
            assert (summary.pieces, summary.received_bytes) == (
                decision.summary.pieces,
                decision.summary.received_bytes,
            )

    @rule(address=addresses, length=st.integers(0, 13), digest=digests)
    def anything(self, address: Address, length: int, digest: str) -> None:
        self.enter(address, Content(length, digest))

    @rule(number=st.integers(1, 6), total=st.none() | st.integers(3, 6), digest=digests)
    def likely_part(self, number: int, total: int | None, digest: str) -> None:
        self.enter(PartNumber(number, total), Content(5, digest))

    @rule(span=likely_spans(), digest=digests)
    def likely_span(self, span: ByteSpan, digest: str) -> None:
        self.enter(span, Content(span.length, digest))

    @precondition(lambda self: self.naive.pieces)
    @rule(data=st.data(), total=totals)
    def send_again(self, data: st.DataObject, total: int | None) -> None:
        address, content = data.draw(st.sampled_from(list(self.naive.pieces.values())))
        self.enter(address, content)
        if address.mode is not Mode.SINGLE:
            self.enter(address.with_total(total), content)

    @precondition(lambda self: self.naive.pieces)
    @rule()
    def the_highest_was_the_last(self) -> None:
        """The way out for a sender that noticed too late: the last piece again, as its own total."""
        address, content = max(self.naive.pieces.values(), key=lambda piece: piece[0].highest)
        self.enter(address.with_total(address.highest), content)

    @rule()
    def finish(self) -> None:
        before = everything(self.book)
        naive = self.naive
        top = max((address.highest for address, _ in naive.pieces.values()), default=0)
        below = set(range(top)) if naive.mode is Mode.BYTES else set(range(1, top + 1))
        if naive.pieces and naive.filled == below and naive.total in (None, top):
            self.book.finish()
            naive.total = top
            assert self.book.summary.state is State.COMPLETE
            return
        with pytest.raises(errors.UploadHasGaps):
            self.book.finish()
        assert everything(self.book) == before

    @invariant()
    def says_what_the_model_says(self) -> None:
        summary, naive = self.book.summary, self.naive
        assert (summary.state, summary.mode) in REACHABLE
        assert summary.mode is naive.mode
        assert summary.total == naive.total
        assert (summary.state is State.COMPLETE) == naive.is_complete
        assert (summary.state is State.EMPTY) == (not naive.pieces)
        assert summary.pieces == len(naive.pieces) == len(self.book.ordered())
        assert summary.received_bytes == naive.received_bytes
        assert summary.filled == len(naive.filled)
        assert [held.position for held in self.book.ordered()] == sorted(naive.pieces)
        assert {held.position: held.content for held in self.book.ordered()} == {
            position: content for position, (_, content) in naive.pieces.items()
        }


TestLedgerMachine = LedgerMachine.TestCase


@st.composite
def sources(draw: st.DrawFn) -> list[tuple[Address, Content]]:
    """All pieces of one source, in its order; the last names the total, others may."""
    lengths = draw(st.lists(st.integers(4, 6), min_size=0, max_size=5))
    last = draw(st.integers(0 if lengths else 1, 6))
    lengths.append(last)
    tells = draw(st.lists(st.booleans(), min_size=len(lengths), max_size=len(lengths)))
    by_bytes = draw(st.booleans()) and last > 0
    pieces: list[tuple[Address, Content]] = []
    offset = 0
    for index, length in enumerate(lengths):
        is_told = tells[index] or index == len(lengths) - 1
        address: Address
        if by_bytes:
            address = ByteSpan(offset, offset + length - 1, sum(lengths) if is_told else None)
        else:
            address = PartNumber(index + 1, len(lengths) if is_told else None)
        pieces.append((address, Content(length, f"digest {index}")))
        offset += length
    return pieces


@given(source=sources(), data=st.data())
def test_order_does_not_matter(source: list[tuple[Address, Content]], data: st.DataObject) -> None:
    straight = Book(LIMITS)
    for address, content in source:
        straight.take(address, content)
    shuffled = Book(LIMITS)
    # Duplicates anywhere among them, as retries make them.
    sent = data.draw(st.permutations(source + data.draw(st.lists(st.sampled_from(source), max_size=4))))
    seen: set[int] = set()
    for address, content in sent:
        decision = shuffled.take(address, content)
        assert decision.is_new == (address.position not in seen)
        seen.add(address.position)
        assert (decision.summary.state is State.COMPLETE) == (len(seen) == len(source))
    assert shuffled.summary == straight.summary
    assert shuffled.ordered() == straight.ordered()
    assert shuffled.summary.state is State.COMPLETE


@given(source=sources(), data=st.data(), address=addresses | likely_spans(), digest=digests)
def test_can_be_new_and_accept_agree(
    source: list[tuple[Address, Content]], data: st.DataObject, address: Address, digest: str
) -> None:
    """What the early question promises, the one under the lock keeps, if nothing happened in between."""
    book = Book(LIMITS)
    for held, content in data.draw(st.permutations(source))[: data.draw(st.integers(0, len(source)))]:
        book.take(held, content)
    length = address.length if isinstance(address, ByteSpan) else 5
    content = Content(max(length, 0), "fresh " + digest)
    neighbours = book.neighbours(address.position)
    try:
        check_address(address, LIMITS)
        check_state(book.summary, address, LIMITS)
        check_length(book.summary, address, content.length, LIMITS)
    except errors.UploadRefused:
        return
    could_be_new = can_be_new(book.summary, neighbours, address)
    try:
        is_new = accept(book.summary, neighbours, address, content, LIMITS).is_new
    except errors.FileTooLarge:
        assert book.summary.received_bytes + content.length > LIMITS.source_bytes_max
        return
    except errors.UploadRefused:
        is_new = False
    assert is_new == could_be_new
