"""The OpenAPI description is of these routes and holds together."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from partway.api.app import create_routes
from partway.api.openapi.document import document, mounted
from partway.api.openapi.rows import OPERATIONS
from partway.api.openapi.shapes import SHAPES
from partway.api.schemas.base import Payload
from partway.settings import Settings

ROUTES_PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "routes.md"


class Nothing:
    """Stands where routes only keep a service for later."""

    def __getattr__(self, name):
        return self


@pytest.fixture(scope="module")
def routes():
    return create_routes(Nothing(), Settings()).routes


@pytest.fixture(scope="module")
def described(routes):
    return document(routes)


def test_every_route_has_a_row_and_every_row_a_route(routes):
    names = {route.name for route in mounted(routes)}
    assert names - set(OPERATIONS) == set(), "say in api/openapi/ what it takes and answers"
    assert set(OPERATIONS) - names == set()


def test_it_has_what_the_reference_lists(described):
    """Two walks over the same routes, in two places: neither has lost one."""
    listed = re.findall(r"^\| ([A-Z ]+) \| `(/[^`]*)` \|", ROUTES_PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    paths = {re.sub(r"{\w+}", "{}", path) for _, path in listed if not path.startswith("/-/static")}
    assert {re.sub(r"{\w+}", "{}", path) for path in described["paths"]} == paths


def test_every_reference_leads_somewhere(described):
    schemas = described["components"]["schemas"]
    named = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(described)))
    assert named
    assert named - set(schemas) == set()


def test_every_operation_says_what_it_is(described):
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], (method, path)
            assert operation["responses"], (method, path)
            assert {one["name"] for one in operation["parameters"] if one["in"] == "path"} == set(
                re.findall(r"{(\w+)}", path)
            )


def test_ids_are_unique(described):
    ids = [operation["operationId"] for methods in described["paths"].values() for operation in methods.values()]
    assert len(ids) == len(set(ids))


def test_no_answer_has_the_name_of_a_payload(described):
    payloads = {row.body for row in OPERATIONS.values() if isinstance(row.body, type)}
    named = {part.__name__ for payload in payloads for part in [payload, *Payload.__subclasses__()]}
    assert named & set(SHAPES) == set()
