"""A whole ledger in memory: every piece of one source, for clients, tests and the memory catalog."""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass, field

from partway.ledger.address import Address, Limits
from partway.ledger.rules import Decision, accept, check_address, finish
from partway.ledger.state import Content, Held, Neighbours, Summary


@dataclass(slots=True)
class Book:
    """The pieces of one source, kept sorted by position."""

    limits: Limits = field(default_factory=Limits)
    summary: Summary = field(default_factory=Summary)
    pieces: dict[int, Held] = field(default_factory=dict)
    _positions: list[int] = field(default_factory=list)

    def neighbours(self, position: int) -> Neighbours:
        """The pieces at and beside ``position``."""
        at = bisect_left(self._positions, position)
        above = at + 1 if position in self.pieces else at
        return Neighbours(
            same=self.pieces.get(position),
            before=self.pieces[self._positions[at - 1]] if at > 0 else None,
            after=self.pieces[self._positions[above]] if above < len(self._positions) else None,
        )

    def take(self, address: Address, content: Content) -> Decision:
        """Enter a piece.

        Raises:
            errors.UploadRefused: the piece is refused and the book is as it was.
        """
        check_address(address, self.limits)
        decision = accept(self.summary, self.neighbours(address.position), address, content, self.limits)
        self.summary = decision.summary
        if decision.is_new:
            self.pieces[address.position] = Held(address.position, content)
            insort(self._positions, address.position)
        return decision

    def finish(self) -> Summary:
        """Close the source at its highest piece; see ``rules.finish``."""
        self.summary = finish(self.summary)
        return self.summary

    def ordered(self) -> list[Held]:
        """All pieces, in the order in which they make up the source."""
        return [self.pieces[position] for position in self._positions]
