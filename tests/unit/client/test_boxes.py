"""The index is found where it is, in few reads, and anything at all is taken."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partway.client.boxes import late_moov_offset


def box(kind: bytes, length: int = 0) -> bytes:
    return struct.pack(">I4s", 8 + length, kind) + bytes(length)


def large(kind: bytes, length: int) -> bytes:
    return struct.pack(">I4sQ", 1, kind, 16 + length) + bytes(length)


def found(data: bytes) -> int | None:
    return late_moov_offset(lambda offset, length: data[offset : offset + length], len(data))


@pytest.mark.parametrize(
    ("data", "offset"),
    [
        (box(b"ftyp", 16) + box(b"mdat", 100) + box(b"moov", 50), 132),
        (box(b"ftyp", 16) + box(b"wide") + large(b"mdat", 100) + box(b"moov", 50) + box(b"free", 9), 148),
        (box(b"wide") + box(b"mdat", 1) + box(b"moov", 1), 17),
        (box(b"ftyp", 16) + box(b"moov", 50) + box(b"mdat", 100), None),
        (box(b"ftyp", 16) + box(b"mdat", 100), None),
        (box(b"ftyp", 16) + box(b"mdat", 100) + box(b"moov", 50)[:-1], None),
        (box(b"ftyp", 16) + struct.pack(">I4s", 0, b"mdat") + bytes(99), None),
        (box(b"ftyp", 16) + struct.pack(">I4s", 7, b"mdat") + box(b"moov"), None),
        (b"\x1a\x45\xdf\xa3" + bytes(200), None),
        (b"", None),
    ],
)
def test_late_index(data, offset):
    assert found(data) == offset


def test_reads_are_bounded():
    reads = []

    def read_at(offset, length):
        reads.append(length)
        return struct.pack(">I4s", 8, b"free") + bytes(8)

    assert late_moov_offset(read_at, 2**50) is None
    assert len(reads) == 64
    assert set(reads) == {16}


@given(st.binary(max_size=300) | st.lists(st.sampled_from([box(b"ftyp"), box(b"mdat", 3), box(b"moov")])).map(b"".join))
def test_any_bytes_are_taken(data):
    offset = found(data)
    assert offset is None or data[offset + 4 : offset + 8] == b"moov"
