"""``partway upload`` as a person and a script use it, in a process of its own."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import struct
import subprocess
import time

import pytest
from tests.system.ground import MIB, Home, fetched, large_video, proxied, wait_for

from partway.client import Client
from partway.testing.media import sample
from partway.testing.server import running_server

SIZE = 24_000_003


@pytest.fixture(scope="module")
def server():
    with running_server() as running:
        yield running


@pytest.fixture
def home(server, tmp_path):
    folder = tmp_path / "home"
    folder.mkdir()
    return Home(folder, server.url, server.api_key)


@pytest.fixture
def client(server):
    with Client(server.url, server.api_key) as client:
        yield client


@pytest.fixture
def path(tmp_path):
    return tmp_path / "film.mp4"


@pytest.fixture
def film(media_dir, path):
    return large_video(media_dir, path, SIZE)


def events(text):
    return [json.loads(line) for line in text.splitlines()]


def test_one_file(home, client, path, film):
    done = home.call("upload", path, "--title", "Film [b]", "--tag", "a b", "--metadata", "k=v=w", "--private")
    assert done.exit_code == 0, done.stderr
    (video_id,) = done.stdout.splitlines()
    assert f"{path}: uploading as {video_id}" in done.stderr
    assert f"{path}: watch it at {home.url}/vod/{video_id}" in done.stderr
    video = client.get(video_id)
    assert (video.title, video.tags, video.is_public) == ("Film [b]", ("a b",), False)
    assert video.raw["metadata"] == [{"key": "k", "value": "v=w"}]


@pytest.mark.slow
def test_the_address_is_told_while_the_rest_is_on_its_way(home, server, path, media_dir):
    large_video(media_dir, path, 60_000_000)
    with proxied(server) as proxy:
        home.url = proxy.url
        proxy.bytes_per_second = 4_000_000
        with home.start("upload", "--json", path) as upload:
            told = []
            while not told or told[-1]["event"] != "playable":
                told.append(json.loads(upload.stdout.readline()))
            assert proxy.sent < 60_000_000
            proxy.bytes_per_second = 2**62
            assert told[-1]["watchUrl"].endswith(f"/vod/{told[0]['videoId']}")
            rest, _ = upload.communicate(timeout=60)
    assert [event["event"] for event in events(rest) if event["event"] != "progress"] == ["completed"]


@pytest.mark.parametrize("name", ["fragmented", "faststart"])
def test_a_pipe_is_watched_while_it_runs(home, media_dir, name):
    """The rest of it is written only after the address was told."""
    front = sample(media_dir, name).read_bytes()
    inlet, outlet = os.pipe()
    with home.start("upload", "--json", "-", stdin=inlet) as upload, open(outlet, "wb", buffering=0) as pipe:
        os.close(inlet)
        pipe.write(front + struct.pack(">I4s", 9 * MIB, b"free") + bytes(6 * MIB))
        told = []
        while not told or told[-1]["event"] != "playable":
            told.append(json.loads(upload.stdout.readline()))
        pipe.write(bytes(3 * MIB - 8))
        pipe.close()
        rest, _ = upload.communicate(timeout=60)
    assert events(rest)[-1]["event"] == "completed"


def test_many_files_one_after_another_for_programs(home, client, media_dir, tmp_path):
    names = ["b.mp4", "a.mp4", "empty.mp4", "c.mp4"]
    films = {name: large_video(media_dir, tmp_path / name, 6_000_000, seed) for seed, name in enumerate(names)}
    (tmp_path / "empty.mp4").write_bytes(b"")
    done = home.call("upload", "--json", *(tmp_path / name for name in names))
    assert (done.exit_code, done.stderr) == (1, "")
    told = events(done.stdout)
    by_file = {name: [event for event in told if event["file"] == str(tmp_path / name)] for name in names}
    assert [event["event"] for event in by_file["empty.mp4"]] == ["failed"]
    assert "empty" in by_file["empty.mp4"][0]["error"]
    for name in ("b.mp4", "a.mp4", "c.mp4"):
        kinds = [event["event"] for event in by_file[name]]
        assert list(dict.fromkeys(kinds)) == ["created", "progress", "playable", "completed"]
        completed = by_file[name][-1]
        assert completed["watchUrl"] == f"{home.url}/vod/{completed['videoId']}"
        assert fetched(client.get(completed["videoId"]).mp4) == films[name]
    order = [event["file"] for event in told if event["event"] == "completed"]
    assert order == [str(tmp_path / name) for name in ("b.mp4", "a.mp4", "c.mp4")]
    # The same command again, the empty one mended: what was done is not done twice.
    large_video(media_dir, tmp_path / "empty.mp4", 6_000_000, 9)
    before = len(list(client.list()))
    again = home.call("upload", *(tmp_path / name for name in names))
    assert again.exit_code == 0, again.stderr
    ids = [by_file[name][-1]["videoId"] for name in ("b.mp4", "a.mp4", "c.mp4")]
    assert [each for each in again.stdout.split() if each in ids] == ids
    assert len(list(client.list())) == before + 1
    # And once all are done, it begins anew.
    assert not set(home.call("upload", tmp_path / "b.mp4").stdout.split()) & set(ids)


def test_a_killed_client_goes_on_and_sends_only_what_is_missing(home, server, client, path, film):
    with proxied(server) as proxy:
        home.url = proxy.url
        proxy.allow(14_000_000)
        with home.start("upload", path) as first:
            wait_for(lambda: proxy.is_exhausted)
            first.send_signal(signal.SIGKILL)
        proxy.cut()
        (video,) = list(client.list(title=path.name))[:1]
        held = client.status(video.id).raw["ingest"]["receivedBytes"]
        held_bytes = sum(span["to"] - span["from"] + 1 for span in held)
        assert held_bytes >= 5 * MIB
        proxy.allow(2**62)
        done = home.run("upload", path)
        assert (done.returncode, done.stdout) == (0, f"{video.id}\n")
        assert f"going on with {video.id}" in done.stderr
        assert proxy.sent < SIZE - held_bytes + 100_000
    assert fetched(video.mp4) == film


def test_ctrl_c_says_how_to_go_on(home, server, client, path, film):
    with proxied(server) as proxy:
        home.url = proxy.url
        proxy.allow(14_000_000)
        with home.start("upload", path) as first:
            wait_for(lambda: proxy.is_exhausted)
            first.send_signal(signal.SIGINT)
            out, err = first.communicate(timeout=30)
        video_id = next(iter(client.list())).id
        assert (first.returncode, out) == (130, "")
        assert err.splitlines()[-1].startswith("Stopped. The same command goes on")
        assert video_id in err
        assert "Traceback" not in err
        proxy.allow(2**62)
        done = home.run("upload", "--resume", video_id, path, "--title", "Resumed")
        assert done.stdout == f"{video_id}\n"
    assert client.get(video_id).title == "Resumed"
    assert fetched(client.get(video_id).mp4) == film


def test_a_slip_in_the_id_is_not_remembered(home, client, media_dir, tmp_path):
    large_video(media_dir, tmp_path / "other.mp4", 7_000_000)
    other = client.upload(tmp_path / "other.mp4")
    large_video(media_dir, tmp_path / "mine.mp4", 6_000_000)
    refused = home.call("upload", "--resume", other.id, tmp_path / "mine.mp4")
    assert (refused.exit_code, refused.stdout) == (1, "")
    done = home.call("upload", tmp_path / "mine.mp4")
    assert done.exit_code == 0
    assert other.id not in done.stdout


@pytest.mark.slow
def test_a_changed_file_is_refused_until_it_is_begun_anew(home, server, client, path, film):
    with proxied(server) as proxy:
        home.url = proxy.url
        proxy.allow(14_000_000)
        with home.start("upload", path) as first:
            wait_for(lambda: proxy.is_exhausted)
            first.kill()
        proxy.allow(2**62)
        changed = bytes(100) + film[100:]
        path.write_bytes(changed)
        refused = home.call("upload", path)
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert "is not the file that was started" in refused.stderr
        assert "--restart" in refused.stderr
        done = home.call("upload", "--restart", path)
        assert done.exit_code == 0
        assert done.stdout.strip() not in refused.stderr


@pytest.mark.crash
@pytest.mark.slow
def test_a_pipe_survives_a_killed_server(media_dir, path, tmp_path):
    film = large_video(media_dir, path, SIZE)
    with running_server() as server, Client(server.url, server.api_key) as client:
        home = Home(tmp_path, server.url, server.api_key)
        inlet, outlet = os.pipe()
        with home.start("upload", "-", stdin=inlet) as upload, open(outlet, "wb", buffering=0) as pipe:
            os.close(inlet)
            pipe.write(film[: 12 * MIB])
            wait_for(lambda: any(client.status(video.id).ingest for video in client.list()))
            server.restart()
            pipe.write(film[12 * MIB :])
            pipe.close()
            out, err = upload.communicate(timeout=60)
        assert upload.returncode == 0, err
        video = client.get(out.strip())
        assert video.title == "Standard input"
        assert fetched(video.mp4) == film


@pytest.mark.slow
def test_a_named_pipe(home, client, path, film, tmp_path):
    fifo = tmp_path / "camera.mp4"
    os.mkfifo(fifo)
    with home.start("upload", fifo) as upload:
        fifo.write_bytes(film)
        out, err = upload.communicate(timeout=60)
    assert upload.returncode == 0, err
    assert fetched(client.get(out.strip()).mp4) == film


def test_ctrl_c_at_a_silent_pipe(home, client):
    inlet, outlet = os.pipe()
    try:
        with home.start("upload", "-", "--title", "Silent", stdin=inlet) as upload:
            os.write(outlet, bytes(60_000))
            video = wait_for(lambda: next(iter(client.list(title="Silent")), None))
            upload.send_signal(signal.SIGINT)
            _, err = upload.communicate(timeout=30)
    finally:
        os.close(inlet)
        os.close(outlet)
    assert upload.returncode == 130, err
    assert "A pipe can't be resumed" in err
    assert f"partway delete {video.id}" in err


@pytest.mark.slow
def test_a_redirected_file_is_a_file(home, client, path, film):
    with open(path, "rb") as opened:
        done = home.run("upload", "-", "--json", stdin=opened)
    assert done.returncode == 0
    assert {event["file"] for event in events(done.stdout)} == {"-"}
    video = client.get(events(done.stdout)[-1]["videoId"])
    assert client.status(video.id).raw["ingest"]["receivedBytes"]
    assert fetched(video.mp4) == film


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["upload", "absent.mp4"], 2, "absent.mp4: No such file or directory."),
        (["upload", "."], 2, "folder"),
        (["upload", "empty.mp4"], 1, "empty.mp4 is empty"),
        (["upload"], 2, "Missing argument"),
        (["upload", "--metadata", "x", "small.mp4"], 2, "KEY=VALUE"),
        (["upload", "--title", "t", "small.mp4", "small.mp4"], 2, "one file"),
        (["upload", "--resume", "vi1", "--restart", "small.mp4"], 2, "choose one"),
        (["upload", "--resume", "vi1", "small.mp4"], 1, "not found"),
        (["upload", "-", "-"], 2, "only once"),
        (["upload", "--api-key", "wrong", "small.mp4"], 1, "The API key is invalid. Check --api-key"),
        (["upload", "--server", "nowhere", "small.mp4"], 2, "not the address of a server"),
        (["upload", "--server", "http://127.0.0.1:1", "--retry-for", "0.5", "small.mp4"], 75, "try again later"),
        (["upload", "--config", "absent.toml", "small.mp4"], 2, "no configuration file absent.toml"),
        (["upload", "small.mp4", "absent.mp4"], 2, "absent.mp4: No such file"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_goes_wrong_is_one_sentence(home, client, monkeypatch, tmp_path, words, code, says):
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "small.mp4").write_bytes(b"x")
    before = len(list(client.list()))
    monkeypatch.chdir(tmp_path)
    done = home.call(*words)
    assert (done.exit_code, done.stdout) == (code, ""), done.stderr
    assert says in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr
    assert len(list(client.list())) == before, "nothing was begun"


def test_an_unreachable_server_stops_the_rest_but_tells_of_each(home, path, tmp_path):
    path.write_bytes(b"x")
    other = tmp_path / "other.mp4"
    other.write_bytes(b"y")
    home.url = "http://127.0.0.1:1"
    done = home.call("upload", "--json", "--retry-for", "0.2", path, other)
    assert done.exit_code == 75
    assert [(event["event"], event["file"]) for event in events(done.stdout)] == [
        ("failed", str(path)),
        ("failed", str(other)),
    ]


def test_the_key_may_stand_in_a_file_and_is_never_guessed(home, path):
    path.write_bytes(b"x")
    done = home.call("upload", path, PARTWAY_API_KEY="")
    assert done.exit_code == 2
    assert "An API key is needed: --api-key, PARTWAY_API_KEY, or `api_key` in" in done.stderr
    config = home.folder / "config" / "partway" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(f'server = "{home.url}"\napi_key = "{home.api_key}"\nport = 1\n')
    assert home.call("upload", path, PARTWAY_API_KEY="", PARTWAY_SERVER="").exit_code == 0
    config.write_text("api_key = 3")
    assert "must be a text in quotes" in home.call("upload", path, PARTWAY_API_KEY="").stderr
    config.write_text("api_key")
    assert "can't be read" in home.call("upload", path, PARTWAY_API_KEY="").stderr


@pytest.mark.slow
def test_a_bar_on_a_terminal(home, path, film):
    screen, terminal = pty.openpty()
    with subprocess.Popen(
        home.command("upload", path),
        env={**home.environment, "TERM": "xterm"},
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=terminal,
    ) as upload:
        os.close(terminal)
        shown = b""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and select.select([screen], [], [], 60)[0]:
            try:
                data = os.read(screen, 65536)
            except OSError:  # Linux says so when the other side has closed
                break
            shown += data
        assert upload.stdout.read().decode().startswith("vi")
    os.close(screen)
    text = shown.decode()
    assert "24.0 MB of 24.0 MB" in text
    assert "watch it at" in text
    assert "━" in text
