"""The api.video dialect: the ``Content-Range`` request header (contract.md 2.1)."""

from __future__ import annotations

import re

from partway.errors import RangeMalformed
from partway.ledger import Address, ByteSpan, PartNumber, Whole

HEADER = "Content-Range"

_LARGEST = 2**53
_PATTERN = re.compile(
    r"(?:bytes[ \t]+(?P<first>[0-9]{1,16})[ \t]*-[ \t]*(?P<last>[0-9]{1,16})"
    r"|part[ \t]+(?P<number>[0-9]{1,16}))"
    r"[ \t]*/[ \t]*(?P<total>[0-9]{1,16}|\*)",
    re.IGNORECASE,
)


def parse(value: str | None) -> Address:
    """Turn a header's value into an address; no header means the whole source at once.

    The unit's case and blanks after the unit and round ``-`` and ``/`` don't matter, and a
    percent-encoded value as one documented curl line sends it is taken; signs, decimals, a missing
    total and numbers above 2^53 are not.

    Raises:
        RangeMalformed: the value is neither form.
    """
    if value is None:
        return Whole()
    text = value.replace("%20", " ").replace("%2F", "/").replace("%2f", "/").strip(" \t")
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise RangeMalformed(f"The header's value is {value[:80]!r}.")
    numbers = {key: int(found) for key, found in match.groupdict().items() if found not in (None, "*")}
    if any(number > _LARGEST for number in numbers.values()):
        raise RangeMalformed("A number in the header is above 2^53.")
    total = numbers.get("total")
    if "number" in numbers:
        return PartNumber(numbers["number"], total)
    return ByteSpan(numbers["first"], numbers["last"], total)


def render(address: Address) -> str | None:
    """The header's value for an address, or None when the header is to be left out."""
    total = "*" if address.total is None else str(address.total)
    match address:
        case Whole():
            return None
        case PartNumber(number=number):
            return f"part {number}/{total}"
        case ByteSpan(first=first, last=last):
            return f"bytes {first}-{last}/{total}"
