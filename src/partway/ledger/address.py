"""Where a piece of a source belongs: the three address kinds every dialect maps to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

MIB = 1024 * 1024


class Mode(StrEnum):
    """How a source is being filled; fixed by its first piece."""

    SINGLE = "single"
    PART = "part"
    BYTES = "bytes"


@dataclass(frozen=True, slots=True)
class Limits:
    """The contract's bounds (contract.md 2.2), all in bytes but ``parts_max``."""

    piece_bytes_min: int = 5 * MIB
    """Smallest piece that is not the last one."""
    piece_bytes_max: int = 200 * MIB
    parts_max: int = 10_000
    source_bytes_max: int = 50_000 * MIB


@dataclass(frozen=True, slots=True)
class Whole:
    """The entire source in one request, without an address."""

    total: int | None = 1

    mode = Mode.SINGLE

    @property
    def position(self) -> int:
        """The key of this piece within its source."""
        return 1

    @property
    def highest(self) -> int:
        """The lowest total this piece allows."""
        return 1

    @property
    def claims_last(self) -> bool:
        return True

    def with_total(self, total: int | None) -> Self:
        return replace(self, total=total)


@dataclass(frozen=True, slots=True)
class PartNumber:
    """``part number/total``: numbered from 1, total in parts, None while unknown."""

    number: int
    total: int | None = None

    mode = Mode.PART

    @property
    def position(self) -> int:
        return self.number

    @property
    def highest(self) -> int:
        return self.number

    @property
    def claims_last(self) -> bool:
        """Whether this piece says of itself that it is the last."""
        return self.number == self.total

    def with_total(self, total: int | None) -> Self:
        return replace(self, total=total)


@dataclass(frozen=True, slots=True)
class ByteSpan:
    """``bytes first-last/total``: inclusive offsets, total in bytes, None while unknown."""

    first: int
    last: int
    total: int | None = None

    mode = Mode.BYTES

    @property
    def length(self) -> int:
        return self.last - self.first + 1

    @property
    def position(self) -> int:
        return self.first

    @property
    def highest(self) -> int:
        return self.last + 1

    @property
    def claims_last(self) -> bool:
        return self.last + 1 == self.total

    def with_total(self, total: int | None) -> Self:
        return replace(self, total=total)


Address = Whole | PartNumber | ByteSpan
