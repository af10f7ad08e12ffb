"""Tags of all videos (contract.md 1.8)."""

from __future__ import annotations

from urllib.parse import quote
from uuid import uuid4

import pytest
from tests.protocol.problems import assert_problem, check_shape
from tests.protocol.wire import Wire


@pytest.fixture(scope="module")
def mark(wire: Wire) -> str:
    """A piece that these tags have, and no other."""
    mark = uuid4().hex
    cinema, Cinema, ecole, percent = (f"{name} {mark}" for name in ("cinéma", "CINEMA", "École ﬁ", "100%_\\"))
    for tags in ([cinema, ecole], [cinema, Cinema, cinema], [cinema, percent], [], ["another"]):
        wire.create(tags=tags)
    return mark


def listed(wire: Wire, mark: str, value: str = "", query: str = "") -> dict[str, int]:
    answer = wire.get(f"/tags?pageSize=100&value={quote(value)}{query}")
    assert answer.status == 200, answer
    assert all(set(tag) == {"value", "videoCount"} for tag in answer.json["data"])
    return {
        tag["value"].removesuffix(f" {mark}"): tag["videoCount"] for tag in answer.json["data"] if mark in tag["value"]
    }


def test_counts(wire: Wire, mark: str) -> None:
    expected = {"100%_\\": 1, "CINEMA": 1, "cinéma": 3, "École ﬁ": 1}
    found = listed(wire, mark, mark)
    assert found == expected
    assert wire.get(f"/tags?value={mark}").json["pagination"]["itemsTotal"] == 4


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("cinema", {"cinéma", "CINEMA"}),
        ("CINÉ", {"cinéma", "CINEMA"}),
        ("cine\u0301ma", {"cinéma", "CINEMA"}),
        ("ecole FI", {"École ﬁ"}),
        ("%", {"100%_\\"}),
        ("_", {"100%_\\"}),
        ("\\", {"100%_\\"}),
        ("nothing like it", set()),
    ],
)
def test_a_piece_without_case_and_accents(wire: Wire, mark: str, value: str, expected: set[str]) -> None:
    assert set(listed(wire, mark, value)) == expected


def test_order(wire: Wire, mark: str) -> None:
    values = list(listed(wire, mark, mark))
    assert list(listed(wire, mark, mark, "&sortBy=value&sortOrder=asc")) == values
    assert list(listed(wire, mark, mark, "&sortOrder=desc")) == values[::-1]
    assert next(iter(listed(wire, mark, mark, "&sortBy=videoCount&sortOrder=desc"))) == "cinéma"
    assert list(listed(wire, mark, mark, "&sortBy=videoCount"))[-1] == "cinéma"
    page = wire.get(f"/tags?value={mark}&pageSize=2&currentPage=2").json
    assert [tag["value"].removesuffix(f" {mark}") for tag in page["data"]] == values[2:]


def test_a_tag_goes_with_its_last_video(wire: Wire) -> None:
    mark = uuid4().hex
    one, other = (wire.create(tags=[f"tag {mark}"]) for _ in range(2))
    assert listed(wire, mark, mark) == {"tag": 2}
    wire.ask("PATCH", f"/videos/{one}", json_body={"tags": [f"Tág {mark}"]})
    assert listed(wire, mark, f"TAG {mark}") == {"tag": 1, "Tág": 1}
    for video_id in (one, other):
        wire.ask("DELETE", f"/videos/{video_id}")
    assert listed(wire, mark, mark) == {}


def test_queries(wire: Wire) -> None:
    for query, name in (
        ("sortBy=createdAt", "sortBy"),
        ("sortOrder=up", "sortOrder"),
        ("pageSize=0", "pageSize"),
        ("value=" + "x" * 1001, "value"),
    ):
        assert_problem(wire.get(f"/tags?{query}"), "request-invalid-query-parameter", name=name)
    for text in ("%00", "%ff%fe", "%ed%a0%80", "'%20OR%201=1--", "%", "%zz", "x" * 1000, "%0d%0a"):
        assert wire.get(f"/tags?value={text}").status == 200
    assert check_shape(wire.get("/tags", key=None))["status"] == 401
