"""SIGKILL between every two durable steps: what was acknowledged is there, what was not can be sent again."""

from __future__ import annotations

import itertools
import json
import signal
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.crash.ground import Answer, Film, Sender, files_in, wait_until_blobs_are

from partway.testing.faults import DELETE_POINTS, UPLOAD_POINTS
from partway.testing.postgres import RunningPostgres
from partway.testing.waiting import wait_until

pytestmark = pytest.mark.crash
Serve = Callable[..., Sender]

COMMITTED = {"accept-committed"}
"""The points after which a part has to be there."""

QUICK = ("accept-committed", 3)
DEATHS = [
    pytest.param(*death, marks=() if death == QUICK else pytest.mark.crash_long)
    for death in itertools.product(UPLOAD_POINTS, (1, 2, 3))
]


def die(sender: Sender, **environment: str) -> None:
    """Wait until the server is dead at its fault point, and start it again without one."""
    assert sender.server.wait_for_end() == -signal.SIGKILL
    sender.server.start(environment)


def complete(sender: Sender, film: Film, video_id: str) -> None:
    """What has to be so in the end."""
    assert sender.held(video_id) == dict(enumerate(film.digests, 1))
    assert sender.request("GET", f"/-/videos/{video_id}/parts").json["state"] == "complete"
    assert sender.source(video_id) == film.body


@pytest.mark.parametrize(("point", "victim"), DEATHS)
def test_an_upload_killed_at_every_step(serve: Serve, film: Film, point: str, victim: int) -> None:
    """The victim is the part at which the server dies; 3 is the one that completes."""
    sender = serve(PARTWAY_FAULT=f"{point}:kill:{victim}")
    video_id = sender.create()
    headers = ["part 1/*", "part 2/*", "part 3/3"]
    for number in range(1, victim):
        assert not sender.send(video_id, headers[number - 1], film.parts[number - 1]).is_complete
    assert sender.try_to_send(video_id, headers[victim - 1], film.parts[victim - 1]) is None
    die(sender)
    held = sender.held(video_id)
    acknowledged = {number: film.digests[number - 1] for number in range(1, victim)}
    if point in COMMITTED:
        acknowledged[victim] = film.digests[victim - 1]
    assert held == acknowledged
    for number in range(victim, 4):
        answer = sender.send(video_id, headers[number - 1], film.parts[number - 1])
        assert answer.is_complete == (number == 3)
    complete(sender, film, video_id)


@pytest.mark.services
@pytest.mark.crash_long
@pytest.mark.parametrize("point", ["accept-begun", "accept-written", "accept-committed"])
def test_an_upload_killed_in_its_commit_on_postgres(
    serve: Serve, film: Film, postgres: RunningPostgres, point: str
) -> None:
    """The lock of a dead server is gone with its connection."""
    environment = {"PARTWAY_DATABASE": postgres.url_of(postgres.create_database())}
    sender = serve(**environment, PARTWAY_FAULT=f"{point}:kill:3")
    video_id = sender.create()
    for number in (1, 2):
        assert not sender.send(video_id, f"part {number}/*", film.parts[number - 1]).is_complete
    assert sender.try_to_send(video_id, "part 3/3", film.parts[2]) is None
    die(sender, **environment)
    assert (3 in sender.held(video_id)) == (point in COMMITTED)
    assert sender.send(video_id, "part 3/3", film.parts[2]).is_complete
    complete(sender, film, video_id)


@pytest.mark.crash_long
@pytest.mark.parametrize(("point", "victim"), [("accept-begun", 3), ("accept-written", 3)])
def test_a_resend_killed_on_its_way(serve: Serve, film: Film, point: str, victim: int) -> None:
    """A part that is held already stays held, once."""
    sender = serve(PARTWAY_FAULT=f"{point}:kill:{victim}")
    video_id = sender.create()
    assert not sender.send(video_id, "part 1/*", film.parts[0]).is_complete
    assert not sender.send(video_id, "part 3/3", film.parts[2]).is_complete
    assert sender.try_to_send(video_id, "part 1/3", film.parts[0]) is None
    die(sender)
    assert sender.held(video_id) == {1: film.digests[0], 3: film.digests[2]}
    assert not sender.send(video_id, "part 1/3", film.parts[0]).is_complete
    assert sender.send(video_id, "part 2/*", film.parts[1]).is_complete
    complete(sender, film, video_id)
    wait_until_blobs_are(sender.server, 3)


@pytest.mark.crash_long
@pytest.mark.parametrize("point", ["blob-created", "blob-durable", "accept-written", "accept-committed"])
def test_killed_with_all_parts_in_flight(serve: Serve, film: Film, point: str) -> None:
    """Three senders at once: whoever heard a 201 finds the part, and the others send again."""
    sender = serve(PARTWAY_FAULT=f"{point}:kill:2")
    video_id = sender.create()

    def send(number: int) -> bool:
        answer = sender.try_to_send(video_id, f"part {number}/3", film.parts[number - 1])
        assert answer is None or answer.status == 201
        return answer is not None

    with ThreadPoolExecutor(3) as pool:
        heard = list(pool.map(send, (1, 2, 3)))
    die(sender)
    held = sender.held(video_id)
    assert held.items() <= dict(enumerate(film.digests, 1)).items()
    assert {number for number, was_heard in enumerate(heard, 1) if was_heard} <= set(held)
    with ThreadPoolExecutor(3) as pool:
        assert all(pool.map(send, (1, 2, 3)))
    complete(sender, film, video_id)


def killed_meanwhile(sender: Sender, video_id: str, header: str, body: bytes) -> Answer | None:
    """Kill the server as soon as a part begins to be stored; the part's answer, if it was heard."""
    known = len(files_in(sender.server))
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(sender.try_to_send, video_id, header, body)
        wait_until(lambda: len(files_in(sender.server)) > known or sending.done(), "the part begins to be stored")
        sender.server.kill()
        return sending.result()


@pytest.mark.crash_long
def test_killed_from_outside_again_and_again(serve: Serve, film: Film) -> None:
    """SIGKILL in the middle of a body, at no step in particular; the upload goes on each time."""
    sender = serve()
    server = sender.server
    video_id = sender.create()
    for number, body in enumerate(film.parts, 1):
        heard = killed_meanwhile(sender, video_id, f"part {number}/3", body)
        server.start({})
        assert (number in sender.held(video_id)) or heard is None
        assert sender.send(video_id, f"part {number}/3", body).is_complete == (number == 3)
    complete(sender, film, video_id)


@pytest.mark.crash_long
@pytest.mark.parametrize(
    ("point", "visit"),
    [
        *(("tombstone-committed", 1), ("shared-released", 1), ("blob-removed", 1), ("blob-removed", 2)),
        ("tombstone-emptied", 1),
    ],
)
def test_a_deletion_killed_at_every_step(serve: Serve, film: Film, point: str, visit: int) -> None:
    """The video is gone at once, and its blobs and rows in the end."""
    assert point in DELETE_POINTS
    sender = serve(PARTWAY_FAULT=f"{point}:kill:{visit}")
    kept, video_id = sender.create(), sender.create()
    sender.send(kept, "part 1/1", film.parts[2])
    for number in (1, 2):
        sender.send(video_id, f"part {number}/*", film.parts[number - 1])
    sender.delete(video_id)
    die(sender)
    for path in (f"/videos/{video_id}", f"/videos/{video_id}/status", f"/-/videos/{video_id}/parts"):
        assert sender.request("GET", path).status == 404
    assert sender.request("GET", f"/vod/{video_id}/mp4/source.mp4").status == 404
    assert [video["videoId"] for video in sender.request("GET", "/videos").json["data"]] == [kept]
    assert sender.send(video_id, "part 3/3", film.parts[2]).status == 404
    wait_until_blobs_are(sender.server, 1)
    wait_until(lambda: rows_in(sender, "videos") == 1, "the tombstone is removed")
    assert rows_in(sender, "parts") == 1
    assert sender.held(kept) == {1: film.digests[2]}


@pytest.mark.crash_long
def test_a_source_killed_while_it_is_buried_leaves_its_copy(serve: Serve, film: Film) -> None:
    """Between the rows that are shared and what else there is: the copy has every byte."""
    sender = serve(PARTWAY_FAULT="shared-released:kill")
    video_id = sender.create()
    for number, body in enumerate(film.parts, 1):
        sender.send(video_id, f"part {number}/3", body)
    wanted = json.dumps({"title": "copy", "source": video_id}).encode()
    answer = sender.request("POST", "/videos", wanted, {"Content-Type": "application/json"})
    assert answer.status == 202, answer
    sender.delete(video_id)
    die(sender)
    wait_until(lambda: rows_in(sender, "videos") == 1, "the tombstone is removed")
    assert sender.source(answer.json["videoId"]) == film.body
    wait_until_blobs_are(sender.server, 3)


def rows_in(sender: Sender, table: str) -> int:
    connection = sqlite3.connect(sender.server.data_dir / "partway.db")
    try:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
    finally:
        connection.close()


def test_every_point_is_named() -> None:
    """A new fault point has to find its way into the sweeps above."""
    assert UPLOAD_POINTS == (
        "blob-created",
        "blob-written",
        "blob-synced",
        "blob-renamed",
        "blob-durable",
        "accept-begun",
        "accept-written",
        "accept-committed",
    )
    assert DELETE_POINTS == ("tombstone-committed", "shared-released", "blob-removed", "tombstone-emptied")
