"""Files that mean harm: each ends within its bounds, with one sentence for ``status``, and reaches nothing."""

from __future__ import annotations

import asyncio
import struct
import zlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.system.sandbox.ground import GENEROUS, BytesSource, FileSource, Listener

from partway.errors import MediaError, MediaMalformed, MediaTooLarge, PartwayError, ProgramFailed
from partway.media import commands
from partway.media.index import read_index
from partway.media.reading import read_from_bytes
from partway.testing.media import ffmpeg, sample
from partway.testing.media import run as run_openly
from partway.transcode import poster as posters
from partway.transcode import probe as probes
from partway.transcode.layers import Detected
from partway.transcode.outcome import Ending
from partway.transcode.poster import poster
from partway.transcode.probe import probe, probe_beginning
from partway.transcode.process import run
from partway.transcode.programs import Tools
from partway.transcode.sandbox import MIB, Sandbox

pytestmark = pytest.mark.anyio


def check_sentence(error: PartwayError) -> None:
    """One sentence for people: no line of a program's, no path."""
    words = str(error)
    assert words.endswith(".")
    assert words[0].isupper()
    assert "\n" not in words
    assert "/" not in words
    assert len(words) < 200


async def refused(tools: Tools, source: BytesSource | FileSource) -> list[MediaError]:
    """What probe and poster say of a source that both refuse."""
    said = []
    for attempt in (probe(tools, source), poster(tools, source)):
        with pytest.raises(MediaError) as caught:
            await attempt
        check_sentence(caught.value)
        said.append(caught.value)
    return said


def playlist(listener: Listener) -> bytes:
    segment = f"http://127.0.0.1:{listener.port}/{listener.word}.ts"
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{segment}\n#EXT-X-ENDLIST\n".encode()


def concatenation(canary: Path) -> bytes:
    return f"ffconcat version 1.0\nfile '{canary}'\n".encode()


@pytest.fixture
def canary(media_dir: Path, tmp_path: Path) -> Path:
    """A video that nobody may read, under a name that betrays nothing."""
    path = tmp_path / "canary"
    path.write_bytes(sample(media_dir, "matroska").read_bytes())
    return path


async def test_a_playlist_makes_no_request(tools: Tools, listener: Listener) -> None:
    said = await refused(tools, BytesSource(playlist(listener)))
    assert {str(error) for error in said} == {"This is a playlist, not a video."}
    assert not listener.was_called()


async def test_a_list_of_files_reads_none(tools: Tools, canary: Path) -> None:
    said = await refused(tools, BytesSource(concatenation(canary)))
    assert {str(error) for error in said} == {"This is a list of other files, not a video."}


@pytest.mark.slow
@pytest.mark.parametrize("container", sorted(commands.READABLE))
async def test_under_any_other_name_they_are_noise(
    container: str, tools: Tools, listener: Listener, canary: Path, tmp_path: Path
) -> None:
    """Even if our own reading of the first bytes were fooled: ffmpeg is told what to read them as, and what to open."""
    for content in (playlist(listener), concatenation(canary)):
        file = tmp_path / "video.mp4"
        file.write_bytes(content)
        for source in (commands.STDIN, str(file)):
            program = commands.probe(tools.ffprobe.path, container, source)
            feed = BytesSource(content).stream(0, len(content)) if source == commands.STDIN else None
            outcome = await run(program, GENEROUS, tools.sandbox, feed=feed, reads=[file, canary])
            assert b"codec_name" not in outcome.output
            assert outcome.ending in (Ending.FAILED, Ending.FINISHED)
    assert not listener.was_called()


def hides_files(detected: Detected, capsys: pytest.CaptureFixture[str]) -> bool:
    """Whether there is a layer that does; said aloud if not."""
    if detected.worry is None:
        return True
    with capsys.disabled():
        print(f"\n*** {detected.worry}")
    assert not any(layer.is_active for layer in detected.layers if layer.name in ("Landlock", "bubblewrap"))
    return False


@pytest.mark.slow
async def test_even_an_ffmpeg_without_our_arguments_reaches_nothing(
    tools: Tools,
    detected: Detected,
    listener: Listener,
    canary: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The sandbox alone holds; without it the same commands do make the request, and do read the file."""
    guards_off = ("-protocol_whitelist", "file,pipe,crypto,data,http,tcp")
    lists = tmp_path / "list"
    hls = (tools.ffprobe.path, *guards_off, "-allowed_extensions", "ALL", "-f", "hls", "-i", str(lists))
    concat = (tools.ffprobe.path, *guards_off, "-f", "concat", "-safe", "0", "-show_streams", "-i", str(lists))
    open_house = Sandbox(tools.sandbox.scratch)

    lists.write_bytes(playlist(listener))
    await run(hls, replace(GENEROUS, wall_seconds=3), open_house)
    assert listener.was_called()
    outcome = await run(hls, GENEROUS, tools.sandbox, reads=[lists])
    assert outcome.ending is Ending.FAILED
    assert not listener.was_called()

    lists.write_bytes(concatenation(canary))
    assert b"codec_name=h264" in (await run(concat, GENEROUS, open_house)).output
    if hides_files(detected, capsys):
        outcome = await run(concat, GENEROUS, tools.sandbox, reads=[lists])
        assert b"codec_name" not in outcome.output
        assert "ermission denied" in outcome.messages or "No such file" in outcome.messages


async def test_a_reference_out_of_a_mov_is_not_followed(
    tools: Tools, detected: Detected, media_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A data reference that names another file, whose frames would end up in the picture."""
    (tmp_path / "canary.mov").write_bytes(blob := sample(media_dir, "mov").read_bytes())
    file = tmp_path / "video.mov"
    file.write_bytes(content := refers_to(blob, tmp_path / "canary.mov"))
    eager = (tools.ffmpeg.path, "-v", "error", "-enable_drefs", "1", "-i", str(file), "-map", "0:v")
    eager = (*eager, "-frames:v", "1", "-f", "mjpeg", "pipe:1")
    followed = await run(eager, GENEROUS, Sandbox(tools.sandbox.scratch))
    assert followed.output.startswith(b"\xff\xd8"), followed.messages

    assert (await probe(tools, BytesSource(content))).video_codec == "h264"
    for program in (
        *([eager] if hides_files(detected, capsys) else []),
        commands.poster(tools.ffmpeg.path, "mov", str(file)),
        commands.poster(tools.ffmpeg.path, "mov", str(file), any_frame=True),
    ):
        outcome = await run(program, GENEROUS, tools.sandbox, reads=[file])
        assert outcome.output == b"", program
    with pytest.raises(MediaError) as caught:
        read_from_bytes(read_index(len(content)), content)
    check_sentence(caught.value)


def refers_to(blob: bytes, other: Path) -> bytes:
    """A MOV without frames, whose tracks say that theirs are in another file (QuickTime alias)."""

    def record(kind: int, content: bytes) -> bytes:
        return struct.pack(">hH", kind, len(content)) + content + b"\0" * (len(content) % 2)

    names = bytes((6,)) + b"volume".ljust(27, b"\0") + bytes(12) + bytes((0,)) + bytes(63) + bytes(16)
    alias = bytes(10) + names + struct.pack(">hh", 1, 1) + bytes(16)
    alias += record(2, str(other).encode()) + record(-1, b"")
    entry = struct.pack(">I4sI", 12 + len(alias), b"alis", 0) + alias
    reference = struct.pack(">I4sII", 16 + len(entry), b"dref", 0, 1) + entry

    def changed(level: bytes) -> bytes:
        out = b""
        for at, kind, size in boxes(level):
            body = level[at + 8 : at + size]
            if kind in (b"moov", b"trak", b"mdia", b"minf", b"dinf"):
                body = changed(body)
            elif kind == b"mdat":
                body = bytes(len(body))
            out += reference if kind == b"dref" else struct.pack(">I4s", 8 + len(body), kind) + body
        return out

    return changed(blob)


@pytest.mark.slow
async def test_a_frame_of_fifteen_thousand_squared(tools: Tools, tmp_path: Path) -> None:
    file = tmp_path / "huge.avi"
    run_openly(ffmpeg(), "-f", "lavfi", "-i", "color=s=15000x15000:r=1", "-frames:v", "1", "-c:v", "mjpeg", file)
    assert file.stat().st_size < 2 * MIB
    said = await refused(tools, FileSource(file))
    assert {str(error) for error in said} == {"The video's picture is larger than 35389440 pixels."}
    assert all(isinstance(error, MediaTooLarge) for error in said)


async def test_many_large_pictures_count_together(tools: Tools, tmp_path: Path) -> None:
    file = tmp_path / "tracks.mkv"
    source = ("-f", "lavfi", "-i", "color=s=4096x4096:r=1")
    run_openly(ffmpeg(), *source, "-frames:v", "1", *("-map", "0:v") * 3, "-c:v", "mjpeg", "-q:v", "20", file)
    with pytest.raises(MediaTooLarge) as caught:
        await probe(tools, FileSource(file))
    check_sentence(caught.value)


async def test_five_thousand_tracks(tools: Tools, media_dir: Path) -> None:
    content = with_tracks(sample(media_dir, "plain").read_bytes(), 5000)
    said = await refused(tools, BytesSource(content))
    assert [str(error) for error in said] == ["The file has too many tracks.", "The file has more than 1000 tracks."]
    with pytest.raises(MediaTooLarge):
        read_from_bytes(read_index(len(content)), content)


def with_tracks(blob: bytes, count: int) -> bytes:
    """An MP4 with its last track repeated."""
    moov_at = next(at for at, kind, _ in boxes(blob) if kind == b"moov")
    moov = blob[moov_at:]
    inside = [(kind, moov[at : at + size]) for at, kind, size in boxes(moov, 8)]
    track = [body for kind, body in inside if kind == b"trak"][-1]
    body = b"".join(body for _, body in inside) + track * count
    return blob[:moov_at] + struct.pack(">I4s", 8 + len(body), b"moov") + body


def boxes(blob: bytes, at: int = 0) -> Iterator[tuple[int, bytes, int]]:
    while at < len(blob):
        size, kind = struct.unpack_from(">I4s", blob, at)
        yield at, kind, size
        at += size


NULL_PACKETS = (b"\x47\x1f\xff\x10" + b"\xff" * 184) * 64


async def test_a_stream_without_end_and_without_content(tools: Tools) -> None:
    source = BytesSource(NULL_PACKETS, size=50 << 40)
    limits = replace(posters.LIMITS, input_bytes=4 * MIB)
    with pytest.raises(MediaError) as caught:
        await poster(tools, source, limits=limits)
    check_sentence(caught.value)
    assert source.read_bytes <= 3 * 5 * MIB

    async def without_end() -> AsyncIterator[bytes]:
        while True:
            yield NULL_PACKETS

    with pytest.raises(MediaError) as caught:
        await probe_beginning(tools, without_end(), "mpegts")
    check_sentence(caught.value)


async def test_a_stream_without_end_that_is_a_video(tools: Tools, media_dir: Path) -> None:
    content = sample(media_dir, "mpegts").read_bytes()
    source = BytesSource(content, size=50 << 40)
    picture = await poster(tools, source)
    assert (picture.width, picture.height) == (320, 180)
    facts = await probe_beginning(tools, BytesSource(content, size=50 << 40).stream(0, 50 << 40), "mpegts")
    assert (facts.width, facts.height, facts.video_codec) == (320, 180, "h264")


async def test_a_source_that_says_nothing(tools: Tools) -> None:
    async def silence() -> AsyncIterator[bytes]:
        await asyncio.get_running_loop().create_future()
        yield b""

    with pytest.raises(ProgramFailed) as caught:
        await probe_beginning(tools, silence(), "matroska", limits=replace(probes.LIMITS, wall_seconds=0.5))
    check_sentence(caught.value)


@pytest.mark.slow
async def test_black_frames_without_end(tools: Tools, tmp_path: Path) -> None:
    """Seventy megabytes of picture in three kilobytes, again and again: looking for light is given up."""
    one = tmp_path / "one.ts"
    black = ("-f", "lavfi", "-i", "color=black:s=8192x4096:r=25")
    run_openly(ffmpeg(), *black, "-frames:v", "1", "-c:v", "libx264", "-preset", "ultrafast", "-f", "mpegts", one)
    source = BytesSource(one.read_bytes(), size=1 << 40)
    picture = await poster(tools, source, limits=replace(posters.LIMITS, cpu_seconds=2))
    assert (picture.width, picture.height) == (1280, 640)


async def test_compressed_nothing(tools: Tools) -> None:
    """A Matroska track, compressed: each block of ten kilobytes becomes ten megabytes."""
    source = BytesSource(matroska_bomb(blocks=400))
    assert source.size < 8 * MIB
    facts = await probe(tools, source, limits=replace(probes.LIMITS, cpu_seconds=5))
    assert facts.video_codec == "mjpeg"
    with pytest.raises(MediaError) as caught:
        await poster(tools, source, facts=facts, limits=replace(posters.LIMITS, cpu_seconds=5))
    check_sentence(caught.value)


def matroska_bomb(blocks: int) -> bytes:
    def element(identity: str, *content: bytes) -> bytes:
        body = b"".join(content)
        return bytes.fromhex(identity) + struct.pack(">Q", len(body) | 1 << 56) + body

    def number(identity: str, value: int) -> bytes:
        return element(identity, struct.pack(">I", value))

    by_zlib = element("5034", number("4254", 0))
    compressed = element("6D80", element("6240", number("5031", 0), number("5032", 1), by_zlib))
    track = element(
        "AE",
        number("D7", 1),
        number("73C5", 1),
        number("83", 1),
        element("86", b"V_MJPEG"),
        element("E0", number("B0", 640), number("BA", 480)),
        compressed,
    )
    packed = zlib.compress(bytes(9_900_000), 9)
    block = element("A3", b"\x81\x00\x00\x80", packed)
    head = element("1A45DFA3", element("4282", b"matroska"), number("4287", 4), number("4285", 2))
    info = element("1549A966", number("2AD7B1", 1_000_000))
    cluster = element("1F43B675", number("E7", 0), block * blocks)
    return head + element("18538067", info, element("1654AE6B", track), cluster)


@pytest.mark.parametrize(
    "head",
    [
        b"\x00\x00\x00\x18ftypisom",
        b"\x1a\x45\xdf\xa3" + bytes(8),
        b"\x47" + bytes(187) + b"\x47" + bytes(187) + b"\x47",
        b"RIFF\xff\xff\xff\xffAVI ",
        b"FLV\x01\x05\x00\x00\x00\x09",
        b"OggS",
        b"\x00\x00\x01\xba",
        b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",
        b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02",
    ],
    ids=["mp4", "matroska", "mpegts", "avi", "flv", "ogg", "mpegps", "asf", "mxf"],
)
async def test_noise_behind_the_right_beginning(head: bytes, tools: Tools) -> None:
    noise = zlib.compress(bytes(range(256)) * 40) * 100
    said = await refused(tools, BytesSource(head + noise))
    assert all(isinstance(error, MediaMalformed | MediaTooLarge) or "no video" in str(error) for error in said)


async def test_what_is_of_no_kind_at_all(tools: Tools) -> None:
    for content in (b"", b"\0" * 5000, b"MZ" + bytes(5000), b"<html>" * 100):
        for error in await refused(tools, BytesSource(content)):
            assert isinstance(error, MediaMalformed)
