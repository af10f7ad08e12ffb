"""Sandboxes: limits alone, all the layers that this machine has, and what is between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.system.sandbox.ground import Listener

from partway.transcode.layers import Detected, detect
from partway.transcode.programs import Tools, find_tools
from partway.transcode.sandbox import Sandbox


@pytest.fixture(scope="session")
async def detected(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> Detected:
    """What this machine has."""
    return await detect(tmp_path_factory.mktemp("scratch"))


@pytest.fixture
def bare(detected: Detected) -> Sandbox:
    """Limits alone."""
    return Sandbox(detected.sandbox.scratch)


@pytest.fixture
def whole(detected: Detected) -> Sandbox:
    """Every layer that this machine has."""
    return detected.sandbox


@pytest.fixture(params=["bare", "whole"])
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    """Limits alone, and everything at once: the limits hold in both."""
    found: Sandbox = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=["bare", "forking"])
def forking(request: pytest.FixtureRequest, detected: Detected) -> Sandbox:
    """Limits alone, and every layer but the one that forbids new processes."""
    if request.param == "bare":
        return Sandbox(detected.sandbox.scratch)
    return replace(detected.sandbox, seccomp=False)


@pytest.fixture(scope="session")
async def tools(detected: Detected) -> Tools:
    return await find_tools(detected.sandbox)


@pytest.fixture
def listener() -> Iterator[Listener]:
    listening = Listener()
    yield listening
    listening.close()
