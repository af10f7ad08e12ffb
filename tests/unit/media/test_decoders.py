"""Decoder configurations, in all the wrappings in which files carry them."""

from __future__ import annotations

import struct

import pytest

from partway.errors import MediaUnsupported
from partway.media.avc import check_playable, read_avcc
from partway.media.boxes import Box, box, children, full_box
from partway.media.codecs import audio_codec, spoken, video_codec
from partway.media.picture import read_picture
from partway.media.sound import Sound, read_sound, refuse_sound
from partway.testing.sparse import AVCC, audio_entry, video_entry


def entry(blob: bytes) -> Box:
    return next(children(memoryview(blob)))


def esds(config: bytes, object_type: int = 0x40) -> bytes:
    return audio_entry(config, object_type=object_type)[36:]


HEAD = struct.pack(">6xH", 1)
PLAIN = Sound("aac", 2, 48000, b"\x11\x90", 2)

WRAPPINGS = {
    "ISO": audio_entry(),
    "QuickTime version 1": box(
        b"mp4a", HEAD, struct.pack(">H6xHHhHI", 1, 2, 16, -2, 0, 48000 << 16), struct.pack(">4I", 1024, 0, 0, 2),
        box(b"wave", box(b"frma", b"mp4a"), box(b"mp4a", bytes(4)), esds(b"\x11\x90"), box(bytes(4))),
    ),
    "QuickTime version 1, bare": box(
        b"mp4a", HEAD, struct.pack(">H6xHHhHI", 1, 2, 16, -2, 0, 48000 << 16), bytes(16), esds(b"\x11\x90"),
    ),
    "QuickTime version 2": box(
        b"mp4a", HEAD, struct.pack(">H6xHHhHI", 2, 3, 16, -2, 0, 1 << 16),
        struct.pack(">IdIIIIII", 72, 48000.0, 2, 0x7F000000, 0, 0, 0, 1024), box(b"wave", esds(b"\x11\x90")),
    ),
}  # fmt: skip


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_aac_is_found_in_every_wrapping(wrapping: str) -> None:
    sound = read_sound(entry(WRAPPINGS[wrapping]), quicktime=True)
    assert sound == PLAIN
    refuse_sound(sound)
    # And it is written in one way only, which reads as the same.
    assert read_sound(entry(sound.sample_entry()), quicktime=False) == sound


@pytest.mark.parametrize(
    ("config", "kind", "rate", "channels"),
    [
        (b"\x12\x10", 2, 44100, 2),
        (b"\x11\xb0", 2, 48000, 6),
        (b"\x11\xb8", 2, 48000, 8),
        (b"\x13\x10\x56\xe5\x98", 2, 48000, 2),  # LC at 24 kHz that announces SBR
        (b"\x2b\x11\x88\x00", 5, 48000, 2),  # HE-AAC
        (b"\xeb\x09\x88\x00", 29, 48000, 1),  # HE-AAC version 2: one channel is coded
    ],
)
def test_aac_that_plays(config: bytes, kind: int, rate: int, channels: int) -> None:
    sound = read_sound(entry(audio_entry(config)), quicktime=False)
    refuse_sound(sound)
    assert (sound.object_type, sound.sample_rate, sound.channels) == (kind, rate, channels)
    assert sound.rfc6381 == f"mp4a.40.{kind}"
    assert sound.config == config


def test_other_object_types() -> None:
    assert read_sound(entry(audio_entry(b"", object_type=0x6B)), quicktime=False).codec == "mp3"
    assert read_sound(entry(audio_entry(b"", object_type=0x69)), quicktime=False).rfc6381 == "mp4a.40.34"
    assert read_sound(entry(audio_entry(object_type=0x67)), quicktime=False).rfc6381 == "mp4a.40.2"
    with pytest.raises(MediaUnsupported, match="mp4a-12"):
        refuse_sound(read_sound(entry(audio_entry(object_type=0x12)), quicktime=False))


def test_sizes_in_descriptors_may_be_too_large() -> None:
    blob = audio_entry()
    at = blob.index(b"\x03", blob.index(b"esds") + 8)
    broken = blob[: at + 1] + bytes((blob[at + 1] + 40,)) + blob[at + 2 :]
    assert read_sound(entry(broken), quicktime=False) == PLAIN


def test_an_sps_is_read() -> None:
    (sps,) = read_avcc(AVCC)
    assert (sps.profile, sps.level, sps.width, sps.height) == (100, 40, 1920, 1080)
    assert (sps.chroma_format, sps.bit_depth, sps.progressive, sps.sample_aspect) == (1, 8, True, (1, 1))
    assert sps.rfc6381 == "avc1.640028"
    assert check_playable([sps]) is sps


def test_quicktimes_colours_become_isos() -> None:
    nclc = box(b"colr", b"nclc", struct.pack(">3H", 1, 1, 1))
    picture = read_picture(entry(video_entry(more=nclc + box(b"fiel", b"\1\0") + bytes(4))))
    inside = {child.kind: bytes(child.body) for child in children(memoryview(picture.sample_entry())[86:])}
    assert inside == {b"avcC": AVCC, b"colr": b"nclx\0\1\0\1\0\1\0"}


def test_the_containers_pixels_count_more_than_the_codecs() -> None:
    picture = read_picture(entry(video_entry(more=box(b"pasp", struct.pack(">II", 4, 3)))))
    assert picture.pixel_shape == (4, 3)
    assert box(b"pasp", struct.pack(">II", 4, 3)) in picture.sample_entry()
    assert read_picture(entry(video_entry(more=box(b"pasp", bytes(8))))).pixel_shape == (1, 1)


def test_a_picture_size_that_changes_is_refused() -> None:
    size = struct.unpack_from(">H", AVCC, 6)[0]
    first, second = AVCC[6 : 8 + size], AVCC[6 : 8 + size].replace(b"\xac\xd9\x40\x78", b"\xac\xd9\x40\x70")
    same = read_avcc(AVCC[:5] + b"\xe2" + first + first)
    assert check_playable(same) == same[1]
    with pytest.raises(MediaUnsupported, match="picture size"):
        check_playable(read_avcc(AVCC[:5] + b"\xe2" + first + second))


def test_codecs_have_names() -> None:
    assert (video_codec(b"hvc1"), spoken("hevc")) == ("hevc", "HEVC")
    assert (audio_codec(b"sowt"), audio_codec(b"ac-3")) == ("pcm", "ac3")
    assert (video_codec(b"<b> "), video_codec(b"\0\xff\0\0"), audio_codec(b"XYZ1")) == ("b", "unknown", "xyz1")


def test_encrypted_and_foreign_entries_are_refused() -> None:
    for kind, word in ((b"encv", "encrypted"), (b"hvc1", "HEVC"), (b"avc3", "among the frames")):
        with pytest.raises(MediaUnsupported, match=word):
            read_picture(entry(video_entry(kind=kind)))
    assert full_box(b"free", 1, 2) == b"\0\0\0\x0cfree\1\0\0\2"
