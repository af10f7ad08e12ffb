"""Which kind of file is this, and where in it is the index?"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from partway.errors import MediaMalformed, MediaUnsupported
from partway.media.reading import Reading, Wanted

HEAD_BYTES = 4096
"""What ``sniff`` likes to see; less is fine."""

MAX_TOP_LEVEL_BOXES = 1024

_MP4_STARTS = (b"ftyp", b"styp", b"sidx", b"moof")
_MOV_STARTS = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_PICTURE_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1", b"avif", b"avis")

_MAGIC = (
    (b"FLV\x01", "flv"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
    (b"OggS", "ogg"),
    (b"\x00\x00\x01\xba", "mpegps"),
    (b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02", "mxf"),
    (b"fLaC", "flac"),
    (b"ID3", "mp3"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF8", "gif"),
)

_NAMES = {
    "matroska": "a Matroska file",
    "webm": "a WebM file",
    "mpegts": "an MPEG transport stream",
    "mpegps": "an MPEG program stream",
    "avi": "an AVI file",
    "flv": "a Flash video",
    "asf": "a Windows Media file",
    "ogg": "an Ogg file",
    "mxf": "an MXF file",
    "gif": "an animated picture",
}
_NOT_VIDEO = {
    "hls": "a playlist",
    "ffconcat": "a list of other files",
    "heif": "a picture",
    "jpeg": "a picture",
    "png": "a picture",
    "wav": "a sound file",
    "flac": "a sound file",
    "mp3": "a sound file",
}


def sniff(head: bytes) -> str | None:
    """Name the kind of file by its first bytes, never by its name; None if they are of no kind known here.

    Answers ``mp4``, ``mov``, ``matroska``, ``webm``, ``mpegts``, ``mpegps``, ``avi``, ``flv``, ``asf``, ``ogg``,
    ``mxf``, and, so that nothing that points elsewhere is ever taken for a video, ``hls`` and ``ffconcat``; also the
    commonest pictures and sounds.
    """
    if len(head) >= 8:
        size, kind = struct.unpack_from(">I4s", head)
        if kind in _MP4_STARTS + _MOV_STARTS and (size >= 8 or size <= 1):
            return _iso_kind(kind, head[8:12])
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "webm" if re.match(rb".{4,60}?\x42\x82[\x80-\xff]webm", head, re.DOTALL) else "matroska"
    if head.startswith(b"RIFF"):
        return {b"AVI ": "avi", b"WAVE": "wav"}.get(head[8:12])
    # Packets of 188 bytes, or of 192 with a time code before each (camcorders).
    for start, step in ((0, 188), (4, 192)):
        marks = head[start : start + 5 * step : step]
        if len(marks) >= 3 and set(marks) == {0x47}:
            return "mpegts"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"#EXTM3U"):
        return "hls"
    if text.startswith(b"ffconcat"):
        return "ffconcat"
    return next((name for magic, name in _MAGIC if head.startswith(magic)), None)


def _iso_kind(first_box: bytes, brand: bytes) -> str:
    if first_box == b"ftyp" and brand in _PICTURE_BRANDS:
        return "heif"
    if first_box in _MOV_STARTS or (first_box == b"ftyp" and brand == b"qt  "):
        return "mov"
    return "mp4"


def refuse_container(kind: str | None) -> None:
    """Raise for every kind of file that has no index of ours; MP4 and MOV pass.

    Raises MediaUnsupported for a video in another container, MediaMalformed for what is no video at all.
    """
    if kind in ("mp4", "mov"):
        return
    if kind in _NAMES:
        raise MediaUnsupported(f"This is {_NAMES[kind]}, which needs transcoding.")
    if kind in _NOT_VIDEO:
        raise MediaMalformed(f"This is {_NOT_VIDEO[kind]}, not a video.")
    raise MediaMalformed("This is not a video file of a kind that partway knows.")


@dataclass(frozen=True, slots=True)
class MoovPlace:
    """Where the index of an MP4 or MOV file is: the whole ``moov`` box, and how much of it is header."""

    offset: int
    length: int
    header: int


def locate_moov(size: int | None) -> Reading[MoovPlace]:
    """Find the ``moov`` box by walking the top-level boxes, whose headers are all that is read.

    ``size`` is the file's size in bytes, None while it is unknown. Raises MediaMalformed where there is no such box, or
    only behind a fragment.
    """
    position = 0
    for _ in range(MAX_TOP_LEVEL_BOXES):
        if size is not None and position + 8 > size:
            break
        head = yield Wanted(position, 16)
        if len(head) < 8:
            break
        length, kind = struct.unpack_from(">I4s", head)
        header = 8
        if length == 1:
            if len(head) < 16:
                break
            (length,) = struct.unpack_from(">Q", head, 8)
            header = 16
        elif length == 0:
            # "To the end of the file" (clause 4.2). Nothing can follow such a box.
            if size is None or kind != b"moov":
                break
            length = size - position
        if length < header:
            raise MediaMalformed("The file is damaged: one of its boxes is shorter than its own header.")
        if kind == b"moof":
            raise MediaMalformed("The file is damaged: its first fragment comes before its index.")
        if size is not None and position + length > size:
            raise MediaMalformed("The file is cut off: it ends inside one of its boxes.")
        if kind == b"moov":
            return MoovPlace(position, length, header)
        position += length
    else:
        raise MediaMalformed(f"The file is damaged: no index among its first {MAX_TOP_LEVEL_BOXES} boxes.")
    raise MediaMalformed("The file has no index (moov box): its recording or its upload was not finished.")
