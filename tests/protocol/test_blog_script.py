"""The article's script, with one line changed: its video arrives, plays, and can be closed when the script does not."""

from __future__ import annotations

import itertools
import os
import re
import struct
import subprocess
import sys
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests
from tests.system.ground import Home, fetched, wait_for

from partway.client import Client
from partway.testing.media import ffmpeg, run
from partway.testing.server import running_server

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PIECE_BYTES = 6_000_000

OPEN = {"last piece of 5,800,000 bytes": 5_800_000, "exact multiple": PIECE_BYTES}
"""Last pieces with which no request says that it is the last."""


@pytest.fixture(scope="module")
def server():
    with running_server() as running:
        yield running


@pytest.fixture(scope="module")
def noisy(media_dir):
    """A video of more than 20 MB, all of it picture."""
    path = media_dir / "noisy.mp4"
    picture = "testsrc2=size=640x360:rate=25,noise=alls=60:allf=t"
    encoder = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-b:v", "23M", "-g", "50"]
    sound = ["-f", "lavfi", "-i", "sine=440:sample_rate=48000", "-c:a", "aac", "-t", "7"]
    run(ffmpeg(), "-y", "-f", "lavfi", "-i", picture, *sound, *encoder, path)
    film = path.read_bytes()
    assert len(film) > 20_000_000
    return film


def padded(film: bytes, last_bytes: int) -> bytes:
    """The same film with a box at its end that every player skips, so that the last piece has this size."""
    free = -len(film) % PIECE_BYTES + last_bytes
    return film + struct.pack(">I4s", free, b"free") + bytes(free - 8)


def piece_count(film: bytes) -> int:
    return -(-len(film) // PIECE_BYTES)


def upload(server, folder, film):
    """Run the script as a reader does, with its one line changed; the video's id and what it printed."""
    script = (EXAMPLES / "blog_upload.py").read_text()
    changed, count = re.subn(r'(?m)^base_url = "[^"]*"', f'base_url = "{server.url}"', script)
    assert count == 1
    (folder / "script.py").write_text(changed)
    (folder / "film.mp4").write_bytes(film)
    done = subprocess.run(
        [sys.executable, "script.py", "film.mp4"],
        cwd=folder,
        env={**os.environ, "PARTWAY_API_KEY": server.api_key},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    *printed, video_id = done.stdout.splitlines()
    return video_id, printed


def assert_arrived_and_plays(video, film):
    assert fetched(video.mp4) == film
    master = fetched(video.hls).decode()
    names = re.findall(r"(?m)^[^#\s].*$", master) + re.findall(r'URI="([^"]+)"', master)
    playlists = [urljoin(video.hls, name) for name in names]
    assert len(playlists) == 2, "picture and sound"
    for url in playlists:
        playlist = fetched(url).decode()
        assert playlist.rstrip().endswith("#EXT-X-ENDLIST")
        durations = [float(each) for each in re.findall(r"#EXTINF:([\d.]+)", playlist)]
        assert 6.9 < sum(durations) < 7.1
        (init,) = re.findall(r'#EXT-X-MAP:URI="([^"]+)"', playlist)
        segments = re.findall(r"(?m)^[^#\s].*$", playlist)
        assert fetched(urljoin(url, init))[4:8] == b"ftyp"
        assert all(b"moof" in fetched(urljoin(url, name))[:200] for name in segments)


def test_a_video_of_more_than_20_megabytes(server, noisy, tmp_path):
    film = padded(noisy, 2_000_000)
    video_id, printed = upload(server, tmp_path, film)
    count = piece_count(film)
    expected = [f"part {number}/*" for number in range(1, count)] + [f"part {count}/{count}"]
    assert printed == [f"{part}: <Response [201]>" for part in expected]
    with Client(server.url, server.api_key) as client:
        assert_arrived_and_plays(client.get(video_id), film)


def send_part(server, video_id, content_range, data):
    answer = requests.post(
        f"{server.url}/videos/{video_id}/source",
        auth=(server.api_key, ""),
        headers={"Content-Range": content_range},
        files={"file": ("file", data)},
        timeout=60,
    )
    assert answer.status_code == 201, answer.text
    assert answer.json()["assets"]["player"], "the completing answer is the whole video"


def by_an_empty_part(server, video_id, film, home):
    count = piece_count(film)
    send_part(server, video_id, f"part {count + 1}/{count + 1}", b"")


def by_the_last_part_again(server, video_id, film, home):
    count = piece_count(film)
    send_part(server, video_id, f"part {count}/{count}", film[(count - 1) * PIECE_BYTES :])


def by_partway_finish(server, video_id, film, home):
    done = home.call("finish", video_id)
    assert (done.exit_code, done.stdout) == (0, f"{video_id}\n"), done.stderr


def by_partway_upload_resume(server, video_id, film, home):
    """Beyond the issue's four: our client compares everything, then closes."""
    done = home.call("upload", "--resume", video_id, home.folder / "film.mp4")
    assert (done.exit_code, done.stdout) == (0, f"{video_id}\n"), done.stderr


WAYS = [by_an_empty_part, by_the_last_part_again, by_partway_finish, by_partway_upload_resume]
PAIRS = list(itertools.product(OPEN, WAYS))
"""Each ending and each way; ``make test`` takes every way once, with one ending or the other."""


@pytest.mark.parametrize(
    ("ending", "close"),
    [pytest.param(*pair, marks=[pytest.mark.slow] if at in (1, 3, 4, 6) else []) for at, pair in enumerate(PAIRS)],
)
def test_the_flawed_ending_is_visible_and_can_be_closed(server, noisy, tmp_path, ending, close):
    film = padded(noisy, OPEN[ending])
    video_id, printed = upload(server, tmp_path, film)
    assert printed[-1] == f"part {piece_count(film)}/*: <Response [201]>"
    with Client(server.url, server.api_key) as client:
        status = client.status(video_id)
        assert status.ingest == "uploading"
        numbers = list(range(1, piece_count(film) + 1))
        assert status.raw["ingest"]["receivedParts"] == {"parts": numbers, "total": None}
        assert (status.raw["partway"]["state"], status.raw["partway"]["canFinish"]) == ("receiving", True)
        close(server, video_id, film, Home(tmp_path, server.url, server.api_key))
        assert client.status(video_id).ingest == "uploaded"
        assert_arrived_and_plays(client.get(video_id), film)


@pytest.mark.slow
def test_the_flawed_ending_closes_by_itself_if_so_set(noisy, tmp_path):
    film = padded(noisy, OPEN["exact multiple"])
    with running_server(environment={"PARTWAY_COMPLETE_AFTER_IDLE": "1"}) as server:
        video_id, _ = upload(server, tmp_path, film)
        with Client(server.url, server.api_key) as client:
            wait_for(lambda: client.status(video_id).ingest == "uploaded", 60)
            assert_arrived_and_plays(client.get(video_id), film)


def test_curl(server, noisy, tmp_path):
    (tmp_path / "film.mp4").write_bytes(noisy)
    done = subprocess.run(
        ["sh", str(EXAMPLES / "curl.sh"), "film.mp4"],
        cwd=tmp_path,
        env={**os.environ, "PARTWAY_SERVER": server.url, "PARTWAY_API_KEY": server.api_key},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    page = done.stdout.strip()
    with Client(server.url, server.api_key) as client:
        video = client.get(page.rpartition("/")[2])
        assert video.watch_url == page
        assert_arrived_and_plays(video, noisy)
