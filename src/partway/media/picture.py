"""How the video of a file is decoded and shown, if browsers can."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from partway.errors import MediaUnsupported
from partway.media.avc import Sps, check_playable, read_avcc
from partway.media.boxes import Box, box, fields, first_of_each
from partway.media.codecs import spoken, video_codec

ENTRY_BYTES = 78
"""The fixed fields of a visual sample entry (ISO/IEC 14496-12 clause 12.1.3); boxes follow."""


@dataclass(frozen=True, slots=True)
class Picture:
    """The decoder configuration of the video, and how its frames are shaped. Holds copies, nothing of the ``moov``."""

    sps: Sps
    avcc: bytes
    colour: bytes
    """The body of an ISO ``colr`` box; empty if there is none."""
    pixel: tuple[int, int] | None
    """The shape of a pixel that the container states."""

    @property
    def pixel_shape(self) -> tuple[int, int]:
        """Width and height of a pixel, in proportion: the container's word counts more than the codec's."""
        return self.pixel or self.sps.sample_aspect

    def sample_entry(self) -> bytes:
        """An ISO ``avc1`` sample entry with the source's own decoder configuration.

        Rewritten around ``avcC`` rather than copied: QuickTime's further boxes mean nothing to browsers.
        """
        head = struct.pack(
            ">6xH16xHHII4xH32xHh", 1, self.sps.width, self.sps.height, 72 << 16, 72 << 16, 1, 24, -1
        )  # fmt: skip
        colour = box(b"colr", self.colour) if self.colour else b""
        pixel = box(b"pasp", struct.pack(">II", *self.pixel)) if self.pixel else b""
        return box(b"avc1", head, box(b"avcC", self.avcc), colour, pixel)


def read_picture(entry: Box) -> Picture:
    """Read a visual sample entry.

    Raises MediaUnsupported, with the reason, unless it is H.264 that passes through.
    """
    codec = video_codec(entry.kind)
    if codec == "encrypted":
        raise MediaUnsupported("The video is encrypted, so it can't be played.")
    if codec != "h264":
        raise MediaUnsupported(f"The video codec is {spoken(codec)}, which needs transcoding.")
    if entry.kind != b"avc1":
        raise MediaUnsupported("The video is H.264 with its parameters among the frames, which needs transcoding.")
    inside = first_of_each(entry.body[ENTRY_BYTES:])
    if b"avcC" not in inside:
        raise MediaUnsupported("The H.264 parameters are not in the file's index, so it needs transcoding.")
    sps = check_playable(read_avcc(inside[b"avcC"]))
    return Picture(sps, bytes(inside[b"avcC"]), _iso_colour(inside), stated_pixel(entry))


def stated_pixel(entry: Box) -> tuple[int, int] | None:
    """The shape of a pixel as the container states it (``pasp``)."""
    inside = first_of_each(entry.body[ENTRY_BYTES:])
    if b"pasp" not in inside:
        return None
    wide, high = fields(">II", inside[b"pasp"])
    return (wide, high) if wide and high else None


def _iso_colour(inside: dict[bytes, memoryview]) -> bytes:
    colour = bytes(inside.get(b"colr", b""))
    if colour.startswith(b"nclx"):
        return colour[:11]
    if colour.startswith(b"nclc") and len(colour) >= 10:
        # QuickTime's form of the same, which lacks the last byte: not full range.
        return b"nclx" + colour[4:10] + b"\0"
    return b""
