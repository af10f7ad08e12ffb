"""What an image's first bytes say: which kind it is and how large (PNG, JPEG, WebP).

Enough to refuse what is no image, or too large, before anybody's decoder is asked; the pixels are not looked at.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Literal

from partway.errors import MediaMalformed

_PNG = b"\x89PNG\r\n\x1a\n"
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_SEGMENTS_MAX = 2000
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = frozenset((0x01, *range(0xD0, 0xD8)))


@dataclass(frozen=True, slots=True)
class Image:
    """An image's kind, and its size in pixels."""

    kind: Literal["jpeg", "png", "webp"]
    width: int
    height: int

    @property
    def media_type(self) -> str:
        """For example ``image/png``."""
        return f"image/{self.kind}"


def read_image(content: bytes) -> Image:
    """Read an image's header.

    Raises:
        MediaMalformed: it is none of the three kinds, or its header is damaged.
    """
    try:
        if content.startswith(_PNG):
            found = _png(content)
        elif content.startswith(b"\xff\xd8\xff"):
            found = _jpeg(content)
        elif content[:4] == b"RIFF" and content[8:12] == b"WEBP":
            found = _webp(content)
        else:
            raise MediaMalformed("This is no image that we know.")
    except (struct.error, IndexError):
        raise MediaMalformed("The image ends inside its header.") from None
    if not found.width or not found.height:
        raise MediaMalformed("The image has no width or no height.")
    return found


def _png(content: bytes) -> Image:
    """The IHDR chunk, which comes first (ISO/IEC 15948 11.2.1)."""
    length, kind, width, height, depth, colour, *methods = struct.unpack_from(">I4sIIBBBBB", content, 8)
    (checksum,) = struct.unpack_from(">I", content, 29)
    is_sound = (
        (length, kind, methods[:2]) == (13, b"IHDR", [0, 0])
        and depth in _DEPTHS.get(colour, ())
        and methods[2] in (0, 1)
        and max(width, height) < 2**31
        and checksum == zlib.crc32(content[12:29])
    )
    if not is_sound:
        raise MediaMalformed("The header of this PNG is damaged.")
    return Image("png", width, height)


def _jpeg(content: bytes) -> Image:
    """The first frame header (ISO/IEC 10918-1 B.2.2), behind any number of other segments up to a bound."""
    position = 2
    for _ in range(_SEGMENTS_MAX):
        if content[position] != 0xFF:
            break
        while content[position] == 0xFF:
            position += 1
        marker = content[position]
        position += 1
        if marker in _ALONE:
            continue
        (length,) = struct.unpack_from(">H", content, position)
        if marker in _FRAMES:
            depth, height, width, components = struct.unpack_from(">BHHB", content, position + 2)
            if depth not in (8, 12, 16) or not 1 <= components <= 4 or length != 8 + 3 * components:
                break
            return Image("jpeg", width, height)
        if length < 2 or marker in (0x00, 0xD8, 0xD9, 0xDA):
            break
        position += length
    raise MediaMalformed("The header of this JPEG is damaged.")


def _webp(content: bytes) -> Image:
    """The first chunk (RFC 9649 2.5 to 2.7)."""
    kind, start = content[12:16], 20
    if kind == b"VP8X":
        sizes = content[start + 4 : start + 10]
        if len(sizes) == 6:
            return Image("webp", int.from_bytes(sizes[:3], "little") + 1, int.from_bytes(sizes[3:], "little") + 1)
    elif kind == b"VP8L" and content[start] == 0x2F:
        (bits,) = struct.unpack_from("<I", content, start + 1)
        return Image("webp", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    elif kind == b"VP8 " and content[start + 3 : start + 6] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", content, start + 6)
        return Image("webp", width & 0x3FFF, height & 0x3FFF)
    raise MediaMalformed("The header of this WebP is damaged.")
