"""The note an upload leaves is whole or absent, and held by one process at a time."""

from __future__ import annotations

import subprocess
import sys

import pytest

from partway.client.journal import Entry, entry_path, forget, locked
from partway.errors import ClientError

SERVER = "http://127.0.0.1:8080"


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    monkeypatch.setattr("platformdirs.user_state_path", lambda name: tmp_path / "state" / name)
    return tmp_path / "state"


def entry(**changes):
    values = {"server": SERVER, "file": "/a", "idempotency_key": "k", "payload": {"title": "a"}, "size": 1}
    return Entry(**{**values, "mtime_ns": 2, **changes})


def test_what_is_written_is_read_until_it_is_forgotten(state):
    with locked(SERVER, "/a") as journal:
        assert journal.read() is None
        journal.write(entry())
        journal.write(entry(video_id="vi1"))
        assert journal.read() == entry(video_id="vi1", begun_at=journal.read().begun_at)
    with locked(SERVER, "/b") as journal:
        assert journal.read() is None
    with locked("http://other", "/a") as journal:
        assert journal.read() is None
    forget(SERVER, "/a")
    with locked(SERVER, "/a") as journal:
        assert journal.read() is None
    assert list((state / "partway" / "uploads").iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"server": "x"}', b"\xff\xfe", b'{"novel": 1}'])
def test_a_broken_note_is_no_note(content):
    path = entry_path(SERVER, "/a")
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with locked(SERVER, "/a") as journal:
        assert journal.read() is None


def test_one_process_at_a_time(state):
    program = (
        "import sys, pathlib, platformdirs\n"
        "platformdirs.user_state_path = lambda name: pathlib.Path(sys.argv[1]) / name\n"
        "from partway.client.journal import locked\n"
        f"with locked({SERVER!r}, '/a'):\n"
        "    print('held', flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(state)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(ClientError, match="another process"), locked(SERVER, "/a"):
            pass
        with locked(SERVER, "/b"):
            pass
        other.kill()
    with locked(SERVER, "/a"), pytest.raises(ClientError), locked(SERVER, "/a"):  # a lock dies with its holder
        pass


def test_without_a_state_folder_nothing_is_kept_and_nothing_fails(state):
    state.write_text("a file where the folder should be")
    with locked(SERVER, "/a") as journal:
        journal.write(entry())
        assert journal.read() is None
        journal.forget()


def test_a_name_that_is_no_text(state):
    name = b"/caf\xe9".decode("utf-8", "surrogateescape")
    with locked(SERVER, name) as journal:
        journal.write(entry(file=name))
        assert journal.read().file == name
