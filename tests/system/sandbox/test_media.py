"""Probe and poster of real files, by every ffmpeg that this machine has."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.system.sandbox.ground import BytesSource, FileSource

from partway.errors import MediaError, MediaMalformed, MediaUnsupported, NotReady, ProgramMissing
from partway.media.facts import Facts
from partway.media.index import Index, read_index
from partway.media.reading import read_from_bytes
from partway.testing.media import SECONDS, ffmpeg, sample
from partway.testing.media import run as run_openly
from partway.transcode import probe as probes
from partway.transcode.layers import Detected
from partway.transcode.poster import Poster, poster
from partway.transcode.probe import END_BYTES, probe, probe_beginning
from partway.transcode.programs import Tools, find_tools
from partway.transcode.sandbox import MIB

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

# What `make test` leaves to `make test-all`: the same once more, with another version.
PROGRAMS = [pytest.param(None, id="chosen")]
PROGRAMS += [pytest.param(found, id="PATH", marks=pytest.mark.slow) for found in [shutil.which("ffmpeg")] if found]


@pytest.fixture(scope="module", params=PROGRAMS)
async def tools(request: pytest.FixtureRequest, detected: Detected) -> Tools:
    """The ffmpeg that is chosen by itself, and the one on PATH, if there is one."""
    return await find_tools(detected.sandbox, ffmpeg=request.param)


def index_of(path: Path) -> Index:
    blob = path.read_bytes()
    return read_from_bytes(read_index(len(blob)), blob)


def pixels(jpeg: bytes, folder: Path, size: int = 32) -> np.ndarray:
    """A picture as ``size`` x ``size`` grey values."""
    file, raw = folder / "picture.jpg", folder / "picture.raw"
    file.write_bytes(jpeg)
    run_openly(ffmpeg(), "-y", "-i", file, "-vf", f"scale={size}:{size}:flags=area,format=gray", "-f", "rawvideo", raw)
    return np.frombuffer(raw.read_bytes(), np.uint8).reshape(size, size).astype(int)


Made = Callable[..., Path]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """Make a video with ffmpeg: sources and filters to file."""

    def make(name: str, *options: str) -> Path:
        path = tmp_path / name
        run_openly(ffmpeg(), "-y", *options, path)
        return path

    return make


LIGHT, BLACK = "testsrc2=size=320x180:rate=25", "color=black:size=320x180:rate=25"
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "25")


def after_black(seconds: int, whole: int) -> tuple[str, ...]:
    """Black for some seconds, then a picture."""
    inputs = ("-f", "lavfi", "-t", str(seconds), "-i", BLACK, "-f", "lavfi", "-t", str(whole - seconds), "-i", LIGHT)
    return (*inputs, "-filter_complex", "[0:v][1:v]concat=n=2:v=1[v]", "-map", "[v]", *X264)


SOUND = {"sample_rate": 48000, "audio_codec": "aac", "audio_channels": 1}
OPUS = {**SOUND, "audio_codec": "opus"}


@pytest.mark.parametrize(
    ("name", "seconds", "expected"),
    [
        ("matroska", SECONDS, Facts("matroska", 320, 180, "16/9", framerate=30.0, video_codec="h264", **SOUND)),
        ("mpegts", SECONDS, Facts("mpegts", 320, 180, "16/9", framerate=30.0, video_codec="h264", **SOUND)),
        (
            "webm",
            1,
            Facts("webm", 320, 180, "16/9", framerate=30, video_codec="vp9", **OPUS),
        ),
        ("fragmented", SECONDS, Facts("mp4", 320, 180, "16/9", framerate=30.0, video_codec="h264", **SOUND)),
        ("turned", SECONDS, Facts("mp4", 180, 320, "9/16", framerate=30.0, video_codec="h264", **SOUND)),
        ("anamorphic", SECONDS, Facts("mp4", 320, 180, "64/27", framerate=30.0, video_codec="h264", **SOUND)),
        ("silent", SECONDS, Facts("mp4", 320, 180, "16/9", framerate=30.0, video_codec="h264")),
    ],
)
async def test_facts(name: str, seconds: float, expected: Facts, tools: Tools, media_dir: Path) -> None:
    source = FileSource(sample(media_dir, name))
    facts = await probe(tools, source)
    assert facts.duration_seconds == pytest.approx(seconds, abs=0.1)
    assert facts.bitrate_kbps == pytest.approx(source.size * 8 / seconds / 1000, rel=0.1)
    assert replace(facts, duration_seconds=None, bitrate_kbps=None) == expected


async def test_facts_agree_with_our_own_index(tools: Tools, media_dir: Path) -> None:
    """Where both can read a file they say the same."""
    for name in ("plain", "turned", "anamorphic", "baseline", "mov", "silent", "cropped"):
        path = sample(media_dir, name)
        ours, theirs = index_of(path).facts, await probe(tools, FileSource(path))
        for field in ("width", "height", "aspect_ratio", "sample_rate", "video_codec", "audio_codec", "audio_channels"):
            assert getattr(ours, field) == getattr(theirs, field), (name, field)
        assert round(ours.duration_seconds or 0) == round(theirs.duration_seconds or 0)
        assert round(ours.framerate or 0) == round(theirs.framerate or 0)


@pytest.mark.parametrize(
    ("suffix", "video", "options"),
    [
        ("avi", "mpeg4", ()),
        ("flv", "h264", X264),
        ("mpg", "mpeg2video", ("-f", "vob", "-c:v", "mpeg2video")),
        ("mxf", "mpeg2video", ("-c:v", "mpeg2video")),
        ("asf", "msmpeg4v3", ()),
    ],
)
async def test_every_container_has_facts_and_a_picture(
    suffix: str, video: str, options: tuple[str, ...], tools: Tools, made: Made
) -> None:
    path = made(f"video.{suffix}", "-f", "lavfi", "-t", "3", "-i", LIGHT, *options)
    facts = await probe(tools, FileSource(path))
    assert (facts.width, facts.height, facts.aspect_ratio, facts.video_codec) == (320, 180, "16/9", video)
    assert facts.duration_seconds == pytest.approx(3, abs=0.2)
    assert facts.framerate == 25
    picture = await poster(tools, FileSource(path), facts=facts)
    assert (picture.width, picture.height) == (320, 180)


async def test_the_length_of_a_long_stream_is_read_from_its_end(tools: Tools, made: Made) -> None:
    """Nothing of the middle is read or copied."""
    stuffed = ("-c:v", "mpeg2video", "-muxrate", "70M", "-f", "mpegts")
    path = made("long.ts", "-f", "lavfi", "-t", "4", "-i", LIGHT, *stuffed)
    source = FileSource(path)
    assert source.size > 3 * END_BYTES
    facts = await probe(tools, source)
    assert facts.duration_seconds == pytest.approx(4, abs=0.2)
    assert source.read_bytes <= 2 * END_BYTES + MIB


async def test_the_beginning_alone(tools: Tools, media_dir: Path) -> None:
    for name, container in (("matroska", "matroska"), ("mpegts", "mpegts"), ("webm", "webm"), ("fragmented", "mp4")):
        blob = sample(media_dir, name).read_bytes()
        source = BytesSource(blob[: len(blob) // 2])
        facts = await probe_beginning(tools, source.stream(0, source.size), container)
        assert (facts.width, facts.height, facts.framerate) == (320, 180, 30), name


async def test_sound_alone_is_no_video(tools: Tools, media_dir: Path) -> None:
    source = FileSource(sample(media_dir, "sound-only"))
    with pytest.raises(MediaUnsupported, match="no video track") as caught:
        await probe(tools, source)
    assert isinstance(caught.value.facts, Facts)
    assert caught.value.facts.audio_codec == "aac"
    with pytest.raises(MediaError):
        await poster(tools, source)


TABLED = [
    "plain",
    "mov",
    "intra",
    "baseline",
    "faststart",
    "late-video",
    "vfr",
    "minute",
    "hevc",
    "vp9",
    "prores",
    "mpeg4",
]


@pytest.mark.parametrize("name", TABLED)
async def test_the_picture_of_a_file_with_tables(name: str, tools: Tools, media_dir: Path) -> None:
    """Whatever the codec, and whether browsers play it or not."""
    source = FileSource(sample(media_dir, name))
    picture = await poster(tools, source)
    assert (picture.width, picture.height) == (320, 180)


async def test_the_file_is_not_read_for_it(tools: Tools, media_dir: Path) -> None:
    for name in ("minute", "faststart"):
        source = FileSource(sample(media_dir, name))
        await poster(tools, source)
        assert source.read_bytes < source.size / 4


async def test_a_telephones_video(tools: Tools, made: Made) -> None:
    """HEVC in a MOV, its index at the end, held upright: the commonest file that browsers do not play."""
    hevc = ("-c:v", "libx265", "-preset", "ultrafast", "-tag:v", "hvc1", "-x265-params", "log-level=none:keyint=30")
    lying = made("lying.mov", "-f", "lavfi", "-t", "2", "-i", "testsrc2=size=640x360:rate=30", *hevc)
    path = made("upright.mov", "-display_rotation:v:0", "90", "-i", str(lying), "-c", "copy")
    source = FileSource(path)
    picture = await poster(tools, source)
    assert (picture.width, picture.height) == (360, 640)
    facts = await probe(tools, source)
    assert (facts.container, facts.width, facts.height, facts.aspect_ratio, facts.video_codec) == (
        "mov", 360, 640, "9/16", "hevc",
    )  # fmt: skip


async def test_a_fragmented_file(tools: Tools, media_dir: Path) -> None:
    picture = await poster(tools, FileSource(sample(media_dir, "fragmented")))
    assert (picture.width, picture.height) == (320, 180)


async def test_it_is_the_frame_at_a_tenth(tools: Tools, media_dir: Path, tmp_path: Path) -> None:
    path = sample(media_dir, "minute")
    keyframe = 5.4 + 1.5 / 2
    expected = tmp_path / "expected.jpg"
    run_openly(ffmpeg(), "-ss", str(keyframe - 0.3), "-skip_frame", "nokey", "-i", path, "-frames:v", "1", expected)
    picture = await poster(tools, FileSource(path))
    difference = np.abs(pixels(picture.jpeg, tmp_path, 64) - pixels(expected.read_bytes(), tmp_path, 64))
    assert difference.mean() < 3


async def test_it_is_upright(tools: Tools, media_dir: Path, tmp_path: Path) -> None:
    pictures = {}
    for name in ("plain", "turned"):
        path = sample(media_dir, name)
        pictures[name] = await poster(tools, FileSource(path))
    assert (pictures["turned"].width, pictures["turned"].height) == (180, 320)
    lying, upright = pixels(pictures["plain"].jpeg, tmp_path), pixels(pictures["turned"].jpeg, tmp_path)
    assert np.abs(np.rot90(lying, -1) - upright).mean() < 5


async def test_it_has_the_displayed_shape(tools: Tools, media_dir: Path) -> None:
    path = sample(media_dir, "anamorphic")
    picture = await poster(tools, FileSource(path))
    assert (picture.width, picture.height) == (426, 180)


async def test_it_is_not_wider_than_1280(tools: Tools, made: Made) -> None:
    path = made("large.mp4", "-f", "lavfi", "-t", "1", "-i", "testsrc2=size=2560x1080:rate=5", *X264)
    picture = await poster(tools, FileSource(path))
    assert (picture.width, picture.height) == (1280, 540)


def is_light(picture: Poster, folder: Path) -> bool:
    return bool(pixels(picture.jpeg, folder).mean() > 50)


async def test_it_is_not_black_if_anything_is_not(tools: Tools, made: Made, tmp_path: Path) -> None:
    path = made("late.mp4", *after_black(8, 12))
    assert is_light(await poster(tools, FileSource(path)), tmp_path)
    path = made("late.mkv", *after_black(8, 12))
    assert is_light(await poster(tools, FileSource(path)), tmp_path)
    facts = await probe(tools, FileSource(path))
    assert is_light(await poster(tools, FileSource(path), facts=facts), tmp_path)


async def test_a_black_video_has_a_black_picture(tools: Tools, made: Made, tmp_path: Path) -> None:
    for name in ("black.mp4", "black.mkv"):
        path = made(name, "-f", "lavfi", "-t", "3", "-i", BLACK, *X264)
        assert not is_light(await poster(tools, FileSource(path)), tmp_path)


async def test_white_stays_white(tools: Tools, made: Made, tmp_path: Path) -> None:
    """Video counts brightness from 16 to 235, JPEG from 0 to 255."""
    path = made("white.mp4", "-f", "lavfi", "-t", "1", "-i", "color=white:size=320x180:rate=25", *X264)
    picture = await poster(tools, FileSource(path))
    assert pixels(picture.jpeg, tmp_path).mean() > 250


async def test_while_it_is_arriving(tools: Tools, media_dir: Path) -> None:
    source = FileSource(sample(media_dir, "faststart"))
    for here in (0.3, 1.0):
        held = int(source.size * here)
        picture = await poster(tools, source, covered=lambda low, high, held=held: high <= held)
        assert (picture.width, picture.height) == (320, 180)
    for held in (0, 100, 5000):
        with pytest.raises(NotReady):
            await poster(tools, source, covered=lambda low, high, held=held: high <= held)


async def test_the_index_that_has_arrived_before_the_frames(tools: Tools, media_dir: Path) -> None:
    source = FileSource(path := sample(media_dir, "plain"))
    moov = path.read_bytes().index(b"moov") - 4

    def ends(low: int, high: int) -> bool:
        return high <= 4096 or low >= moov

    with pytest.raises(NotReady):
        await poster(tools, source, covered=ends)
    picture = await poster(tools, source, covered=lambda low, high: high <= source.size / 4 or low >= moov)
    assert (picture.width, picture.height) == (320, 180)


async def test_damaged_keyframes(tools: Tools, media_dir: Path) -> None:
    blob = sample(media_dir, "plain").read_bytes()
    moov, mdat = blob.index(b"moov") - 4, blob.index(b"mdat") + 4
    damaged = BytesSource(blob[:mdat] + b"\xff" * (moov - mdat) + blob[moov:])
    with pytest.raises(MediaMalformed) as caught:
        await poster(tools, damaged)
    assert str(caught.value).endswith(".")


async def test_an_index_far_from_the_end(tools: Tools, media_dir: Path) -> None:
    """Behind it is more than ffprobe is given of the end."""
    blob = sample(media_dir, "hevc").read_bytes()
    padded = blob + struct.pack(">I4s", 3 * END_BYTES, b"free") + bytes(3 * END_BYTES - 8)
    front = struct.pack(">I4s", 2 * END_BYTES, b"free") + bytes(2 * END_BYTES - 8)
    ftyp = int.from_bytes(blob[:4], "big")
    source = BytesSource(blob[:ftyp] + front + padded[ftyp:])
    facts = await probe(tools, source)
    assert (facts.video_codec, facts.width) == ("hevc", 320)
    assert source.read_bytes < source.size


async def test_what_the_settings_name_is_used_or_refused(detected: Detected, tools: Tools, tmp_path: Path) -> None:
    chosen = await find_tools(detected.sandbox, ffmpeg=tools.ffmpeg.path, ffprobe=tools.ffprobe.path)
    assert (chosen.ffmpeg.path, chosen.ffmpeg.origin) == (tools.ffmpeg.path, "the settings")
    with pytest.raises(ProgramMissing, match="named by the settings"):
        await find_tools(detected.sandbox, ffmpeg=tmp_path / "none")
    impostor = tmp_path / "ffmpeg"
    shutil.copy("/bin/false", impostor)
    with pytest.raises(ProgramMissing, match="does not work"):
        await find_tools(detected.sandbox, ffmpeg=impostor)


def test_ffprobe_sees_as_much_as_it_reads() -> None:
    """It stops before the hole in the middle of a file."""
    from partway.media.commands import PROBED_BYTES

    assert PROBED_BYTES < END_BYTES
    assert probes.LIMITS.input_bytes is not None
    assert probes.LIMITS.input_bytes >= PROBED_BYTES
