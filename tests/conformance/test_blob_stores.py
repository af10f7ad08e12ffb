"""Memory and the local folder keep the promise of a blob store."""

from __future__ import annotations

from pathlib import Path

import pytest

from partway.blobs.local import LocalBlobs
from partway.blobs.memory import MemoryBlobs
from partway.testing.blob_conformance import CHECKS, Check, name_of

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("check", CHECKS, ids=name_of)
async def test_memory(check: Check) -> None:
    await check(MemoryBlobs())


@pytest.mark.parametrize("check", CHECKS, ids=name_of)
async def test_local(check: Check, tmp_path: Path) -> None:
    await check(LocalBlobs(tmp_path / "blobs"))
