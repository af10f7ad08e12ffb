"""A step that fails, fails its request: a plain answer, nothing held, and the next try goes through."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.crash.ground import Film, Sender, files_in, wait_until_blobs_are

from partway.testing.faults import UPLOAD_POINTS

pytestmark = pytest.mark.crash
Serve = Callable[..., Sender]

STORE = [point for point in UPLOAD_POINTS if point.startswith("blob-")]


@pytest.mark.crash_long
@pytest.mark.parametrize("point", STORE)
def test_a_store_that_fails_is_a_503(serve: Serve, film: Film, point: str) -> None:
    sender = serve(PARTWAY_FAULT=f"{point}:error:2")
    video_id = sender.create()
    assert not sender.send(video_id, "part 1/*", film.parts[0]).is_complete
    refused = sender.send(video_id, "part 2/*", film.parts[1])
    assert refused.status == 503
    assert refused.headers["retry-after"]
    assert refused.json["type"].endswith("/storage-unavailable")
    assert refused.json["status"] == 503
    assert refused.json["title"]
    # The operator hears what the sender is not told.
    assert "request failed" in sender.server.output()
    assert f"fault point {point}" in sender.server.output()
    # Nothing of it is held or lies about.
    assert sender.held(video_id) == {1: film.digests[0]}
    assert len(files_in(sender.server)) == 1
    assert not sender.send(video_id, "part 2/*", film.parts[1]).is_complete
    assert sender.send(video_id, "part 3/3", film.parts[2]).is_complete
    assert sender.source(video_id) == film.body
    wait_until_blobs_are(sender.server, 3)


@pytest.mark.crash_long
@pytest.mark.parametrize(
    ("point", "is_held"),
    [
        ("accept-begun", False),
        ("accept-written", False),
        ("accept-committed", True),
    ],
)
def test_a_commit_that_fails_is_a_500_and_undone(serve: Serve, film: Film, point: str, is_held: bool) -> None:
    sender = serve(PARTWAY_FAULT=f"{point}:error:2")
    video_id = sender.create()
    assert not sender.send(video_id, "part 1/*", film.parts[0]).is_complete
    refused = sender.send(video_id, "part 2/*", film.parts[1])
    assert refused.status == 500
    assert refused.json["status"] == 500
    assert "fault point" not in refused.body.decode(), "what went wrong inside is nobody's business"
    assert (2 in sender.held(video_id)) == is_held
    assert not sender.send(video_id, "part 2/*", film.parts[1]).is_complete
    assert sender.send(video_id, "part 3/3", film.parts[2]).is_complete
    assert sender.source(video_id) == film.body
