"""The trash: deleted videos that can be restored (contract.md 1.3, "Trash")."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from tests.protocol.problems import assert_problem
from tests.protocol.test_videos import KEYS
from tests.protocol.wire import Wire, file_part, film

from partway.testing.images import png

pytestmark = pytest.mark.slow

SOURCE = film(5000)


def discarded(wire: Wire, **fields: Any) -> str:
    """A complete video in the trash."""
    video_id = wire.create(**fields)
    assert wire.send(video_id, None, SOURCE).is_complete
    assert wire.ask("DELETE", f"/videos/{video_id}").status == 204
    return video_id


def test_it_is_gone_for_everybody_else(trash_wire: Wire) -> None:
    wire, token = trash_wire, trash_wire.token()
    video_id = discarded(wire, title="thrown away")
    for method, path, body in (
        ("GET", f"/videos/{video_id}", None),
        ("PATCH", f"/videos/{video_id}", {"title": "y"}),
        ("DELETE", f"/videos/{video_id}", None),
        ("GET", f"/videos/{video_id}/status", None),
        ("PATCH", f"/videos/{video_id}/thumbnail", {"timecode": "1"}),
        ("GET", f"/-/videos/{video_id}/parts", None),
        ("POST", f"/-/videos/{video_id}/finish", None),
    ):
        assert_problem(wire.ask(method, path, json_body=body), "resource-not-found", name="videoId")
    assert_problem(wire.send(video_id, None, SOURCE), "resource-not-found", name="videoId")
    assert_problem(wire.upload(token, "part 1/1", SOURCE, video_id), "resource-not-found", name="videoId")
    assert video_id not in [video["videoId"] for video in wire.get("/videos?pageSize=100").json["data"]]
    for asset in ("", "/status.json", "/hls/manifest.m3u8", "/mp4/source.mp4", "/thumbnail.jpg"):
        answer = wire.get(f"/vod/{video_id}{asset}", key=None)
        assert (answer.status, answer.body) == (404, b""), asset


def test_what_the_trash_says_of_it(trash_wire: Wire) -> None:
    before = trash_wire.ask("POST", "/videos", json_body={"title": "a film", "tags": ["x"]}).json
    video_id = before["videoId"]
    trash_wire.ask("DELETE", f"/videos/{video_id}")
    video = trash_wire.get(f"/discarded/videos/{video_id}").json
    assert set(video) == KEYS
    changed = {"discarded": True, "assets": None, "discardedAt": video["discardedAt"], "deletesAt": video["deletesAt"]}
    assert video == {**before, **changed}
    moments = [datetime.fromisoformat(video[key]) for key in ("discardedAt", "deletesAt")]
    assert moments[1] - moments[0] == timedelta(days=90)


def test_restoring_brings_everything_back(trash_wire: Wire) -> None:
    wire = trash_wire
    before = wire.ask("POST", "/videos", json_body={"title": "kept", "metadata": [{"key": "k", "value": "v"}]}).json
    video_id = before["videoId"]
    wire.send(video_id, None, SOURCE)
    held = wire.held(video_id)
    wire.ask("DELETE", f"/videos/{video_id}")
    answer = wire.ask("PATCH", f"/discarded/videos/{video_id}", json_body={"discarded": False})
    assert answer.status == 200
    assert answer.json == {**before, "updatedAt": answer.json["updatedAt"]} == wire.get(f"/videos/{video_id}").json
    assert wire.held(video_id) == held
    assert wire.source(video_id) == SOURCE
    for path in (f"/discarded/videos/{video_id}",):
        assert_problem(wire.get(path), "resource-not-found", name="videoId")
        answer = wire.ask("PATCH", path, json_body={"discarded": False})
        assert_problem(answer, "resource-not-found", name="videoId")


def test_an_unfinished_upload_goes_on_where_it_was(trash_wire: Wire) -> None:
    wire, video_id = trash_wire, trash_wire.create()
    assert not wire.send(video_id, "part 1/2", SOURCE[:3000]).is_complete
    wire.ask("DELETE", f"/videos/{video_id}")
    assert_problem(wire.send(video_id, "part 2/2", SOURCE[3000:]), "resource-not-found", name="videoId")
    wire.ask("PATCH", f"/discarded/videos/{video_id}", json_body={"discarded": False})
    assert wire.send(video_id, "part 2/2", SOURCE[3000:]).is_complete
    assert wire.source(video_id) == SOURCE


def test_a_poster_comes_back_too(trash_wire: Wire) -> None:
    wire, video_id = trash_wire, trash_wire.create()
    wire.upload_picture(video_id, png(4, 3))
    wire.ask("DELETE", f"/videos/{video_id}")
    wire.ask("PATCH", f"/discarded/videos/{video_id}", json_body={"discarded": False})
    assert wire.get(f"/vod/{video_id}/thumbnail.jpg", key=None).body == png(4, 3)


@pytest.mark.parametrize("value", [True, None, "false", 0, []])
def test_false_alone_is_allowed(trash_wire: Wire, value: Any) -> None:
    video_id = discarded(trash_wire)
    answer = trash_wire.ask("PATCH", f"/discarded/videos/{video_id}", json_body={"discarded": value})
    assert_problem(answer, "invalid-attribute", name="discarded")
    assert answer.json["detail"] == "Value must be false."
    assert trash_wire.get(f"/discarded/videos/{video_id}").status == 200
    answer = trash_wire.ask("PATCH", f"/discarded/videos/{video_id}", json_body={})
    assert_problem(answer, "attribute-required", name="discarded")


def test_the_list_takes_the_filters_of_videos(trash_wire: Wire) -> None:
    mine = [discarded(trash_wire, title=f"Filter {n}", tags=["filtered", f"n{n}"]) for n in range(3)]
    path = "/discarded/videos?tags=filtered"

    def found(query: str = "") -> list[str]:
        answer = trash_wire.get(f"{path}{query}")
        assert answer.status == 200
        assert answer.json["pagination"]["itemsTotal"] == len(answer.json["data"])
        return [video["videoId"] for video in answer.json["data"]]

    assert found() == mine[::-1]
    assert found("&sortBy=title&sortOrder=asc") == mine
    assert found("&tags[]=n1") == found("&title=filter+1") == [mine[1]]
    assert found("&metadata[a]=b") == found("&liveStreamId=li1") == []
    for query, name in (("pageSize=0", "pageSize"), ("sortBy=x", "sortBy"), ("sortOrder=up", "sortOrder")):
        answer = trash_wire.get(f"/discarded/videos?{query}")
        assert_problem(answer, "request-invalid-query-parameter", name=name)


def test_without_the_setting_deleting_is_final(wire: Wire) -> None:
    video_id = wire.create()
    assert wire.ask("DELETE", f"/videos/{video_id}").status == 204
    assert_problem(wire.get(f"/discarded/videos/{video_id}"), "resource-not-found", name="videoId")
    assert wire.get("/discarded/videos").json["data"] == []


def test_only_with_a_key(trash_wire: Wire) -> None:
    video_id = discarded(trash_wire)
    for method, path in (("GET", ""), ("GET", f"/{video_id}"), ("PATCH", f"/{video_id}")):
        answer = trash_wire.ask(method, f"/discarded/videos{path}", json_body={"discarded": False}, key=None)
        assert_problem(answer, "authentication-missing-authorization-header")


def test_what_stands_beside_it_goes_and_comes_back_too(trash_wire: Wire) -> None:
    """Captions, its tags in the list of all, its summary."""
    wire, mark = trash_wire, uuid4().hex
    video_id = wire.create(tags=[mark])
    vtt = b"WEBVTT\n"
    path, asset = f"/videos/{video_id}/captions/en", f"/vod/{video_id}/captions/en.vtt"
    assert wire.post_form(path, None, file_part(vtt)).status == 200
    summary = wire.ask("POST", "/summaries", json_body={"videoId": video_id}).json
    source = f"/summaries/{summary['summaryId']}/source"

    def seen() -> tuple[int, int, int, int, int]:
        return (
            wire.get(path).status,
            wire.get(asset, key=None).status,
            len(wire.get(f"/tags?value={mark}").json["data"]),
            len(wire.get(f"/summaries?videoId={video_id}").json["data"]),
            wire.ask("PATCH", source, json_body={"abstract": "x"}).status,
        )

    assert seen() == (200, 200, 1, 1, 201)
    assert wire.ask("DELETE", f"/videos/{video_id}").status == 204
    assert seen() == (404, 404, 0, 0, 404)
    assert wire.post_form(path, None, file_part(vtt)).status == 404
    assert wire.ask("DELETE", path).status == 404
    assert wire.ask("PATCH", f"/discarded/videos/{video_id}", json_body={"discarded": False}).status == 200
    assert seen() == (200, 200, 1, 1, 201)
