"""What is taken from a request's headers and body: any of it gives a value or a refusal."""

from __future__ import annotations

import base64
import json
import re
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.requests import Request

from partway.api.caller import authenticate, base_url, idempotency_key, read_json
from partway.api.lists import envelope, ordering, paging, video_filter
from partway.errors import InvalidAttribute, InvalidPayload, InvalidQueryParameter, Unauthorized

HEADERS = st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=60)


def request(query: str = "", body: bytes = b"", **headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/videos",
        "query_string": query.encode(),
        "headers": raw,
        "scheme": "http",
        "server": ("127.0.0.1", 8080),
    }
    return Request(scope, receive)


class Everybody:
    """An access that knows everybody, and tells under which name."""

    async def by_api_key(self, api_key: str) -> str:
        return f"key {api_key}"

    async def by_access_token(self, token: str) -> str:
        return f"token {token}"


async def who(header: str) -> str:
    return await authenticate(request(authorization=header), Everybody())  # type: ignore[arg-type]


def run(coroutine: Any) -> Any:
    """Run a coroutine that never has to wait."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("it waits for something")


@given(HEADERS)
@example("Basic " + base64.b64encode(b"\xff\xff:").decode())
@example("Basic =")
@example("Bearer ")
def test_any_authorization(header: str) -> None:
    with suppress(Unauthorized):
        assert run(who(header)).startswith(("key ", "token "))


@given(st.text(st.characters(codec="utf-8", exclude_characters=":"), max_size=30), st.text(max_size=10))
def test_the_user_name_is_the_key(key: str, password: str) -> None:
    assert run(who("Basic " + base64.b64encode(f"{key}:{password}".encode()).decode())) == f"key {key}"


@given(HEADERS)
@example("films.example.org:8443")
@example("[::1]:8080")
@example("evil/..")
def test_any_host(host: str) -> None:
    assert re.fullmatch(r"http://[A-Za-z0-9.\-_\[\]:]+", base_url(request(host=host), ""))
    assert base_url(request(host=host), "https://films.example.org/x") == "https://films.example.org/x"


@given(
    st.binary(max_size=60)
    | st.recursive(st.none() | st.text(), st.lists, max_leaves=4).map(lambda one: json.dumps(one).encode())
)
@example(b"{}")
@example(b"\xef\xbb\xbf{}")
@example(b"[" * 10_000)
@example(b"1" * 10_000)
def test_any_body(body: bytes) -> None:
    with suppress(InvalidPayload):
        assert isinstance(run(read_json(request(body=body))), dict)
    if not body.strip():
        assert run(read_json(request(body=body), may_be_missing=True)) == {}


def test_long_bodies() -> None:
    fits = json.dumps({"x": "y" * 2**20}).encode()[: 2**20 - 2] + b'"}'
    assert len(run(read_json(request(body=fits)))["x"]) > 10**6
    with pytest.raises(InvalidPayload):
        run(read_json(request(body=fits[:-2] + b'y"}')))


def test_idempotency_keys() -> None:
    assert idempotency_key(request()) is None
    assert idempotency_key(request(idempotency_key="  ")) is None
    assert idempotency_key(request(idempotency_key=" k ")) == "k"
    with pytest.raises(InvalidAttribute):
        idempotency_key(request(idempotency_key="k" * 256))


PAGING = ["currentPage", "pageSize", "sortBy", "sortOrder"]
PARAMETERS = [*PAGING, "tags", "tags[]", "tags[1]", "metadata[a]", "metadata[", "title"]
VALUES = ["1", "0", "100", "25", "title", "asc", "DESC", "", "x", "%00", "%ff", "9999999999"]
PAIRS = st.lists(st.tuples(st.sampled_from(PARAMETERS), st.sampled_from(VALUES)), max_size=6)
QUERIES = PAIRS.map(lambda pairs: "&".join(map("=".join, pairs))) | st.text("abc=&%[]+;", max_size=30)


@given(QUERIES)
def test_any_query(query: str) -> None:
    asked = request(query)
    with suppress(InvalidQueryParameter):
        page, size = paging(asked)
        assert 1 <= page < 2**31
        assert 1 <= size <= 100
        assert ordering(asked, ("title", "createdAt")).key in (None, "title", "createdAt")
    assert all(video_filter(asked).tags)


@given(st.integers(0, 500), st.integers(1, 30), st.integers(1, 100))
def test_envelope(total: int, page: int, size: int) -> None:
    items = range((page - 1) * size, min(page * size, total))
    found = envelope(request("tags[]=a"), ({"n": at} for at in items), total=total, page=page, size=size)["pagination"]
    assert found["currentPageItems"] == len(items)
    assert (found["pagesTotal"] - 1) * size < max(total, 1) <= found["pagesTotal"] * size
    links = {link["rel"]: link["uri"] for link in found["links"]}
    assert ("next" in links) == (page < found["pagesTotal"])
    assert ("previous" in links) == (page > 1)
    assert f"currentPage={found['pagesTotal']}&" in links["last"]
    assert all(uri.startswith("/videos?tags%5B%5D=a&") for uri in links.values())
