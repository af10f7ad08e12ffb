"""A private video in a real browser: it plays for its viewer, and its addresses are of no use to anybody else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, expect
from tests.browser.playing import VIDEO, state_of, tracks_of, wait_until

from partway.testing.server import RunningServer, running_server

if TYPE_CHECKING:
    from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser

GRACE = 3


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Where a used address is good for some seconds more."""
    environment = {"PARTWAY_PRIVATE_TOKEN_GRACE": str(GRACE)}
    with running_server(tmp_path_factory.mktemp("private") / "data", environment) as server:
        yield server


@pytest.fixture
def video_id(visit: Visit, clip: Path) -> str:
    video_id = visit.put(clip, "For you alone", public=False)
    visit.post_form(f"/videos/{video_id}/captions/en", b"WEBVTT\n\n00:00.000 --> 01:00.000\nPsst\n", "en.vtt")
    return video_id


def address(visit: Visit, video_id: str) -> str:
    """A new player address, from the server's root."""
    parts = urlsplit(visit.ask("GET", f"/videos/{video_id}")["assets"]["player"])
    return f"{parts.path}?{parts.query}"


def test_it_plays_and_nobody_else_can_use_its_address(visit: Visit, video_id: str, browser: Browser) -> None:
    path = address(visit, video_id)
    visit.open(f"{path}#autoplay;show-subtitles")
    state = wait_until(visit, currentTime=2)
    assert state["complaints"] == []
    assert ("captions", "English", "showing", 1) in tracks_of(visit)
    asked = [one.url for one in visit.requests if f"/vod/{video_id}/" in one.url]
    assert len(asked) > 5
    assert all("avh=" in url for url in asked)

    with browser.new_context() as elsewhere:
        visit.until(lambda: status_of(elsewhere, path, visit) == 404)
        for url in {url.partition("?")[0] for url in asked}:
            assert elsewhere.request.get(url).status == 404, url
            assert elsewhere.request.get(url.replace(video_id, f"{video_id}/token/{path[-48:]}")).status == 404, url
    # Here it goes on, and another place of the video is fetched.
    visit.page.evaluate(f"() => {{ {VIDEO}.currentTime = 50; }}")
    wait_until(visit, currentTime=50.5)
    assert state_of(visit)["complaints"] == []


def status_of(context: BrowserContext, path: str, visit: Visit) -> int:
    return context.request.get(visit.server.url + path).status


def test_a_page_elsewhere_may_frame_it(visit: Visit, video_id: str) -> None:
    """On another origin; a token is made for it as for anybody."""
    path = address(visit, video_id)
    page = visit.page.context.new_page()
    page.goto(f"http://localhost:{visit.server.port}/healthz")
    page.set_content(f'<iframe src="{visit.server.url}{path}#autoplay" width="640" height="360"></iframe>')
    inside = page.frame_locator("iframe")
    expect(inside.get_by_role("heading", name="For you alone")).to_be_visible()
    visit.until(lambda: page.frames[1].evaluate(f"() => ({VIDEO}?.currentTime ?? 0) > 1"))


def test_another_wish_does_not_cost_the_viewer_the_video(visit: Visit, video_id: str, browser: Browser) -> None:
    """The address with its token is used up; the page knows another one."""
    path = address(visit, video_id)
    visit.open(f"{path}#autoplay")
    wait_until(visit, currentTime=0.5)
    with browser.new_context() as elsewhere:
        visit.until(lambda: status_of(elsewhere, path, visit) == 404)
    visit.page.evaluate("() => { location.hash = 'autoplay;t=30'; }")
    visit.page.wait_for_url(lambda url: "avh=" in url)
    wait_until(visit, currentTime=30.5)


def test_a_waiting_viewer_sees_it_come(visit: Visit, clip: Path) -> None:
    video_id = visit.create("On its way to you", public=False)
    visit.open(address(visit, video_id) + "#autoplay")
    expect(visit.page.locator("#cover")).to_contain_text("Nothing has arrived yet")
    visit.send(video_id, clip.read_bytes())
    assert wait_until(visit, currentTime=1)["complaints"] == []


def test_making_it_public_and_private_again_ends_it(visit: Visit, video_id: str) -> None:
    visit.open(address(visit, video_id))
    wait_until(visit, duration=50)
    for public in (True, False):
        visit.ask_json("PATCH", f"/videos/{video_id}", public=public)
    visit.page.evaluate(f"() => {{ {VIDEO}.currentTime = 50; {VIDEO}.play().catch(() => {{}}); }}")
    expect(visit.page.get_by_text("This video is not here")).to_be_visible(timeout=60_000)


def test_the_list_opens_private_videos_again_and_again(visit: Visit, video_id: str) -> None:
    visit.enter()
    link = visit.page.get_by_role("link", name="For you alone").first
    opened = set()
    for _ in range(2):
        address = link.get_attribute("href")
        assert address is not None
        assert address not in opened
        opened.add(address)
        with visit.page.context.expect_page() as popup:
            link.click(modifiers=["Control"])
        expect(popup.value.get_by_role("heading", name="For you alone")).to_be_visible()
        popup.value.close()
        visit.page.bring_to_front()
        visit.page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
        expect(link).not_to_have_attribute("href", address)
