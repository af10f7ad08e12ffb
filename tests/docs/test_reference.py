"""The reference pages are the code's: complete, and up to date."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"


def load_generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("partway_docs_generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


generate = load_generator()


@pytest.mark.parametrize("name", generate.PAGES)
def test_page_is_what_the_code_says(name: str) -> None:
    page = REFERENCE / name
    assert page.is_file(), f"run `make docs` and commit {page}"
    assert page.read_text(encoding="utf-8") == generate.PAGES[name](), f"{name} is out of date: run `make docs`"


def test_no_written_page_is_left_over() -> None:
    written = {path.name for path in REFERENCE.glob("*.md") if generate.MARK in path.read_text(encoding="utf-8")}
    assert written == set(generate.PAGES)


@pytest.mark.parametrize("name", generate.PAGES)
def test_nothing_is_left_unsaid(name: str) -> None:
    unsaid = [line for line in generate.PAGES[name]().splitlines() if generate.UNSAID in line]
    assert unsaid == []
