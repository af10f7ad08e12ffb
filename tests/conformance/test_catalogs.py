"""SQLite and PostgreSQL keep the catalog's promise."""

from __future__ import annotations

import pytest
from tests.conformance.conftest import Catalog

from partway.testing.catalog_conformance import CHECKS
from partway.testing.catalog_ground import Check, name_of


@pytest.mark.anyio
@pytest.mark.parametrize("check", CHECKS, ids=name_of)
async def test_promise(check: Check, catalog: Catalog) -> None:
    await check(catalog.open)
