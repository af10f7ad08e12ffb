"""docs/reference/compatibility.md tells the truth about every endpoint it names, and names every one there is."""

from __future__ import annotations

import re
from pathlib import Path

from tests.protocol.problems import TITLES
from tests.protocol.wire import Wire

from partway.api.problems import PROBLEMS

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"
PAGE = (REFERENCE / "compatibility.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `([A-Z]+) (/[^`]*)` \| ([a-z ]+) \|", PAGE, re.MULTILINE)
ABSENT = {"unrecognized-request-url", "method-not-allowed"}


def test_what_works_and_what_does_not(wire: Wire) -> None:
    assert len(ROWS) > 40
    for method, path, state in ROWS:
        answer = wire.ask(method, re.sub(r"{\w+}", "x", path))
        is_there = answer.status < 400 or answer.slug not in ABSENT
        assert is_there == (state in ("works", "differs", "in part")), (method, path)
        assert is_there or state in ("not yet", "not planned"), (method, path)


def without_names(path: str) -> str:
    return re.sub(r"{\w+}", "{}", path)


def test_every_route_of_the_contract_is_named() -> None:
    routes = (REFERENCE / "routes.md").read_text(encoding="utf-8")
    ours = re.findall(r"^\| ([A-Z]+) \| `(/[^`]*)` \|", routes, re.MULTILINE)
    named = {(method, without_names(path)) for method, path, _ in ROWS}
    spoken = {(method, without_names(path)) for method, path in ours if re.match("/(auth|videos|upload)", path)}
    assert len(spoken) > 10
    assert spoken <= named


def test_slugs_of_our_own_are_named() -> None:
    own = {row.slug for row in PROBLEMS.values()} - set(TITLES)
    assert own
    assert {slug for slug in own if f"`{slug}`" in PAGE} == own
