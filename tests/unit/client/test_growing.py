"""A growing file: its end, its cuts, and which heads change when it is closed."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partway.client.growing import Cuts, Growth, Head, head_of
from partway.errors import FileChanged
from partway.ledger import MIB, Limits

LIMITS = Limits()


def box(kind: bytes, length: int = 0) -> bytes:
    return struct.pack(">I4s", 8 + length, kind) + bytes(length)


FTYP = box(b"ftyp", 16)


def head(data: bytes) -> Head:
    return head_of(lambda offset, length: data[offset : offset + length], len(data))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (FTYP + box(b"free") + struct.pack(">I4s", 0, b"mdat") + bytes(99), Head.CHANGES),
        (FTYP + box(b"wide") + struct.pack(">I4sQ", 1, b"mdat", 0) + bytes(99), Head.CHANGES),
        (FTYP + box(b"free", 1000) + box(b"mdat", 9), Head.CHANGES),
        (FTYP + struct.pack(">I4s", 10**6, b"free"), Head.CHANGES),
        (FTYP + box(b"moov", 90) + box(b"moof", 9), Head.STAYS),
        (FTYP + box(b"moov", 90) + box(b"mdat", 9), Head.STAYS),
        (box(b"styp", 9) + box(b"moof", 9) + box(b"mdat", 9), Head.STAYS),
        (b"\x1a\x45\xdf\xa3" + bytes(99), Head.MAY_CHANGE),
        (b"RIFF\0\0\0\0AVI LIST", Head.CHANGES),
        (b"FLV\x01\x05" + bytes(99), Head.CHANGES),
        (b"\x47\x40\x00\x10" + bytes(184), Head.STAYS),
        (b"", Head.STAYS),
    ],
)
def test_what_becomes_of_a_head(data, expected):
    assert head(data) is expected


@given(st.binary(max_size=200) | st.lists(st.sampled_from([FTYP, box(b"free", 3), box(b"mdat")])).map(b"".join))
def test_any_beginning_is_judged(data):
    assert head(data) in Head


def test_a_file_is_over_when_neither_size_nor_time_moves():
    growth = Growth(idle_seconds=30)
    assert not growth.is_over(1000)
    growth.note(10, 1, 100)
    assert not growth.is_over(129)
    growth.note(10, 2, 120)
    assert not growth.is_over(149)
    assert growth.is_over(150)
    growth.note(11, 2, 155)
    growth.note(11, 2, 180)
    assert not growth.is_over(184)
    assert growth.is_over(185)
    with pytest.raises(FileChanged, match="it had 11 bytes, and now has 9"):
        growth.note(9, 3, 186)


@given(st.integers(1, LIMITS.source_bytes_max))
def test_cuts_are_legal_and_the_same_whatever_the_length(size):
    cuts = Cuts()
    total = cuts.count(size)
    assert total <= LIMITS.parts_max
    offset, length = cuts.span(total)
    assert offset < size <= offset + length
    before = sum(cuts.span(total - 1)) if total > 1 else 0
    assert before == offset
    assert LIMITS.piece_bytes_min <= length <= 32 * MIB
    assert cuts.span(1) == (0, 5 * MIB)
