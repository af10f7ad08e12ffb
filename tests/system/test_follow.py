"""Files that are sent while they are being written: real writers, real servers."""

from __future__ import annotations

import signal
import subprocess
import threading
from contextlib import contextmanager

import pytest
from tests.system.ground import MIB, Home, fetched, large_video, moov_offset, proxied

from partway.client import Client, Notice, Playable, Progress
from partway.client.source import open_source
from partway.errors import ClientError, FileChanged
from partway.testing.media import ffmpeg
from partway.testing.server import running_server
from partway.testing.waiting import wait_until

pytestmark = pytest.mark.slow

SIZE = 19 * MIB + 12_345
NOISE = "testsrc2=size=640x360:rate=30,noise=alls=90:allf=t"
"""What no encoder can make small: 3 MB a second."""


@pytest.fixture(scope="module")
def server():
    with running_server() as running:
        yield running


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def client(server):
    with Client(server.url, server.api_key, retry_for=30) as client:
        yield client


@pytest.fixture
def home(server, tmp_path):
    return Home(tmp_path, server.url, server.api_key)


@pytest.fixture
def film(media_dir, tmp_path):
    """A plain MP4 with its index at the end, as it is when its writer has closed it."""
    return large_video(media_dir, tmp_path / "finished.mp4", SIZE)


def unpatched(film: bytes) -> bytes:
    """The film before its end: no index, and no size in the media's box."""
    at = film.index(b"mdat") - 4
    return film[:at] + bytes(4) + film[at + 4 : moov_offset(film)]


class Recording:
    """A followed upload in a thread, and what it told."""

    def __init__(self, client, path, **options):
        self.events = []
        self.over = threading.Event()
        self.video = None
        self.error = None
        wanted = {"follow": True, "follow_idle": 600.0, "is_over": self.over.is_set} | options
        self._thread = threading.Thread(target=self._run, args=(client, path, wanted))
        self._thread.start()

    def _run(self, client, path, wanted):
        try:
            self.video = client.upload(path, on_progress=self.events.append, **wanted)
        except Exception as error:
            self.error = error

    @property
    def acknowledged(self):
        return max((event.acknowledged_bytes for event in self.events if isinstance(event, Progress)), default=0)

    @property
    def notices(self):
        return [event.text for event in self.events if isinstance(event, Notice)]

    def end(self):
        self.over.set()
        self._thread.join(60)
        if self.error is not None:
            raise self.error
        assert self.video is not None
        return self.video


@contextmanager
def followed(client, path, **options):
    recording = Recording(client, path, **options)
    try:
        yield recording
    finally:
        recording.over.set()
        recording._thread.join(60)


def append(path, data):
    with open(path, "ab") as file:
        file.write(data)


def patch(path, offset, data):
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(data)


def listing(client, video_id):
    return client._run(lambda: client._client._wire.ask("GET", f"/-/videos/{video_id}/parts"))


def parts(client, video_id):
    return [piece["part"] for piece in listing(client, video_id)["pieces"]]


def changed_parts(client, video_id, path):
    """The numbers of the parts whose bytes the file no longer has; all else of it is there."""
    opened = open_source(path)
    try:
        offset, changed = 0, []
        for piece in listing(client, video_id)["pieces"]:
            if opened.digest(offset, piece["size"]) != piece["digest"]:
                changed.append(piece["part"])
            offset += piece["size"]
        assert offset == path.stat().st_size
        return changed
    finally:
        opened.close()


def test_a_plain_mp4_keeps_its_head_back_until_its_size_is_known(client, film, tmp_path):
    path = tmp_path / "camera.mp4"
    path.touch()
    growing = unpatched(film)
    with followed(client, path) as recording:
        append(path, growing[: 7 * MIB])
        append(path, growing[7 * MIB : 16 * MIB])
        wait_until(lambda: recording.acknowledged == 10 * MIB, "parts 2 and 3")
        video_id = recording.events[0].video_id
        assert parts(client, video_id) == [2, 3]
        told = [event.recorded_bytes for event in recording.events if isinstance(event, Progress)]
        assert told[-1] == 16 * MIB
        append(path, growing[16 * MIB :])
        append(path, film[moov_offset(film) :])
        patch(path, 0, film[:100])
        video = recording.end()
    assert path.read_bytes() == film
    assert fetched(video.mp4) == film
    assert any(isinstance(event, Playable) for event in recording.events)
    assert len(recording.notices) == 1
    assert "change when it is closed" in recording.notices[0]


def test_an_index_in_front_is_sent_at_once_and_the_end_is_no_growth(client, film, tmp_path):
    """A copy in progress of a file that is finished elsewhere."""
    index = film[moov_offset(film) :]
    at = film.index(b"mdat") - 4
    front = film[:at] + index + film[at : moov_offset(film)]
    path = tmp_path / "copy.mp4"
    path.write_bytes(front[: 6 * MIB])
    with followed(client, path) as recording:
        wait_until(lambda: recording.acknowledged == 5 * MIB, "part 1")
        append(path, front[6 * MIB :])
        video = recording.end()
    assert recording.notices == []
    assert parts(client, video.id) == [1, 2, 3, 4]
    assert changed_parts(client, video.id, path) == []
    video = client.upload(path, follow=True, follow_idle=0.5)
    assert changed_parts(client, video.id, path) == []


def test_a_changed_matroska_head_is_a_notice_and_exact_holds_it_back(client, tmp_path):
    path = tmp_path / "obs.mkv"
    begun = b"\x1a\x45\xdf\xa3" + bytes(range(256)) * 4096 * 6
    path.write_bytes(begun)
    with followed(client, path) as recording, followed(client, path, exact=True, remember=False) as exact:
        wait_until(lambda: recording.acknowledged == 5 * MIB, "part 1")
        append(path, begun)
        wait_until(lambda: recording.acknowledged == 10 * MIB, "part 2")
        wait_until(lambda: exact.acknowledged == 5 * MIB, "part 2 of the exact one")
        patch(path, 40, b"length")
        video, same = recording.end(), exact.end()
    assert changed_parts(client, video.id, path) == [1]
    assert changed_parts(client, same.id, path) == []
    assert ["--exact" in text for text in recording.notices] == [True]
    assert exact.notices == []


@pytest.mark.parametrize("name", ["stream.ts", "obs.mkv"])
def test_what_was_changed_behind_the_head_never_becomes_a_video(client, tmp_path, name):
    path = tmp_path / name
    path.write_bytes((b"\x1a\x45\xdf\xa3" if name == "obs.mkv" else b"\x47") + bytes(12 * MIB))
    with followed(client, path) as recording:
        wait_until(lambda: recording.acknowledged == 10 * MIB, "two parts")
        patch(path, 7 * MIB, b"x")
        with pytest.raises(FileChanged, match=r"bytes 5242880 to 10485759.*--restart"):
            recording.end()
    assert client.status(recording.events[0].video_id).ingest == "uploading"


def test_a_file_that_shrinks_is_refused(client, tmp_path):
    path = tmp_path / "log.ts"
    path.write_bytes(bytes(6 * MIB))
    with followed(client, path) as recording:
        wait_until(lambda: recording.acknowledged == 5 * MIB, "part 1")
        with open(path, "r+b") as file:
            file.truncate(1000)
        wait_until(lambda: recording.error, "the refusal")
    assert isinstance(recording.error, FileChanged)
    assert "became shorter" in str(recording.error)


def test_nothing_written_is_nothing_begun(client, tmp_path):
    path = tmp_path / "never.mkv"
    path.touch()
    before = len(list(client.list()))
    with pytest.raises(ClientError, match="empty"):
        client.upload(path, follow=True, follow_idle=0.1)
    assert len(list(client.list())) == before


def test_a_short_recording_is_one_part(client, tmp_path, film):
    path = tmp_path / "short.mp4"
    path.write_bytes(film[:1000])
    video = client.upload(path, follow=True, follow_idle=0.1)
    assert listing(client, video.id)["total"] == 1
    assert changed_parts(client, video.id, path) == []


@pytest.mark.crash
@pytest.mark.slow
def test_a_killed_server_is_waited_for(tmp_path, film):
    path = tmp_path / "camera.mp4"
    growing = unpatched(film)
    path.write_bytes(growing[: 11 * MIB])
    with running_server() as server, Client(server.url, server.api_key) as client, followed(client, path) as recording:
        wait_until(lambda: recording.acknowledged == 5 * MIB, "part 2")
        server.kill()
        append(path, growing[11 * MIB :] + film[moov_offset(film) :])
        patch(path, 0, film[:100])
        recording.over.set()
        wait_until(lambda: any(getattr(event, "trouble", None) for event in recording.events), "trouble")
        server.start()
        assert fetched(recording.end().mp4) == film


@pytest.mark.crash
def test_a_killed_client_goes_on_where_it_was(home, server, client, tmp_path, film):
    path = tmp_path / "killed.mp4"
    growing = unpatched(film)
    path.write_bytes(growing[: 11 * MIB])
    with home.start("upload", "--follow", path) as first:
        begun = wait_until(lambda: next(iter(client.list(title="killed.mp4")), None), "the record")
        wait_until(lambda: parts(client, begun.id) == [2], "part 2")
        first.kill()
    path.write_bytes(film)
    with proxied(server) as proxy:
        home.url = proxy.url
        proxy.allow(2**62)
        again = home.run("upload", "--follow", "--follow-idle", "1", "--resume", begun.id, path)
        assert again.returncode == 0, again.stderr
        assert again.stdout == f"{begun.id}\n"
        assert proxy.sent < SIZE - 5 * MIB + 100_000
    assert fetched(client.get(begun.id).mp4) == film


def test_a_followed_upload_is_finished_from_the_finished_file(home, client, tmp_path, film):
    path = tmp_path / "begun.mp4"
    path.write_bytes(unpatched(film)[: 16 * MIB])
    with home.start("upload", "--follow", path) as first:
        begun = wait_until(lambda: next(iter(client.list(title="begun.mp4")), None), "the record")
        wait_until(lambda: parts(client, begun.id) == [2, 3], "parts 2 and 3")
        first.kill()
    path.write_bytes(film)
    done = home.run("upload", path)
    assert (done.returncode, done.stdout) == (0, f"{begun.id}\n"), done.stderr
    assert fetched(client.get(begun.id).mp4) == film


def test_ctrl_c_once_is_the_end_of_the_recording(home, client, tmp_path):
    path = tmp_path / "once.ts"
    path.write_bytes(bytes(6 * MIB))
    with home.start("upload", "--follow", path) as upload:
        video = wait_until(lambda: next(iter(client.list(title=path.name)), None), "the record")
        wait_until(lambda: parts(client, video.id) == [1], "part 1")
        upload.send_signal(signal.SIGINT)
        out, err = upload.communicate(timeout=60)
    assert (upload.returncode, out) == (0, f"{video.id}\n"), err
    assert "The recording ends here" in err
    assert client.status(video.id).ingest == "uploaded"


def test_ctrl_c_twice_stops_and_says_how_to_go_on(home, server, client, tmp_path):
    path = tmp_path / "front door.ts"
    path.write_bytes(bytes(12 * MIB))
    with proxied(server) as proxy:
        home.url = proxy.url
        proxy.allow(6 * MIB)
        with home.start("upload", "--follow", path) as upload:
            wait_until(lambda: proxy.is_exhausted, "a stalled part")
            upload.send_signal(signal.SIGINT)
            assert "uploading as" in upload.stderr.readline()
            assert "Ctrl-C again" in upload.stderr.readline()
            upload.send_signal(signal.SIGINT)
            _, err = upload.communicate(timeout=60)
    assert upload.returncode == 130
    assert "Stopped. The same command goes on" in err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--follow", "a.mkv", "b.mkv"], "one file"),
        (["--follow", "-"], "one file"),
        (["--exact", "a.mkv"], "goes with --follow"),
    ],
)
def test_what_does_not_go_together(home, monkeypatch, tmp_path, words, says):
    monkeypatch.chdir(tmp_path)
    done = home.call("upload", *words)
    assert done.exit_code == 2
    assert says in " ".join(done.stderr.replace("│", " ").split())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "options", "changed"),
    [
        ("camera.mp4", [], []),
        ("camera.mov", [], []),
        ("obs.mkv", [], [1]),
        ("fragmented.mp4", ["-movflags", "+frag_keyframe+empty_moov+default_base_moof"], []),
        ("stream.ts", [], []),
    ],
)
def test_what_ffmpeg_records(client, tmp_path, name, options, changed):
    """A real writer at the speed of life, which patches what it patches when it closes the file."""
    path = tmp_path / name
    encode = ["-c:v", "libx264", "-preset", "ultrafast", "-qp", "18", "-g", "30", "-pix_fmt", "yuv420p"]
    command = [ffmpeg(), "-v", "error", "-re", "-f", "lavfi", "-i", NOISE, *encode, *options, "-t", "7", str(path)]
    path.touch()
    with followed(client, path) as recording, subprocess.Popen([*command, "-y"], stdin=subprocess.DEVNULL) as writer:
        wait_until(lambda: recording.acknowledged >= 5 * MIB, "the first part")
        assert writer.poll() is None, "it is sent while it is being written"
        if name == "fragmented.mp4":
            wait_until(lambda: any(isinstance(event, Playable) for event in recording.events), "something to watch")
            assert recording.video is None
        assert writer.wait(60) == 0
        video = recording.end()
    assert path.stat().st_size > 10 * MIB
    assert client.status(video.id).ingest == "uploaded"
    assert changed_parts(client, video.id, path) == changed
    assert len(recording.notices) == (0 if name in ("fragmented.mp4", "stream.ts") else 1)
