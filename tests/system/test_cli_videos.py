"""The other commands: list, show, finish, delete, tokens."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys

import pytest
from tests.system.ground import Home, large_video

from partway.client import Client
from partway.testing.media import sample
from partway.testing.server import running_server


@pytest.fixture(scope="module")
def server():
    with running_server() as running:
        yield running


@pytest.fixture
def home(server, tmp_path):
    return Home(tmp_path, server.url, server.api_key)


@pytest.fixture
def client(server):
    with Client(server.url, server.api_key) as client:
        yield client


def test_list_is_tab_separated_for_programs(home, client):
    first = client.create("One\ttwo", tags=["x"])
    second = client.create("Three", tags=["x"], public=False)
    done = home.call("list", "--tag", "x")
    assert done.stdout.splitlines() == [
        f"{second.id}\t{second.created_at}\tprivate\tThree",
        f"{first.id}\t{first.created_at}\tpublic\tOne two",
    ]
    assert home.call("list", "--limit", "1").stdout.startswith(second.id)
    assert json.loads(home.call("list", "--json", "--title", "thre").stdout)["videoId"] == second.id


def test_list_is_a_table_for_people(home, client):
    client.create("Bracket [red]")
    screen, terminal = pty.openpty()
    with subprocess.Popen(home.command("list"), env=home.environment, stdin=terminal, stdout=terminal) as listing:
        os.close(terminal)
        shown = b""
        while True:
            try:
                data = os.read(screen, 65536)
            except OSError:
                break
            if not data:
                break
            shown += data
    os.close(screen)
    assert listing.returncode == 0
    assert "CREATED" in shown.decode()
    assert "Bracket [red]" in shown.decode()


def test_show(home, client, media_dir, tmp_path):
    empty = client.create("Empty", description="d", metadata={"k": "v"})
    told = home.call("show", empty.id).stdout
    assert "nothing has arrived" in told
    assert "k=v" in told
    large_video(media_dir, tmp_path / "a.mp4", 6_000_000)
    video = client.upload(tmp_path / "a.mp4")
    told = home.call("show", video.id).stdout
    assert "playable    yes" in told
    assert f"watch       {video.watch_url}" in told
    assert "6.0 MB" in told
    both = json.loads(home.call("show", "--json", video.id).stdout)
    assert both["video"]["videoId"] == video.id
    assert both["status"]["encoding"]["playable"] is True


@pytest.mark.slow
def test_watch_waits_for_what_is_still_arriving(home, client, media_dir):
    video = client.create("Soon")
    gone = home.call("watch", "--wait", "0", video.id)
    assert (gone.exit_code, gone.stdout) == (75, "")
    assert "Waiting: Nothing has been uploaded yet." in gone.stderr
    with home.start("watch", video.id) as watching:
        assert "Nothing has been uploaded" in watching.stderr.readline()
        client.upload(sample(media_dir, "plain"), resume=video.id)
        out, _ = watching.communicate(timeout=60)
    assert (watching.returncode, out) == (0, f"{video.watch_url}\n")


def test_watch_says_when_it_is_in_vain(home, client, tmp_path):
    (tmp_path / "noise.mp4").write_bytes(bytes(range(256)) * 40)
    video = client.upload(tmp_path / "noise.mp4")
    refused = home.call("watch", video.id)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "It can't be watched: " in refused.stderr
    assert home.call("watch", "viNobody").exit_code == 1


class Unplugged(io.BytesIO):
    """A camera that vanishes after its first parts."""

    def read(self, length=-1):
        data = super().read(length)
        if not data:
            raise OSError("unplugged")
        return data


def test_finish_closes_what_never_said_it_was_complete(home, client, media_dir, tmp_path):
    film = large_video(media_dir, tmp_path / "a.mp4", 16 * 2**20 + 1000)
    with pytest.raises(OSError, match="unplugged"):
        client.upload(Unplugged(film))
    video = next(iter(client.list()))
    ingest = client.status(video.id).raw["ingest"]
    assert (ingest["status"], ingest["receivedParts"]) == ("uploading", {"parts": [1, 2, 3], "total": None})
    told = home.call("show", video.id).stdout
    assert "of an unknown number" in told
    done = home.call("finish", video.id)
    assert (done.exit_code, done.stdout) == (0, f"{video.id}\n")
    assert client.status(video.id).ingest == "uploaded"
    refused = home.call("finish", client.create("Empty").id)
    assert refused.exit_code == 1
    assert "Nothing has arrived yet" in refused.stderr


@pytest.mark.slow
def test_delete_asks_a_person_and_refuses_a_script(home, client):
    video = client.create("Doomed")
    refused = home.call("delete", video.id)
    assert refused.exit_code == 2
    assert "--yes" in refused.stderr
    for answer, code in ((b"n\n", 1), (b"y\n", 0)):
        screen, terminal = pty.openpty()
        with subprocess.Popen(
            home.command("delete", video.id), env=home.environment, stdin=terminal, stderr=subprocess.PIPE
        ) as asking:
            os.close(terminal)
            os.write(screen, answer)
            err = asking.stderr.read().decode()
        os.close(screen)
        assert asking.returncode == code
        assert 'Delete "Doomed"' in err
    assert video.id not in [each.id for each in client.list()]
    other = client.create("Too")
    assert home.call("delete", "--yes", other.id).exit_code == 0
    gone = home.call("delete", "--yes", other.id)
    assert gone.exit_code == 1
    assert "not found" in gone.stderr


def test_tokens(home, client):
    made = home.call("tokens", "create", "--ttl", "60")
    token = made.stdout.strip()
    assert "Good until 20" in made.stderr
    assert token in home.call("tokens", "list").stdout
    assert json.loads(home.call("tokens", "create", "--json").stdout)["ttl_seconds"] == 0
    assert home.call("tokens", "delete", token).exit_code == 0
    assert token not in home.call("tokens", "list").stdout
    assert home.call("tokens", "delete", token).exit_code == 1


def test_a_reader_that_leaves_early_is_no_error(home, client):
    for number in range(30):
        client.create(f"Number {number}" + "x" * 200)
    done = subprocess.run(
        f"{' '.join(home.command('list'))} | head -1", shell=True, env=home.environment, capture_output=True, text=True
    )
    assert len(done.stdout.splitlines()) == 1
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_the_server_commands_say_what_is_missing(home):
    program = (
        "import sys\n"
        "for name in ('fastapi', 'granian', 'sqlalchemy', 'pydantic_settings', 'structlog', 'numpy'):\n"
        "    sys.modules[name] = None\n"
        "sys.argv = ['partway', *sys.argv[1:]]\n"
        "from partway.cli import main\n"
        "main()\n"
    )
    for words in (["serve"], ["doctor"], ["keys", "list"]):
        done = subprocess.run(
            [sys.executable, "-c", program, *words], env=home.environment, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 1
        assert "pip install 'partway[server]'" in done.stderr
        assert "Traceback" not in done.stderr


def test_help_teaches(home):
    for words in (
        [],
        ["upload"],
        ["watch"],
        ["migrate"],
        ["list"],
        ["show"],
        ["finish"],
        ["delete"],
        ["tokens"],
        ["tokens", "create"],
    ):
        done = home.call(*words, "--help")
        assert done.exit_code == 0
        assert "Usage: partway" in done.stdout
    assert "partway upload --resume" in home.call("upload", "--help").stdout
