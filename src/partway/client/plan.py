"""Which bytes of a file to send next, as spans the ledger takes. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from partway.errors import ClientError
from partway.ledger import MIB, ByteSpan, Limits


@dataclass(slots=True)
class Pace:
    """How large the next piece should be: about eight seconds of what one connection manages.

    Large pieces cost fewer requests, but on a slow line a large piece is late to be safe and much is
    lost when the line drops. Growing takes doubling, so one lucky small piece does not decide it.
    """

    target_bytes: int = 8 * MIB
    least_bytes: int = 5 * MIB
    most_bytes: int = 32 * MIB
    piece_seconds: float = 8.0

    def sent(self, length: int, seconds: float) -> None:
        """Learn from a piece of ``length`` bytes that took ``seconds``, attempts that failed included."""
        fitting = min(int(length / max(seconds, 0.001) * self.piece_seconds), 2 * length)
        self.target_bytes = max(self.least_bytes, min(self.most_bytes, fitting // MIB * MIB))


@dataclass(slots=True)
class Plan:
    """The bytes of a file that are still to be sent, handed out span by span.

    First the head (one smallest piece), then the index where it stands at the end, then the middle in
    order. The first two go alone (``goes_alone``): a viewer waits for them. Every span is legal whatever
    the order in which they arrive: none is below the smallest piece but one that ends at the total, and
    none leaves a hole that no legal span fills.
    """

    size: int
    """Of the file, in bytes; at least 1."""
    moov_offset: int | None = None
    """Where an index behind the media starts."""
    limits: Limits = field(default_factory=Limits)
    held: Iterable[tuple[int, int]] = ()
    """What the server holds: ``(start, end)``, the end excluded, in any order."""
    _holes: list[tuple[int, int]] = field(init=False)
    _used: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self._holes = []
        at = 0
        for start, end in sorted(self.held):
            if start > at:
                self._holes.append((at, start))
            at = max(at, end)
            self._used += 1
        if at < self.size:
            self._holes.append((at, self.size))
        for start, end in self._holes:
            if end - start < self.limits.piece_bytes_min and end != self.size:
                raise ClientError(
                    f"The upload can't go on: bytes {start} to {end - 1} are missing, and the server takes no piece "
                    "that small there. Begin anew (--restart)."
                )

    @property
    def remaining_bytes(self) -> int:
        """Bytes not handed out yet."""
        return sum(end - start for start, end in self._holes)

    @property
    def starts_at_zero(self) -> bool:
        """Whether the next span is the head of the file."""
        return bool(self._holes) and self._holes[0][0] == 0

    def goes_alone(self, span: ByteSpan) -> bool:
        """Whether nothing should share the line with this span: the head, or the index behind the media."""
        if span.first == 0:
            return True
        return self.moov_offset is not None and span.first <= self.moov_offset <= span.last == self.size - 1

    def next(self, target_bytes: int) -> ByteSpan | None:
        """The next span to send, near ``target_bytes`` long, or None when all are handed out."""
        if not self._holes:
            return None
        if self.starts_at_zero:
            return self._take(0, self._cut(*self._holes[0], self.limits.piece_bytes_min))
        tail = self._tail()
        if tail is not None:
            return self._take(len(self._holes) - 1, tail)
        return self._take(0, self._cut(*self._holes[0], max(target_bytes, self._least())))

    def _tail(self) -> tuple[int, int] | None:
        """The span of the index, when it is missing as a whole and fits one piece."""
        start, end = self._holes[-1]
        if self.moov_offset is None or end != self.size or not start <= self.moov_offset < end:
            return None
        first = self.moov_offset
        if first - start < self.limits.piece_bytes_min:
            first = start
        return (first, end) if end - first <= self.limits.piece_bytes_max else None

    def _cut(self, start: int, end: int, target_bytes: int) -> tuple[int, int]:
        """A span at the start of a hole, ending at a border, and leaving either nothing or enough for another."""
        least, most = self.limits.piece_bytes_min, self.limits.piece_bytes_max
        target = max(least, min(target_bytes, most))
        if end - start < target + least and end - start <= most:
            return start, end
        for cut in (self._border(start + target), self._border(start + 2 * least - 1)):
            if least <= cut - start <= most and end - cut >= least:
                return start, cut
        # Only where others have left edges that are no borders of ours.
        return start, min(start + target, end - least)

    def _border(self, position: int) -> int:
        """The last border at or before a position.

        Whatever the pace, pieces end at the same borders: the head's end and every smallest piece from there on,
        but none close before the index. So a piece of an earlier run that the server accepts late, after it was
        asked what it holds, leaves no hole that is too small to fill.
        """
        least = self.limits.piece_bytes_min
        index = self.moov_offset
        if index is not None and index >= 2 * least and self.size - index <= self.limits.piece_bytes_max:
            if position >= index:
                return index
            position = min(position, index - least)
        return position // least * least

    def _least(self) -> int:
        """The smallest target with which the number of pieces stays within the limit."""
        budget = max(1, self.limits.parts_max - self._used - 2 * len(self._holes))
        return -(-self.remaining_bytes // budget)

    def _take(self, index: int, span: tuple[int, int]) -> ByteSpan:
        hole = self._holes[index]
        rest = [(hole[0], span[0]), (span[1], hole[1])]
        self._holes[index : index + 1] = [(start, end) for start, end in rest if start < end]
        self._used += 1
        return ByteSpan(span[0], span[1] - 1, self.size)


def part_bytes(sent_bytes: int) -> int:
    """The size of the next part of an input of unknown length, ``sent_bytes`` being behind it.

    The smallest the contract allows for the first 1.25 GiB, so that what is recorded at this moment can be
    watched soon; then a 256th of what was sent, up to 32 MiB: some 2,100 parts reach the largest source
    the contract knows (50,000 MiB).
    """
    return max(5 * MIB, min(32 * MIB, sent_bytes // 256 // MIB * MIB))
