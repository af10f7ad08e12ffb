"""A source as what it is: an ordered list of immutable blobs, never joined."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


class Piece(NamedTuple):
    """A run of bytes of one blob: ``length`` bytes from ``start`` on, both counted inside the blob."""

    key: str
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class Extents:
    """Which blob holds which bytes of a source; there may be gaps while it grows.

    Every question is answered by binary search, so 10,000 parts cost no more than ten.
    """

    keys: tuple[str, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    run_starts: tuple[int, ...]
    """Where each unbroken run of bytes begins: neighbours without a gap form one run."""
    run_ends: tuple[int, ...]

    @classmethod
    def of(cls, blobs: Iterable[tuple[str, int, int]]) -> Extents:
        """Build from (key, offset in the source, length), in any order; empty blobs hold no byte and are left out.

        Raises ValueError if two blobs hold the same byte, or for a negative number.
        """
        keys, starts, ends = [], [], []
        run_starts: list[int] = []
        run_ends: list[int] = []
        for key, offset, length in sorted(blobs, key=lambda blob: blob[1]):
            if offset < 0 or length < 0:
                raise ValueError(f"blob {key!r}: negative offset or length")
            if length == 0:
                continue
            if run_ends and offset < run_ends[-1]:
                raise ValueError(f"blob {key!r} overlaps the one before it")
            keys.append(key)
            starts.append(offset)
            ends.append(offset + length)
            if run_ends and offset == run_ends[-1]:
                run_ends[-1] = offset + length
            else:
                run_starts.append(offset)
                run_ends.append(offset + length)
        return cls(tuple(keys), tuple(starts), tuple(ends), tuple(run_starts), tuple(run_ends))

    @property
    def end(self) -> int:
        """One past the last byte held."""
        return self.ends[-1] if self.ends else 0

    @property
    def contiguous_prefix(self) -> int:
        """How many bytes from 0 on are held without a gap."""
        return self.run_ends[0] if self.run_starts and self.run_starts[0] == 0 else 0

    def covered(self, low: int, high: int) -> bool:
        """Is every byte of [low, high) held? An empty range always is."""
        if low >= high:
            return True
        run = bisect_right(self.run_starts, low) - 1
        return run >= 0 and high <= self.run_ends[run]

    def reach(self, low: int) -> int:
        """Up to where every byte from ``low`` on is held; ``low`` itself if that one is not."""
        run = bisect_right(self.run_starts, low) - 1
        return max(low, self.run_ends[run]) if run >= 0 else low

    def pieces(self, low: int, high: int) -> tuple[Piece, ...]:
        """The runs of blobs that make up [low, high), in order; raises ValueError if it is not covered."""
        if low < 0 or not self.covered(low, high):
            raise ValueError(f"bytes {low}-{high} are not all held")
        found = []
        at = bisect_right(self.starts, low) - 1
        while low < high:
            upto = min(high, self.ends[at])
            found.append(Piece(self.keys[at], low - self.starts[at], upto - low))
            low, at = upto, at + 1
        return tuple(found)
