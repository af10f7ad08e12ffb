"""Image headers: real ones are read, damaged ones refused, any bytes give one of the two."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partway.errors import MediaMalformed
from partway.media.image import Image, read_image
from partway.testing.images import jpeg, png


def webp(kind: bytes, body: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", len(body) + 12) + b"WEBP" + kind + struct.pack("<I", len(body)) + body


LOSSY = webp(b"VP8 ", b"\x30\x01\x00\x9d\x01\x2a" + struct.pack("<HH", 320 | 1 << 14, 180))
LOSSLESS = webp(b"VP8L", b"\x2f" + struct.pack("<I", 319 | 179 << 14))
EXTENDED = webp(b"VP8X", b"\x10\0\0\0" + (319).to_bytes(3, "little") + (179).to_bytes(3, "little"))
# ICC profiles and comments come before the frame; fill bytes may stand before any marker.
LONG_HEAD = (
    b"\xff\xd8" + (b"\xff\xe2" + struct.pack(">H", 60_000) + bytes(59_998)) * 3 + b"\xff\xff\xff" + jpeg(8, 9)[3:]
)

GOOD = [
    (png(1, 1), Image("png", 1, 1)),
    (png(200, 100), Image("png", 200, 100)),
    (jpeg(200, 100), Image("jpeg", 200, 100)),
    (LONG_HEAD, Image("jpeg", 8, 9)),
    (LOSSY, Image("webp", 320, 180)),
    (LOSSLESS, Image("webp", 320, 180)),
    (EXTENDED, Image("webp", 320, 180)),
]


@pytest.mark.parametrize(("content", "image"), GOOD, ids=lambda value: value.kind if isinstance(value, Image) else "")
def test_headers(content: bytes, image: Image) -> None:
    assert read_image(content) == image
    assert image.media_type == f"image/{image.kind}"


@pytest.mark.parametrize(("content", "image"), GOOD, ids=lambda value: value.kind if isinstance(value, Image) else "")
def test_cut_anywhere(content: bytes, image: Image) -> None:
    for length in [*range(min(len(content), 40)), *range(40, len(content), 997)]:
        try:
            assert read_image(content[:length]) == image
        except MediaMalformed:
            continue


def with_header(**changes: int) -> bytes:
    """A PNG header with a good checksum and wrong values."""
    values = {"width": 1, "height": 1, "depth": 8, "colour": 6, "compression": 0, "filter": 0, "interlace": 0} | changes
    chunk = b"IHDR" + struct.pack(">IIBBBBB", *values.values())
    return png(1, 1)[:8] + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


def test_the_wrong_headers_are_wrong_for_their_values() -> None:
    assert read_image(with_header()) == Image("png", 1, 1)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a" + bytes(50),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8\xff\xda\0\x02",
        b"\xff\xd8" + b"\xff\xe1\0\x02" * 5000,
        b"\xff\xd8\xff\xe1\0\0",
        jpeg(0, 10),
        jpeg(10, 0),
        png(1, 1)[:29] + b"\0\0\0\0",
        *(
            with_header(**wrong)
            for wrong in ({"width": 0}, {"height": 2**31}, {"depth": 3}, {"colour": 5}, {"filter": 1})
        ),
        webp(b"VP8 ", bytes(20)),
        webp(b"VP8L", bytes(20)),
        webp(b"ANIM", bytes(20)),
    ],
    ids=lambda content: repr(content[:12]),
)
def test_refused(content: bytes) -> None:
    with pytest.raises(MediaMalformed):
        read_image(content)


@given(st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF0000WEBP", b"RIFF0000WEBPVP8 "]), st.binary())
def test_any_bytes(start: bytes, rest: bytes) -> None:
    try:
        image = read_image(start + rest)
    except MediaMalformed:
        return
    assert image.width > 0
    assert image.height > 0


@given(st.sampled_from([content for content, _ in GOOD]), st.data())
def test_one_byte_changed(content: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, min(len(content), 200) - 1))
    try:
        read_image(content[:at] + data.draw(st.binary(min_size=1, max_size=1)) + content[at + 1 :])
    except MediaMalformed:
        return
