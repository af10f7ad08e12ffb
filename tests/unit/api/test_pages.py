"""The player page holds what it was given, and nothing that a title says is taken for more than text."""

from __future__ import annotations

import html
import json
import re

import pytest

from partway.api.pages import Pages


@pytest.mark.parametrize(
    "title", ["Holiday", "{{config}}", "{{title}}", "</title><script>alert(1)</script>", '"&\\1\\g<0>']
)
def test_a_title_is_text(title):
    page = bytes(Pages().player(title, {"title": title, "playable": True}).body).decode()
    assert "<script>alert" not in page
    found = re.search(r"<title>(.*?)</title>", page)
    assert found is not None
    assert title in html.unescape(found[1])
    assert json.dumps(title) in html.unescape(page)
