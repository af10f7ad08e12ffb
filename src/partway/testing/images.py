"""Small images, made by hand: a PNG that any decoder shows, and a JPEG that is all header."""

from __future__ import annotations

import struct
import zlib


def png(width: int, height: int, colour: tuple[int, int, int] = (255, 80, 40)) -> bytes:
    """A PNG of one colour."""
    rows = (b"\0" + bytes(colour) * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


def jpeg(width: int, height: int) -> bytes:
    """The beginning of a JPEG: enough to tell its size, no pixels."""
    frame = struct.pack(">BHHB", 8, height, width, 3) + b"\x01\x22\0\x02\x11\1\x03\x11\1"
    application = b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"
    segments = ((0xE0, application), (0xC0, frame))
    return b"\xff\xd8" + b"".join(struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body for marker, body in segments)
