"""Movie fragments (ISO/IEC 14496-12 clause 8.8): one ``moof`` for one run of samples."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np

from partway.media.boxes import box, full_box

if TYPE_CHECKING:
    from partway.media.tables import I32, I64, U32

_SYNC, _NOT_SYNC = 0x02000000, 0x01010000
"""Sample flags (clause 8.8.3.1): depends on no other; depends on others and is no sync sample."""

_DATA_OFFSET, _FIRST_FLAGS, _DURATIONS, _SIZES, _FLAGS, _COMPOSITIONS = 0x001, 0x004, 0x100, 0x200, 0x400, 0x800
"""What a track run spells out (clause 8.8.8.1)."""


def moof(
    *,
    track_number: int,
    sequence: int,
    decode_time: int,
    sizes: U32,
    durations: U32,
    keyframes: I64 | None,
    compositions: I32 | None,
    mdat_header: int,
) -> bytes:
    """Write the ``moof`` of samples that begin right after the ``mdat`` header that follows it.

    ``keyframes`` are numbers within the run, the first of them 0; None if all samples are. Compositions are signed.
    """
    flags = _DATA_OFFSET | _SIZES
    columns = [sizes]
    duration = int(durations[-1])
    if (durations != duration).any():
        flags |= _DURATIONS
        columns.insert(0, durations)
    default_flags, first_flags = _SYNC, b""
    if keyframes is not None:
        default_flags = _NOT_SYNC
        if len(keyframes) == 1:
            flags |= _FIRST_FLAGS
            first_flags = struct.pack(">I", _SYNC)
        else:
            flags |= _FLAGS
            columns.append(np.full(len(sizes), _NOT_SYNC, np.uint32))
            columns[-1][keyframes] = _SYNC
    if compositions is not None and compositions.any():
        flags |= _COMPOSITIONS
        columns.append(compositions.view(np.uint32))
    samples = np.stack(columns, axis=1).astype(">u4").tobytes()

    mfhd = full_box(b"mfhd", 0, 0, struct.pack(">I", sequence))
    # Flags of tfhd: offsets count from the moof; default duration and default flags follow.
    tfhd = full_box(b"tfhd", 0, 0x020028, struct.pack(">III", track_number, duration, default_flags))
    tfdt = full_box(b"tfdt", 1, 0, struct.pack(">Q", decode_time))
    before_run = 8 + len(mfhd) + 8 + len(tfhd) + len(tfdt)
    media_starts = before_run + 20 + len(first_flags) + len(samples) + mdat_header
    trun = full_box(b"trun", 1, flags, struct.pack(">Ii", len(sizes), media_starts), first_flags, samples)
    return box(b"moof", mfhd, box(b"traf", tfhd, tfdt, trun))
