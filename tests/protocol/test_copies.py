"""Copies: ``POST /videos`` with another video's id as ``source`` (contract.md 1.3)."""

from __future__ import annotations

import pytest
from tests.protocol.problems import assert_problem
from tests.protocol.test_videos import KEYS
from tests.protocol.wire import Answer, Wire, film, wait_for

SOURCE = film(5000)


def copy(wire: Wire, source: str, **fields: object) -> Answer:
    return wire.ask("POST", "/videos", json_body={"title": "a copy", "source": source, **fields})


@pytest.fixture
def original(wire: Wire) -> str:
    """A complete video of three parts."""
    video_id = wire.create("the original", tags=["x"])
    for number in (3, 1, 2):
        wire.send(video_id, f"part {number}/3", SOURCE[(number - 1) * 2000 : number * 2000])
    return video_id


def test_a_copy_is_complete_at_once(wire: Wire, original: str) -> None:
    answer = copy(wire, original, public=True)
    assert answer.status == 202
    video = answer.json
    assert set(video) == KEYS
    assert (video["title"], video["tags"]) == ("a copy", [])
    assert video["source"] == {"type": "upload", "uri": f"/videos/{video['videoId']}/source"}
    assert wire.get(f"/videos/{video['videoId']}").json == video
    assert wire.source(video["videoId"]) == SOURCE
    ingest = wire.status(video["videoId"])["ingest"]
    assert ingest == {**wire.status(original)["ingest"], "status": "ingested"}
    assert (ingest["filesize"], ingest["receivedParts"]) == (5000, {"parts": [1, 2, 3], "total": 3})
    assert wire.status(original)["ingest"]["status"] == "uploaded"


def test_a_copy_takes_no_uploads(wire: Wire, original: str, upload_token: str) -> None:
    video_id = copy(wire, original).json["videoId"]
    for header, body in (
        (None, SOURCE),
        ("part 1/3", SOURCE[:2000]),
        ("part 4/4", b"x"),
        ("bytes 0-4999/5000", SOURCE),
    ):
        assert_problem(wire.send(video_id, header, body), "video-source-already-copied", name="file")
    answer = wire.upload(upload_token, "part 1/1", SOURCE, video_id)
    assert_problem(answer, "video-source-already-copied", name="file")
    assert wire.source(video_id) == SOURCE


@pytest.mark.parametrize("first", ["original", "copy"])
def test_each_outlives_the_other(wire: Wire, original: str, first: str) -> None:
    copied = copy(wire, original).json["videoId"]
    again = copy(wire, copied).json["videoId"]
    gone, left = (original, copied) if first == "original" else (copied, original)
    assert wire.ask("DELETE", f"/videos/{gone}").status == 204
    wait_for(lambda: wire.get(f"/vod/{gone}/mp4/source.mp4", key=None).status == 404)
    # One more is deleted and buried, so that the first one's burial is over.
    assert wire.source(left) == wire.source(again) == SOURCE
    assert wire.ask("DELETE", f"/videos/{left}").status == 204
    assert wire.source(again) == SOURCE


def test_what_can_not_be_copied(wire: Wire) -> None:
    empty, deleted, receiving = wire.create(), wire.create(), wire.create()
    wire.ask("DELETE", f"/videos/{deleted}")
    wire.send(receiving, "part 1/2", SOURCE[:2000])
    before = wire.get("/videos?pageSize=1").json["pagination"]["itemsTotal"]
    for source, words in (
        (empty, "not complete"),
        (receiving, "not complete"),
        (deleted, "no such video"),
        ("vi" + "0" * 22, "no such video"),
        ("x", "id of a video"),
        ("ftp://example.org/film.mp4", "id of a video"),
        ("https://", "id of a video"),
        ("http://exa mple.org/", "id of a video"),
        ("http://[::1/", "id of a video"),
        ("file:///etc/passwd", "id of a video"),
        ("", "id of a video"),
    ):
        assert_problem(copy(wire, source), "invalid-attribute", name="source", detail=words)
    assert wire.get("/videos?pageSize=1").json["pagination"]["itemsTotal"] == before


@pytest.mark.slow
def test_a_copy_out_of_the_trash(trash_wire: Wire) -> None:
    video_id = trash_wire.create()
    trash_wire.send(video_id, None, SOURCE)
    copied = copy(trash_wire, video_id).json["videoId"]
    trash_wire.ask("DELETE", f"/videos/{video_id}")
    assert_problem(copy(trash_wire, video_id), "invalid-attribute", name="source", detail="no such video")
    assert trash_wire.source(copied) == SOURCE


def test_asked_twice_copied_once(wire: Wire, original: str) -> None:
    asked = {"json_body": {"title": "a copy", "source": original}, "headers": [("Idempotency-Key", f"copy {original}")]}
    first, second = (wire.ask("POST", "/videos", **asked) for _ in range(2))  # type: ignore[arg-type]
    assert (first.status, second.status) == (202, 202)
    assert first.json == second.json
