"""Where the index is, found in a bounded number of small reads."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from partway.errors import MediaMalformed
from partway.media.boxes import box
from partway.media.container import MAX_TOP_LEVEL_BOXES, MoovPlace, locate_moov, sniff
from partway.media.reading import Reading, Wanted, read_from_bytes, read_from_file
from partway.testing.media import sample

FTYP = box(b"ftyp", b"isom", bytes(4))


def large_box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4sQ", 1, kind, 16 + len(body)) + body


def locate(blob: bytes) -> MoovPlace:
    return read_from_bytes(locate_moov(len(blob)), blob)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("plain", "mp4"), ("mov", "mov"), ("fragmented", "mp4"), ("webm", "webm"), ("matroska", "matroska"),
     ("mpegts", "mpegts"), ("sound-only", "mp4")],
)  # fmt: skip
def test_sniffs_real_files(media_dir: Path, name: str, kind: str) -> None:
    assert sniff(sample(media_dir, name).read_bytes()[:4096]) == kind


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (FTYP, "mp4"),
        (box(b"ftyp", b"qt  ", bytes(4)), "mov"),
        (box(b"wide") + box(b"mdat"), "mov"),
        (struct.pack(">I4s", 0, b"mdat"), "mov"),
        (box(b"ftyp", b"heic", bytes(4)), "heif"),
        (struct.pack(">I4s", 3, b"ftyp"), None),
        (b"\x47" + bytes(187) + b"\x47" + bytes(187) + b"\x47", "mpegts"),
        (b"\x47" + bytes(400), None),
        (bytes(4) + b"\x47" + bytes(191) + b"\x47" + bytes(191) + b"\x47", "mpegts"),
        (b"\xef\xbb\xbf\n #EXTM3U\n", "hls"),
        (b"ffconcat version 1.0", "ffconcat"),
        (b"RIFF\x00\x00\x00\x00AVI LIST", "avi"),
        (b"RIFF\x00\x00\x00\x00WEBP", None),
        (b"FLV\x01", "flv"),
        (b"", None),
        (b"\x00", None),
    ],
)
def test_sniffs_by_first_bytes(head: bytes, kind: str | None) -> None:
    assert sniff(head) == kind


def test_index_at_either_end() -> None:
    moov = box(b"moov", b"body")
    mdat = box(b"mdat", bytes(100))
    assert locate(FTYP + moov + mdat) == MoovPlace(16, 12, 8)
    assert locate(FTYP + mdat + moov) == MoovPlace(16 + 108, 12, 8)


def test_several_media_boxes_and_long_headers() -> None:
    front = FTYP + box(b"mdat", bytes(9)) + large_box(b"mdat", bytes(70)) + box(b"free", bytes(3))
    assert locate(front + large_box(b"moov", b"index")) == MoovPlace(len(front), 21, 16)


def test_an_index_that_runs_to_the_end() -> None:
    assert locate(FTYP + struct.pack(">I4s", 0, b"moov") + b"body") == MoovPlace(16, 12, 8)


def test_while_the_size_is_unknown() -> None:
    blob = FTYP + box(b"mdat", bytes(50)) + box(b"moov", b"body")
    assert read_from_bytes(locate_moov(None), blob) == MoovPlace(16 + 58, 12, 8)


@pytest.mark.parametrize(
    ("blob", "word"),
    [
        (FTYP + box(b"mdat", bytes(50)), "no index"),
        (FTYP + struct.pack(">I4s", 0, b"mdat") + bytes(50), "no index"),
        (FTYP + box(b"mdat", bytes(50))[:-1], "cut off"),
        (FTYP + struct.pack(">I4s", 100, b"moov"), "cut off"),
        (FTYP + struct.pack(">I4s", 7, b"free") + bytes(50), "shorter than its own header"),
        (FTYP + struct.pack(">I4sQ", 1, b"free", 15) + bytes(50), "shorter than its own header"),
        (FTYP + struct.pack(">I4sQ", 1, b"mdat", 2**64 - 1) + bytes(50), "cut off"),
        (FTYP + struct.pack(">I4s", 1, b"mdat"), "no index"),
        (FTYP + box(b"free") * MAX_TOP_LEVEL_BOXES + box(b"moov"), "no index among its first"),
    ],
)
def test_damage_is_named(blob: bytes, word: str) -> None:
    with pytest.raises(MediaMalformed, match=word):
        locate(blob)


def test_fragments_without_an_index_are_no_file() -> None:
    with pytest.raises(MediaMalformed, match="before its index"):
        locate(box(b"styp", b"msdh", bytes(4)) + box(b"moof"))


def test_reads_only_headers(media_dir: Path) -> None:
    blob = sample(media_dir, "plain").read_bytes()
    wanted: list[Wanted] = []

    def watched(reading: Reading[MoovPlace]) -> Reading[MoovPlace]:
        request = next(reading)
        try:
            while True:
                wanted.append(request)
                request = reading.send((yield request))
        except StopIteration as done:
            place: MoovPlace = done.value
            return place

    place = read_from_bytes(watched(locate_moov(len(blob))), blob)
    assert blob[place.offset + 4 : place.offset + 8] == b"moov"
    assert place.offset + place.length == len(blob)
    assert len(wanted) <= 5
    assert all(request.length == 16 for request in wanted)


def test_drives_over_a_file_as_over_bytes(media_dir: Path) -> None:
    path = sample(media_dir, "plain")
    size = path.stat().st_size
    with open(path, "rb") as file:
        assert read_from_file(locate_moov(size), file) == read_from_bytes(locate_moov(size), path.read_bytes())


def test_start_up_does_not_load_numpy(run_python: Callable[[str], str]) -> None:
    """A server that has built no index yet must not pay for numpy."""
    modules = ("container", "facts", "grid", "index", "initial", "playlists", "reading", "segments", "source")
    imports = "; ".join(f"import partway.media.{name}" for name in modules)
    assert run_python(f"import sys; {imports}; print('numpy' in sys.modules)") == "False\n"
