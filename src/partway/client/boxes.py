"""Where a file keeps its index: a look at the top-level box headers of MP4 and MOV (ISO/IEC 14496-12, 4.2)."""

from __future__ import annotations

from collections.abc import Callable

_BOXES_MAX = 64
"""More top-level boxes than this before the index and the file is a fragmented one, or no MP4."""

_FIRST = {b"ftyp", b"wide", b"mdat", b"free", b"skip", b"pnot", b"styp", b"moov"}


def late_moov_offset(read_at: Callable[[int, int], bytes], size: int) -> int | None:
    """The offset of a ``moov`` box that stands behind the media, in bytes.

    None when the index is at the front, or when this is not an MP4 or MOV as far as its first few
    headers tell. Reads 16 bytes per box, of 64 boxes at most; any content is taken.

    Args:
        read_at: returns up to n bytes at an offset: ``read_at(offset, n)``.
        size: the file's size in bytes.
    """
    offset = 0
    media_seen = False
    for _ in range(_BOXES_MAX):
        if offset + 8 > size:
            return None
        header = read_at(offset, 16)
        length, kind = int.from_bytes(header[:4], "big"), header[4:8]
        if len(header) < 8 or (offset == 0 and kind not in _FIRST):
            return None
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        if length < 8 or offset + length > size:  # 0 means "to the end": then nothing follows
            return None
        if kind == b"moov":
            return offset if media_seen else None
        media_seen = media_seen or kind == b"mdat"
        offset += length
    return None
