"""Forwarded headers: whose word counts, and which of several words."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from partway.api.forwarded import Forwarded, Hop, hops_of

pytestmark = pytest.mark.anyio

TRUSTED = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]
CLIENT = "203.0.113.9"


async def seen(peer: str, *headers: tuple[str, str]) -> tuple[str, str, str]:
    """Client, scheme and Host as the app sees them."""
    scopes: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scopes.append(scope)

    async def receive() -> Message:
        raise AssertionError

    async def send(_: Message) -> None:
        raise AssertionError

    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in (("Host", "inner:8080"), *headers)]
    scope = {"type": "http", "client": (peer, 4711), "scheme": "http", "headers": raw, "path": "/"}
    await Forwarded(app, TRUSTED)(scope, receive, send)
    (found,) = scopes
    return found["client"][0], found["scheme"], Headers(scope=found)["host"]


def forwarded(client: str, proto: str = "https", host: str = "videos.example.com") -> list[tuple[str, str]]:
    return [("X-Forwarded-For", client), ("X-Forwarded-Proto", proto), ("X-Forwarded-Host", host)]


async def test_a_stranger_is_not_believed() -> None:
    assert await seen(CLIENT, *forwarded("198.51.100.1")) == (CLIENT, "http", "inner:8080")
    assert await seen(CLIENT, ("Forwarded", "for=198.51.100.1;proto=https")) == (CLIENT, "http", "inner:8080")


@pytest.mark.parametrize("peer", ["10.0.0.1", "::ffff:10.0.0.1", "fd00::1"])
async def test_a_trusted_proxy_is(peer: str) -> None:
    assert await seen(peer, *forwarded(CLIENT)) == (CLIENT, "https", "videos.example.com")
    said = ("Forwarded", f'for="{CLIENT}:4711";proto=https;host="videos.example.com:8443"')
    assert await seen(peer, said) == (CLIENT, "https", "videos.example.com:8443")


async def test_what_the_client_wrote_itself_stays_at_the_left() -> None:
    """It said that it were somebody else; the proxies appended what they saw."""
    chain = forwarded(f"127.0.0.1, {CLIENT}, 10.0.0.2", "ftp, https, http", "evil, videos.example.com, inner")
    assert await seen("10.0.0.1", *chain) == (CLIENT, "https", "videos.example.com")
    said = ("Forwarded", f"for=127.0.0.1;proto=http, for={CLIENT};proto=https;host=v.example, for=10.0.0.2;proto=http")
    assert await seen("10.0.0.1", said) == (CLIENT, "https", "v.example")


async def test_a_proxy_that_replaces_what_others_said() -> None:
    """One scheme for a chain of clients: the nearest proxy has set it."""
    assert await seen("10.0.0.1", *forwarded(f"127.0.0.1, {CLIENT}", "https", "v.example")) == (
        CLIENT,
        "https",
        "v.example",
    )


async def test_nothing_said_changes_nothing() -> None:
    assert await seen("10.0.0.1") == ("10.0.0.1", "http", "inner:8080")


async def test_nonsense_is_not_taken_over() -> None:
    answer = await seen("10.0.0.1", *forwarded("unknown", "javascript", "a b\x00<script>"))
    assert answer == ("10.0.0.1", "http", "inner:8080")


async def test_one_kind_of_header_is_enough() -> None:
    """With X-Forwarded-* there, Forwarded may be the client's own word that the proxy has passed on."""
    headers = [*forwarded(CLIENT), ("Forwarded", "for=192.0.2.1;host=evil.example;proto=http")]
    assert await seen("10.0.0.1", *headers) == (CLIENT, "https", "videos.example.com")


def test_quoted_text_hides_no_comma() -> None:
    headers = Headers({"forwarded": 'for="[2001:db8::17]:47011";host="a,for=1.2.3.4", for=192.0.2.43'})
    assert hops_of(headers) == [Hop("[2001:db8::17]:47011", "", "a,for=1.2.3.4"), Hop("192.0.2.43")]
    assert hops_of(Headers({"forwarded": 'for=1.2.3.4;host="unclosed, for=5.6.7.8'})) == []


@given(st.text(st.characters(max_codepoint=255), max_size=200), st.text(st.characters(max_codepoint=255), max_size=200))
def test_any_text_gives_hops(one: str, other: str) -> None:
    names = ("forwarded", "x-forwarded-for", "x-forwarded-host")
    for name in names:
        for hop in hops_of(Headers({name: one, "x-forwarded-proto": other})):
            assert isinstance(hop, Hop)
        hops_of(Headers({"forwarded": one + other}))
