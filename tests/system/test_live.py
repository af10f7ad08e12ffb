"""What browsers can't play becomes a stream that they can, while it arrives, and survives a killed worker."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from partway.testing.media import ffmpeg, ffprobe, run, sample
from partway.testing.server import RunningServer, running_server
from partway.testing.waiting import wait_until

pytestmark = pytest.mark.slow

ENVIRONMENT = {"PARTWAY_WORKERS": "1", "PARTWAY_PIECE_BYTES_MIN": "1", "PARTWAY_LEASE_SECONDS": "2"}
PATIENCE = 120


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    """One for all."""
    with running_server(environment=ENVIRONMENT) as running:
        yield running


def create(server: RunningServer) -> str:
    made = requests.post(f"{server.url}/videos", json={"title": "live"}, auth=(server.api_key, ""), timeout=60)
    return str(made.json()["videoId"])


def send(server: RunningServer, video_id: str, content: bytes, part: str | None = None) -> None:
    sent = requests.post(
        f"{server.url}/videos/{video_id}/source",
        files={"file": content},
        headers={"Content-Range": f"part {part}"} if part else {},
        auth=(server.api_key, ""),
        timeout=60,
    )
    assert sent.status_code == 201, sent.text


def ask(server: RunningServer, question: str, *arguments: object) -> list[tuple[object, ...]]:
    with sqlite3.connect(server.data_dir / "partway.db", timeout=30) as connection:
        return connection.execute(question, arguments).fetchall()


def state(server: RunningServer, video_id: str) -> object:
    rows = ask(server, "SELECT state FROM derivations WHERE video_id = ?", video_id)
    return rows[0][0] if rows else None


def published(server: RunningServer, video_id: str) -> list[tuple[object, ...]]:
    question = "SELECT attempt, position, length, digest, blob_key FROM derived WHERE video_id = ? ORDER BY 1, 2"
    return ask(server, question, video_id)


def stream(server: RunningServer, video_id: str, folder: Path) -> Path:
    """The derived stream as one file, from its blobs."""
    rows = published(server, video_id)
    path = folder / f"{video_id}.mp4"
    with open(path, "wb") as file:
        for _, position, length, _, key in rows:
            assert file.tell() == position
            name = str(key)
            blob = server.data_dir / "blobs" / f"{zlib.crc32(name.encode()) & 0xFF:02x}" / name
            assert blob.stat().st_size == length
            file.write(blob.read_bytes())
    return path


def ended(server: RunningServer, video_id: str) -> None:
    settled = ("needless", "ended", "failed")
    wait_until(lambda: state(server, video_id) in settled, "the stream is settled", seconds=PATIENCE)
    assert state(server, video_id) == "ended", ask(server, "SELECT state, reason FROM derivations")


def shape(path: Path) -> list[str]:
    entries = "stream=codec_name,profile,pix_fmt,width,height"
    return sorted(run(ffprobe(), "-show_entries", entries, "-of", "csv=p=0", path).split())


def last_frame(path: Path) -> float:
    """When the last picture is shown, from the first one on."""
    told = run(ffprobe(), "-select_streams", "v", "-show_entries", "frame=pts_time", "-of", "csv=p=0", path)
    times = [float(line.strip(",")) for line in told.split()]
    return max(times) - min(times)


def decode(path: Path) -> None:
    """Raises for any message."""
    assert run(ffmpeg(), "-i", path, "-f", "null", "-") == ""


def hashes(path: Path, kind: str, *options: str) -> list[str]:
    """One hash for each picture, or piece of sound."""
    told = run(ffmpeg(), "-i", path, "-map", f"0:{kind}:0", *options, "-f", "framemd5", "-")
    return [line.rpartition(",")[2].strip() for line in told.splitlines() if not line.startswith("#")]


@pytest.mark.parametrize(
    "name", ["recorded", "hevc-10-bit", "silent-webm", "webm", "ac3", "sparse-keyframes", "trimmed"]
)
def test_what_is_encoded_plays(server: RunningServer, media_dir: Path, tmp_path: Path, name: str) -> None:
    video_id = create(server)
    send(server, video_id, sample(media_dir, name).read_bytes())
    ended(server, video_id)
    made = stream(server, video_id, tmp_path)
    decode(made)
    assert any("h264" in line and "yuv420p" in line for line in shape(made))
    has_sound = name != "silent-webm"
    assert any("aac,LC" in line for line in shape(made)) == has_sound
    assert abs(last_frame(made) - last_frame(sample(media_dir, name))) < 0.2


@pytest.mark.parametrize("name", ["matroska", "mpegts"])
def test_what_can_be_copied_is_copied(server: RunningServer, media_dir: Path, tmp_path: Path, name: str) -> None:
    source = sample(media_dir, name)
    video_id = create(server)
    send(server, video_id, source.read_bytes())
    ended(server, video_id)
    made = stream(server, video_id, tmp_path)
    decode(made)
    # A transport stream frames its packets in another way: there it is the pictures that are compared.
    how = ("-c", "copy") if name == "matroska" else ()
    assert hashes(made, "v", *how) == hashes(source, "v", *how)
    if name == "matroska":
        assert hashes(made, "a", *how) == hashes(source, "a", *how)


@pytest.mark.parametrize("name", ["plain", "faststart"])
def test_what_plays_is_left_alone(server: RunningServer, media_dir: Path, name: str) -> None:
    video_id = create(server)
    send(server, video_id, sample(media_dir, name).read_bytes())
    wait_until(lambda: state(server, video_id) == "needless", "it is found needless", seconds=PATIENCE)
    assert published(server, video_id) == []


def test_noise_is_said_to_be_noise(server: RunningServer) -> None:
    video_id = create(server)
    send(server, video_id, b"\x1a\x45\xdf\xa3" + bytes(range(256)) * 100)
    wait_until(lambda: state(server, video_id) == "failed", "it has failed", seconds=PATIENCE)
    ((reason,),) = ask(server, "SELECT reason FROM derivations WHERE video_id = ?", video_id)
    assert str(reason).endswith(".")


def test_the_stream_grows_with_the_upload_and_survives_a_kill(media_dir: Path, tmp_path: Path) -> None:
    content = sample(media_dir, "recorded").read_bytes()
    third = len(content) // 3
    with running_server(environment=ENVIRONMENT) as server:
        video_id = create(server)
        send(server, video_id, content[:third], "1/*")
        wait_until(lambda: published(server, video_id), "something is published", seconds=PATIENCE)
        send(server, video_id, content[2 * third :], "3/3")
        before = published(server, video_id)
        server.restart()
        send(server, video_id, content[third : 2 * third], "2/3")
        ended(server, video_id)
        after = published(server, video_id)
        assert after[: len(before)] == before
        assert len(after) > len(before)
        made = stream(server, video_id, tmp_path)
        decode(made)
