"""``/videos``: create, read, change, delete (contract.md 1.3, 4.1, 4.2)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.protocol.problems import assert_problem
from tests.protocol.wire import Wire, film, wait_for

KEYS = {
    *("videoId", "title", "description", "public", "panoramic", "mp4Support", "playerId", "tags", "metadata"),
    *("language", "languageOrigin", "createdAt", "publishedAt", "updatedAt", "discarded", "discardedAt", "deletesAt"),
    *("source", "assets", "earlyPlayback"),
}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00")
FULL: dict[str, Any] = {
    "title": "Größe ☃ \U0001f3ac",
    "description": "two\nlines",
    "public": True,
    "panoramic": True,
    "mp4Support": True,
    "playerId": "pl45d5vFFGrfdsdsd156dGhh",
    "tags": ["maths", "string theory", "maths"],
    "metadata": [{"key": "Author", "value": "John Doe"}, {"key": "Author", "value": ""}],
    "language": "no",
}


def test_a_new_video(wire: Wire) -> None:
    answer = wire.ask("POST", "/videos", json_body={"title": "x"})
    assert answer.status == 201
    video = answer.json
    assert set(video) == KEYS
    assert re.fullmatch("vi[A-Za-z0-9]{22}", video["videoId"])
    defaults = {"description": None, "public": True, "panoramic": False, "mp4Support": True, "playerId": None}
    lists = {"tags": [], "metadata": [], "language": None, "languageOrigin": None}
    trash = {"discarded": False, "discardedAt": None, "deletesAt": None}
    assert {key: video[key] for key in (*defaults, *lists, *trash)} == {**defaults, **lists, **trash}
    assert all(MOMENT.fullmatch(video[key]) for key in ("createdAt", "publishedAt", "updatedAt"))
    assert video["source"] == {"type": "upload", "uri": f"/videos/{video['videoId']}/source"}
    root = f"{wire.server.url}/vod/{video['videoId']}"
    iframe = video["assets"].pop("iframe")
    assert video["assets"] == {
        "player": root,
        "hls": f"{root}/hls/manifest.m3u8",
        "thumbnail": f"{root}/thumbnail.jpg",
        "mp4": f"{root}/mp4/source.mp4",
    }
    assert iframe.startswith(f'<iframe src="{root}" width="100%" height="100%"')
    assert wire.get(f"/videos/{video['videoId']}").json == answer.json


def test_every_field(wire: Wire) -> None:
    video_id = wire.create(**FULL)
    video = wire.get(f"/videos/{video_id}").json
    assert {key: video[key] for key in FULL} == FULL
    assert video["languageOrigin"] == "api"


def test_null_means_the_default_at_creation(wire: Wire) -> None:
    fields = dict.fromkeys((*FULL, "source", "clip", "watermark", "transcript"))
    video = wire.ask("POST", "/videos", json_body={**fields, "title": "x"}).json
    assert (video["public"], video["mp4Support"], video["tags"], video["metadata"]) == (True, True, [], [])


def test_unknown_fields_are_ignored(wire: Wire) -> None:
    fields = {
        "title": "x",
        "unknown": {"a": [1]},
        "videoId": "viMINE",
        "createdAt": "1999-01-01T00:00:00+00:00",
        "scheduledAt": "x",
    }
    answer = wire.ask("POST", "/videos", json_body=fields)
    assert set(answer.json) == KEYS
    assert answer.video_id != "viMINE"
    assert not answer.json["createdAt"].startswith("1999")


@pytest.mark.parametrize(
    "fields",
    [
        {"clip": {"startTimecode": "00:00:01", "endTimecode": "100:59:59.123"}},
        {"clip": {"startTimecode": "3", "endTimecode": "00:00:04:12"}},
        {"clip": {}},
        {"watermark": {"id": "watermark_1"}},
        {"watermark": {"id": "watermark_1", "top": "10px", "left": "-5%", "width": "initial", "opacity": "70%"}},
        {"watermark": {"bottom": "0px", "right": "1.5%", "height": "100px", "opacity": "100%"}},
        {"transcript": True, "transcriptSummary": True, "transcriptSummaryAttributes": ["abstract", "takeaways"]},
        {"transcript": False, "transcriptSummary": False, "transcriptSummaryAttributes": []},
    ],
    ids=str,
)
def test_what_is_kept_and_not_done_yet(wire: Wire, fields: dict[str, Any]) -> None:
    """See docs/reference/compatibility.md; the Video has no place for it."""
    assert set(wire.ask("POST", "/videos", json_body={"title": "x", **fields}).json) == KEYS


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"clip": "x"}, "clip"),
        ({"clip": {"startTimecode": "1:2:3"}}, "clip.startTimecode"),
        ({"clip": {"startTimecode": 1}}, "clip.startTimecode"),
        ({"clip": {"endTimecode": "00:61:00"}}, "clip.endTimecode"),
        ({"clip": {"endTimecode": "12345678"}}, "clip.endTimecode"),
        ({"watermark": []}, "watermark"),
        ({"watermark": {"id": 1}}, "watermark.id"),
        ({"watermark": {"top": "10"}}, "watermark.top"),
        ({"watermark": {"top": "initial"}}, "watermark.top"),
        ({"watermark": {"width": "10em"}}, "watermark.width"),
        ({"watermark": {"opacity": "101%"}}, "watermark.opacity"),
        ({"watermark": {"opacity": "50px"}}, "watermark.opacity"),
        ({"transcript": "yes"}, "transcript"),
        ({"transcriptSummary": 1}, "transcriptSummary"),
        ({"transcriptSummaryAttributes": "abstract"}, "transcriptSummaryAttributes"),
        ({"transcriptSummaryAttributes": ["poem"]}, "transcriptSummaryAttributes[0]"),
    ],
    ids=str,
)
def test_what_is_malformed_is_refused_all_the_same(wire: Wire, fields: dict[str, Any], name: str) -> None:
    before = wire.get("/videos?pageSize=1").json["pagination"]["itemsTotal"]
    answer = wire.ask("POST", "/videos", json_body={"title": "x", **fields})
    assert_problem(answer, "invalid-attribute", name=name)
    assert wire.get("/videos?pageSize=1").json["pagination"]["itemsTotal"] == before


def test_mp4_support_decides_about_the_asset(wire: Wire) -> None:
    video_id = wire.create(mp4Support=False)
    assert "mp4" not in wire.get(f"/videos/{video_id}").json["assets"]
    changed = wire.ask("PATCH", f"/videos/{video_id}", json_body={"mp4Support": True}).json
    assert changed["assets"]["mp4"].endswith(f"/vod/{video_id}/mp4/source.mp4")


@pytest.mark.parametrize(
    ("change", "becomes"),
    [
        ({"title": "new"}, {"title": "new"}),
        ({"title": ""}, {"title": ""}),
        ({"description": "new"}, {"description": "new"}),
        ({"description": None}, {"description": None}),
        ({"panoramic": False}, {"panoramic": False}),
        ({"playerId": None}, {"playerId": None}),
        ({"playerId": "plX"}, {"playerId": "plX"}),
        ({"tags": []}, {"tags": []}),
        ({"tags": None}, {"tags": []}),
        ({"tags": ["b", "a"]}, {"tags": ["b", "a"]}),
        ({"metadata": []}, {"metadata": []}),
        ({"metadata": [{"key": "k", "value": "v"}]}, {"metadata": [{"key": "k", "value": "v"}]}),
        ({"language": None}, {"language": None, "languageOrigin": None}),
        ({"language": "fr"}, {"language": "fr", "languageOrigin": "api"}),
        ({"title": "a", "tags": ["x"]}, {"title": "a", "tags": ["x"]}),
        ({}, {}),
        ({"unknown": 1, "videoId": "x", "transcript": True}, {}),
        ({"transcript": None, "transcriptSummary": None, "transcriptSummaryAttributes": None}, {}),
        ({"transcriptSummary": True, "transcriptSummaryAttributes": ["takeaways"]}, {}),
    ],
    ids=str,
)
def test_change(wire: Wire, change: dict[str, Any], becomes: dict[str, Any]) -> None:
    """A merge patch: what is absent stays, null unsets, lists are replaced whole."""
    video_id = wire.create(**FULL)
    before = wire.get(f"/videos/{video_id}").json
    answer = wire.ask("PATCH", f"/videos/{video_id}", json_body=change)
    assert answer.status == 200
    expected = {**before, **becomes, "updatedAt": answer.json["updatedAt"]}
    assert answer.json == expected == wire.get(f"/videos/{video_id}").json


def test_a_change_of_who_may_watch_changes_the_addresses(wire: Wire) -> None:
    video_id = wire.create()
    before = wire.get(f"/videos/{video_id}").json
    for public in (False, True):
        after = wire.ask("PATCH", f"/videos/{video_id}", json_body={"public": public}).json
        assert after == {**before, "public": public, "updatedAt": after["updatedAt"], "assets": after["assets"]}
        assert (after["assets"] == before["assets"]) is public


def test_change_moves_updated_at(wire: Wire) -> None:
    video_id = wire.create()
    before = wire.get(f"/videos/{video_id}").json

    def is_later() -> bool:
        changed = wire.ask("PATCH", f"/videos/{video_id}", json_body={"title": "y"}).json
        assert (changed["createdAt"], changed["publishedAt"]) == (before["createdAt"], before["publishedAt"])
        return bool(changed["updatedAt"] > before["updatedAt"])

    wait_for(is_later)


def test_a_wrong_change_changes_nothing(wire: Wire) -> None:
    video_id = wire.create(**FULL)
    before = wire.get(f"/videos/{video_id}").json
    for change in ({"title": "new", "public": "yes"}, {"title": "new", "tags": [1]}, {"tags": ["a"], "title": None}):
        assert wire.ask("PATCH", f"/videos/{video_id}", json_body=change).status == 400
    assert wire.get(f"/videos/{video_id}").json == before


def test_language(wire: Wire) -> None:
    """``no`` is Norwegian and no boolean; the two complaints are the contract's."""
    video_id = wire.create()
    for language, words in (("xx", "is not valid"), ("e1", "only letters and dashes"), ("e_n", "letters and dashes")):
        answer = wire.ask("PATCH", f"/videos/{video_id}", json_body={"language": language})
        assert_problem(answer, "invalid-attribute", name="language", detail=words)


def test_delete(wire: Wire) -> None:
    video_id = wire.create()
    wire.send(video_id, None, film(5000))
    answer = wire.ask("DELETE", f"/videos/{video_id}")
    assert (answer.status, answer.body) == (204, b"")
    assert "content-type" not in answer.headers
    for method, path, body in (
        ("GET", f"/videos/{video_id}", None),
        ("PATCH", f"/videos/{video_id}", {"title": "y"}),
        ("DELETE", f"/videos/{video_id}", None),
        ("GET", f"/videos/{video_id}/status", None),
        ("GET", f"/-/videos/{video_id}/parts", None),
        ("POST", f"/-/videos/{video_id}/finish", None),
    ):
        assert_problem(wire.ask(method, path, json_body=body), "resource-not-found", name="videoId")


def test_a_changed_title_of_a_watched_video(wire: Wire) -> None:
    """Changing the record touches nothing of the source."""
    video_id = wire.create()
    wire.send(video_id, None, film(5000))
    held = wire.held(video_id)
    wire.ask("PATCH", f"/videos/{video_id}", json_body={"title": "new", "tags": ["x"]})
    assert wire.held(video_id) == held
    assert wire.source(video_id) == film(5000)


@pytest.mark.parametrize("host", ["films.example.org", "films.example.org:8443", "[::1]:8080"])
def test_links_lead_to_where_we_were_asked(wire: Wire, host: str) -> None:
    with wire.connect() as connection:
        lines = f"GET /videos HTTP/1.1\r\nHost: {host}\r\nAuthorization: {wire.key}\r\n\r\n"
        connection.send(lines.encode())
        for video in connection.answer("GET").json["data"]:
            assert video["assets"]["hls"].startswith(f"http://{host}/vod/")


@pytest.mark.parametrize("host", ["a b", "x/../y", '"><script>', "x@y", ""])
def test_strange_hosts_get_into_no_link(wire: Wire, host: str) -> None:
    wire.create()
    with wire.connect() as connection:
        lines = f"GET /videos HTTP/1.1\r\nHost: {host}\r\nAuthorization: {wire.key}\r\n\r\n"
        connection.send(lines.encode())
        status, headers = connection.head()
        if status == 200:
            size = int(headers["content-length"])
            assert f"//{wire.server.url.removeprefix('http://')}/vod/".encode() in connection.read(size)
        else:
            assert status == 400
