"""What the checks of the promise about jobs stand on: an engine, a worker, and a handler that takes notes."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from partway.jobs.base import Handler, JobContext, Jobs, JobState, JobStatus, Schedule, Terms
from partway.jobs.retry import RetryPolicy
from partway.jobs.worker import Leases

# A lease that no slow test machine outlives; checks that are about its end have shorter ones.
TERMS = Terms(lease_seconds=20.0, heartbeat_seconds=0.3, grace_seconds=10.0)
QUICK = RetryPolicy(attempts_max=3, first_seconds=0.05, factor=2.0)
FOREVER = 600.0


class Engine(Jobs, Leases, Protocol):
    """What an engine shows to its users, and to the loop of a worker."""


Open = Callable[[Terms], AbstractAsyncContextManager[Engine]]
Check = Callable[[Open], Awaitable[None]]
Call = Callable[[JobContext], Awaitable[None]]


def name_of(check: Check) -> str:
    """A check's name, for test ids."""
    return getattr(check, "__name__", repr(check))


async def eventually(condition: Callable[[], Awaitable[object]], what: str, *, seconds: float = 30.0) -> None:
    """Ask again and again until something is true; TimeoutError, with words, after the deadline."""
    deadline = time.monotonic() + seconds
    while not await condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:g} s in vain: {what}")
        await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def working(
    jobs: Jobs, calls: Mapping[str, Call], *, concurrency: int = 1, schedules: Sequence[Schedule] = ()
) -> AsyncIterator[asyncio.Event]:
    """Be a worker for the length of a block."""
    handlers = {name: Handler(call, QUICK) for name, call in calls.items()}
    stop = asyncio.Event()
    run = asyncio.create_task(jobs.run(handlers, stop=stop, concurrency=concurrency, schedules=schedules))
    try:
        yield stop
    finally:
        stop.set()
        await run


async def reaches(jobs: Jobs, job_id: str, *states: JobState) -> JobStatus:
    """Wait until a job is in one of these states, and tell how it stands then."""
    found: list[JobStatus] = []

    async def is_there() -> bool:
        status = await jobs.status(job_id)
        found[:] = [status] if status else []
        return status is not None and status.state in states

    try:
        await eventually(is_there, f"{job_id} becomes {' or '.join(states)}")
    except TimeoutError as error:
        raise AssertionError(f"{error}; it is {found}") from None
    return found[0]


async def nothing(context: JobContext) -> None:
    """Do nothing."""


async def as_answer(value: object) -> object:
    """A value, for ``eventually``."""
    return value


async def has_ended(jobs: Jobs, count: int) -> bool:
    """Whether exactly so many jobs are done."""
    return len(await jobs.list(states={JobState.DONE}, limit=count + 1)) == count


class Notebook:
    """A handler that writes down what it was called with, and waits at a gate."""

    def __init__(self, *, is_open: bool = True) -> None:
        self.begun: list[str] = []
        self.left: list[str] = []
        self.gate = asyncio.Event()
        if is_open:
            self.gate.set()

    async def __call__(self, context: JobContext) -> None:
        self.begun.append(context.job.id)
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.left.append(type(context.stopped).__name__)
            raise
