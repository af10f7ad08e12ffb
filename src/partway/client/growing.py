"""A file that something else is still writing: when it has ended, how it is cut, and what of it may change. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from partway.client.plan import part_bytes
from partway.errors import FileChanged

_BOXES_MAX = 64

_EBML = b"\x1a\x45\xdf\xa3"
_CHANGES = (b"RIFF", b"FLV\x01", b"\x06\x0e\x2b\x34", b"\x30\x26\xb2\x75")
"""AVI, FLV, MXF and ASF: sizes or durations near the start are written at the end."""
_FIRST_BOXES = {b"ftyp", b"wide", b"mdat", b"free", b"skip", b"pnot", b"styp", b"moov", b"moof"}


class Head(StrEnum):
    """What becomes of the first bytes of a file when its writer closes it."""

    STAYS = "stays"
    """Fragmented MP4, MPEG-TS, and an MP4 whose index stands in front: a copy of a finished one."""
    MAY_CHANGE = "may change"
    """Matroska and WebM: the length, and where the index is. It plays without."""
    CHANGES = "changes"
    """Plain MP4 and MOV, and others that don't play with the head they begin with."""


def head_of(read_at: Callable[[int, int], bytes], size: int) -> Head:
    """What kind of head a file has, by its first few headers.

    Args:
        read_at: returns up to n bytes at an offset: ``read_at(offset, n)``.
        size: how much of the file there is, in bytes.
    """
    start = read_at(0, 16)
    if start.startswith(_EBML):
        return Head.MAY_CHANGE
    if start.startswith(_CHANGES):
        return Head.CHANGES
    if start[4:8] not in _FIRST_BOXES:
        return Head.STAYS
    offset = 0
    for _ in range(_BOXES_MAX):
        if offset + 8 > size:
            break
        header = read_at(offset, 16)
        length, kind = int.from_bytes(header[:4], "big"), header[4:8]
        if kind in (b"moov", b"moof"):
            return Head.STAYS
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        if kind == b"mdat" or length < 8:
            break
        offset += length
    return Head.CHANGES


@dataclass(slots=True)
class Growth:
    """Whether a file still grows. Time is handed in, in seconds."""

    idle_seconds: float
    """No change for so long is the end."""
    size: int = 0
    _changed_ns: int = 0
    _moved_at: float | None = None

    def note(self, size: int, changed_ns: int, now: float) -> None:
        """Take note of the file's size in bytes and its time of change.

        Raises:
            FileChanged: it became shorter.
        """
        if size < self.size:
            raise FileChanged(f"it had {self.size} bytes, and now has {size}")
        if self._moved_at is None or (size, changed_ns) != (self.size, self._changed_ns):
            self._moved_at = now
        self.size, self._changed_ns = size, changed_ns

    def is_over(self, now: float) -> bool:
        """Whether it has not changed for ``idle_seconds``."""
        return self._moved_at is not None and now - self._moved_at >= self.idle_seconds


@dataclass(slots=True)
class Cuts:
    """Where a file of unknown length is cut into parts: always at the same places, so that a later run knows them."""

    _borders: list[int] = field(default_factory=lambda: [0])

    def span(self, number: int) -> tuple[int, int]:
        """Offset and length in bytes of a part, numbered from 1; the last one of a file is shorter."""
        while len(self._borders) <= number:
            at = self._borders[-1]
            self._borders.append(at + part_bytes(at))
        start, end = self._borders[number - 1 : number + 1]
        return start, end - start

    def count(self, size: int) -> int:
        """How many parts a file of ``size`` bytes has."""
        number = 1
        while sum(self.span(number)) < size:
            number += 1
        return number


@dataclass(frozen=True, slots=True)
class Following:
    """How a growing file is followed."""

    idle_seconds: float = 30.0
    exact: bool = False
    """Hold back the head whatever the container, so that the copy equals the file as it is closed."""
    is_over: Callable[[], bool] = lambda: False
    """Asked at every look: whether the file is to end here, though it may still grow."""
    look_seconds: float = 0.5
    """Between two looks at the file's size."""
