"""The fetcher, against a real server on loopback: what it follows, and what it says when it must not or can not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from partway.errors import FetchBroken, FetchRefused
from partway.outbound.fetcher import HttpFetcher
from partway.testing.remote import Remote, running_remote

pytestmark = pytest.mark.anyio


@pytest.fixture
def remote() -> Iterator[Remote]:
    with running_remote(bytes(range(256)) * 40) as remote:
        yield remote


async def fetched(fetcher: HttpFetcher, url: str) -> bytes:
    async with fetcher.fetch(url, offset=0, validator=None) as answered:
        return b"".join([buffer async for buffer in answered.buffers])


async def test_what_it_is_given(remote: Remote) -> None:
    assert await fetched(HttpFetcher(allow_private=True), f"{remote.url}/film.mp4") == remote.body


async def test_a_public_address_can_not_send_it_to_a_private_one(
    monkeypatch: pytest.MonkeyPatch, remote: Remote
) -> None:
    """The first hop is taken for public, so that the second one is the question; its path is nobody's business."""
    monkeypatch.setattr("partway.outbound.guarded.is_public", lambda address: str(address) == "127.0.0.1")
    with running_remote() as first:
        first.location = f"{remote.url.replace('127.0.0.1', '127.0.0.2')}/sesame"
        with pytest.raises(FetchRefused, match=r"^127\.0\.0\.2 is not at a public address") as refused:
            await fetched(HttpFetcher(allow_private=False), f"{first.url}/film.mp4")
    assert "sesame" not in str(refused.value)
    assert (len(first.asked), remote.asked) == (1, [])


async def test_a_sender_that_stops_is_given_up(monkeypatch: pytest.MonkeyPatch, remote: Remote) -> None:
    """As broken, not as refused: the job goes on from there."""
    monkeypatch.setattr("partway.outbound.fetcher._TIMEOUT", 0.3)
    remote.holds_at = 1000
    try:
        with pytest.raises(FetchBroken, match="has stopped sending"):
            await fetched(HttpFetcher(allow_private=True), remote.url)
    finally:
        remote.gate.set()


@pytest.mark.parametrize("location", ["ftp://127.0.0.1/film", "gopher:", "//", "http://[::1"])
async def test_a_redirect_to_no_address(remote: Remote, location: str) -> None:
    remote.location = location
    with pytest.raises(FetchRefused):
        await fetched(HttpFetcher(allow_private=True), remote.url)


async def test_nobody_there(free_port: int) -> None:
    with pytest.raises(FetchBroken, match=r"^127\.0\.0\.1 can't be reached"):
        await fetched(HttpFetcher(allow_private=True), f"http://127.0.0.1:{free_port}/")
