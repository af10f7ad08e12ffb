"""Long and large MP4 files that take no time and no room: a real index over holes.

``write_sparse_mp4`` writes a file of any length and size whose tables are plausible and whose frames are zeros, for
benchmarks and for tests of the index. ``moov`` and ``trak`` write an index from tables as they are given, true or not,
for tests of the parser. ``pad_mp4`` grows a real file to a wanted size, for tests of parts.
"""

from __future__ import annotations

import shutil
import struct
import sys
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from partway.media.boxes import box, full_box

AVCC = bytes.fromhex("01640028ffe1001b67640028acd940780227e5c044000003000400000300f03c60c65801000668ebe3cb22c0fdf8f800")
"""The decoder configuration of a 1920x1080 video: H.264 High, level 4.0."""

AAC_STEREO_48000 = b"\x11\x90"
"""An AudioSpecificConfig."""

IDENTITY = (0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)

Rows = Iterable[Sequence[int]]


def video_entry(avcc: bytes = AVCC, *, kind: bytes = b"avc1", more: bytes = b"") -> bytes:
    """A visual sample entry."""
    head = struct.pack(">6xH16xHHII4xH32xHh", 1, 1920, 1080, 72 << 16, 72 << 16, 1, 24, -1)
    return box(kind, head, box(b"avcC", avcc) if avcc else b"", more)


def audio_entry(config: bytes = AAC_STEREO_48000, *, kind: bytes = b"mp4a", object_type: int = 0x40) -> bytes:
    """A sound sample entry with an ``esds``."""
    decoder = struct.pack(">BB3xII", object_type, 0x15, 0, 0) + bytes((5, len(config))) + config
    descriptor = b"\x00\x00\x00" + bytes((4, len(decoder))) + decoder + b"\x06\x01\x02"
    head = struct.pack(">6xH8xHH4xI", 1, 2, 16, 48000 << 16)
    return box(kind, head, full_box(b"esds", 0, 0, bytes((3, len(descriptor))), descriptor))


def table(rows: Rows, *, claimed: int | None = None) -> bytes:
    """Rows of 32-bit numbers with their count in front, or with the count that is ``claimed``."""
    rows = list(rows)
    return struct.pack(">I", len(rows) if claimed is None else claimed) + _words(chain.from_iterable(rows))


def _words(numbers: Iterable[int], code: str = "I") -> bytes:
    packed = array(code, numbers)
    if sys.byteorder == "little":
        packed.byteswap()
    return packed.tobytes()


@dataclass
class TrackTables:
    """The tables of one track. Rows are written as given; ``raw`` replaces the body of any sample table box."""

    entry: bytes
    timescale: int
    stts: Rows
    sizes: Sequence[int]
    stsc: Rows
    offsets: Sequence[int]
    handler: bytes = b"vide"
    ctts: Rows | None = None
    stss: Sequence[int] | None = None
    elst: Rows | None = None
    """(duration, media time) pairs; -1 for an empty edit."""
    flags: int = 3
    matrix: Sequence[int] = IDENTITY
    duration: int = 0
    edts: bytes = b""
    """Written where ``elst`` is None."""
    dinf: bytes = b""
    raw: dict[bytes, bytes] | None = None


def trak(tables: TrackTables) -> bytes:
    """A ``trak`` box."""
    contents = {
        b"stsd": struct.pack(">I", 1) + tables.entry,
        b"stts": table(tables.stts),
        b"stsc": table(tables.stsc),
        b"stsz": struct.pack(">II", 0, len(tables.sizes)) + _words(tables.sizes),
        b"co64": struct.pack(">I", len(tables.offsets)) + _words(tables.offsets, "Q"),
    }
    if tables.ctts is not None:
        contents[b"ctts"] = table((count, offset & 0xFFFFFFFF) for count, offset in tables.ctts)
    if tables.stss is not None:
        contents[b"stss"] = table((number,) for number in tables.stss)
    contents |= tables.raw or {}
    stbl = box(b"stbl", *(full_box(kind, 0, 0, body) for kind, body in contents.items()))
    edts = tables.edts
    if tables.elst is not None:
        edits = [struct.pack(">Iii", duration, time, 0x10000) for duration, time in tables.elst]
        edts = box(b"edts", full_box(b"elst", 0, 0, struct.pack(">I", len(edits)), *edits))
    place = struct.pack(">9iII", *tables.matrix, 1920 << 16, 1080 << 16)
    tkhd = full_box(b"tkhd", 0, tables.flags, struct.pack(">8xI4x4x8xHHHxx", 1, 0, 0, 0), place)
    mdhd = full_box(b"mdhd", 0, 0, struct.pack(">8xIIHxx", tables.timescale, tables.duration, 0x55C4))
    hdlr = full_box(b"hdlr", 0, 0, struct.pack(">4x4s12x", tables.handler), b"\0")
    return box(b"trak", tkhd, edts, box(b"mdia", mdhd, hdlr, box(b"minf", tables.dinf, stbl)))


def moov(*traks: bytes, timescale: int = 1000, duration: int = 0, more: bytes = b"") -> bytes:
    """A ``moov`` box."""
    head = struct.pack(">8xIIIH10x", timescale, duration, 0x10000, 0x100)
    matrix = struct.pack(">9i", *IDENTITY)
    return box(b"moov", full_box(b"mvhd", 0, 0, head, matrix, bytes(24), struct.pack(">I", 2)), *traks, more)


FTYP = box(b"ftyp", b"isom", bytes(4), b"isom", b"avc1")


def sparse_tracks(seconds: int, media_bytes: int, start: int) -> tuple[TrackTables, TrackTables]:
    """Video and sound of an even number of seconds, in about ``media_bytes`` bytes from ``start`` on.

    Thirty frames and 46.875 AAC frames a second, keyframes every two seconds, B-frames, interleaved by half seconds.
    """
    frames, half_seconds = seconds * 30, seconds * 2
    audio_frames = seconds * 48_000 // 1024
    audio_sizes = array("I", (320 + number * 7919 % 64 for number in range(audio_frames)))
    # A group of 60, in decoding order: I, then P B twenty-nine times, then P.
    weights = [10, *(2, 1) * 29, 2]
    compositions = [512, *(1024, 0) * 29, 512]
    unit = (media_bytes - sum(audio_sizes)) * 60 // frames // sum(weights)
    if unit < 1:
        raise ValueError(f"{media_bytes} bytes are too few for {seconds} seconds")
    group = array("I", (unit * weight for weight in weights))
    half_groups = [sum(group[at : at + 15]) for at in range(0, 60, 15)]

    video_offsets, audio_offsets, audio_stsc = array("Q"), array("Q"), []
    position, heard = start, 0
    for number in range(half_seconds):
        video_offsets.append(position)
        position += half_groups[number % 4]
        audio_offsets.append(position)
        upto = audio_frames * (number + 1) // half_seconds
        position += sum(audio_sizes[heard:upto])
        audio_stsc.append((number + 1, upto - heard, 1))
        heard = upto
    video = TrackTables(
        entry=video_entry(),
        timescale=15_360,
        stts=[(frames, 512)],
        sizes=group * (frames // 60),
        stsc=[(1, 15, 1)],
        offsets=video_offsets,
        ctts=[(1, offset) for offset in compositions] * (frames // 60),
        stss=range(1, frames + 1, 60),
        elst=[(seconds * 1000, 512)],
        duration=frames * 512,
    )
    audio = TrackTables(
        entry=audio_entry(),
        timescale=48_000,
        stts=[(audio_frames, 1024)],
        sizes=audio_sizes,
        stsc=audio_stsc,
        offsets=audio_offsets,
        handler=b"soun",
        elst=[(seconds * 1000, 1024)],
        duration=audio_frames * 1024,
    )
    return video, audio


def write_sparse_mp4(path: Path, *, seconds: int, size: int, moov_first: bool = False) -> None:
    """Write an MP4 of ``size`` bytes and an even number of ``seconds`` whose media are a hole in the file.

    Raises ValueError if the size is too small.
    """

    def index(media_bytes: int, start: int) -> bytes:
        return moov(*map(trak, sparse_tracks(seconds, media_bytes, start)), duration=seconds * 1000)

    # How long the index is depends on none of the numbers in it.
    overhead = len(FTYP) + len(index(size, 0)) + 16
    media = size - overhead
    mdat = struct.pack(">I4sQ", 1, b"mdat", 16 + media)
    with open(path, "wb") as file:
        file.write(FTYP)
        if moov_first:
            file.write(index(media, overhead))
        file.write(mdat)
        file.truncate(size)
        if not moov_first:
            file.seek(media, 1)
            file.write(index(media, len(FTYP) + 16))


def pad_mp4(source: Path, target: Path, size: int) -> None:
    """Copy an MP4 or MOV to ``target`` and grow it to ``size`` bytes by a ``free`` box, which is a hole in the file.

    The box comes before an index at the end of the file, so that the index stays there. Raises ValueError if the size
    is not larger by at least 16 bytes, or if the file's boxes can't be followed.
    """
    position, last, length = 0, (0, b""), source.stat().st_size
    room = size - length
    if room < 16:
        raise ValueError(f"{size} bytes leave no room for padding")
    with open(source, "rb") as reader, open(target, "wb") as writer:
        while position < length:
            reader.seek(position)
            header = reader.read(16)
            count, kind = struct.unpack_from(">I4s", header)
            if count == 1:
                (count,) = struct.unpack_from(">Q", header, 8)
            if count < 8:
                raise ValueError(f"{source} has a box without an end")
            last = (position, kind)
            position += count
        split = last[0] if last[1] == b"moov" else length
        reader.seek(0)
        for _ in range(0, split, 1 << 20):
            writer.write(reader.read(min(1 << 20, split - reader.tell())))
        writer.write(struct.pack(">I4sQ", 1, b"free", room))
        writer.seek(room - 16, 1)
        shutil.copyfileobj(reader, writer)
        writer.truncate(size)
