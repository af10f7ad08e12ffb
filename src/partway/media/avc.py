"""What an H.264 decoder configuration promises (ISO/IEC 14496-15 clause 5.3.3, ITU-T H.264 clause 7.3.2.1)."""

from __future__ import annotations

from dataclasses import dataclass

from partway.errors import MediaMalformed, MediaUnsupported
from partway.media.boxes import fields

MAX_LEVEL = 51
"""Level 5.1: 4096x2304 at 30 frames a second; hardware decoders of browsers rarely go further."""

_PROFILES = {
    66: "Baseline", 77: "Main", 88: "Extended", 100: "High", 110: "High 10", 122: "High 4:2:2", 244: "High 4:4:4",
}  # fmt: skip
_PLAYED_PROFILES = (66, 77, 100)
_PROFILES_WITH_CHROMA = (100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135)

_SHAPES = (
    (1, 1), (1, 1), (12, 11), (10, 11), (16, 11), (40, 33), (24, 11), (20, 11), (32, 11),
    (80, 33), (18, 11), (15, 11), (64, 33), (160, 99), (4, 3), (3, 2), (2, 1),
)  # fmt: skip
"""Sample aspect ratios by ``aspect_ratio_idc`` (table E-1); 0 is "unspecified", taken for square."""


@dataclass(frozen=True, slots=True)
class Sps:
    """The facts of one sequence parameter set that decide about pass-through."""

    profile: int
    constraints: int
    level: int
    chroma_format: int
    bit_depth: int
    progressive: bool
    width: int
    """In pixels, cropped, before any rotation."""
    height: int
    sample_aspect: tuple[int, int]

    @property
    def rfc6381(self) -> str:
        """The codecs string, for example ``avc1.64001F``."""
        return f"avc1.{self.profile:02X}{self.constraints:02X}{self.level:02X}"


def read_avcc(body: bytes | memoryview) -> list[Sps]:
    """The sequence parameter sets of an ``avcC`` box; at least one.

    Raises MediaMalformed for what can't be read, MediaUnsupported if the sets are not in the box.
    """
    version, _, _, _, lengths, count = fields(">6B", body)
    if version != 1 or lengths & 3 == 2:
        raise MediaMalformed("The H.264 configuration of the file is damaged.")
    found, position = [], 6
    for _ in range(count & 31):
        (size,) = fields(">H", body, position)
        unit = bytes(body[position + 2 : position + 2 + size])
        if len(unit) < size or size < 4:
            raise MediaMalformed("The H.264 configuration of the file is damaged.")
        found.append(read_sps(unit))
        position += 2 + size
    if not found:
        raise MediaUnsupported("The H.264 parameters are not in the file's index, so it needs transcoding.")
    return found


def check_playable(sets: list[Sps]) -> Sps:
    """The one set that counts, if browsers decode it; raises MediaUnsupported with the reason if they don't."""
    first = sets[0]
    for sps in sets:
        name = _PROFILES.get(sps.profile, f"profile {sps.profile}")
        if sps.bit_depth != 8:
            raise MediaUnsupported(f"The video is {sps.bit_depth}-bit H.264, which needs transcoding.")
        if sps.chroma_format != 1:
            kind = ("4:0:0", "4:2:0", "4:2:2", "4:4:4")[sps.chroma_format]
            raise MediaUnsupported(f"The video is H.264 with {kind} colour, which needs transcoding.")
        if sps.profile not in _PLAYED_PROFILES:
            raise MediaUnsupported(f"The video is H.264 {name}, which needs transcoding.")
        if not sps.progressive:
            raise MediaUnsupported("The video is interlaced, which needs transcoding.")
        if sps.level > MAX_LEVEL:
            raise MediaUnsupported(f"The video is H.264 level {sps.level / 10:.1f}, which needs transcoding.")
        if (sps.width, sps.height) != (first.width, first.height):
            raise MediaUnsupported("The video changes its picture size midway, which needs transcoding.")
    return first


def read_sps(unit: bytes) -> Sps:
    """Read one sequence parameter set NAL unit, its header byte included."""
    # Emulation prevention: 00 00 03 stands for 00 00. What is read here fits in far less than 1 KiB.
    bits = Bits(unit[1:1024].replace(b"\x00\x00\x03", b"\x00\x00"))
    profile, constraints, level = bits.read(8), bits.read(8), bits.read(8)
    bits.golomb()
    chroma, depth = 1, 8
    if profile in _PROFILES_WITH_CHROMA:
        chroma = bits.golomb()
        if chroma > 3:
            raise _damaged()
        if chroma == 3:
            bits.read(1)
        depth = 8 + max(bits.golomb(), bits.golomb())
        bits.read(1)
        if bits.read(1):
            for number in range(12 if chroma == 3 else 8):
                if bits.read(1):
                    _skip_scaling_list(bits, 16 if number < 6 else 64)
    bits.golomb()
    order = bits.golomb()
    if order == 0:
        bits.golomb()
    elif order == 1:
        bits.read(1)
        bits.golomb()
        bits.golomb()
        cycle = bits.golomb()
        if cycle > 255:
            raise _damaged()
        for _ in range(cycle):
            bits.golomb()
    bits.golomb()
    bits.read(1)
    width, height = 16 * (bits.golomb() + 1), 16 * (bits.golomb() + 1)
    progressive = bool(bits.read(1))
    if not progressive:
        bits.read(1)
        height *= 2
    bits.read(1)
    if bits.read(1):
        unit_x = 2 if chroma in (1, 2) else 1
        unit_y = (2 if chroma == 1 else 1) * (1 if progressive else 2)
        width -= unit_x * (bits.golomb() + bits.golomb())
        height -= unit_y * (bits.golomb() + bits.golomb())
    if not (0 < width <= 16384 and 0 < height <= 16384):
        raise _damaged()
    shape = (1, 1)
    if bits.read(1) and bits.read(1):
        code = bits.read(8)
        if code == 255:
            shape = (bits.read(16), bits.read(16))
        elif code < len(_SHAPES):
            shape = _SHAPES[code]
    if 0 in shape:
        shape = (1, 1)
    return Sps(profile, constraints, level, chroma, depth, progressive, width, height, shape)


def _skip_scaling_list(bits: Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            code = bits.golomb()
            following = (last + ((code + 1) // 2 if code & 1 else -(code // 2))) % 256
        last = following or last


class Bits:
    """A reader of bits that can't run past its end; raises MediaMalformed there."""

    def __init__(self, body: bytes) -> None:
        self._value = int.from_bytes(body, "big")
        self.left = len(body) * 8

    def read(self, count: int) -> int:
        """The next ``count`` bits as an unsigned number."""
        self.left -= count
        if self.left < 0:
            raise _damaged()
        return self._value >> self.left & (1 << count) - 1

    def golomb(self) -> int:
        """The next unsigned Exp-Golomb number (H.264 clause 9.1), at most 32 bits."""
        zeros = 0
        while not self.read(1):
            zeros += 1
            if zeros > 31:
                raise _damaged()
        return (1 << zeros) - 1 + self.read(zeros)


def _damaged() -> MediaMalformed:
    return MediaMalformed("The codec configuration of the file is damaged.")
