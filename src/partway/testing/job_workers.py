"""Checks of workers that stop, die or go on for long, and of what becomes of their jobs."""

from __future__ import annotations

import asyncio
import contextlib

from partway.errors import LeaseLost
from partway.jobs.base import Handler, Job, JobContext, JobState, Priority, Terms
from partway.jobs.retry import Again, Done
from partway.testing.job_ground import (
    FOREVER,
    TERMS,
    Check,
    Notebook,
    Open,
    as_answer,
    eventually,
    has_ended,
    reaches,
    working,
)


async def stopping_lets_jobs_finish(open_jobs: Open) -> None:
    """A worker that is told to stop finishes what it is at, and begins nothing more."""
    async with open_jobs(TERMS) as jobs:
        notebook = Notebook(is_open=False)
        await jobs.enqueue(Job("one", "note"), Job("two", "note"))
        async with working(jobs, {"note": notebook}) as stop:
            await reaches(jobs, "one", JobState.RUNNING)
            stop.set()
            notebook.gate.set()
        assert (await reaches(jobs, "one", JobState.DONE)).attempt == 1
        assert (await reaches(jobs, "two", JobState.WAITING)).attempt == 0
        assert notebook.left == []


async def stopping_hands_jobs_back(open_jobs: Open) -> None:
    """What doesn't finish in time is stopped, and another worker's at once, with no failure counted."""
    terms = Terms(lease_seconds=FOREVER, heartbeat_seconds=0.2, grace_seconds=0.2)
    async with open_jobs(terms) as jobs:
        notebook = Notebook(is_open=False)
        await jobs.enqueue(Job("one", "note"))
        async with working(jobs, {"note": notebook}) as stop:
            await reaches(jobs, "one", JobState.RUNNING)
            stop.set()
        status = await reaches(jobs, "one", JobState.WAITING)
        assert (status.attempt, status.failures, notebook.left) == (1, 0, ["WorkerStopping"]), (status, notebook.left)
        notebook.gate.set()
        async with working(jobs, {"note": notebook}):
            assert (await reaches(jobs, "one", JobState.DONE)).attempt == 2


async def a_cancelled_worker_hands_jobs_back(open_jobs: Open) -> None:
    """Also a worker whose own task is cancelled leaves nothing running."""
    async with open_jobs(Terms(lease_seconds=FOREVER)) as jobs:
        notebook = Notebook(is_open=False)
        await jobs.enqueue(Job("one", "note"))
        run = asyncio.create_task(jobs.run({"note": Handler(notebook)}, stop=asyncio.Event()))
        await reaches(jobs, "one", JobState.RUNNING)
        run.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await run
        assert run.cancelled(), "the cancellation was swallowed"
        assert notebook.left == ["WorkerStopping"]
        await reaches(jobs, "one", JobState.WAITING)


async def pending_jobs_outlive_the_worker(open_jobs: Open) -> None:
    """What no worker was there for is done by the next one; what it can't do is left alone."""
    async with open_jobs(TERMS) as jobs:
        await jobs.enqueue(Job("strange", "unheard-of", priority=Priority.NOW), Job("one", "note"))
        await jobs.enqueue(Job("two", "note"), delay_seconds=0.05)
        notebook = Notebook()
        async with working(jobs, {"note": notebook}):
            await reaches(jobs, "one", JobState.DONE)
            await reaches(jobs, "two", JobState.DONE)
            await reaches(jobs, "strange", JobState.WAITING)
        async with working(jobs, {"unheard-of": notebook}):
            await reaches(jobs, "strange", JobState.DONE)
        assert notebook.begun == ["one", "two", "strange"]


async def long_jobs_keep_their_lease(open_jobs: Open) -> None:
    """A job that takes several leases is done once, though another worker is waiting for it."""
    terms = Terms(lease_seconds=1.5, heartbeat_seconds=0.2)
    async with open_jobs(terms) as jobs, open_jobs(terms) as others:
        notebook = Notebook(is_open=False)
        await jobs.enqueue(Job("long", "note"))
        async with working(jobs, {"note": notebook}), working(others, {"note": notebook}):
            await reaches(jobs, "long", JobState.RUNNING)
            for number in range(2):
                await jobs.enqueue(Job(f"{number}", "note"), delay_seconds=(number + 1) * terms.lease_seconds)
            await eventually(lambda: as_answer(len(notebook.begun) > 1), "a lease goes by")
            assert (await reaches(jobs, "long", JobState.RUNNING)).attempt == 1
            notebook.gate.set()
            await eventually(lambda: has_ended(jobs, 3), "all are done")
        assert notebook.begun.count("long") == 1, "its lease was lost"


async def dead_workers_lose_their_jobs(open_jobs: Open) -> None:
    """A lease that nobody renews ends; the job is the next one's, and the dead worker's word counts no more."""
    async with open_jobs(Terms(lease_seconds=0.2)) as jobs:
        await jobs.enqueue(Job("one", "note"), Job("two", "note"))
        (held,) = (await jobs.claim("dead", {"note"}, 1)).held
        (other,) = (await jobs.claim("dead", {"note"}, 1)).held
        context = JobContext(held.job, held.attempt)
        assert await jobs.look([context]) == {}
        assert await jobs.settle([(other, Done())]) == []

        async def is_free() -> bool:
            again = (await jobs.claim("alive", {"note"}, 5)).held
            return [(one.job.id, one.attempt, one.failures) for one in again] == [("one", 2, 0)]

        await eventually(is_free, "the lease ends")
        lost = await jobs.renew([context])
        assert isinstance(lost[("one", 1)], LeaseLost), lost
        assert await jobs.settle([(held, Done())]) == [held], "a dead worker's word has counted"
        assert await jobs.settle([(held, Again(0.0, "", counted=False))]) == [held]
        status = await reaches(jobs, "one", JobState.RUNNING)
        assert (status.attempt, status.worker) == (2, "alive"), status
        assert "dead died or lost touch" in status.reason


async def a_job_that_kills_its_workers_fails(open_jobs: Open) -> None:
    """A job that takes one worker after the other with it is given up, with its reason."""
    async with open_jobs(Terms(lease_seconds=0.05, deaths_max=2)) as jobs:
        await jobs.enqueue(Job("one", "note"))

        async def is_given_up() -> bool:
            await jobs.claim("victim", {"note"}, 1)
            status = await jobs.status("one")
            return status is not None and status.state is JobState.FAILED

        await eventually(is_given_up, "it is given up")
        status = await reaches(jobs, "one", JobState.FAILED)
        assert (status.attempt, status.failures) == (2, 0), status
        assert status.reason.endswith("that happened 2 times"), status.reason
        assert (await jobs.sweep()).taken_over == 0


CHECKS: tuple[Check, ...] = (
    stopping_lets_jobs_finish,
    stopping_hands_jobs_back,
    a_cancelled_worker_hands_jobs_back,
    pending_jobs_outlive_the_worker,
    long_jobs_keep_their_lease,
    dead_workers_lose_their_jobs,
    a_job_that_kills_its_workers_fails,
)
