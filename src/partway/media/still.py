"""One picture of a video: some keyframes as the smallest file that a decoder understands, and the JPEG that comes back.

It works for every MP4 and MOV with sample tables, whatever the codec: a keyframe's bytes are a thousandth of what a
decoder would read to find it, and whoever decodes them sees nothing else of the source.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from partway.errors import MediaMalformed, MediaTooLarge, MediaUnsupported
from partway.media.boxes import box, full_box, required
from partway.media.codecs import video_codec
from partway.media.container import HEAD_BYTES, locate_moov, refuse_container, sniff
from partway.media.index import MAX_MOOV_BYTES
from partway.media.movie import TrackHeader, check_local, pack_matrix, read_movie
from partway.media.reading import Reading, Wanted
from partway.media.segments import ByteRange

if TYPE_CHECKING:
    from partway.media.tables import Samples

MAX_FRAME_BYTES = 32 << 20
"""More than any real keyframe of the largest picture that is decoded; a table can claim anything."""
MAX_DESCRIPTION_BYTES = 1 << 20

_LATEST_SECONDS = 5
_PLACES = (0.1, 0.25, 0.5, 0.75, 0.0)
_TIMESCALE = 1000
_SYNC = 0x02000000
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = frozenset((0x01, *range(0xD0, 0xD9)))


@dataclass(frozen=True, slots=True)
class Stills:
    """The keyframes a poster may be made of."""

    init: bytes
    """An init segment with the source's own decoder configuration, matrix and shape of a pixel."""
    frames: tuple[ByteRange, ...]
    """Where they are in the source, best first."""


def poster_time(duration_seconds: float | None) -> float:
    """When in a video a poster is best taken: at 10 %, but 5 s in at the latest; 0 where the length is unknown."""
    return min(0.1 * (duration_seconds or 0), _LATEST_SECONDS)


def read_stills(size: int | None, at_seconds: float | None = None) -> Reading[Stills]:
    """Find the keyframes of an MP4 or MOV of ``size`` bytes, None while that is unknown.

    The first one is that at or after ``poster_time``; some farther in follow, in case those before are black, and the
    very first comes last. With ``at_seconds`` it is one alone: the last that is not after that moment, or the very
    first where the video is shorter. Raises MediaMalformed, MediaTooLarge or MediaUnsupported; the last for fragmented
    files, too.
    """
    container = sniff((yield Wanted(0, HEAD_BYTES)))
    refuse_container(container)
    place = yield from locate_moov(size)
    if place.length > MAX_MOOV_BYTES:
        raise MediaTooLarge(f"The file's index is larger than {MAX_MOOV_BYTES >> 20} MiB.")
    moov = memoryview((yield Wanted(place.offset, place.length)))
    if len(moov) < place.length:
        raise MediaMalformed("The file is cut off: it ends inside its index.")
    movie = read_movie(moov[place.header :])
    if movie.fragmented:
        raise MediaUnsupported("This is a fragmented MP4: its frames are not in its index.")
    if movie.video is None:
        raise MediaUnsupported("The file has no video track.")
    brand = b"qt  " if container == "mov" else b"iso6"
    return _stills(movie.video, 1 << 62 if size is None else size, brand, at_seconds)


def fragment(position: int, frame_bytes: int) -> bytes:
    """What comes before the bytes of a keyframe to make them a fragment; ``position`` counts the fragments from 0."""
    mfhd = full_box(b"mfhd", 0, 0, struct.pack(">I", position + 1))
    tfhd = full_box(b"tfhd", 0, 0x020000, struct.pack(">I", 1))
    tfdt = full_box(b"tfdt", 1, 0, struct.pack(">Q", position * _TIMESCALE))
    trun_bytes = 8 + 4 + 8 + 12
    media_starts = 8 + len(mfhd) + 8 + len(tfhd) + len(tfdt) + trun_bytes + 8
    # Every picture lasts a second and none waits for another: nothing depends on the source's own times.
    trun = full_box(b"trun", 0, 0x000701, struct.pack(">Ii3I", 1, media_starts, _TIMESCALE, frame_bytes, _SYNC))
    return box(b"moof", mfhd, box(b"traf", tfhd, tfdt, trun)) + struct.pack(">I4s", frame_bytes + 8, b"mdat")


def _stills(track: TrackHeader, size: int, brand: bytes, at_seconds: float | None) -> Stills:
    import numpy as np

    from partway.media.tables import description_in_use, expand

    number = description_in_use(track.tables, len(track.entries))
    entry = track.entries[number]
    check_local(track, entry)
    if video_codec(entry.kind) == "encrypted":
        raise MediaUnsupported("The video is encrypted, so it can't be played.")
    samples = expand(track.tables, size)
    keyframes = np.arange(len(samples.sizes)) if samples.keyframes is None else samples.keyframes
    ends = np.cumsum(samples.durations, dtype=np.int64)
    moments, length = (ends - samples.durations)[keyframes], int(ends[-1])
    chosen: list[int] = []
    if at_seconds is not None:
        wanted = at_seconds * track.timescale
        at = int(np.searchsorted(moments, wanted, "right")) - 1 if wanted < length else 0
        chosen.append(int(keyframes[max(at, 0)]))
    for place in _PLACES if at_seconds is None else ():
        first = poster_time(length / track.timescale) * track.timescale
        at = int(np.searchsorted(moments, int(place * length if chosen else first), "left"))
        sample = int(keyframes[min(at, len(keyframes) - 1)])
        if sample not in chosen:
            chosen.append(sample)
    frames = tuple(_place(samples, sample) for sample in chosen)
    if any(frame.length > MAX_FRAME_BYTES for frame in frames):
        raise MediaTooLarge(f"The video has frames of more than {MAX_FRAME_BYTES >> 20} MiB.")
    return Stills(_init(track, number + 1, brand), frames)


def _place(samples: Samples, sample: int) -> ByteRange:
    import numpy as np

    chunk = int(np.searchsorted(samples.chunk_firsts, sample, "right")) - 1
    before = int(samples.byte_ends[sample]) - int(samples.byte_ends[int(samples.chunk_firsts[chunk])])
    return ByteRange(int(samples.chunk_offsets[chunk]) + before, int(samples.sizes[sample]))


def _init(track: TrackHeader, description: int, brand: bytes) -> bytes:
    """As ``initial.init_segment``, but with the source's own descriptions: ffmpeg reads more of them than browsers."""
    stsd = required(track.tables, b"stsd")
    if len(stsd) > MAX_DESCRIPTION_BYTES:
        raise MediaTooLarge("The file's description of its video is absurdly large.")
    shown = pack_matrix(track.matrix) + struct.pack(">II", track.shown_width, track.shown_height)
    tkhd = full_box(b"tkhd", 0, 3, struct.pack(">8xI4x4x8xHHHxx", 1, 0, 0, 0), shown)
    mdhd = full_box(b"mdhd", 0, 0, struct.pack(">8xI8x", _TIMESCALE))
    hdlr = full_box(b"hdlr", 0, 0, struct.pack(">4x4s12x", b"vide"), b"video\0")
    dinf = box(b"dinf", full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1)))
    tables = ((b"stts", 4), (b"stsc", 4), (b"stsz", 8), (b"stco", 4))
    stbl = box(b"stbl", box(b"stsd", bytes(stsd)), *(full_box(kind, 0, 0, bytes(empty)) for kind, empty in tables))
    mdia = box(b"mdia", mdhd, hdlr, box(b"minf", full_box(b"vmhd", 0, 1, bytes(8)), dinf, stbl))
    upright = pack_matrix((0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000))
    speed = struct.pack(">8xI4xIH10x", _TIMESCALE, 0x10000, 0x100)
    mvhd = full_box(b"mvhd", 0, 0, speed, upright, bytes(24), struct.pack(">I", 2))
    trex = full_box(b"trex", 0, 0, struct.pack(">5I", 1, description, 0, 0, 0))
    return box(b"ftyp", brand, bytes(4), brand) + box(b"moov", mvhd, box(b"trak", tkhd, mdia), box(b"mvex", trex))


def jpeg_size(picture: bytes) -> tuple[int, int]:
    """Width and height of a whole JPEG (ITU-T T.81 annex B); raises MediaMalformed if these bytes are none."""
    if picture[:2] != b"\xff\xd8" or picture[-2:] != b"\xff\xd9":
        raise MediaMalformed("No whole picture could be made of this video.")
    for kind, at in _jpeg_markers(picture):
        if kind in _FRAME_HEADERS and at + 9 <= len(picture):
            height, width = struct.unpack_from(">HH", picture, at + 5)
            if width and height:
                return width, height
    raise MediaMalformed("No whole picture could be made of this video.")


def _jpeg_markers(picture: bytes) -> Iterator[tuple[int, int]]:
    """The markers before the first scan: their kind, and where they begin after the 0xFF."""
    at = 2
    while at + 4 <= len(picture) and picture[at] == 0xFF:
        kind = picture[at + 1]
        if kind == 0xDA:
            return
        yield kind, at
        at += 2 if kind in _WITHOUT_LENGTH else 2 + struct.unpack_from(">H", picture, at + 2)[0]
