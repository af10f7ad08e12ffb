"""Languages: what is a tag, and what a language calls itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partway.api.schemas.base import Language
from partway.errors import InvalidAttribute
from partway.services.languages import check_language, language_name


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("en", "English"),
        ("FR", "Français"),
        ("pt-BR", "Português (BR)"),
        ("zh-Hant-TW", "中文 (Hant-TW)"),
        ("ar", "العربية"),
        ("fil", "Filipino"),
        ("xx", "xx"),
        ("tlh-KX", "tlh-KX"),
    ],
)
def test_names(tag: str, name: str) -> None:
    assert check_language(tag) == tag
    assert language_name(tag) == name


@pytest.mark.parametrize("tag", Language.__args__)  # type: ignore[attr-defined]
def test_every_language_of_a_video_has_a_name(tag: str) -> None:
    assert language_name(tag) != tag


@given(st.text())
def test_any_text(tag: str) -> None:
    try:
        assert check_language(tag) == tag
    except InvalidAttribute as error:
        assert error.name == "language"  # noqa: PT017
        return
    assert tag.isascii()
    assert 2 <= len(tag) <= 35
    assert language_name(tag)
