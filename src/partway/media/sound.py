"""What a sound sample entry promises: AAC and MP3, as MP4 and as QuickTime write them.

Sources: ISO/IEC 14496-12 clause 12.2.3, 14496-1 clause 7.2.6 (descriptors), 14496-3 clause 1.6.2.1
(AudioSpecificConfig), QuickTime File Format, "Sound sample descriptions" versions 0, 1 and 2.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from partway.errors import MediaMalformed, MediaUnsupported
from partway.media.avc import Bits
from partway.media.boxes import Box, box, fields, first_of_each, full_box
from partway.media.codecs import audio_codec, spoken

_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
_AAC_TYPES = (0x40, 0x66, 0x67, 0x68)
_MP3_TYPES = (0x69, 0x6B)
_OBJECT_CODECS = {0xA5: "ac3", 0xA6: "eac3", 0xA9: "dts", 0xAD: "opus", 0xDD: "vorbis", 0xE1: "qcelp"}

_UNCONFIGURED = "The audio's decoder configuration is not in the file's index, so it needs transcoding."

LOW_COMPLEXITY, SPECTRAL_BAND_REPLICATION, PARAMETRIC_STEREO = 2, 5, 29


@dataclass(frozen=True, slots=True)
class Sound:
    """The sound of a track, as far as its sample entry tells."""

    codec: str
    """Lower-case libavcodec name: ``aac``, ``mp3``, or one that does not pass through."""
    channels: int
    sample_rate: int
    config: bytes = b""
    """AudioSpecificConfig; empty for anything but AAC."""
    object_type: int = 0
    """MPEG-4 audio object type; 0 for anything but AAC."""
    obstacle: str | None = None
    """Why it does not pass through, as a sentence; None if it does."""

    @property
    def rfc6381(self) -> str:
        """The codecs string; HLS names MP3 ``mp4a.40.34``."""
        return f"mp4a.40.{self.object_type}" if self.codec == "aac" else "mp4a.40.34"

    def sample_entry(self) -> bytes:
        """An ISO ``mp4a`` sample entry of version 0 with an ``esds``, whatever the source wrapped it in.

        Rewritten rather than copied: Media Source Extensions know neither QuickTime's versions 1 and 2 nor ``wave``.
        """
        rate = self.sample_rate << 16 if self.sample_rate < 1 << 16 else 0
        decoder = struct.pack(">BB3xII", 0x40, 0x15, 0, 0) + _descriptor(5, self.config)
        descriptor = _descriptor(3, b"\x00\x00\x00" + _descriptor(4, decoder) + _descriptor(6, b"\x02"))
        head = struct.pack(">6xH8xHH4xI", 1, self.channels, 16, rate)
        return box(b"mp4a", head, full_box(b"esds", 0, 0, descriptor))


def read_sound(entry: Box, *, quicktime: bool) -> Sound:
    """Read a sound sample entry; ``quicktime`` says that versions 1 and 2 have QuickTime's longer head."""
    body = entry.body
    _, version, channels, _, _, _, rate = fields(">6xHH6xHHHHI", body)
    sample_rate, start = rate >> 16, 28
    if quicktime and version == 1:
        start = 44
    elif quicktime and version == 2:
        size, exact, channels = fields(">IdI", body, 28)
        sample_rate = int(exact) if 0 < exact < 1 << 32 else 0
        start = max(64, size - 8)
    codec = audio_codec(entry.kind)
    if codec != "aac":
        return Sound(codec, channels, sample_rate)
    inside = first_of_each(body[start:])
    if b"wave" in inside and b"esds" not in inside:
        inside = first_of_each(inside[b"wave"])
    if b"esds" not in inside:
        return Sound("aac", channels, sample_rate, obstacle=_UNCONFIGURED)
    kind, config = _read_esds(bytes(inside[b"esds"]))
    if kind in _MP3_TYPES:
        return Sound("mp3", channels, sample_rate)
    if kind not in _AAC_TYPES:
        return Sound(_OBJECT_CODECS.get(kind, f"mp4a-{kind:02x}"), channels, sample_rate)
    if not config:
        return Sound("aac", channels, sample_rate, obstacle=_UNCONFIGURED)
    return _read_config(config, channels)


def _read_esds(body: bytes) -> tuple[int, bytes]:
    """Object type indication and decoder specific configuration of an ``esds`` box."""
    tag, position, end = _open_descriptor(body, 4, len(body))
    if tag == 3:
        (flags,) = fields(">2xB", body, position)
        position += 3 + (2 if flags & 0x80 else 0)
        if flags & 0x40:
            (size,) = fields(">B", body, position)
            position += 1 + size
        position += 2 if flags & 0x20 else 0
        tag, position, end = _open_descriptor(body, position, end)
    if tag != 4:
        raise MediaMalformed("The audio configuration of the file is damaged.")
    (kind,) = fields(">B", body, position)
    position += 13
    while position < end:
        tag, start, stop = _open_descriptor(body, position, end)
        if tag == 5:
            return kind, body[start:stop]
        position = stop
    return kind, b""


def _open_descriptor(body: bytes, position: int, end: int) -> tuple[int, int, int]:
    """Tag, start and end of the descriptor at a position; sizes come in up to four groups of seven bits."""
    (tag,) = fields(">B", body, position)
    size = 0
    for step in range(1, 5):
        (byte,) = fields(">B", body, position + step)
        size = size << 7 | byte & 0x7F
        if not byte & 0x80:
            start = position + step + 1
            # Writers get these sizes wrong, usually the outermost; what counts is inside the box all the same.
            return tag, start, min(start + size, end)
    raise MediaMalformed("The audio configuration of the file is damaged.")


def _descriptor(tag: int, body: bytes) -> bytes:
    # Four size bytes always, as most writers do: a length can then be patched without moving anything.
    size = len(body)
    groups = bytes((size >> 21 & 0x7F | 0x80, size >> 14 & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size & 0x7F))
    return bytes((tag,)) + groups + body


def _read_config(config: bytes, channels: int) -> Sound:
    bits = Bits(config[:64])
    kind, rate = _object_type(bits), _sample_rate(bits)
    layout = bits.read(4)
    core, output_rate = kind, rate
    if kind in (SPECTRAL_BAND_REPLICATION, PARAMETRIC_STEREO):
        output_rate = _sample_rate(bits)
        core = _object_type(bits)
    obstacle = None
    if core != LOW_COMPLEXITY or not rate or not output_rate:
        obstacle = f"The audio is AAC of a rare kind (object type {core}), which needs transcoding."
    elif not 1 <= layout <= 7:
        obstacle = "The audio's channel layout is one that browsers don't play, so it needs transcoding."
    elif bits.read(1):
        obstacle = "The audio is AAC with frames of 960 samples, which needs transcoding."
    elif kind == LOW_COMPLEXITY:
        output_rate = _announced_rate(bits) or rate
    if 1 <= layout <= 7:
        channels = 8 if layout == 7 else layout
    return Sound("aac", channels, output_rate, config, kind, obstacle)


def _announced_rate(bits: Bits) -> int:
    """The output rate where a backward compatible extension announces SBR, else 0."""
    if bits.read(1):
        bits.read(14)
    bits.read(1)
    if bits.left >= 21 and bits.read(11) == 0x2B7 and _object_type(bits) == 5 and bits.read(1):
        return _sample_rate(bits)
    return 0


def _object_type(bits: Bits) -> int:
    kind = bits.read(5)
    return 32 + bits.read(6) if kind == 31 else kind


def _sample_rate(bits: Bits) -> int:
    """Samples a second; 0 where it is not one of the rates in the table, which Chromium does not play."""
    index = bits.read(4)
    if index == 15:
        bits.read(24)
        return 0
    return _RATES[index] if index < len(_RATES) else 0


def refuse_sound(sound: Sound) -> None:
    """Raise MediaUnsupported, with the reason, unless this sound passes through."""
    if sound.codec == "enca":
        raise MediaUnsupported("The audio is encrypted, so it can't be played.")
    if sound.codec not in ("aac", "mp3"):
        raise MediaUnsupported(f"The audio codec is {spoken(sound.codec)}, which needs transcoding.")
    if sound.obstacle:
        raise MediaUnsupported(sound.obstacle)
