"""The promise about jobs (``partway.jobs.base``) as checks that every engine has to pass.

An engine's test file is a few lines, whatever the test runner::

    @pytest.mark.anyio
    @pytest.mark.parametrize("check", job_conformance.CHECKS, ids=job_conformance.name_of)
    async def test_promise(check: Check) -> None:
        await check(lambda terms: open_memory(terms))

A check is given a function that opens an engine, on what is empty at first and the same at every call. It raises
AssertionError, with words, where the engine breaks its promise. The checks are in
``job_queue``, ``job_endings`` and ``job_workers``; what needs several processes is in
``tests/conformance/test_jobs_processes.py``.
"""

from __future__ import annotations

from partway.testing import job_endings, job_queue, job_workers
from partway.testing.job_ground import Check, Engine, Open, name_of

__all__ = ["CHECKS", "Check", "Engine", "Open", "name_of"]

CHECKS: tuple[Check, ...] = (*job_queue.CHECKS, *job_endings.CHECKS, *job_workers.CHECKS)
