"""The client against a real server: what arrives is the file, whatever dies on the way."""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
import sys
import threading
from queue import SimpleQueue

import pytest
from tests.system.ground import MIB, fetched, large_video, moov_offset, proxied, wait_for

from partway.client import AsyncClient, Client, Completed, Created, Failed, Playable, Progress
from partway.errors import ClientError, FileChanged, ServerRefused, ServerUnreachable
from partway.testing.server import running_server

SIZE = 24_000_003


@pytest.fixture(scope="module")
def server():
    with running_server() as running:
        yield running


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "partway" / "uploads"


@pytest.fixture
def client(server):
    with Client(server.url, server.api_key, retry_for=30) as client:
        yield client


@pytest.fixture
def path(tmp_path):
    return tmp_path / "film.mp4"


@pytest.fixture
def film(media_dir, path):
    return large_video(media_dir, path, SIZE)


class StopHere(Exception):
    """Raised by a test inside an upload, as an application's own error would be."""


def stop_after(acknowledged_bytes):
    def on_progress(event):
        if isinstance(event, Progress) and event.acknowledged_bytes >= acknowledged_bytes:
            raise StopHere

    return on_progress


def pieces(client, video_id):
    return client._run(lambda: client._client._wire.ask("GET", f"/-/videos/{video_id}/parts"))["pieces"]


def test_a_file_arrives_byte_for_byte_and_plays(client, path, film, state):
    events = []
    video = client.upload(path, title="Film", tags=["a"], metadata={"k": "v"}, public=True, on_progress=events.append)
    assert fetched(video.mp4) == film
    assert fetched(video.hls).startswith(b"#EXTM3U")
    assert (video.title, video.tags, video.raw["metadata"]) == ("Film", ("a",), [{"key": "k", "value": "v"}])
    kinds = list(dict.fromkeys(type(event) for event in events))
    assert kinds == [Created, Progress, Playable, Completed]
    assert events[-1].video == video
    assert events[-1].is_playable
    shown = [event for event in events if isinstance(event, Progress)]
    assert shown[-1].acknowledged_bytes == shown[-1].sent_bytes == shown[-1].total_bytes == SIZE
    held = pieces(client, video.id)
    assert held[0]["size"] == 5 * MIB, "the head alone comes first"
    assert moov_offset(film) in [piece["from"] for piece in held], "the index is a piece of its own"
    opening = 5 * MIB + SIZE - moov_offset(film)
    assert {event.pieces_in_flight for event in shown if event.acknowledged_bytes < opening} <= {0, 1}, "both alone"
    assert list(state.iterdir()) == [], "nothing is left when all is done"


@pytest.mark.parametrize("size", [2 * MIB, 5 * MIB, 5 * MIB + 1, 10 * MIB])
def test_files_round_the_smallest_piece(client, media_dir, path, size):
    film = large_video(media_dir, path, size)
    assert fetched(client.upload(path).mp4) == film


@pytest.mark.parametrize("parallel", [2, *(pytest.param(count, marks=pytest.mark.slow) for count in (1, 7))])
def test_more_pieces_than_connections_and_fewer(server, media_dir, path, parallel):
    film = large_video(media_dir, path, 90_000_000)
    with Client(server.url, server.api_key, parallel=parallel) as client:
        in_flight = []

        def on_progress(event):
            if isinstance(event, Progress):
                in_flight.append(event.pieces_in_flight)

        video = client.upload(path, on_progress=on_progress)
        assert max(in_flight) <= parallel
        assert len(pieces(client, video.id)) >= 6
    assert fetched(video.mp4) == film


@pytest.mark.parametrize("size", [2 * MIB, 5 * MIB, 5 * MIB + 1, 20 * MIB])
def test_streams_of_unknown_length(client, media_dir, path, size):
    film = large_video(media_dir, path, size)
    video = client.upload(io.BytesIO(film), title="Stream")
    assert fetched(video.mp4) == film
    held = pieces(client, video.id)
    assert [piece["part"] for piece in held] == list(range(1, -(-size // (5 * MIB)) + 1))


def test_a_pipe_that_trickles(client, media_dir, path):
    film = large_video(media_dir, path, 9 * MIB)
    inlet, outlet = os.pipe()

    def write():
        with open(outlet, "wb", buffering=0) as pipe:
            for at in range(0, len(film), 100_001):
                pipe.write(film[at : at + 100_001])

    writer = threading.Thread(target=write)
    writer.start()
    with open(inlet, "rb") as pipe:
        video = client.upload(pipe)
    writer.join()
    assert fetched(video.mp4) == film


def test_an_open_file_from_its_position(client, path, film):
    path.write_bytes(b"junk" * 1000 + film)
    with open(path, "rb") as opened:
        opened.seek(4000)
        video = client.upload(opened)
    assert fetched(video.mp4) == film
    assert pieces(client, video.id)[0]["from"] == 0, "as byte spans, since it can be read anywhere"


@pytest.mark.crash
@pytest.mark.slow
def test_the_server_dies_and_comes_back(media_dir, path):
    film = large_video(media_dir, path, SIZE)
    with running_server() as server, proxied(server) as proxy, Client(proxy.url, server.api_key) as client:
        for source in (path, io.BytesIO(film)):
            proxy.allow(14_000_000)
            killed = []

            def on_progress(event, killed=killed):
                if proxy.is_exhausted:
                    server.kill()
                    proxy.allow(2**62)
                    server.start()
                    killed.append(event)

            video = client.upload(source, on_progress=on_progress)
            assert killed[0].acknowledged_bytes < SIZE
            assert killed[0].acknowledged_bytes >= 5 * MIB or source is not path
            assert fetched(video.mp4.replace(proxy.url, server.url)) == film


def test_an_unreachable_server_is_told_and_the_same_call_goes_on_later(server, path, film):
    with proxied(server) as proxy, Client(proxy.url, server.api_key, retry_for=0.3) as client:
        proxy.allow(12_000_000)

        def on_progress(event):
            if proxy.is_exhausted:
                proxy.target = "http://127.0.0.1:1"
                proxy.cut()
                proxy.allow(2**62)

        failures = []
        with pytest.raises(ServerUnreachable, match="try again later"):
            client.upload(path, on_progress=lambda e: (on_progress(e), failures.append(e)))
        assert isinstance(failures[-1], Failed)
        begun = failures[-1].video_id
        proxy.target = server.url
        proxy.allow(2**62)
        events = []
        video = client.upload(path, on_progress=events.append)
        assert video.id == begun
        assert events[0].is_resumed
        assert fetched(video.mp4.replace(proxy.url, server.url)) == film


def test_what_is_held_is_not_sent_again(server, path, film):
    with proxied(server) as proxy, Client(proxy.url, server.api_key) as client:
        with pytest.raises(StopHere):
            client.upload(path, on_progress=stop_after(5 * MIB))
        proxy.cut()  # what is still on its way must not be counted with what is sent next
        video_id = next(iter(client.list())).id
        held = sum(piece["size"] for piece in pieces(client, video_id))
        assert held >= 5 * MIB
        proxy.allow(2**62)
        video = client.upload(path)
        assert video.id == video_id
        assert proxy.sent < SIZE - held + 100_000
    assert fetched(video.mp4.replace(proxy.url, server.url)) == film


def test_another_file_under_the_same_name_is_refused(client, path, film):
    with pytest.raises(StopHere):
        client.upload(path, on_progress=stop_after(5 * MIB))
    begun = next(iter(client.list()))
    path.write_bytes(b"\0" * 16 + film[16:])
    with pytest.raises(FileChanged, match="restart") as changed:
        client.upload(path)
    assert begun.id in str(changed.value)
    path.write_bytes(film + b"more")
    with pytest.raises(FileChanged, match="restart"):
        client.upload(path)
    video = client.upload(path, restart=True)
    assert video.id != begun.id
    assert fetched(video.mp4) == film + b"more"


def test_a_file_that_is_written_to_meanwhile_never_completes(client, path, film):
    def on_progress(event):
        if isinstance(event, Progress):
            os.utime(path, ns=(1, 1))

    with pytest.raises(FileChanged, match="changed while"):
        client.upload(path, on_progress=on_progress)
    assert client.status(next(iter(client.list())).id).ingest in (None, "uploading")


def test_a_creation_whose_answer_got_lost_is_not_repeated(server, path, film):
    with proxied(server) as proxy, Client(proxy.url, server.api_key, retry_for=0) as client:
        before = [video.id for video in client.list()]
        proxy.answers_pass = False
        with pytest.raises(ServerUnreachable):
            client.upload(path, title="Once")
        proxy.answers_pass = True
        video = client.upload(path, title="Once")
        assert [each.id for each in client.list()] == [video.id, *before]


def test_a_deleted_video_is_begun_anew(client, path, film):
    with pytest.raises(StopHere):
        client.upload(path, on_progress=stop_after(5 * MIB))
    begun = next(iter(client.list()))
    client.delete(begun.id)
    video = client.upload(path)
    assert video.id != begun.id
    assert fetched(video.mp4) == film
    with pytest.raises(ServerRefused, match="not found"):
        client.upload(path, resume=begun.id)


def test_one_process_per_file(client, path, film):
    refused = []

    def on_progress(event):
        if isinstance(event, Created):
            with pytest.raises(ClientError, match="another process") as told:
                client.upload(path)
            refused.append(told)

    client.upload(path, on_progress=on_progress)
    assert len(refused) == 1


def test_two_machines_that_resume_the_same_video_do_no_harm(server, client, path, film):
    with pytest.raises(StopHere):
        client.upload(path, on_progress=stop_after(5 * MIB))
    video_id = next(iter(client.list())).id
    outcomes = []

    def machine():
        with Client(server.url, server.api_key, parallel=3) as mine:
            outcomes.append(mine.upload(path, resume=video_id, remember=False).id)

    machines = [threading.Thread(target=machine) for _ in range(3)]
    for each in machines:
        each.start()
    for each in machines:
        each.join()
    assert outcomes == [video_id] * 3
    assert fetched(client.get(video_id).mp4) == film


class Dying(io.RawIOBase):
    """A pipe whose writer dies."""

    def __init__(self, data, at):
        self._inner, self._left = io.BytesIO(data), at

    def readable(self):
        return True

    def read(self, length=-1):
        if self._left <= 0:
            raise OSError("the camera was unplugged")
        data = self._inner.read(min(length, self._left))
        self._left -= len(data)
        return data


def test_an_upload_in_parts_is_finished_from_the_file(client, path, film):
    """What a pipe or another program began in parts, resumed by its id; whatever arrived is skipped."""
    with pytest.raises(OSError, match="unplugged"):
        client.upload(Dying(film, 18 * MIB), title="Camera")
    video_id = next(iter(client.list())).id
    path.write_bytes(film)
    video = client.upload(path, resume=video_id)
    assert video.id == video_id
    assert fetched(video.mp4) == film
    again = client.upload(path, resume=video_id)
    assert again.id == video_id, "complete already: compared, and nothing sent"
    path.write_bytes(film[:-1] + b"?")
    with pytest.raises(FileChanged):
        client.upload(path, resume=video_id)


def test_new_words_for_an_upload_that_was_begun(client, path, film):
    with pytest.raises(StopHere):
        client.upload(path, on_progress=stop_after(5 * MIB))
    video = client.upload(path, title="New", tags=["t"])
    assert (video.title, video.tags) == ("New", ("t",))


def test_nothing_is_asked_of_the_server_for_an_empty_or_endless_file(path):
    with Client("http://127.0.0.1:1", "k", retry_for=0) as client:
        path.touch()
        with pytest.raises(ClientError, match="empty"):
            client.upload(path)
        with open(path, "wb") as sparse:
            sparse.truncate(50_000 * MIB + 1)
        with pytest.raises(ClientError, match="at most"):
            client.upload(path)
        with pytest.raises(FileNotFoundError):
            client.upload(path.with_name("absent"))


@pytest.mark.anyio
async def test_the_asynchronous_client_and_the_blocking_one_inside_a_loop(server, client, path, film):
    async with AsyncClient(server.url, server.api_key) as mine:
        events = []
        video = await mine.upload(path, on_progress=events.append)
        assert isinstance(events[-1], Completed)
        assert (await anext(mine.list(title=path.name))).id == video.id
    other = client.upload(path)  # blocks this loop, needs none of it
    same = await asyncio.to_thread(client.upload, io.BytesIO(film))
    assert len({video.id, other.id, same.id}) == 3


def test_many_threads_share_a_client(client, media_dir, tmp_path):
    films = [large_video(media_dir, tmp_path / f"{seed}.mp4", 7_000_000, seed) for seed in range(4)]
    videos = {}

    def upload(seed):
        videos[seed] = client.upload(tmp_path / f"{seed}.mp4")

    threads = [threading.Thread(target=upload, args=(seed,)) for seed in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert [fetched(videos[seed].mp4) for seed in range(4)] == films


def test_the_other_calls(client):
    video = client.create("Empty", description="d", tags=["x y"], metadata={"a": "b"}, public=False)
    assert client.get(video.id).description == "d"
    assert [each.id for each in client.list(tags=["x y"], metadata={"a": "b"})] == [video.id]
    assert client.update(video.id, title="Still empty", tags=[]).tags == ()
    assert client.status(video.id).ingest is None
    with pytest.raises(ServerRefused, match="missing"):
        client.finish(video.id)
    client.delete(video.id)
    with pytest.raises(ServerRefused, match="not found"):
        client.get(video.id)
    token = client.create_token(60)
    assert client.get_token(token.token) == token
    assert token in list(client.list_tokens())
    client.delete_token(token.token)
    assert token not in list(client.list_tokens())


class Pressed(SimpleQueue):
    """Ctrl-C, at the moment when the first event is there and nobody has been told of it."""

    is_pressed = False

    def get(self, block=True, timeout=None):
        if not self.is_pressed:
            self.is_pressed = True
            wait_for(lambda: not self.empty())
            raise KeyboardInterrupt
        return super().get(block, timeout)


def test_ctrl_c_before_the_first_word_still_tells_of_the_video(client, monkeypatch):
    monkeypatch.setattr("partway.client.blocking.SimpleQueue", Pressed)
    inlet, outlet = os.pipe()
    told = []
    try:
        os.write(outlet, bytes(60_000))
        with open(inlet, "rb", buffering=0) as pipe, pytest.raises(KeyboardInterrupt):
            client.upload(pipe, title="Pressed", on_progress=told.append)
    finally:
        os.close(outlet)
    assert [type(event) for event in told] == [Created]
    assert client.get(told[0].video_id).title == "Pressed"


def test_a_closed_client_says_so(server):
    client = Client(server.url, server.api_key)
    client.create("a")
    client.close()
    client.close()
    with pytest.raises(ClientError, match="closed"):
        client.create("b")


@pytest.mark.slow
def test_a_program_that_never_closes_its_client_ends(server, path, film):
    program = (
        "import sys; from partway.client import Client\n"
        "client = Client(*sys.argv[1:3]); print(client.upload(sys.argv[3]).id)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, server.url, server.api_key, path],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("vi")
