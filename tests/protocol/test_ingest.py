"""Ingest: ``POST /videos`` with an address as ``source`` (contract.md 1.3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.protocol.problems import assert_problem
from tests.protocol.wire import Answer, Serve, Wire, film, wait_for

from partway.testing.remote import Remote, running_remote

pytestmark = pytest.mark.slow

SOURCE = film(3_500_000)


@pytest.fixture
def remote() -> Iterator[Remote]:
    with running_remote(SOURCE) as remote:
        yield remote


def ask(wire: Wire, url: str) -> Answer:
    answer = wire.ask("POST", "/videos", json_body={"title": "fetched", "source": url})
    assert answer.status == 202, answer
    return answer


def fetched(wire: Wire, url: str) -> str:
    """A video whose source has been fetched."""
    video_id: str = ask(wire, url).json["videoId"]
    wait_for(lambda: wire.status(video_id)["ingest"]["status"] == "ingested", 60)
    return video_id


def failed(wire: Wire, url: str) -> Any:
    """The status of a video whose source can't be fetched."""
    video_id = ask(wire, url).json["videoId"]
    wait_for(lambda: wire.status(video_id)["partway"]["state"] == "failed", 60)
    for asset in ("hls/manifest.m3u8", "mp4/source.mp4", "thumbnail.jpg"):
        answer = wire.get(f"/vod/{video_id}/{asset}", key=None)
        assert (answer.status, answer.body) == (404, b""), asset
    status = wire.status(video_id)
    assert status["ingest"]["status"] == "ingesting"
    assert not status["encoding"]["playable"]
    return status["partway"]["reason"]


def test_a_source_is_fetched(fetching_wire: Wire, remote: Remote) -> None:
    video_id = fetched(fetching_wire, f"{remote.url}/a/film.mp4?secret=1")
    assert fetching_wire.source(video_id) == SOURCE
    ingest = fetching_wire.status(video_id)["ingest"]
    assert (ingest["filesize"], ingest["receivedParts"]) == (len(SOURCE), {"parts": [], "total": None})
    assert [one["from"] for one in ingest["receivedBytes"]] == [0, 1_000_000, 2_000_000, 3_000_000]
    assert len(remote.asked) == 1
    assert remote.asked[0]["path"] == "/a/film.mp4?secret=1"
    assert remote.asked[0]["accept-encoding"] == "identity"


def test_while_it_is_under_way(fetching_wire: Wire, remote: Remote, upload_token: str) -> None:
    """It says how far it is, and takes no uploads; nor does it afterwards."""
    wire, remote.holds_at = fetching_wire, 2_500_000
    video_id = ask(wire, remote.url).json["videoId"]
    wait_for(lambda: wire.status(video_id)["partway"]["receivedBytes"] == 2_000_000, 60)
    ingest = wire.status(video_id)["ingest"]
    assert (ingest["status"], ingest["filesize"]) == ("ingesting", len(SOURCE))
    for header in (None, "part 1/2", "bytes 0-4999/5000"):
        assert_problem(wire.send(video_id, header, SOURCE[:5000]), "video-source-already-downloaded", name="file")
    answer = wire.ask("POST", f"/-/videos/{video_id}/finish")
    assert_problem(answer, "video-source-already-downloaded")
    remote.gate.set()
    wait_for(lambda: wire.status(video_id)["ingest"]["status"] == "ingested", 60)
    assert_problem(wire.send(video_id, None, SOURCE[:5000]), "video-source-already-downloaded", name="file")
    assert wire.source(video_id) == SOURCE


def test_a_sender_that_takes_too_long_is_given_up(serve: Serve, remote: Remote) -> None:
    """What has come of it can't be watched, and no upload may go on with it."""
    wire, remote.holds_at = serve("granian", "impatient"), 2_500_000
    assert failed(wire, remote.url) == (
        "The video could not be fetched. It took longer than the 3 seconds that it may take."
    )
    remote.gate.set()


def test_a_piece_that_takes_too_long_is_fetched_again(serve: Serve, remote: Remote) -> None:
    """What was committed before it stays; the fetch itself has all its time still."""
    wire, remote.holds_at = serve("granian", "hurried"), 1_500_000
    video_id = ask(wire, remote.url).json["videoId"]
    wait_for(lambda: len(remote.asked) > 1, 60)
    remote.gate.set()
    wait_for(lambda: wire.status(video_id)["ingest"]["status"] == "ingested", 60)
    assert wire.source(video_id) == SOURCE
    assert {one.get("range") for one in remote.asked[1:]} == {"bytes=1000000-"}


def test_deleted_while_it_is_under_way(fetching_wire: Wire, remote: Remote) -> None:
    wire, remote.holds_at = fetching_wire, 2_500_000
    video_id = ask(wire, remote.url).json["videoId"]
    wait_for(lambda: wire.status(video_id)["partway"]["receivedBytes"] == 2_000_000, 60)
    wire.ask("DELETE", f"/videos/{video_id}")
    remote.gate.set()
    assert_problem(wire.get(f"/videos/{video_id}"), "resource-not-found")
    assert wire.source(fetched(wire, remote.url)) == SOURCE


def test_breaks_are_gone_on_from(fetching_wire: Wire, remote: Remote) -> None:
    """What has come is kept, also less than a piece."""
    remote.breaks_at = 1_300_000
    video_id = fetched(fetching_wire, remote.url)
    assert fetching_wire.source(video_id) == SOURCE
    assert [one.get("range") for one in remote.asked] == [None, "bytes=1300000-", "bytes=2600000-"]
    assert {one.get("if-range") for one in remote.asked[1:]} == {'"one"'}


def test_without_ranges_what_is_held_is_passed_over(fetching_wire: Wire, remote: Remote) -> None:
    remote.breaks_at, remote.knows_ranges = 1_300_000, False
    video_id = ask(fetching_wire, remote.url).json["videoId"]
    wait_for(lambda: fetching_wire.status(video_id)["partway"]["receivedBytes"] == 1_300_000, 60)
    remote.breaks_at = None
    wait_for(lambda: fetching_wire.status(video_id)["ingest"]["status"] == "ingested", 60)
    assert fetching_wire.source(video_id) == SOURCE
    assert fetching_wire.status(video_id)["ingest"]["receivedBytes"][0]["to"] == 999_999


@pytest.mark.parametrize("etag", ['"two"', None])
def test_a_file_that_has_changed_is_begun_anew(fetching_wire: Wire, remote: Remote, etag: str | None) -> None:
    wire, remote.breaks_at = fetching_wire, 1_300_000
    if etag is None:
        # Nobody can tell whether it is the same.
        remote.etag = None
    video_id = ask(wire, remote.url).json["videoId"]
    wait_for(lambda: wire.status(video_id)["partway"]["receivedBytes"] == 1_300_000, 60)
    remote.body, remote.etag, remote.breaks_at = film(2_000_000, salt=5), etag, None
    wait_for(lambda: wire.status(video_id)["ingest"]["status"] == "ingested", 60)
    assert wire.source(video_id) == remote.body


def test_an_unknown_length(fetching_wire: Wire, remote: Remote) -> None:
    remote.tells_length = False
    assert fetching_wire.source(fetched(fetching_wire, remote.url)) == SOURCE


def test_redirects_are_followed_five_times(fetching_wire: Wire, remote: Remote) -> None:
    with running_remote() as other:
        other.location = f"{remote.url}/film.mp4"
        assert fetching_wire.source(fetched(fetching_wire, other.url)) == SOURCE
        other.location = "/again"
        assert "redirects more than 5 times" in failed(fetching_wire, other.url)
        assert len(other.asked) == 1 + 6


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"status": 404}, "127.0.0.1 answers 404"),
        ({"status": 403}, "answers 403"),
        ({"status": 204}, "answers 204"),
        ({"location": "file:///etc/passwd"}, "Only http and https"),
        ({"body": b""}, "empty"),
        ({"body": b"", "tells_length": False}, "empty"),
        ({"body": film(5_000_001)}, "5000001 bytes"),
        ({"body": film(6_000_001), "tells_length": False}, "above"),
        ({"headers": {"Content-Encoding": "gzip"}}, "compressed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_can_not_be_had_says_why(fetching_wire: Wire, remote: Remote, changes: dict[str, Any], words: str) -> None:
    for name, value in changes.items():
        setattr(remote, name, value)
    reason = failed(fetching_wire, f"{remote.url}/film?secret=sesame")
    assert words in reason
    assert "sesame" not in reason


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "2130706433",
        "0x7f.1",
        "0.0.0.0",
        "10.0.0.1",
        "169.254.169.254",
    ],
)
def test_private_addresses_are_refused(wire: Wire, remote: Remote, host: str) -> None:
    port = remote.url.rpartition(":")[2]
    assert "not at a public address" in failed(wire, f"http://{host}:{port}/film.mp4")
    assert remote.asked == []


def test_no_secret_gets_into_the_log(fetching_wire: Wire, remote: Remote) -> None:
    address = remote.url.replace("http://", "http://somebody:sesame@")
    video_id = fetched(fetching_wire, f"{address}/film.mp4?key=sesame")
    assert remote.asked[0]["authorization"].startswith("Basic ")
    assert fetching_wire.source(video_id) == SOURCE
    assert "sesame" not in fetching_wire.server.output()
