"""Live streams: there are none, said so that no client breaks (contract.md 1.12)."""

from __future__ import annotations

import pytest
from tests.protocol.problems import assert_problem, check_shape
from tests.protocol.wire import Wire, file_part

from partway.testing.images import png

RESTREAM = {"name": "elsewhere", "serverUrl": "rtmp://example.org", "streamKey": "x"}


def test_an_empty_list(wire: Wire) -> None:
    for query in ("", "?name=x&streamKey=y&sortBy=name&sortOrder=asc", "?currentPage=3&pageSize=7"):
        answer = wire.get(f"/live-streams{query}")
        assert answer.status == 200
        assert answer.json["data"] == []
        assert answer.json["pagination"]["itemsTotal"] == 0
        assert answer.json["pagination"]["links"]
    assert_problem(wire.get("/live-streams?pageSize=0"), "request-invalid-query-parameter", name="pageSize")
    assert_problem(wire.get("/live-streams?sortBy=x"), "request-invalid-query-parameter", name="sortBy")


def test_none_is_made(wire: Wire) -> None:
    for body in ({"name": "x"}, {"name": "x", "public": True, "playerId": "pl1", "restreams": [RESTREAM] * 5}):
        problem = check_shape(wire.ask("POST", "/live-streams", json_body=body))
        assert (problem["status"], problem["title"]) == (400, "This server has no live streams.")
        assert problem["type"].endswith("/live-streams-unavailable")
    assert_problem(wire.ask("POST", "/live-streams", json_body={}), "attribute-required", name="name")
    six = wire.ask("POST", "/live-streams", json_body={"name": "x", "restreams": [RESTREAM] * 6})
    assert_problem(six, "invalid-attribute", name="restreams")
    assert_problem(wire.ask("POST", "/live-streams", body=b"x"), "invalid-payload")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/thumbnail"),
        ("DELETE", "/thumbnail"),
        ("PUT", "/complete"),
    ],
)
def test_none_is_found(wire: Wire, method: str, path: str) -> None:
    path = f"/live-streams/li400mYKSgQ6xs7taUeSaEKr{path}"
    for body in (None, {"name": "x"}):
        assert_problem(wire.ask(method, path, json_body=body), "resource-not-found", name="liveStreamId")
    assert check_shape(wire.ask(method, path, key=None))["status"] == 401


def test_a_thumbnail_of_none(wire: Wire) -> None:
    answer = wire.post_form("/live-streams/liX/thumbnail", None, file_part(png(100, 100)))
    assert_problem(answer, "resource-not-found", name="liveStreamId")
