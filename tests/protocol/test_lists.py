"""Lists: envelope, links, filters, order, and that they know what was just written (contract.md 4.4)."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, quote, urlsplit
from uuid import uuid4

import pytest
from tests.protocol.problems import assert_problem
from tests.protocol.wire import Wire


@pytest.fixture(scope="module")
def mark(wire: Wire) -> str:
    """A tag that five videos have, in the order in which they were made."""
    mark = uuid4().hex
    for at, (title, tags, author) in enumerate(
        [
            ("Alpha one", ["a"], "Ann"),
            ("beta TWO", ["a", "b"], "Ann"),
            ("gamma_3%", ["b"], "Bob"),
            ("Ärger \\ four", ["a", "b", "two words"], "Bob"),
            ("alpha five", [], "Ann"),
        ]
    ):
        pairs = [
            {"key": "author", "value": author},
            {"key": "n[o]", "value": str(at)},
            {"key": "Größe", "value": "x y"},
        ]
        wire.create(title, tags=[mark, *tags], metadata=pairs, description=f"Description {at} of {mark}")
    return mark


def listed(wire: Wire, query: str) -> list[str]:
    answer = wire.get(f"/videos?pageSize=100&{query}")
    assert answer.status == 200, answer
    return [video["title"] for video in answer.json["data"]]


ALL = ["alpha five", "Ärger \\ four", "gamma_3%", "beta TWO", "Alpha one"]


def test_newest_first(wire: Wire, mark: str) -> None:
    assert listed(wire, f"tags={mark}") == ALL


def test_read_your_writes(wire: Wire) -> None:
    for _ in range(5):
        video_id = wire.create(title := uuid4().hex)
        assert [video["videoId"] for video in wire.get(f"/videos?title={title}").json["data"]] == [video_id]
        wire.ask("DELETE", f"/videos/{video_id}")
        assert wire.get(f"/videos?title={title}").json["data"] == []


def test_items_are_videos(wire: Wire, mark: str) -> None:
    for video in wire.get(f"/videos?tags={mark}").json["data"]:
        assert video == wire.get(f"/videos/{video['videoId']}").json


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("title=alpha", ["alpha five", "Alpha one"]),
        ("title=ALPHA", ["alpha five", "Alpha one"]),
        ("title=ha%20o", ["Alpha one"]),
        ("title=%C3%A4RGER", ["Ärger \\ four"]),
        ("title=%25", ["gamma_3%"]),
        ("title=_", ["gamma_3%"]),
        ("title=%5C", ["Ärger \\ four"]),
        ("title=", ALL),
        ("title=nothing-like-it", []),
        ("description=description%203", ["Ärger \\ four"]),
        ("description=OF", ALL),
        ("title=alpha&description=tion%204", ["alpha five"]),
        ("tags[]=a", ["Ärger \\ four", "beta TWO", "Alpha one"]),
        ("tags[]=a&tags[]=b", ["Ärger \\ four", "beta TWO"]),
        ("tags%5B%5D=a&tags%5B%5D=b", ["Ärger \\ four", "beta TWO"]),
        ("tags[0]=a&tags[1]=b", ["Ärger \\ four", "beta TWO"]),
        ("tags%5B0%5D=a&tags=b", ["Ärger \\ four", "beta TWO"]),
        ("tags=two%20words", ["Ärger \\ four"]),
        ("tags=two+words", ["Ärger \\ four"]),
        ("tags=A", []),
        ("tags[]=a&tags[]=nobody", []),
        ("tags[]=", ALL),
        ("metadata[author]=Bob", ["Ärger \\ four", "gamma_3%"]),
        ("metadata%5Bauthor%5D=Ann&metadata%5Bn%5Bo%5D%5D=1", ["beta TWO"]),
        ("metadata[author]=bob", []),
        ("metadata[Gr%C3%B6%C3%9Fe]=x+y&tags[]=a", ["Ärger \\ four", "beta TWO", "Alpha one"]),
        ("metadata[nobody]=x", []),
        ("metadata[author]=Ann&metadata[author]=Bob", []),
        ("liveStreamId=li1", []),
        ("unknown=x&AV=1", ALL),
    ],
)
def test_filters(wire: Wire, mark: str, query: str, expected: list[str]) -> None:
    assert listed(wire, f"tags[]={mark}&{query}") == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("sortBy=createdAt&sortOrder=asc", ALL[::-1]),
        ("sortBy=createdAt&sortOrder=desc", ALL),
        ("sortBy=createdAt", ALL[::-1]),
        ("sortBy=publishedAt&sortOrder=desc", ALL),
        ("sortBy=updatedAt&sortOrder=asc", ALL[::-1]),
        ("sortOrder=asc", ALL[::-1]),
        ("sortOrder=desc", ALL),
        ("sortBy=title&sortOrder=DESC", sorted(ALL, reverse=True)),
        ("sortBy=title", sorted(ALL)),
    ],
)
def test_order(wire: Wire, mark: str, query: str, expected: list[str]) -> None:
    assert listed(wire, f"tags={mark}&{query}") == expected


def page(wire: Wire, query: str) -> Any:
    answer = wire.get(f"/videos?{query}")
    assert answer.status == 200, answer
    assert set(answer.json) == {"data", "pagination"}
    return answer.json


def test_envelope(wire: Wire, mark: str) -> None:
    seen: list[str] = []
    for number, count in ((1, 2), (2, 2), (3, 1), (4, 0)):
        found = page(wire, f"tags={mark}&currentPage={number}&pageSize=2")
        links = found["pagination"].pop("links")
        assert found["pagination"] == {
            "currentPage": number,
            "pageSize": 2,
            "pagesTotal": 3,
            "itemsTotal": 5,
            "currentPageItems": count,
        }
        assert len(found["data"]) == count
        seen += [video["title"] for video in found["data"]]
        rels = {"self", "first", "last"} | ({"previous"} if number > 1 else set()) | ({"next"} if number < 3 else set())
        assert {link["rel"] for link in links} == rels
        assert all(set(link) == {"rel", "uri"} for link in links)
    assert seen == ALL


def test_defaults(wire: Wire) -> None:
    found = page(wire, "")["pagination"]
    assert (found["currentPage"], found["pageSize"]) == (1, 25)


def test_links_lead_on(wire: Wire, mark: str) -> None:
    """They keep every filter, whatever is in it."""
    query = f"tags[]={mark}&metadata[Gr%C3%B6%C3%9Fe]=x%20y&sortBy=title&sortOrder=asc&pageSize=2"
    uri, seen = f"/videos?{query}", []
    while uri:
        found = wire.get(uri).json
        links = {link["rel"]: link["uri"] for link in found["pagination"]["links"]}
        assert wire.get(links["self"]).json == found
        assert parse_qs(urlsplit(links["last"]).query)["currentPage"] == ["3"]
        seen += [video["title"] for video in found["data"]]
        uri = links.get("next", "")
    assert seen == sorted(ALL)
    back = wire.get(links["previous"]).json
    assert [video["title"] for video in back["data"]] == sorted(ALL)[2:4]


def test_an_empty_list(wire: Wire) -> None:
    found = page(wire, f"tags={uuid4().hex}")
    assert found["data"] == []
    assert (found["pagination"]["itemsTotal"], found["pagination"]["currentPageItems"]) == (0, 0)
    assert {link["rel"] for link in found["pagination"]["links"]} == {"self", "first", "last"}


@pytest.mark.parametrize("value", ["0", "-1", "101", "1.5", "x", "", "1e1", "٣", " 1", "9" * 40, "1%00"])
def test_page_size_out_of_range(wire: Wire, value: str) -> None:
    answer = wire.get(f"/videos?pageSize={quote(value, safe='%')}")
    assert_problem(answer, "request-invalid-query-parameter", name="pageSize")
    assert answer.json["range"] == {"min": 1, "max": 100}


@pytest.mark.parametrize("value", ["0", "-1", "x", "", "9" * 40])
def test_page_out_of_range(wire: Wire, value: str) -> None:
    answer = wire.get(f"/videos?currentPage={value}")
    assert_problem(answer, "request-invalid-query-parameter", name="currentPage")
    assert answer.json["range"]["min"] == 1


def test_far_beyond_the_end(wire: Wire) -> None:
    assert page(wire, "currentPage=2147483647&pageSize=100")["data"] == []


@pytest.mark.parametrize(
    ("query", "name"), [("sortBy=name", "sortBy"), ("sortBy=", "sortBy"), ("sortOrder=up", "sortOrder")]
)
def test_unknown_order(wire: Wire, query: str, name: str) -> None:
    assert_problem(wire.get(f"/videos?{query}"), "request-invalid-query-parameter", name=name)


def test_strange_filters(wire: Wire) -> None:
    """Whatever stands in a filter, it is a text to be found or not."""
    for text in ("%00", "%ff%fe", "%ed%a0%80", "'%20OR%201=1--", "%", "%zz", "x" * 5000, "%0d%0a"):
        for name in ("title", "description", "tags[]", "metadata[x]", f"metadata[{text}]", text):
            assert wire.get(f"/videos?{name}={text}").status == 200, (name, text)


@pytest.mark.parametrize(("name", "form"), [("tags", "tags[]=x{}"), ("metadata", "metadata[k{}]=v")])
def test_many_filters(wire: Wire, name: str, form: str) -> None:
    assert wire.get("/videos?" + "&".join(form.format(at) for at in range(20))).status == 200
    answer = wire.get("/videos?" + "&".join(form.format(at) for at in range(1500)))
    assert_problem(answer, "request-invalid-query-parameter", name=name)
