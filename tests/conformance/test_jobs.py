"""Memory, SQLite and PostgreSQL keep the promise about jobs."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from partway.jobs.base import Terms
from partway.jobs.memory import MemoryJobs
from partway.jobs.table import TableJobs
from partway.testing.job_conformance import CHECKS, Check, Engine, Open, name_of
from partway.testing.job_queue import schedules_tick_once
from partway.testing.job_workers import long_jobs_keep_their_lease
from partway.testing.postgres import RunningPostgres

pytestmark = pytest.mark.anyio

WAITING = (long_jobs_keep_their_lease, schedules_tick_once)
BRIEFLY = [pytest.param(check, marks=pytest.mark.slow if check in WAITING else ()) for check in CHECKS]


def opener_of(url: str) -> Open:
    @contextlib.asynccontextmanager
    async def open_jobs(terms: Terms) -> AsyncIterator[Engine]:
        jobs = TableJobs(url, terms)
        await jobs.prepare()
        try:
            yield jobs
        finally:
            await jobs.close()

    return open_jobs


@pytest.mark.parametrize("check", BRIEFLY, ids=name_of)
async def test_memory(check: Check) -> None:
    kept: list[MemoryJobs] = []

    @contextlib.asynccontextmanager
    async def open_jobs(terms: Terms) -> AsyncIterator[Engine]:
        if not kept:
            kept.append(MemoryJobs(terms))
        yield kept[0]

    await check(open_jobs)


@pytest.mark.parametrize("check", BRIEFLY, ids=name_of)
async def test_sqlite(check: Check, tmp_path: Path) -> None:
    await check(opener_of(f"sqlite:///{tmp_path}/jobs.db"))


@pytest.mark.services
@pytest.mark.parametrize("check", CHECKS, ids=name_of)
async def test_postgres(check: Check, postgres: RunningPostgres) -> None:
    await check(opener_of(postgres.url_of(postgres.create_database())))
