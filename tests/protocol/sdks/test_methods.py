"""docs/reference/compatibility.md names every method the packages offer, and the tests call every one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.protocol.sdks import npm, test_browser_recorder, test_browser_uploader
from tests.protocol.sdks.python_sdk import python_calls, python_endpoints, python_methods

pytestmark = pytest.mark.sdk

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "compatibility.md"
TEXT = PAGE.read_text(encoding="utf-8")
_ENDPOINT = r"^\| `([A-Z]+ /[^`]*)` \|"
METHODS = re.findall(_ENDPOINT + r"([^|]*)\|([^|]*)\| (works|differs) \|([^|]*)\|$", TEXT, re.MULTILINE)
ENDPOINTS = dict(re.findall(_ENDPOINT + r" ([a-z ]+) \|[^|]*\|$", TEXT, re.MULTILINE))
NODE_SCRIPT = (npm.FOLDER / "every_method.mjs").read_text(encoding="utf-8")


def words(cell: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", cell))


def node_methods() -> set[str]:
    """Every method of every API class of the Node package, without the twins."""
    found = set()
    for path in (npm.package("@api.video/nodejs-client") / "lib" / "api").glob("*Api.d.ts"):
        name = path.name[0].lower() + path.name[1:].removesuffix("Api.d.ts")
        methods = re.findall(r"^    (\w+)\(", path.read_text(encoding="utf-8"), re.MULTILINE)
        found |= {f"{name}.{method}" for method in methods if method != "constructor"}
    twins = {name for name in found if name.endswith("WithResponseHeaders")}
    assert {name.removesuffix("WithResponseHeaders") for name in twins} <= found
    return found - twins


def test_every_python_method_is_named_and_called() -> None:
    assert len(python_methods()) > 50
    assert set().union(*(words(python) for _, python, *_ in METHODS)) == python_methods()
    assert python_calls() == python_methods()


def test_every_python_method_asks_for_what_its_row_says() -> None:
    for endpoint, python, *_ in METHODS:
        assert {endpoint} == {python_endpoints()[name] for name in words(python)} or not words(python)


def test_every_node_method_is_named_and_called() -> None:
    assert len(node_methods()) > 55
    named = set().union(*(words(node) for _, _, node, *_ in METHODS))
    assert named == node_methods()
    called = {name for name in named if re.search(rf"\b{name.split('.')[0]}\.{name.split('.')[1]}\(", NODE_SCRIPT)}
    # ``const { liveStreams } = sdk`` and the like; test_node.py asks the running script, too.
    assert called == named


def test_methods_and_endpoints_agree() -> None:
    """A method can't work where its endpoint does not; what differs, says how."""
    for endpoint, _, _, state, remarks in METHODS:
        assert ENDPOINTS[endpoint] in ("works", "differs", "in part"), endpoint
        assert state != "differs" or remarks.strip(), endpoint


def test_every_browser_method_is_named() -> None:
    named = words(TEXT[TEXT.index("The browser packages offer") : TEXT.index("## Assets")])
    assert test_browser_uploader.methods() | test_browser_recorder.methods() <= named
