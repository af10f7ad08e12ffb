"""``assets.mp4``: the source's own bytes, by ranges, across the borders of its parts (RFC 9110 section 14)."""

from __future__ import annotations

import pytest
from tests.protocol.wire import SERVERS, Answer, Serve, Wire, film, pieces_of

SOURCE = film(10_500)
SIZE = len(SOURCE)


@pytest.fixture(scope="module", params=SERVERS)
def wire(request: pytest.FixtureRequest, serve: Serve) -> Wire:
    return serve(request.param, "small")


@pytest.fixture(scope="module")
def asset(wire: Wire) -> str:
    """A source of eleven parts, sent backwards; the path of its bytes."""
    video_id = wire.create("The film.mov")
    for number, piece in reversed(list(enumerate(pieces_of(SOURCE, 1000), 1))):
        wire.send(video_id, f"part {number}/11", piece)
    return f"/vod/{video_id}/mp4/source.mp4"


def fetch(wire: Wire, path: str, method: str = "GET", **headers: str) -> Answer:
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    answer = wire.ask(method, path, headers=named, key=None)
    assert answer.headers["access-control-allow-origin"] == "*"
    return answer


def assert_whole(answer: Answer, body: bytes = SOURCE) -> None:
    assert (answer.status, answer.body) == (200, body)
    assert answer.headers["content-length"] == str(SIZE)
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "sandbox"
    assert "content-range" not in answer.headers
    assert "set-cookie" not in answer.headers


RANGES = [
    ("bytes=0-0", 0, 1),
    ("bytes=0-999", 0, 1000),
    ("bytes=999-1000", 999, 1001),
    ("bytes=1000-1999", 1000, 2000),
    ("bytes=500-9500", 500, 9501),
    ("bytes=10499-10499", 10_499, 10_500),
    ("bytes=9000-", 9000, SIZE),
    ("bytes=0-", 0, SIZE),
    ("bytes=9000-99999999", 9000, SIZE),
    ("bytes=-1", SIZE - 1, SIZE),
    ("bytes=-1500", SIZE - 1500, SIZE),
    ("bytes=-99999999", 0, SIZE),
    ("BYTES = 1-2", 1, 3),
]


@pytest.mark.parametrize(("asked", "first", "end"), RANGES, ids=[asked for asked, _, _ in RANGES])
def test_one_range(wire: Wire, asset: str, asked: str, first: int, end: int) -> None:
    answer = fetch(wire, asset, Range=asked)
    assert (answer.status, answer.body) == (206, SOURCE[first:end])
    assert answer.headers["content-range"] == f"bytes {first}-{end - 1}/{SIZE}"
    assert answer.headers["content-length"] == str(end - first)
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["etag"]


def test_every_border(wire: Wire, asset: str) -> None:
    for border in range(1000, SIZE, 1000):
        assert fetch(wire, asset, Range=f"bytes={border - 2}-{border + 1}").body == SOURCE[border - 2 : border + 2]


@pytest.mark.parametrize(
    "asked",
    ["bytes=0-1,5-6", "bytes=5-2", "bytes=", "bytes=-", "bytes=a-b", "items=0-1", "0-1", "bytes 0-1", "bytes=0--1"],
)
def test_what_is_answered_with_everything(wire: Wire, asset: str, asked: str) -> None:
    """Several ranges, other units and nonsense: a server may ignore them (RFC 9110 14.2)."""
    assert_whole(fetch(wire, asset, Range=asked))


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", f"bytes={SIZE}-{SIZE}", "bytes=99999999-", "bytes=-0"])
def test_beyond_the_end(wire: Wire, asset: str, asked: str) -> None:
    answer = fetch(wire, asset, Range=asked)
    assert (answer.status, answer.body) == (416, b"")
    assert answer.headers["content-range"] == f"bytes */{SIZE}"


def test_head(wire: Wire, asset: str) -> None:
    """A range means nothing on HEAD (RFC 9110 14.2)."""
    assert_whole(fetch(wire, asset, "HEAD"), b"")
    assert_whole(fetch(wire, asset, "HEAD", Range="bytes=0-9"), b"")
    assert_whole(fetch(wire, asset, "HEAD", Range=f"bytes={SIZE}-"), b"")


def test_held_already(wire: Wire, asset: str) -> None:
    tag = fetch(wire, asset).headers["etag"]
    for held in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        for method in ("GET", "HEAD"):
            answer = fetch(wire, asset, method, If_None_Match=held, Range="bytes=0-1")
            assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", tag)
    assert_whole(fetch(wire, asset, If_None_Match='"other"'))
    assert_whole(fetch(wire, asset, If_None_Match=tag.strip('"')))


def test_if_range(wire: Wire, asset: str) -> None:
    tag = fetch(wire, asset).headers["etag"]
    assert fetch(wire, asset, Range="bytes=0-9", If_Range=tag).status == 206
    for other in ('"other"', f"W/{tag}", "Mon, 23 Nov 2026 16:20:12 GMT"):
        assert_whole(fetch(wire, asset, Range="bytes=0-9", If_Range=other))


def test_download(wire: Wire, asset: str) -> None:
    """``?dl=1`` forces a download (contract.md 4.2)."""
    assert "content-disposition" not in fetch(wire, asset).headers
    answer = fetch(wire, asset + "?dl=1")
    assert_whole(answer)
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''The%20film.mp4"
    assert fetch(wire, asset + "?dl=1", Range="bytes=0-9").status == 206


def test_download_of_any_title(wire: Wire) -> None:
    for title in ('a"b\r\nX: y', "größe/☃\\..", "", "x" * 5000):
        video_id = wire.create(title)
        wire.send(video_id, None, SOURCE)
        answer = fetch(wire, f"/vod/{video_id}/mp4/source.mp4?dl=1")
        assert_whole(answer)
        assert "x" not in answer.headers
        assert len(answer.headers["content-disposition"]) < 2000


def test_not_offered(wire: Wire) -> None:
    """Without ``mp4Support`` there is no such asset; 404 with an empty body, for an SDK polls it."""
    video_id = wire.create(mp4Support=False)
    wire.send(video_id, None, SOURCE)
    assert "mp4" not in wire.get(f"/videos/{video_id}").json["assets"]
    answer = fetch(wire, f"/vod/{video_id}/mp4/source.mp4")
    assert (answer.status, answer.body) == (404, b"")


def test_no_mp4(wire: Wire) -> None:
    """Another container: 202 until an MP4 has been made of it (contract.md "Decided")."""
    video_id = wire.create()
    wire.send(video_id, None, b"\x1a\x45\xdf\xa3" + bytes(5000))
    answer = fetch(wire, f"/vod/{video_id}/mp4/source.mp4")
    assert (answer.status, answer.body) == (202, b"")


def test_private(wire: Wire) -> None:
    video_id = wire.create(public=False)
    wire.send(video_id, None, SOURCE)
    for path in ("", "/hls/manifest.m3u8", "/mp4/source.mp4", "/thumbnail.jpg", "/status.json"):
        answer = fetch(wire, f"/vod/{video_id}{path}")
        assert (answer.status, answer.body) == (404, b"")
