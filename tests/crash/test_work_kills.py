"""Server and worker are killed at random during fifty uploads' worth of work; in the end each poster is there once."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
import requests

from partway.testing.media import sample
from partway.testing.server import RunningServer, running_server
from partway.testing.waiting import wait_until

UPLOADS = 50
LEASE = {"PARTWAY_LEASE_SECONDS": "2", "PARTWAY_WORKERS": "1"}


def start_worker(server: RunningServer) -> subprocess.Popen[bytes]:
    with open(server.log, "ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "partway", "worker", "--concurrency", "1", "--data", str(server.data_dir)],
            env={**os.environ, **LEASE},
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def count(server: RunningServer, question: str) -> int:
    with sqlite3.connect(server.data_dir / "partway.db", timeout=30) as connection:
        return int(connection.execute(question).fetchone()[0])


def upload(server: RunningServer, content: bytes) -> str:
    """A container filled by one request; the catalog alone knows that there is work."""
    auth = (server.api_key, "")
    made = requests.post(f"{server.url}/videos", json={"title": "killed"}, auth=auth, timeout=30)
    video_id: str = made.json()["videoId"]
    sent = requests.post(f"{server.url}/videos/{video_id}/source", files={"file": content}, auth=auth, timeout=30)
    assert sent.status_code == 201, sent.text
    return video_id


def all_counted(server: RunningServer, question: str, number: int) -> bool:
    return count(server, question) >= number


def running_jobs(server: RunningServer) -> int:
    with sqlite3.connect(server.data_dir / "jobs.db", timeout=30) as connection:
        question = "SELECT count(*) FROM jobs WHERE state = 'running' AND handler IN ('poster', 'probe')"
        return int(connection.execute(question).fetchone()[0])


@pytest.mark.crash_long
@pytest.mark.timeout(300)
def test_every_poster_is_there_exactly_once(media_dir: Path) -> None:
    chance = random.Random(20261123)
    content = sample(media_dir, "silent").read_bytes()
    videos: list[str] = []
    kills = 0
    with running_server(environment=LEASE) as server:
        worker = start_worker(server)
        try:
            while len(videos) < UPLOADS:
                videos += [upload(server, content) for _ in range(chance.randint(2, 4))]
                wait_until(lambda: running_jobs(server), "a job is running")
                time.sleep(chance.uniform(0, 0.4))
                victim = chance.choice(("server", "worker", "both"))
                if victim != "server":
                    worker.kill()
                    worker.wait()
                    worker = start_worker(server)
                if victim != "worker":
                    server.restart(LEASE)
                kills += 1
            for question in ("SELECT count(*) FROM pictures", "SELECT count(*) FROM probes"):
                wait_until(partial(all_counted, server, question, len(videos)), question, seconds=120)
        finally:
            worker.kill()
            worker.wait()
        assert kills >= UPLOADS // 4
        assert count(server, "SELECT count(*) FROM pictures WHERE blob_key IS NOT NULL") == len(videos)
        assert count(server, "SELECT count(DISTINCT video_id) FROM pictures") == len(videos)
        assert count(server, "SELECT count(*) FROM probes WHERE facts IS NOT NULL") == len(videos)
        for video_id in videos:
            poster = requests.get(f"{server.url}/vod/{video_id}/thumbnail.jpg", timeout=30)
            assert poster.status_code == 200
            assert poster.content.startswith(b"\xff\xd8\xff")
        assert not left_running(server)


def left_running(server: RunningServer) -> list[str]:
    """Programs of dead workers that are still there."""
    scratch = str(server.data_dir / "scratch")
    found = []
    for process in Path("/proc").iterdir():
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if scratch in command:
            found.append(command)
    return found
