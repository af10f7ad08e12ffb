"""Range requests (RFC 9110 section 14), one range at a time, and whether what is asked for is held already."""

from __future__ import annotations

import re
from typing import NamedTuple

_RANGE = re.compile(r"bytes[ \t]*=[ \t]*(?P<first>[0-9]{0,19})-(?P<last>[0-9]{0,19})[ \t]*", re.IGNORECASE)


class ByteRange(NamedTuple):
    """The bytes [offset, offset+length)."""

    offset: int
    length: int


def parse_range(header: str | None, size: int) -> ByteRange | None:
    """The range a ``Range`` header asks for of ``size`` bytes.

    None means everything: no header, a malformed one, another unit, or several ranges, which a server may
    answer with the whole (RFC 9110 14.2), and which have cost others dearly.

    Raises:
        ValueError: the range lies outside; the answer is 416.
    """
    match = _RANGE.fullmatch(header) if header else None
    if match is None or not (match["first"] or match["last"]):
        return None
    if not match["first"]:
        length = min(int(match["last"]), size)
        if length == 0:
            raise ValueError("an empty suffix")
        return ByteRange(size - length, length)
    first = int(match["first"])
    last = int(match["last"]) if match["last"] else size - 1
    if match["last"] and last < first:
        return None
    if first >= size:
        raise ValueError("beyond the end")
    return ByteRange(first, min(last, size - 1) - first + 1)


def is_held(if_none_match: str | None, etag: str) -> bool:
    """Whether an ``If-None-Match`` header names ``etag``, by weak comparison (RFC 9110 13.1.2)."""
    if if_none_match is None:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return etag in tags or tags == ["*"]
