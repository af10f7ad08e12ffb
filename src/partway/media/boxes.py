"""ISO base media boxes (ISO/IEC 14496-12 clause 4.2), read within bounds and written."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from partway.errors import MediaMalformed

MAX_CHILDREN = 128
"""Boxes read inside one box. Real files have a dozen; nothing here recurses, so this also bounds the whole walk."""


@dataclass(frozen=True, slots=True)
class Box:
    """A box: its four-character type, and its body without the header."""

    kind: bytes
    body: memoryview


def children(body: memoryview, *, limit: int = MAX_CHILDREN) -> Iterator[Box]:
    """The boxes inside a body, in order.

    Zero padding and up to seven stray bytes end the list silently: QuickTime writes such terminators.
    Raises MediaMalformed for a box that is longer than what holds it, or for more than ``limit`` boxes.
    """
    position, end, count = 0, len(body), 0
    while end - position >= 8:
        size, kind = struct.unpack_from(">I4s", body, position)
        header = 8
        if size == 0:
            return
        if size == 1:
            (size,) = fields(">Q", body, position + 8)
            header = 16
        if size < header or size > end - position:
            raise MediaMalformed("The file's index is damaged: a box does not fit into the box around it.")
        count += 1
        if count > limit:
            raise MediaMalformed(f"The file's index is damaged: one box holds more than {limit} others.")
        yield Box(kind, body[position + header : position + size])
        position += size


def first_of_each(body: memoryview, *, limit: int = MAX_CHILDREN) -> dict[bytes, memoryview]:
    """The boxes inside a body by type; of several with one type, the first."""
    found: dict[bytes, memoryview] = {}
    for child in children(body, limit=limit):
        found.setdefault(child.kind, child.body)
    return found


def fields(layout: str, body: memoryview | bytes, offset: int = 0) -> tuple[Any, ...]:
    """Unpack a struct layout at an offset; raises MediaMalformed where the body is too short."""
    try:
        return struct.unpack_from(layout, body, offset)
    except struct.error as error:
        raise MediaMalformed("The file's index is damaged: a box ends before its fields do.") from error


def required(boxes: dict[bytes, memoryview], kind: bytes) -> memoryview:
    """The box of this type; raises MediaMalformed if there is none."""
    try:
        return boxes[kind]
    except KeyError:
        raise MediaMalformed(f"The file's index is damaged: its {kind.decode('latin-1')} box is missing.") from None


def box(kind: bytes, *parts: bytes) -> bytes:
    """Write a box."""
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def full_box(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    """Write a box that starts with a version and flags."""
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)
