"""What the ledger knows of a source: a summary of constant size, and the neighbours of one piece."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from partway.ledger.address import Mode


class State(StrEnum):
    """Where a source stands (contract.md 2.3)."""

    EMPTY = "empty"
    RECEIVING = "receiving"
    COMPLETE = "complete"


@dataclass(frozen=True, slots=True)
class Summary:
    """Everything the rules need of all pieces so far, whatever their number."""

    state: State = State.EMPTY
    mode: Mode | None = None
    total: int | None = None
    """Parts in part mode, bytes in bytes mode, 1 in single mode; None while unknown."""
    pieces: int = 0
    received_bytes: int = 0
    highest: int = 0
    """Highest part number held, or one past the highest byte held: the lowest total still possible."""

    @property
    def filled(self) -> int:
        """How much of ``total`` is held, in the unit of ``total``."""
        return self.received_bytes if self.mode is Mode.BYTES else self.pieces

    @property
    def has_gaps(self) -> bool:
        """Whether something is missing below the highest piece held."""
        return self.filled < self.highest


@dataclass(frozen=True, slots=True)
class Content:
    """What a piece contains: its length in bytes and its XXH3-128 digest in lower-case hex."""

    length: int
    digest: str


@dataclass(frozen=True, slots=True)
class Held:
    """A piece the source holds."""

    position: int
    content: Content

    @property
    def end(self) -> int:
        """One past the last byte, where ``position`` is a byte offset."""
        return self.position + self.content.length


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The pieces held at, and next to, the position of a new one."""

    same: Held | None = None
    """Held at exactly this position."""
    before: Held | None = None
    """In bytes mode: the last piece that starts below this position."""
    after: Held | None = None
    """In bytes mode: the first piece that starts above this position."""
