"""Requests nobody should send: each gets a problem object, never a 500, and changes nothing."""

from __future__ import annotations

import json

import pytest
from tests.protocol.problems import assert_problem, check_shape
from tests.protocol.wire import Wire, film

VIDEO = {"GET", "PATCH", "DELETE", "OPTIONS"}
ASSET = {"GET", "HEAD", "OPTIONS"}
METHODS = [
    ("/auth/api-key", {"POST", "OPTIONS"}),
    ("/auth/refresh", {"POST", "OPTIONS"}),
    ("/videos", {"GET", "POST", "OPTIONS"}),
    ("/videos/viX", VIDEO),
    ("/videos/viX/source", {"POST", "OPTIONS"}),
    ("/videos/viX/status", {"GET", "OPTIONS"}),
    ("/upload-tokens", {"GET", "POST", "OPTIONS"}),
    ("/upload-tokens/toX", {"GET", "DELETE", "OPTIONS"}),
    ("/upload", {"POST", "OPTIONS"}),
    ("/videos/viX/captions", {"GET", "OPTIONS"}),
    ("/videos/viX/captions/en", {"GET", "POST", "PATCH", "DELETE", "OPTIONS"}),
    ("/videos/viX/chapters", {"GET", "OPTIONS"}),
    ("/videos/viX/chapters/en", {"GET", "POST", "DELETE", "OPTIONS"}),
    ("/players", {"GET", "POST", "OPTIONS"}),
    ("/players/plX", VIDEO),
    ("/players/plX/logo", {"POST", "DELETE", "OPTIONS"}),
    ("/watermarks", {"GET", "POST", "OPTIONS"}),
    ("/watermarks/watermark_X", {"DELETE", "OPTIONS"}),
    ("/tags", {"GET", "OPTIONS"}),
    ("/summaries", {"GET", "POST", "OPTIONS"}),
    ("/summaries/summary_X", {"DELETE", "OPTIONS"}),
    ("/summaries/summary_X/source", {"GET", "PATCH", "OPTIONS"}),
    ("/live-streams", {"GET", "POST", "OPTIONS"}),
    ("/live-streams/liX", VIDEO),
    ("/live-streams/liX/thumbnail", {"POST", "DELETE", "OPTIONS"}),
    ("/live-streams/liX/complete", {"PUT", "OPTIONS"}),
    ("/data/metrics/play/count", {"GET", "OPTIONS"}),
    ("/data/buckets/play/country", {"GET", "OPTIONS"}),
    ("/data/timeseries/play", {"GET", "OPTIONS"}),
    ("/-/players/plX/logo", {"GET", "OPTIONS"}),
    ("/-/videos/viX/parts", {"GET", "OPTIONS"}),
    ("/-/videos/viX/finish", {"POST", "OPTIONS"}),
    ("/-/static/page.css", ASSET),
]


@pytest.mark.parametrize(("path", "known"), METHODS)
def test_wrong_method(wire: Wire, path: str, known: set[str]) -> None:
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - known:
        answer = wire.ask(method, path)
        assert_problem(answer, "method-not-allowed")
        assert set(answer.headers["allow"].split(", ")) == known


def test_wrong_method_for_an_asset(wire: Wire) -> None:
    for path in ("/vod/viX", "/vod/viX/hls/manifest.m3u8", "/vod/viX/mp4/source.mp4"):
        answer = wire.ask("POST", path)
        assert (answer.status, answer.body) == (405, b"")
        assert set(answer.headers["allow"].split(", ")) == ASSET


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE", "PUT"])
@pytest.mark.parametrize(
    "path",
    ["/nope", "/videos/", "/videos/viX/nope", "/video", "//videos", "/videos/../videos", "/-/nope", "/%2e%2e/etc"],
)
def test_unknown_path(wire: Wire, method: str, path: str) -> None:
    assert_problem(wire.ask(method, path), "unrecognized-request-url")


STRANGE_IDS = [
    "%00",
    "vi%00X",
    "..",
    "%2e%2e",
    "%2fetc%2fpasswd",
    "%ff%fe",
    "%ed%a0%80",
    "%F0%9F%8E%AC",
    "%0d%0aX:%20Y",
    "%25",
    "'%20OR%201=1--",
    "a" * 6000,
]


@pytest.mark.parametrize("strange", STRANGE_IDS, ids=lambda strange: strange[:20])
def test_strange_ids(wire: Wire, strange: str) -> None:
    for method, path in (
        ("GET", "/videos/{}"),
        ("PATCH", "/videos/{}"),
        ("DELETE", "/videos/{}"),
        ("GET", "/videos/{}/status"),
        ("GET", "/-/videos/{}/parts"),
        ("POST", "/-/videos/{}/finish"),
        ("GET", "/upload-tokens/{}"),
        ("DELETE", "/upload-tokens/{}"),
        ("GET", "/videos/{}/captions"),
        ("GET", "/videos/{}/chapters/en"),
        ("DELETE", "/videos/{}/captions/en"),
        ("GET", "/players/{}"),
        ("PATCH", "/players/{}"),
        ("DELETE", "/players/{}"),
        ("DELETE", "/players/{}/logo"),
        ("GET", "/-/players/{}/logo"),
        ("DELETE", "/watermarks/{}"),
        ("DELETE", "/summaries/{}"),
        ("GET", "/summaries/{}/source"),
        ("PATCH", "/summaries/{}/source"),
        ("GET", "/live-streams/{}"),
    ):
        answer = wire.ask(method, path.format(strange), json_body={} if method == "PATCH" else None)
        assert check_shape(answer)["status"] in (404, 405), answer
    assert wire.send(strange, "part 1/1", film(10)).status == 404
    assert_problem(wire.upload(wire.token(), None, film(10), strange), "resource-not-found", name="videoId")
    for path in (
        "/vod/{}",
        "/vod/{}/hls/manifest.m3u8",
        "/vod/{}/mp4/source.mp4",
        "/vod/{}/captions/en.vtt",
        "/vod/viX/{}",
    ):
        answer = wire.get(path.format(strange), key=None)
        assert (answer.status, answer.body) == (404, b"")


def test_strange_upload_tokens(wire: Wire) -> None:
    for token in STRANGE_IDS:
        answer = wire.post_form(f"/upload?token={token}", None, key=None)
        assert_problem(answer, "authentication-invalid-upload-token")
    for query in ("", "?", "?token", "?token=", "?Token=x"):
        assert_problem(wire.post_form(f"/upload{query}", None, key=None), "authentication-missing-upload-token")


NOT_JSON = [
    b"",
    b" \r\n",
    b"{",
    b"title=x",
    b'{"title": "x"',
    b"{'title': 'x'}",
    b"\xff\xfe\x00",
    b'{"title": "\xff"}',
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b'{"title": "x", "n": ' + b"9" * 5000 + b"}",
    b"null",
    b"true",
    b"7",
    b'"title"',
    b"[]",
    b'[{"title": "x"}]',
]


@pytest.mark.parametrize("body", NOT_JSON, ids=lambda body: repr(body[:16]))
def test_not_a_json_object(wire: Wire, body: bytes) -> None:
    video_id = wire.create()
    before = wire.get(f"/videos/{video_id}").json
    paths = (("POST", "/videos"), ("PATCH", f"/videos/{video_id}"), ("POST", "/auth/api-key"))
    others = (("PATCH", "/players/plX"), ("POST", "/summaries"), ("PATCH", "/summaries/x/source"))
    for method, path in (*paths, *others, ("PATCH", f"/videos/{video_id}/captions/en"), ("POST", "/live-streams")):
        assert_problem(wire.ask(method, path, body=body), "invalid-payload")
    assert wire.get(f"/videos/{video_id}").json == before


@pytest.mark.parametrize("depth", [*range(940, 1000, 4), 2000, 100_000])
def test_any_depth(wire: Wire, depth: int) -> None:
    """Near the depth that Python can follow, reading and writing must not differ."""
    body = b'{"title": "deep", "x": ' + b"[" * depth + b"]" * depth + b"}"
    answer = wire.ask("POST", "/videos", body=body, headers=[("Idempotency-Key", f"depth {depth}")])
    if answer.status != 201:
        assert_problem(answer, "invalid-payload")
    body = body.replace(b"title", b"name")
    answer = wire.ask("POST", "/players", body=body, headers=[("Idempotency-Key", f"depth {depth}")])
    if answer.status != 201:
        assert_problem(answer, "invalid-payload")
    body = body.replace(b'"name": "deep"', f'"videoId": "{wire.create()}"'.encode())
    answer = wire.ask("POST", "/summaries", body=body, headers=[("Idempotency-Key", f"depth {depth}")])
    if answer.status != 201:
        assert_problem(answer, "invalid-payload")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("title", value) for value in (7, True, ["x"], {"a": 1}, "\0", "a\ud800b", "x" * 100_001)],
        *[("description", value) for value in (7, ["x"], "\ud800")],
        *[("public", value) for value in (0, 1, "true", "no", [])],
        *[("mp4Support", value) for value in (0, "x")],
        *[("panoramic", value) for value in (0, "x")],
        *[("tags", value) for value in ("a", {"0": "a"}, [1], [None], [["a"]], ["\ud800"], ["\0"], ["a"] * 1001)],
        *[("metadata", value) for value in ("a", {"key": "a", "value": "b"}, ["a"], [{"key": "a", "value": 1}])],
        *[("metadata", value) for value in ([{"key": "\ud800", "value": "b"}], [{"key": "a", "value": "\0"}])],
        *[("language", value) for value in (False, "xx", "e1", "", "EN", "en-US")],
        *[("playerId", value) for value in (7, [])],
    ],
    ids=lambda value: repr(value)[:24],
)
def test_wrong_types(wire: Wire, field: str, value: object) -> None:
    video_id = wire.create()
    before = wire.get(f"/videos/{video_id}").json
    for method, path in (("POST", "/videos"), ("PATCH", f"/videos/{video_id}")):
        answer = wire.ask(method, path, json_body={"title": "x", field: value})
        assert_problem(answer, "invalid-attribute")
        assert answer.json["name"].startswith(field)
        assert answer.json["detail"]
    assert wire.get(f"/videos/{video_id}").json == before


@pytest.mark.parametrize("field", ["title", "public", "panoramic", "mp4Support"])
def test_what_null_cannot_unset(wire: Wire, field: str) -> None:
    answer = wire.ask("PATCH", f"/videos/{wire.create()}", json_body={field: None})
    assert_problem(answer, "invalid-attribute", name=field)


def test_missing_title(wire: Wire) -> None:
    for payload in ({}, {"title": None}, {"description": "x"}, {"Title": "x"}):
        assert_problem(wire.ask("POST", "/videos", json_body=payload), "attribute-required", name="title")


def test_several_problems(wire: Wire) -> None:
    answer = wire.ask("POST", "/videos", json_body={"tags": "a", "public": 1})
    problem = check_shape(answer)
    assert {one["name"] for one in problem["problems"]} == {"title", "tags", "public"}
    assert {one["type"].rpartition("/")[2] for one in problem["problems"]} == {
        "attribute-required",
        "invalid-attribute",
    }
    assert all({"type", "title", "status"} <= set(one) for one in problem["problems"])


@pytest.mark.parametrize("secret", [None, 7, [], {}, "\ud800", "\0", "x" * 500_000], ids=lambda value: repr(value)[:12])
@pytest.mark.parametrize(("path", "field"), [("/auth/api-key", "apiKey"), ("/auth/refresh", "refreshToken")])
def test_wrong_credentials(wire: Wire, path: str, field: str, secret: object) -> None:
    answer = wire.ask("POST", path, json_body={field: secret}, key=None)
    if isinstance(secret, str):
        assert_problem(answer, "authentication-invalid-user-credentials", name="")
    else:
        assert_problem(answer, "invalid-attribute", name=field)
    assert_problem(wire.ask("POST", path, json_body={}, key=None), "attribute-required", name=field)


@pytest.mark.parametrize("ttl", [-1, 2**31, 10**30, 1.5, "60", True, [], float("nan")])
def test_wrong_ttl(wire: Wire, ttl: object) -> None:
    assert_problem(wire.ask("POST", "/upload-tokens", json_body={"ttl": ttl}), "invalid-attribute", name="ttl")


@pytest.mark.parametrize(
    "value", ["Bearer", "Basic", "Basic !!!", "Basic /w==", "Digest x", "token-alone", "Bearer ", "Basic%20x", "\xff"]
)
def test_wrong_authorization(wire: Wire, value: str) -> None:
    assert_problem(wire.get("/videos", key=value), "authentication-invalid-authorization-header-value")


def test_unknown_key_and_token(wire: Wire) -> None:
    assert_problem(wire.get("/videos", key="Basic bm9ib2R5Og=="), "authentication-invalid-api-key")
    assert_problem(wire.get("/videos", key="Bearer nobody"), "authentication-invalid-access-token")
    assert_problem(wire.get("/videos", key=None), "authentication-missing-authorization-header")
    assert_problem(wire.get("/videos", key=" "), "authentication-missing-authorization-header")


def test_a_megabyte_is_the_most_json_there_is(wire: Wire) -> None:
    fits = json.dumps({"title": "x", "unknown": "y" * 1_000_000}).encode()
    assert wire.ask("POST", "/videos", body=fits).status == 201
    for size in (1_100_000, 8_000_000):
        body = json.dumps({"title": "x", "unknown": "y" * size}).encode()
        assert_problem(wire.ask("POST", "/videos", body=body), "invalid-payload")


def test_a_token_needs_no_payload(wire: Wire) -> None:
    for body in (None, b"", b"{}"):
        answer = wire.ask("POST", "/upload-tokens", body=body)
        assert (answer.status, answer.json["ttl"], answer.json["expiresAt"]) == (200, 0, None)
