"""The promise about work that outlives a request.

A job is a name, a payload and an id; a handler is what a worker does for that name. Whoever commits a fact that
needs work enqueues a job under an id made of that fact (``poster:{video}:{generation}``), as often as they like.

What an engine keeps:

- An id is one job, however often and from wherever it is enqueued, as long as its row is kept (``Terms``).
- A job runs **at least once**: a worker that dies, or stops answering for ``Terms.lease_seconds``, loses its jobs
  to others, and may still be doing them. So a handler writes under names that no other attempt uses (a new blob
  key each time), and publishes by one conditional update of the catalog.
- Whatever an attempt tells the engine counts only while it holds the lease.
- More urgent jobs first; among equals every group (a video) in turn, and within a group as enqueued.
"""

from __future__ import annotations

import time
from asyncio import Event
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any, Protocol

from partway.errors import JobStopped, LeaseLost
from partway.jobs.retry import RetryPolicy


class JobState(StrEnum):
    """Where a job is in its life."""

    DELAYED = "delayed"  # due later: enqueued with a delay, postponed, or between two attempts
    WAITING = "waiting"  # due: the next free worker that knows its handler takes it
    RUNNING = "running"  # a worker holds its lease
    DONE = "done"  # its handler returned
    FAILED = "failed"  # given up; the reason says why
    CANCELLED = "cancelled"  # called off; a handler that was at it is being stopped


ACTIVE = frozenset({JobState.DELAYED, JobState.WAITING, JobState.RUNNING})
"""The states of a job that is not over."""


class Priority(IntEnum):
    """How urgent a job is; any integer between is allowed, and smaller is sooner."""

    NOW = 0  # somebody is waiting in front of a screen
    NORMAL = 100  # what an upload sets going
    LATER = 200  # housekeeping


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be done."""

    id: str
    handler: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    """What the handler needs to know, as JSON; ids, not contents."""
    group: str = ""
    """The video it belongs to; groups take turns."""
    priority: int = Priority.NORMAL


@dataclass(frozen=True, slots=True)
class JobStatus:
    """How a job stands."""

    job: Job
    state: JobState
    attempt: int
    """How often a worker has begun it; never goes back."""
    failures: int
    """How many of those attempts failed by the handler's own error."""
    fraction: float
    """How far the present or last attempt got, 0 to 1."""
    words: str
    """What it said it was doing."""
    reason: str
    """Why it failed, or why the last attempt did."""
    worker: str
    """Who holds the lease, or held it last."""
    enqueued_at: datetime
    due_at: datetime
    started_at: datetime | None
    """When its present or last attempt began."""
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep did."""

    taken_over: int
    """Jobs taken from workers that died."""
    forgotten: int
    """Rows of ended jobs removed."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The times an engine and all its workers go by; the same in every process of an installation."""

    lease_seconds: float = 30.0
    """A worker that has not renewed a lease for so long has lost the job."""
    heartbeat_seconds: float = 5.0
    """How often a worker renews its leases."""
    grace_seconds: float = 10.0
    """How long a stopping worker lets its handlers finish before it hands their jobs back."""
    deaths_max: int = 5
    """A job that was being done at the death of so many workers has failed."""
    keep_done_seconds: float = 7 * 86400.0
    """How long the rows of done and cancelled jobs are kept; their ids are free again afterwards."""
    keep_failed_seconds: float = 30 * 86400.0
    """How long the rows of failed jobs are kept."""


class JobContext:
    """What a handler is given: the job, which attempt this is, and a line back."""

    __slots__ = ("_ends", "_stopped", "attempt", "failures", "fraction", "job", "words")

    def __init__(self, job: Job, attempt: int = 1, *, failures: int = 0, lease_ends: float = float("inf")) -> None:
        self.job = job
        self.attempt = attempt
        self.failures = failures
        """How many attempts before this one failed by the handler's own error; a postponement is none."""
        self.fraction = 0.0
        self.words = ""
        self._ends = lease_ends
        self._stopped: JobStopped | None = None

    @property
    def key(self) -> tuple[str, int]:
        """What tells this attempt from all others: the job's id and the attempt's number."""
        return self.job.id, self.attempt

    @property
    def payload(self) -> Mapping[str, Any]:
        """What the job was enqueued with."""
        return self.job.payload

    @property
    def stopped(self) -> JobStopped | None:
        """Why the worker has stopped this attempt, if it has."""
        return self._stopped

    @property
    def is_overdue(self) -> bool:
        """Whether the lease has ended without a word from the database: a process that slept is not to go on."""
        return time.monotonic() > self._ends

    def report(self, fraction: float, words: str = "") -> None:
        """Say how far the job is; costs nothing, and is written down about once a second.

        Raises:
            JobStopped: as ``check``.
        """
        self.check()
        self.fraction = min(1.0, max(0.0, fraction))
        self.words = words

    def check(self) -> None:
        """Do nothing while this attempt is still wanted; for loops and threads, which can't be interrupted.

        A handler that awaits need not call it: its task is cancelled at the same moment.

        Raises:
            JobCancelled: somebody called the job off.
            LeaseLost: another worker may have it.
            WorkerStopping: the worker is stopping.
        """
        if self._stopped is not None:
            raise self._stopped
        if self.is_overdue:
            raise LeaseLost

    def stop(self, why: JobStopped) -> None:
        """For the worker: this attempt is not wanted any more."""
        self._stopped = self._stopped or why

    def hold(self, lease_ends: float) -> None:
        """For the worker: the lease now lasts until this time of ``time.monotonic``."""
        self._ends = lease_ends


@dataclass(frozen=True, slots=True)
class Handler:
    """What a worker does for one name."""

    call: Callable[[JobContext], Awaitable[None]]
    """Returns when the job is done. It must not block the event loop, and in its ``finally`` it ends every child
    process. Besides any error it may raise ``JobHopeless`` and ``JobPostponed``."""
    retry: RetryPolicy = field(default_factory=RetryPolicy)


@dataclass(frozen=True, slots=True)
class Schedule:
    """A job for every tick of a clock: once over all workers, and never two at a time.

    A tick that nobody saw, or that came while the last one was still at it, is not made up for.
    """

    name: str
    handler: str
    every_seconds: float
    offset_seconds: float = 0.0
    """Ticks are at multiples of ``every_seconds`` plus this, since 1970 in UTC: 86400 and 10800 is 3 o'clock."""
    payload: Mapping[str, Any] = field(default_factory=dict)
    priority: int = Priority.LATER

    @property
    def group(self) -> str:
        """The group of all its jobs."""
        return f"schedule:{self.name}"

    def tick_at(self, epoch_seconds: float) -> float:
        """The last tick that is not after ``epoch_seconds``, in seconds since 1970."""
        return (epoch_seconds - self.offset_seconds) // self.every_seconds * self.every_seconds + self.offset_seconds

    def job_at(self, tick: float) -> Job:
        """The job of a tick."""
        return Job(
            f"{self.name}@{tick:.3f}".rstrip("0").rstrip("."), self.handler, self.payload, self.group, self.priority
        )


class Jobs(Protocol):
    """Where work is left, and where workers find it.

    Every call raises ``JobsUnavailable`` when the database can't be reached, except ``run``, which waits for it.
    """

    async def enqueue(self, *jobs: Job, delay_seconds: float = 0.0, again: bool = False) -> int:
        """Leave work to be done, all or nothing, and say how many of the jobs this has set going.

        An id that is known already stays one job: if it has not begun, it takes the more urgent of both
        priorities, and the earlier of both times unless it is waiting after a failure; if it has, nothing changes.

        Args:
            jobs: what to do; jobs of one group and priority begin in this order.
            delay_seconds: not before so many seconds from now.
            again: start those anew that have ended, however they ended.

        Raises:
            TypeError: a payload is not JSON.
        """
        ...

    async def cancel(self, *job_ids: str) -> int:
        """Call jobs off, and say how many were not over yet. A running handler is stopped within a second or two."""
        ...

    async def status(self, job_id: str) -> JobStatus | None:
        """How a job stands; None if there is no such job (any more)."""
        ...

    async def list(
        self,
        *,
        states: Collection[JobState] = frozenset(JobState),
        group: str | None = None,
        handler: str | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> Sequence[JobStatus]:
        """The jobs that fit, the one enqueued last first."""
        ...

    async def run(
        self,
        handlers: Mapping[str, Handler],
        *,
        stop: Event,
        concurrency: int = 1,
        schedules: Sequence[Schedule] = (),
    ) -> None:
        """Be a worker until ``stop`` is set: do jobs that have a handler here, ``concurrency`` at a time.

        Then no job is begun any more; those at work get ``Terms.grace_seconds`` to finish, and are handed back.
        Never ends because of a handler or a lost database.
        """
        ...

    async def sweep(self) -> Swept:
        """Take over what dead workers left, and forget what ended long ago. Workers do this themselves now and then."""
        ...
