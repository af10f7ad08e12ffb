"""The pure middle imports nothing impure: what import-linter's lists of names can't say."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

SOURCES = Path(__file__).resolve().parents[2] / "src" / "partway"


def imported_by(folder: str) -> set[str]:
    """Top-level names of every import in a package, inside functions too."""
    names: set[str] = set()
    for path in (SOURCES / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize(
    ("folder", "besides"), [("ledger", set()), ("dialects", set()), ("media", {"numpy"})], ids=lambda value: str(value)
)
def test_standard_library_alone(folder: str, besides: set[str]) -> None:
    assert imported_by(folder) - set(sys.stdlib_module_names) - {"partway"} - besides == set()


def test_the_client_imports_what_it_installs() -> None:
    installed = {"anyio", "httpx2", "platformdirs", "xxhash"}
    stand_in = {"httpx"}
    assert imported_by("client") - set(sys.stdlib_module_names) - {"partway"} - installed - stand_in == set()
