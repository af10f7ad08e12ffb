"""Checks of how a job goes and ends: progress, cancelling, failing, being put off."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time

from partway.errors import JobCancelled, JobPostponed, MediaMalformed
from partway.jobs.base import Job, JobContext, JobState, Priority
from partway.testing.job_ground import (
    TERMS,
    Call,
    Check,
    Notebook,
    Open,
    as_answer,
    eventually,
    nothing,
    reaches,
    working,
)


async def progress_is_seen(open_jobs: Open) -> None:
    """What a handler reports is to be seen while it runs, from another connection too."""
    async with open_jobs(TERMS) as jobs, open_jobs(TERMS) as others:
        gate = asyncio.Event()

        async def report(context: JobContext) -> None:
            context.report(0.4, "4 of 10 segments")
            await gate.wait()
            context.report(7.0, "more than all")

        await jobs.enqueue(Job("one", "report"))
        async with working(jobs, {"report": report}):

            async def is_seen() -> bool:
                status = await others.status("one")
                return status is not None and (status.fraction, status.words) == (0.4, "4 of 10 segments")

            await eventually(is_seen, "progress is seen")
            gate.set()
            assert (await reaches(others, "one", JobState.DONE)).fraction == 1.0


async def cancelled_jobs_never_begin(open_jobs: Open) -> None:
    """Cancelling what waits, is delayed or has ended."""
    async with open_jobs(TERMS) as jobs:
        notebook = Notebook()
        await jobs.enqueue(Job("kept", "note"), Job("waiting", "note"))
        await jobs.enqueue(Job("delayed", "note"), delay_seconds=0.1)
        assert await jobs.cancel("waiting", "delayed", "unknown") == 2
        assert await jobs.cancel("waiting") == 0
        async with working(jobs, {"note": notebook}):
            await reaches(jobs, "kept", JobState.DONE)
            assert await jobs.cancel("kept") == 0
            await jobs.enqueue(Job("last", "note", priority=Priority.LATER), delay_seconds=0.3)
            await reaches(jobs, "last", JobState.DONE)
            for job_id in ("waiting", "delayed"):
                status = await reaches(jobs, job_id, JobState.CANCELLED)
                assert status.ended_at is not None
                assert status.attempt == 0
        assert notebook.begun == ["kept", "last"], notebook.begun


async def cancelling_reaches_a_child_process(open_jobs: Open) -> None:
    """Cancelling a running job from elsewhere ends the child process that its handler waits for."""
    async with open_jobs(TERMS) as jobs, open_jobs(TERMS) as others:
        children: list[int] = []
        left: list[object] = []

        async def encode(context: JobContext) -> None:
            child = await asyncio.create_subprocess_exec(
                sys.executable, "-c", "import time; time.sleep(600)", start_new_session=True
            )
            children.append(child.pid)
            try:
                await child.wait()
            finally:
                left.append(context.stopped)
                os.killpg(child.pid, signal.SIGKILL)
                await child.wait()

        async with working(jobs, {"encode": encode, "nothing": nothing}):
            await jobs.enqueue(Job("one", "encode"))
            await eventually(lambda: as_answer(children), "the child process starts")
            assert await others.cancel("one") == 1
            # The slot is free only when the handler has left.
            await jobs.enqueue(Job("next", "nothing"))
            await reaches(jobs, "next", JobState.DONE)
            status = await reaches(jobs, "one", JobState.CANCELLED)
        assert isinstance(left[0], JobCancelled), f"the handler was told {left}"
        assert (status.attempt, len(children)) == (1, 1)
        try:
            os.kill(children[0], 0)
        except ProcessLookupError:
            return
        raise AssertionError("the child process has survived its job")


async def cancelling_reaches_a_thread(open_jobs: Open) -> None:
    """What can't be interrupted is told when it asks, and what it returns counts no more."""
    async with open_jobs(TERMS) as jobs:
        told: list[BaseException] = []
        running = threading.Event()

        def work(context: JobContext) -> None:
            running.set()
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline:
                try:
                    context.report(0.5)
                except JobCancelled as error:
                    told.append(error)
                    return
                time.sleep(0.005)

        async with working(jobs, {"thread": lambda context: asyncio.shield(asyncio.to_thread(work, context))}):
            await jobs.enqueue(Job("one", "thread"))
            await eventually(lambda: as_answer(running.is_set()), "the thread runs")
            await jobs.cancel("one")
            await eventually(lambda: as_answer(told), "the thread is told")
        assert (await reaches(jobs, "one", JobState.CANCELLED)).attempt == 1


async def failures_are_tried_again(open_jobs: Open) -> None:
    """A handler that fails is called again after a while that grows; the last failure is to be seen meanwhile."""
    async with open_jobs(TERMS) as jobs:
        begun: list[float] = []

        async def shaky(context: JobContext) -> None:
            begun.append(time.monotonic())
            if len(begun) < 3:
                raise OSError(f"disk {len(begun)}")

        await jobs.enqueue(Job("one", "shaky"))
        async with working(jobs, {"shaky": shaky}):
            status = await reaches(jobs, "one", JobState.DONE)
        assert (status.attempt, status.failures, status.reason) == (3, 2, ""), status
        assert begun[1] - begun[0] >= 0.05, begun
        assert begun[2] - begun[1] >= 0.1, begun


async def poison_ends_as_failed(open_jobs: Open) -> None:
    """A job that always fails ends, with its reason; one that is hopeless at once; others go on."""
    async with open_jobs(TERMS) as jobs:

        async def poison(context: JobContext) -> None:
            raise ValueError("bad bytes")

        async def broken(context: JobContext) -> None:
            raise MediaMalformed("The moov ends in the middle.")

        async def cancels_itself(context: JobContext) -> None:
            raise asyncio.CancelledError("of its own")

        calls: dict[str, Call] = {"poison": poison, "broken": broken, "self": cancels_itself, "nothing": nothing}
        await jobs.enqueue(
            Job("poison", "poison"), Job("broken", "broken"), Job("self", "self"), Job("good", "nothing")
        )
        async with working(jobs, calls):
            status = await reaches(jobs, "poison", JobState.FAILED)
            assert (status.attempt, status.failures) == (3, 3)
            assert status.reason == "ValueError: bad bytes (attempt 3 of 3)", status.reason
            assert status.ended_at is not None
            status = await reaches(jobs, "broken", JobState.FAILED)
            assert (status.attempt, status.failures, status.reason) == (1, 1, "The moov ends in the middle.")
            status = await reaches(jobs, "self", JobState.FAILED)
            assert status.reason == "CancelledError: of its own (attempt 3 of 3)", status.reason
            await reaches(jobs, "good", JobState.DONE)


async def postponed_jobs_come_back(open_jobs: Open) -> None:
    """A handler may say that it is not time yet; that is no failure."""
    async with open_jobs(TERMS) as jobs:

        async def patient(context: JobContext) -> None:
            if context.attempt < 6:
                raise JobPostponed(0.01, "nothing there yet")

        await jobs.enqueue(Job("one", "patient"))
        async with working(jobs, {"patient": patient}):
            status = await reaches(jobs, "one", JobState.DONE, JobState.FAILED)
        assert (status.state, status.attempt, status.failures) == (JobState.DONE, 6, 0), status


CHECKS: tuple[Check, ...] = (
    progress_is_seen,
    cancelled_jobs_never_begin,
    cancelling_reaches_a_child_process,
    cancelling_reaches_a_thread,
    failures_are_tried_again,
    poison_ends_as_failed,
    postponed_jobs_come_back,
)
