"""Sample tables (ISO/IEC 14496-12 clauses 8.6 and 8.7): checked as they stand, and only then expanded.

A box's claims are compared with its length and with the size table before anything is allocated for them, so what an
index costs is bounded by the bytes that were sent for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from partway.errors import MediaMalformed, MediaTooLarge, MediaUnsupported
from partway.media.boxes import fields, required

U32: TypeAlias = NDArray[np.uint32]
I32: TypeAlias = NDArray[np.int32]
I64: TypeAlias = NDArray[np.int64]

MAX_SAMPLES = 10_000_000
"""Per track: 46 hours at 60 frames a second. An index of that many takes about 0.6 GB while it is built."""


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """The expanded tables of one track, in decoding order. Constant columns take no memory."""

    sizes: U32
    durations: U32
    """In ticks: from this sample's decoding to the next one's."""
    compositions: I32 | None
    """Presentation minus decoding, in ticks; None where all are zero."""
    keyframes: I64 | None
    """Numbers of the samples, from 0, at which decoding can start; None if at all."""
    chunk_firsts: I64
    """The number of each chunk's first sample."""
    chunk_offsets: I64
    """The place of each chunk in the file."""
    byte_ends: I64
    """For n samples n + 1 numbers: the bytes before each sample, counted over samples."""


def description_in_use(tables: dict[bytes, memoryview], entries: int) -> int:
    """The number, from 0, of the one sample description all chunks use.

    Raises MediaUnsupported if they use several.
    """
    used = _rows(required(tables, b"stsc"), "chunk", 3)[:, 2]
    if len(used) == 0:
        return 0
    first = int(used[0])
    if not 1 <= first <= entries:
        raise _damaged("a chunk uses a sample description that is not there")
    if (used != first).any():
        raise MediaUnsupported("The file changes its format midway, which needs transcoding.")
    return first - 1


def expand(tables: dict[bytes, memoryview], file_size: int) -> Samples:
    """Check all tables of a track against each other and the file, and expand them.

    Raises MediaMalformed for a contradiction, MediaTooLarge above 10 million samples, MediaUnsupported for compact
    size tables (``stz2``) and for empty samples, which no player expects.
    """
    sizes = _sizes(tables, file_size)
    count = len(sizes)
    byte_ends = np.zeros(count + 1, np.int64)
    np.cumsum(sizes, dtype=np.int64, out=byte_ends[1:])
    durations = _durations(required(tables, b"stts"), count)
    compositions = _compositions(tables[b"ctts"], count) if b"ctts" in tables else None
    keyframes = _keyframes(tables[b"stss"], count) if b"stss" in tables else None
    firsts, offsets = _chunks(tables, count)
    lengths = np.diff(byte_ends[np.append(firsts, count)])
    if byte_ends[-1] > file_size or (offsets + lengths > file_size).any():
        raise _damaged("samples lie outside the file")
    return Samples(sizes, durations, compositions, keyframes, firsts, offsets, byte_ends)


def _sizes(tables: dict[bytes, memoryview], file_size: int) -> U32:
    if b"stsz" not in tables and b"stz2" in tables:
        raise MediaUnsupported("The file uses compact sample sizes (stz2), so it needs transcoding.")
    body = required(tables, b"stsz")
    constant, count = fields(">II", body, 4)
    if count > MAX_SAMPLES:
        raise MediaTooLarge(f"The file has more than {MAX_SAMPLES} samples in one track.")
    if count == 0:
        raise _damaged("a track has no samples")
    if constant:
        if constant * count > file_size:
            raise _damaged("a track claims more bytes than the file has")
        return np.broadcast_to(np.uint32(constant), count)
    if count * 4 > len(body) - 12:
        raise _damaged("the size table claims more entries than it has")
    sizes = np.frombuffer(body, ">u4", count, 12).astype(np.uint32)
    if not sizes.all():
        raise MediaUnsupported("The file has empty samples, so it needs transcoding.")
    return sizes


def _durations(body: memoryview, count: int) -> U32:
    rows = _rows(body, "time", 2)
    # "Negative" durations are what broken writers leave; taken as unsigned they are years.
    if (rows[:, 1] >= 1 << 31).any():
        raise _damaged("its times run backwards")
    return _repeat(rows[:, 1], rows[:, 0], count, "time")


def _compositions(body: memoryview, count: int) -> I32 | None:
    rows = _rows(body, "composition", 2)
    # Signed even in version 0, which calls them unsigned: writers did not wait for version 1.
    offsets = _repeat(rows[:, 1], rows[:, 0], count, "composition").view(np.int32)
    return offsets if offsets.any() else None


def _keyframes(body: memoryview, count: int) -> I64:
    numbers = _rows(body, "keyframe", 1)[:, 0].astype(np.int64) - 1
    if len(numbers) == 0:
        raise MediaUnsupported("The video has no keyframes, so it needs transcoding.")
    if numbers[0] < 0 or numbers[-1] >= count or (np.diff(numbers) <= 0).any():
        raise _damaged("its keyframes are out of order")
    return numbers


def _chunks(tables: dict[bytes, memoryview], count: int) -> tuple[I64, I64]:
    """First sample and place of every chunk that is not empty."""
    kind, dtype, width = (b"co64", ">u8", 8) if b"co64" in tables else (b"stco", ">u4", 4)
    body = required(tables, kind)
    (chunks,) = fields(">I", body, 4)
    if chunks * width > len(body) - 8:
        raise _damaged("the chunk table claims more entries than it has")
    places = np.frombuffer(body, dtype, chunks, 8)
    if chunks == 0 or (places > np.uint64(1 << 62)).any():
        raise _damaged("samples lie outside the file")
    rows = _rows(required(tables, b"stsc"), "chunk", 3)
    starts = rows[:, 0].astype(np.int64)
    if len(starts) == 0 or starts[0] != 1 or starts[-1] > chunks or (np.diff(starts) <= 0).any():
        raise _damaged("its chunks are out of order")
    held = np.repeat(rows[:, 1].astype(np.int64), np.diff(np.append(starts, chunks + 1)))
    if int(held.sum()) != count:
        raise _damaged("its chunks hold another number of samples than it has sizes")
    firsts = np.cumsum(held) - held
    filled = held > 0
    return firsts[filled], places.astype(np.int64)[filled]


def _rows(body: memoryview, name: str, width: int) -> U32:
    (count,) = fields(">I", body, 4)
    if count * width * 4 > len(body) - 8:
        raise _damaged(f"the {name} table claims more entries than it has")
    # Big-endian as they stand, no copy: a table can be as large as the whole index.
    return np.frombuffer(body, ">u4", count * width, 8).reshape(count, width)


def _repeat(values: U32, counts: U32, total: int, name: str) -> U32:
    if int(counts.sum(dtype=np.uint64)) != total:
        raise _damaged(f"the {name} table covers another number of samples than there are")
    native = values.astype(np.uint32)
    if len(values) == 1:
        return np.broadcast_to(native[0], total)
    if len(values) == total and (counts == 1).all():
        return native
    return np.repeat(native, counts.astype(np.int64))


def _damaged(what: str) -> MediaMalformed:
    return MediaMalformed(f"The file's index is damaged: {what}.")
