"""Reading without I/O: a parser asks for bytes, and whoever drives it fetches them.

    reading = read_index(size)
    wanted = next(reading)
    while True:
        wanted = reading.send(fetch(wanted.offset, wanted.length))      # ends with StopIteration, value = the result

An answer shorter than what was wanted means that the file ends there.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import BinaryIO, TypeAlias, TypeVar, cast

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The bytes a parser needs next: ``length`` bytes from ``offset`` on."""

    offset: int
    length: int
    least: int | None = None
    """How many of them will do where not all have arrived yet; None for all of them."""


Reading: TypeAlias = Generator[Wanted, bytes, T]
"""A parser in progress: yields what it wants, is sent the bytes, returns a ``T``."""


def read_from_bytes(reading: Reading[T], blob: bytes) -> T:
    """Drive a parser over a file that is in memory."""
    view = memoryview(blob)
    try:
        wanted = next(reading)
        while True:
            wanted = reading.send(bytes(view[wanted.offset : wanted.offset + wanted.length]))
    except StopIteration as done:
        return cast(T, done.value)


def read_from_file(reading: Reading[T], file: BinaryIO) -> T:
    """Drive a parser over an open file, which must be seekable."""
    try:
        wanted = next(reading)
        while True:
            file.seek(wanted.offset)
            wanted = reading.send(file.read(wanted.length))
    except StopIteration as done:
        return cast(T, done.value)
