"""The index brought forward: every sample is where the shifted index says."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partway.errors import MediaMalformed
from partway.media.boxes import box, children
from partway.media.container import locate_moov
from partway.media.forward import Forward, bring_forward, shift_moov
from partway.media.reading import read_from_bytes
from partway.testing.media import ffmpeg, run, sample

AROUND = (b"stbl", b"minf", b"mdia", b"trak")


def moov(table: bytes, padding: int = 0) -> bytes:
    for kind in AROUND:
        table = box(kind, table)
    return box(b"moov", box(b"mvhd", bytes(padding)), table)


def offsets_of(written: bytes) -> tuple[bytes, tuple[int, ...]]:
    body = memoryview(written)[8:]
    for kind in reversed(AROUND):
        body = next(child.body for child in children(body) if child.kind == kind)
    (table,) = children(body)
    (count,) = struct.unpack_from(">I", table.body, 4)
    letter = "Q" if table.kind == b"co64" else "I"
    return table.kind, struct.unpack_from(f">{count}{letter}", table.body, 8)


@given(
    before=st.lists(st.integers(0, 2**32 - 1), max_size=20),
    behind=st.lists(st.integers(0, 2**40), max_size=20),
    position=st.integers(0, 2**32 - 1),
    padding=st.integers(0, 300),
)
def test_offsets_move_by_what_moved_before_them(
    before: list[int], behind: list[int], position: int, padding: int
) -> None:
    old_length = 8 + 8 + padding + 8 * len(AROUND) + 16 + 8 * (len(before) + len(behind))
    offsets = [one % (position or 1) for one in before if position] + [position + old_length + one for one in behind]
    table = box(b"co64", struct.pack(f">II{len(offsets)}Q", 0, len(offsets), *offsets))
    old = moov(table, padding)
    new = shift_moov(memoryview(old)[8:], position, len(old))
    kind, moved = offsets_of(new)
    assert kind == b"co64"
    assert moved == tuple(one + (len(new) if one < position else len(new) - len(old)) for one in offsets)


def test_offsets_that_outgrow_32_bits_get_64() -> None:
    old = moov(box(b"stco", struct.pack(">4I", 0, 2, 16, 2**32 - 20)))
    new = shift_moov(memoryview(old)[8:], 2**32 - 1, len(old))
    kind, moved = offsets_of(new)
    assert kind == b"co64"
    assert moved == (16 + len(new), 2**32 - 20 + len(new))


def test_a_table_longer_than_its_box_is_refused() -> None:
    old = moov(box(b"stco", struct.pack(">3I", 0, 2**31, 16)))
    with pytest.raises(MediaMalformed):
        shift_moov(memoryview(old)[8:], 100, len(old))


def assembled(blob: bytes) -> tuple[Forward, bytes]:
    place = read_from_bytes(locate_moov(len(blob)), blob)
    forward = read_from_bytes(bring_forward(place, len(blob)), blob)
    rest = b"".join(blob[offset : offset + length] for offset, length in forward.spans)
    return forward, blob[: forward.head] + forward.moov + rest


@pytest.mark.parametrize("name", ["plain", "mov", "film"])
def test_a_rearranged_file_plays_from_a_pipe(media_dir: Path, tmp_path: Path, name: str) -> None:
    source = sample(media_dir, name)
    blob = source.read_bytes()
    forward, rearranged = assembled(blob)
    assert len(rearranged) == len(blob)
    path = tmp_path / source.name
    path.write_bytes(rearranged)
    hashed = ("-c", "copy", "-f", "streamhash", "-")
    assert run(ffmpeg(), "-seekable", "0", "-i", path, *hashed) == run(ffmpeg(), "-i", source, *hashed)
    assert rearranged[forward.head + 4 : forward.head + 8] == b"moov"
