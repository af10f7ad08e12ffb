"""Summaries (contract.md 1.9)."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from tests.protocol.problems import assert_problem, check_shape
from tests.protocol.wire import Answer, Wire

TEXT = {"abstract": "A film about a bear.", "takeaways": ["Bears", "are", "large"]}


def create(wire: Wire, video_id: object, **fields: object) -> Answer:
    return wire.ask("POST", "/summaries", json_body={"videoId": video_id, **fields})


def made(wire: Wire, **fields: object) -> tuple[str, dict[str, Any]]:
    """A new video and its new summary."""
    video_id = wire.create()
    answer = create(wire, video_id, **fields)
    assert answer.status == 201, answer
    return video_id, dict(answer.json)


def write(wire: Wire, summary_id: str, text: object) -> Answer:
    return wire.ask("PATCH", f"/summaries/{summary_id}/source", json_body=text)


def listed(wire: Wire, query: str) -> list[Any]:
    answer = wire.get(f"/summaries?pageSize=100&{query}")
    assert answer.status == 200, answer
    return list(answer.json["data"])


def test_written_by_hand(wire: Wire) -> None:
    video_id, summary = made(wire, attributes=["abstract", "takeaways"])
    summary_id = summary["summaryId"]
    assert re.fullmatch("summary_[A-Za-z0-9]{22}", summary_id)
    assert (summary["videoId"], summary["origin"], summary["sourceStatus"]) == (video_id, "api", "missing")
    assert set(summary) == {"summaryId", "createdAt", "updatedAt", "videoId", "origin", "sourceStatus"}
    path = f"/summaries/{summary_id}/source"
    assert_problem(wire.get(path), "resource-not-found", name="summaryId")
    written = write(wire, summary_id, TEXT)
    assert (written.status, written.json) == (201, TEXT)
    assert wire.get(path).json == TEXT
    assert listed(wire, f"videoId={video_id}")[0]["sourceStatus"] == "completed"
    assert write(wire, summary_id, {"takeaways": []}).json == {**TEXT, "takeaways": []}, "what is absent stays"
    assert write(wire, summary_id, {"takeaways": None}).json == {"abstract": TEXT["abstract"]}
    assert write(wire, summary_id, {}).json == {"abstract": TEXT["abstract"]}
    assert write(wire, summary_id, {"abstract": None}).json == {}
    assert listed(wire, f"videoId={video_id}")[0]["sourceStatus"] == "missing"


def test_asked_of_a_model(wire: Wire) -> None:
    video_id, summary = made(wire, origin="auto")
    assert (summary["origin"], summary["sourceStatus"]) == ("auto", "unprocessable")
    assert_problem(wire.get(f"/summaries/{summary['summaryId']}/source"), "resource-not-found", name="summaryId")
    assert_problem(write(wire, summary["summaryId"], TEXT), "summary-already-exists", name="videoId")
    assert listed(wire, f"videoId={video_id}") == [summary]


def test_one_a_video(wire: Wire) -> None:
    video_id, summary = made(wire)
    for origin in ({}, {"origin": "auto"}):
        assert_problem(create(wire, video_id, **origin), "summary-already-exists", name="videoId", detail="Delete it")
    path = f"/summaries/{summary['summaryId']}"
    deleted = wire.ask("DELETE", path)
    assert (deleted.status, deleted.body) == (204, b"")
    assert_problem(wire.ask("DELETE", path), "resource-not-found", name="summaryId")
    assert_problem(write(wire, summary["summaryId"], TEXT), "resource-not-found", name="summaryId")
    assert create(wire, video_id, origin="auto").status == 201


def test_asked_twice_made_once(wire: Wire) -> None:
    body, headers = {"videoId": wire.create()}, [("Idempotency-Key", uuid4().hex)]
    first, second = (wire.ask("POST", "/summaries", json_body=body, headers=headers) for _ in range(2))
    assert (first.status, second.status, first.json) == (201, 201, second.json)


def test_lists(wire: Wire) -> None:
    (one, first), (two, second), (three, third) = (made(wire, **fields) for fields in ({}, {"origin": "auto"}, {}))
    write(wire, first["summaryId"], TEXT)
    mine = {one, two, three}

    def found(query: str) -> list[str]:
        return [summary["videoId"] for summary in listed(wire, query) if summary["videoId"] in mine]

    assert found("") == [three, two, one], "newest first"
    assert found("origin=auto") == [two]
    assert found("origin=api") == [three, one]
    assert found("sourceStatus=missing") == [three]
    assert found("sourceStatus=completed") == [one]
    assert found("sourceStatus=unprocessable&origin=auto") == [two]
    assert found("sourceStatus=waiting") == found("sourceStatus=failed") == found("videoId=viX") == []
    assert found(f"videoId={two}") == [two]
    assert found("sortBy=createdAt&sortOrder=asc") == [one, two, three]
    assert found("sortBy=updatedAt&sortOrder=desc") == [one, three, two]
    assert found("sortBy=videoId") == sorted(mine)
    assert second in listed(wire, "origin=auto")
    assert third in listed(wire, "")
    wire.ask("DELETE", f"/videos/{three}")
    assert found("") == [two, one], "a summary goes with its video"
    for name in ("origin", "sourceStatus", "sortBy", "sortOrder", "pageSize"):
        assert_problem(wire.get(f"/summaries?{name}=x"), "request-invalid-query-parameter", name=name)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        *[({"origin": origin}, "origin") for origin in ("api", "x", 1)],
        *[({"attributes": value}, "attributes") for value in ("abstract", ["abstract"] * 11)],
        ({"attributes": ["x"]}, "attributes[0]"),
        ({"videoId": 1}, "videoId"),
    ],
)
def test_invalid_creations(wire: Wire, fields: dict[str, object], name: str) -> None:
    video_id = wire.create()
    answer = wire.ask("POST", "/summaries", json_body={"videoId": video_id, **fields})
    assert_problem(answer, "invalid-attribute", name=name)
    assert listed(wire, f"videoId={video_id}") == []


def test_of_no_video(wire: Wire) -> None:
    assert_problem(wire.ask("POST", "/summaries", json_body={}), "attribute-required", name="videoId")
    assert_problem(wire.ask("POST", "/summaries", body=b""), "invalid-payload")
    assert_problem(create(wire, "viX"), "resource-not-found", name="videoId")


@pytest.mark.parametrize(
    "text",
    [
        *[{"abstract": value} for value in (1, [], "\0")],
        *[{"takeaways": value} for value in ("x", ["x"] * 4, [1], ["\ud800"])],
    ],
)
def test_invalid_texts(wire: Wire, text: dict[str, object]) -> None:
    _, summary = made(wire)
    write(wire, summary["summaryId"], TEXT)
    answer = write(wire, summary["summaryId"], text)
    assert_problem(answer, "invalid-attribute")
    assert answer.json["name"].startswith(next(iter(text)))
    assert wire.get(f"/summaries/{summary['summaryId']}/source").json == TEXT


def test_strangers(wire: Wire) -> None:
    for method, path in (("GET", ""), ("POST", ""), ("DELETE", "/x"), ("GET", "/x/source"), ("PATCH", "/x/source")):
        assert check_shape(wire.ask(method, f"/summaries{path}", key=None))["status"] == 401
