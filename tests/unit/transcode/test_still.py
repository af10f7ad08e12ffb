"""One keyframe as a file, and the JPEG that comes back."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partway.errors import MediaError, MediaMalformed, MediaTooLarge, MediaUnsupported
from partway.media.reading import read_from_bytes
from partway.media.still import Stills, fragment, jpeg_size, poster_time, read_stills
from partway.testing.media import ffprobe, sample
from partway.testing.media import run as run_openly


def stills_of(path: Path) -> Stills:
    blob = path.read_bytes()
    return read_from_bytes(read_stills(len(blob)), blob)


def keyframes(path: Path) -> list[tuple[float, int, int]]:
    """Time, place and size of every keyframe of the video, by ffprobe."""
    table = run_openly(
        ffprobe(), "-select_streams", "v:0", "-show_entries", "packet=dts_time,pos,size,flags", "-of", "json", path
    )
    packets = [packet for packet in json.loads(table)["packets"] if packet["flags"].startswith("K")]
    return [(float(packet["dts_time"]), int(packet["pos"]), int(packet["size"])) for packet in packets]


@pytest.mark.parametrize("name", ["plain", "mov", "intra", "vfr", "hevc", "vp9", "prores", "mpeg4", "trimmed", "opus"])
def test_the_frames_are_keyframes(name: str, media_dir: Path) -> None:
    """Whatever the codec, and whether it passes through or not."""
    path = sample(media_dir, name)
    there = {(place, size) for _, place, size in keyframes(path)}
    frames = stills_of(path).frames
    assert frames
    assert there.issuperset(frames)


def test_the_best_comes_first_and_the_very_first_last(media_dir: Path) -> None:
    path = sample(media_dir, "minute")
    times = {place: time for time, place, _ in keyframes(path)}
    start = min(times.values())
    # At 5 s, then a quarter, a half and three quarters in; the keyframes are 1.5 s apart.
    assert [times[frame.offset] - start for frame in stills_of(path).frames] == [6.0, 15.0, 30.0, 45.0, 0.0]


@pytest.mark.parametrize(
    ("wanted", "taken"), [(0, 0.0), (1.4, 0.0), (1.5, 1.5), (31.4, 30.0), (59.9, 58.5), (60, 0.0), (1e9, 0.0)]
)
def test_a_picked_one_is_the_last_that_is_not_after_it(wanted: float, taken: float, media_dir: Path) -> None:
    path = sample(media_dir, "minute")
    blob = path.read_bytes()
    times = {place: time for time, place, _ in keyframes(path)}
    frames = read_from_bytes(read_stills(len(blob), wanted), blob).frames
    assert [times[frame.offset] - min(times.values()) for frame in frames] == [taken]


def test_short_videos_have_one_at_a_tenth(media_dir: Path) -> None:
    path = sample(media_dir, "intra")
    first = stills_of(path).frames[0]
    expected = [place for time, place, _ in keyframes(path)]
    assert expected.index(first.offset) == 18


@pytest.mark.parametrize(("name", "codec"), [("plain", "h264"), ("mov", "h264"), ("hevc", "hevc"), ("vp9", "vp9")])
def test_together_they_are_a_file(name: str, codec: str, media_dir: Path, tmp_path: Path) -> None:
    path = sample(media_dir, name)
    blob, stills = path.read_bytes(), stills_of(path)
    file = tmp_path / "stills.mp4"
    parts = [stills.init]
    for position, (low, length) in enumerate(stills.frames):
        parts += [fragment(position, length), blob[low : low + length]]
    file.write_bytes(b"".join(parts))
    entries = "stream=codec_name,width,height,pix_fmt:packet=pts_time,flags"
    found = json.loads(run_openly(ffprobe(), "-show_entries", entries, "-of", "json", file))
    assert found["streams"] == [{"codec_name": codec, "width": 320, "height": 180, "pix_fmt": "yuv420p"}]
    assert [float(packet["pts_time"]) for packet in found["packets"]] == list(range(len(stills.frames)))
    assert all(packet["flags"].startswith("K") for packet in found["packets"])


@pytest.mark.parametrize(
    ("name", "words"), [("fragmented", "fragmented"), ("matroska", "Matroska"), ("sound-only", "no video track")]
)
def test_where_there_are_none(name: str, words: str, media_dir: Path) -> None:
    with pytest.raises(MediaUnsupported, match=words):
        stills_of(sample(media_dir, name))


def test_absurd_claims_are_refused(media_dir: Path) -> None:
    blob = sample(media_dir, "plain").read_bytes()
    at = blob.index(b"stsz") + 4
    count = int.from_bytes(blob[at + 8 : at + 12], "big")
    for size in (33 << 20, 0xFFFFFFFF):
        changed = blob[: at + 12] + struct.pack(">I", size) * count + blob[at + 12 + 4 * count :]
        with pytest.raises(MediaTooLarge):
            # As while it arrives: the size of the file says nothing yet.
            read_from_bytes(read_stills(None), changed)
        with pytest.raises(MediaMalformed):
            read_from_bytes(read_stills(len(changed)), changed)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return sample(tmp_path_factory.mktemp("plain"), "silent").read_bytes()


@given(st.data())
def test_damage_gives_frames_or_an_error_of_ours(plain: bytes, data: st.DataObject) -> None:
    blob = bytearray(plain)
    moov = blob.index(b"moov") - 4
    for _ in range(data.draw(st.integers(1, 8))):
        blob[data.draw(st.integers(moov, len(blob) - 1))] = data.draw(st.integers(0, 255))
    for size in (len(blob), None):
        try:
            stills = read_from_bytes(read_stills(size), bytes(blob))
        except MediaError:
            continue
        assert all(frame.length <= 32 << 20 and frame.offset >= 0 for frame in stills.frames)


def test_when() -> None:
    assert poster_time(None) == poster_time(0) == 0
    assert poster_time(13) == pytest.approx(1.3)
    assert poster_time(7200) == 5


def jpeg(width: int, height: int, *, kind: int = 0xC0, before: bytes = b"\xff\xe0\x00\x04xx") -> bytes:
    frame = struct.pack(">BBHBHH", 0xFF, kind, 8, 8, height, width) + b"\x00"
    return b"\xff\xd8" + before + frame + b"\xff\xda\x00\x02" + b"picture" + b"\xff\xd9"


def test_the_size_of_a_jpeg() -> None:
    assert jpeg_size(jpeg(1280, 720)) == (1280, 720)
    assert jpeg_size(jpeg(1, 65535, kind=0xC2, before=b"")) == (1, 65535)


@pytest.mark.parametrize(
    "picture",
    [
        b"",
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8",
        jpeg(1280, 720)[:-2],
        jpeg(0, 720),
        jpeg(1280, 720, kind=0xC4),
        jpeg(1280, 720)[:14] + b"\xff\xd9",
        b"<html>",
        b"\x89PNG\r\n\x1a\n",
    ],
)
def test_what_is_no_jpeg(picture: bytes) -> None:
    with pytest.raises(MediaMalformed):
        jpeg_size(picture)


@given(st.binary(max_size=200))
def test_noise_is_no_jpeg_or_has_a_size(noise: bytes) -> None:
    try:
        width, height = jpeg_size(b"\xff\xd8" + noise + b"\xff\xd9")
    except MediaMalformed:
        return
    assert 0 < width < 65536
    assert 0 < height < 65536
