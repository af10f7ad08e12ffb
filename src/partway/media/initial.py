"""Init segments: what a decoder must know before the first frame (ISO/IEC 14496-12 clause 8.8).

There is no edit list in them: players disagree on it, and the segments' own times need none.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from partway.media.boxes import box, full_box
from partway.media.movie import pack_matrix

if TYPE_CHECKING:
    from partway.media.index import Index, Kind

TRACK_NUMBERS = {"video": 1, "audio": 2}

_UPRIGHT = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_UNDETERMINED = 0x55C4
"""The language code ``und``."""


def init_segment(index: Index, kind: Kind) -> bytes:
    """The init segment of one kind; empty for audio that needs none (``Index.is_packed``).

    Raises LookupError if the video has no sound.
    """
    track = index.track(kind)
    if index.is_packed(kind):
        return b""
    if kind == "video":
        shown, volume = index.display, 0
        where = pack_matrix(shown.matrix) + struct.pack(">II", shown.width, shown.height)
        handler, name, header = b"vide", b"video", full_box(b"vmhd", 0, 1, bytes(8))
        entry = index.picture.sample_entry()
    else:
        assert index.sound is not None
        volume = 0x100
        where = _UPRIGHT + bytes(8)
        handler, name, header = b"soun", b"audio", full_box(b"smhd", 0, 0, bytes(4))
        entry = index.sound.sample_entry()
    number = TRACK_NUMBERS[kind]
    tkhd = full_box(b"tkhd", 0, 3, struct.pack(">8xI4x4x8xHHHxx", number, 0, 0, volume), where)
    mdhd = full_box(b"mdhd", 0, 0, struct.pack(">8xI4xHxx", track.timescale, _UNDETERMINED))
    hdlr = full_box(b"hdlr", 0, 0, struct.pack(">4x4s12x", handler), name, b"\0")
    dinf = box(b"dinf", full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1)))
    stbl = box(
        b"stbl",
        full_box(b"stsd", 0, 0, struct.pack(">I", 1), entry),
        full_box(b"stts", 0, 0, bytes(4)),
        full_box(b"stsc", 0, 0, bytes(4)),
        full_box(b"stsz", 0, 0, bytes(8)),
        full_box(b"stco", 0, 0, bytes(4)),
    )
    mdia = box(b"mdia", mdhd, hdlr, box(b"minf", header, dinf, stbl))
    speed = struct.pack(">8xI4xIH10x", track.timescale, 0x10000, 0x100)
    mvhd = full_box(b"mvhd", 0, 0, speed, _UPRIGHT, bytes(24), struct.pack(">I", number + 1))
    trex = full_box(b"trex", 0, 0, struct.pack(">5I", number, 1, 0, 0, 0))
    ftyp = box(b"ftyp", b"iso6", bytes(4), b"iso6", b"mp41")
    return ftyp + box(b"moov", mvhd, box(b"trak", tkhd, mdia), box(b"mvex", trex))
