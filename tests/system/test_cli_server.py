"""The commands of whoever runs the server: keys, jobs, doctor, migrate, and what they say when the database is not."""

from __future__ import annotations

import stat
import subprocess
import sys
import urllib.error
import urllib.request
from base64 import b64encode

import pytest
from tests.system.ground import Home, wait_for

from partway.client import Client
from partway.testing.media import sample
from partway.testing.server import running_server

NOBODY = "postgresql://someone:hush@127.0.0.1:1/nothing"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("server") / "data") as running:
        yield running


@pytest.fixture
def home(server, tmp_path):
    return Home(tmp_path, server.url, server.api_key)


@pytest.fixture
def new_home(tmp_path):
    """Beside a folder that no server has seen."""
    return Home(tmp_path, "http://127.0.0.1:1", "")


def status_with(url, key):
    request = urllib.request.Request(f"{url}/videos", headers={"Authorization": _basic(key)})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status
    except urllib.error.HTTPError as refusal:
        return refusal.code


def _basic(key):
    return "Basic " + b64encode(f"{key}:".encode()).decode()


@pytest.mark.slow
def test_keys_open_the_server_until_they_are_revoked(home, server):
    made = home.call("keys", "create", "camera", "--data", server.data_dir)
    secret = made.stdout.strip()
    assert status_with(server.url, secret) == 200
    (line,) = [
        line for line in home.call("keys", "list", "--data", server.data_dir).stdout.splitlines() if "cam" in line
    ]
    key_id, name, _, state = line.split("\t")
    assert (name, state) == ("camera", "active")
    assert secret not in line
    assert home.call("keys", "revoke", key_id, "--data", server.data_dir).exit_code == 0
    wait_for(lambda: status_with(server.url, secret) == 401, 60)
    assert "\trevoked " in home.call("keys", "list", "--data", server.data_dir).stdout
    assert home.call("keys", "revoke", "nobody", "--data", server.data_dir).exit_code == 1


@pytest.mark.slow
def test_jobs_are_listed_shown_and_begun_anew(home, server, media_dir):
    def jobs(*words):
        return home.call("jobs", *words, "--data", server.data_dir)

    with Client(server.url, server.api_key) as client:
        video = client.upload(sample(media_dir, "plain"))
    poster = f"poster:{video.id}"
    wait_for(lambda: f"{poster}\tdone\t100%\t1\t" in jobs("list", "--video", video.id, "--state", "done").stdout, 60)
    shown = dict(line.split(maxsplit=1) for line in jobs("show", poster).stdout.splitlines())
    assert (shown["handler"], shown["state"], shown["attempts"]) == ("poster", "done", "1")
    assert jobs("retry", poster).exit_code == 0
    wait_for(lambda: "state      done" in jobs("show", poster).stdout, 60)
    assert jobs("cancel", poster).exit_code == 0
    assert "state      done" in jobs("show", poster).stdout, "what has ended can't be called off"
    for words in (("show", "none:1"), ("retry", "none:1"), ("cancel", "none:1")):
        missing = jobs(*words)
        assert (missing.exit_code, "no job none:1" in missing.stderr) == (1, True)
    assert jobs("list", "--state", "lost").exit_code == 2


@pytest.mark.slow
def test_a_first_start_keeps_the_key_where_only_its_owner_reads(tmp_path):
    with running_server(tmp_path / "data", {"PARTWAY_API_KEY": "", "PARTWAY_WORKERS": "0"}) as first:
        kept = tmp_path / "data" / "api-key"
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert str(kept) in first.output()
        secret = kept.read_text().strip()
        assert secret not in first.output()
        assert status_with(first.url, secret) == 200
        first.restart()
        assert status_with(first.url, secret) == 200


def test_doctor_names_what_is_wrong(new_home, tmp_path):
    fine = new_home.call("doctor", "--data", tmp_path / "data")
    lines = fine.stdout.splitlines()
    for subject in ("partway", "clock", "room", "blob store", "database", "sandbox: "):
        assert any(line[7:].startswith(subject) for line in lines), subject
    broken = new_home.call(
        "doctor", "--data", tmp_path / "data", "--database", NOBODY, "--public-url", "http://127.0.0.1:1"
    )
    assert broken.exit_code == 1
    assert "WRONG  database" in broken.stdout
    assert "WRONG  public_url" in broken.stdout
    assert "hush" not in broken.stdout + broken.stderr


def test_migrate_says_what_it_did(new_home, tmp_path):
    first = new_home.call("migrate", "--data", tmp_path / "data")
    second = new_home.call("migrate", "--data", tmp_path / "data")
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert first.stdout.startswith("catalog  brought to ")
    assert second.stdout.startswith("catalog  is at ")
    assert "jobs     up to date" in second.stdout


@pytest.mark.services  # its driver
@pytest.mark.parametrize("words", [("serve", "--port", "0"), ("worker",), ("migrate",), ("keys", "list")], ids=str)
def test_a_database_that_is_not_there_is_a_sentence(new_home, tmp_path, words):
    done = new_home.run(*words, "--data", tmp_path / "data", "--database", NOBODY)
    assert done.returncode == 2
    assert done.stderr.startswith("partway: The database postgresql")
    assert "Connection refused" in done.stderr
    assert "hush" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_file_that_is_no_database_is_a_sentence(new_home, tmp_path):
    (tmp_path / "notes.txt").write_text("not a database at all\n" * 100)
    done = new_home.run("migrate", "--data", tmp_path, "--database", f"sqlite:///{tmp_path}/notes.txt")
    assert done.returncode == 2
    assert "file is not a database" in done.stderr
    assert (tmp_path / "notes.txt").read_text().startswith("not a database")


@pytest.mark.slow
def test_a_driver_that_is_missing_is_named(new_home, tmp_path):
    program = (
        "import sys\n"
        "sys.modules['psycopg'] = None\n"
        "sys.argv = ['partway', *sys.argv[1:]]\n"
        "from partway.cli import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "migrate", "--data", str(tmp_path), "--database", NOBODY],
        env=new_home.environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "pip install 'partway[server,postgres]'" in done.stderr
