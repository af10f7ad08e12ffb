"""The page of the API's description: every operation, found by words and by address, with no other host asked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser


def test_every_operation_is_shown(visit: Visit) -> None:
    described = visit.ask("GET", "/-/openapi.json")
    count = sum(len(methods) for methods in described["paths"].values())
    visit.open("/-/docs")
    expect(visit.page.locator(".route")).to_have_count(count)
    expect(visit.page.locator(".shape")).to_have_count(len(described["components"]["schemas"]))
    headings = visit.page.locator(".group h2").all_inner_texts()
    assert headings == [tag["name"] for tag in described["tags"]]


def test_an_operation_says_what_it_takes_and_how_it_refuses(visit: Visit) -> None:
    visit.open("/-/docs#post-videos-videoId-source")
    route = visit.page.locator("#post-videos-videoId-source")
    expect(route.get_by_text("Needs an API key.")).to_be_visible()
    expect(route.get_by_text("Content-Range", exact=True)).to_be_visible()
    expect(route.get_by_text("multipart/form-data", exact=True)).to_be_visible()
    expect(route.get_by_text("video-source-already-uploaded")).to_be_visible()
    route.get_by_role("link", name="Video", exact=True).click()
    expect(visit.page.locator("#shape-Video")).to_be_in_viewport()


def test_words_find_a_route(visit: Visit) -> None:
    visit.open("/-/docs")
    visit.page.get_by_label("Find a route").fill("post CAPTIONS")
    expect(visit.page.locator(".route:visible")).to_have_count(1)
    expect(visit.page.locator("#found")).to_have_text("1 found")
    visit.page.get_by_label("Find a route").fill("nothing like it")
    expect(visit.page.locator("#found")).to_have_text("0 found")
    expect(visit.page.locator(".group:visible")).to_have_count(0)


def test_by_keyboard(visit: Visit) -> None:
    visit.open("/-/docs")
    visit.page.get_by_label("Find a route").fill("refresh")
    visit.page.keyboard.press("Tab")
    visit.page.keyboard.press("Enter")
    expect(visit.page.locator(".route[open]")).to_have_id(re.compile("auth-refresh"))
