"""An MP4 or MOV whose index is at its end, as a reader that can't seek needs it: the index brought forward.

    [ftyp][moov, with every offset shifted][everything else, as it was]

The bytes are never copied: the answer is the new index and the spans of the file around it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from partway.errors import MediaMalformed, MediaTooLarge
from partway.media.boxes import box, children, fields
from partway.media.container import MoovPlace
from partway.media.index import MAX_MOOV_BYTES
from partway.media.reading import Reading, Wanted

_AROUND = (b"trak", b"mdia", b"minf", b"stbl")
_DEEPEST = len(_AROUND)


@dataclass(frozen=True, slots=True)
class Forward:
    """A file rearranged: ``head`` of it, then ``moov``, then the rest."""

    head: int
    """Bytes of the file before the index: its ``ftyp``."""
    moov: bytes
    spans: tuple[tuple[int, int], ...]
    """What follows: offset and length of runs of the file."""


def bring_forward(place: MoovPlace, size: int) -> Reading[Forward]:
    """Rearrange a file of ``size`` bytes whose index is at ``place``.

    Raises MediaMalformed or MediaTooLarge.
    """
    if place.length > MAX_MOOV_BYTES:
        raise MediaTooLarge(f"The file's index is larger than {MAX_MOOV_BYTES >> 20} MiB.")
    first = yield Wanted(0, 8)
    length, kind = fields(">I4s", first)
    head = length if kind == b"ftyp" and 8 <= length <= min(4096, place.offset) else 0
    moov = yield Wanted(place.offset, place.length)
    if len(moov) < place.length:
        raise MediaMalformed("The file is cut off: it ends inside one of its boxes.")
    end = place.offset + place.length
    spans = tuple((low, high - low) for low, high in ((head, place.offset), (end, size)) if high > low)
    return Forward(head, shift_moov(memoryview(moov)[place.header :], place.offset, place.length), spans)


def shift_moov(body: memoryview, position: int, length: int) -> bytes:
    """Write a ``moov`` anew for its place before what was in front of it.

    What was before ``position`` moves back by the new index' length; what came behind it by the difference to its old
    ``length``. Offsets get 64 bits where 32 don't hold them any more.
    """
    for is_wide in (False, True):
        # The length of the new index is known before its numbers are: they don't change it.
        added = len(_rewrite(body, 0, 0, position, is_wide=is_wide))
        try:
            return _rewrite(body, added, added - length, position, is_wide=is_wide)
        except struct.error:
            continue
    raise MediaMalformed("The file's index is damaged: it names a place that no file has.")


def _rewrite(body: memoryview, before: int, behind: int, position: int, *, is_wide: bool) -> bytes:
    def rewritten(inside: memoryview, depth: int) -> list[bytes]:
        parts = []
        for child in children(inside, limit=1000):
            if depth < _DEEPEST and child.kind == _AROUND[depth]:
                parts.append(box(child.kind, *rewritten(child.body, depth + 1)))
            elif depth == _DEEPEST and child.kind in (b"stco", b"co64"):
                parts.append(_offsets(child.kind, child.body, before, behind, position, is_wide=is_wide))
            else:
                parts.append(box(child.kind, bytes(child.body)))
        return parts

    return box(b"moov", *rewritten(body, 0))


def _offsets(kind: bytes, body: memoryview, before: int, behind: int, position: int, *, is_wide: bool) -> bytes:
    wide = kind == b"co64"
    (count,) = fields(">I", body, 4)
    if count > (len(body) - 8) // (8 if wide else 4):
        raise MediaMalformed("The file's index is damaged: a table is longer than its box.")
    offsets = struct.unpack_from(f">{count}{'Q' if wide else 'I'}", body, 8)
    moved = [one + (before if one < position else behind) for one in offsets]
    wide = wide or is_wide
    table = struct.pack(f">{count}{'Q' if wide else 'I'}", *moved)
    return box(b"co64" if wide else b"stco", bytes(body[:8]), table)
