"""The loop of a worker: take what is due, keep the leases, stop what is not wanted, tell what came of it."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

import structlog

from partway.errors import JobCancelled, JobPostponed, JobStopped, JobsUnavailable, LeaseLost, WorkerStopping
from partway.jobs.base import ACTIVE, Handler, Job, JobContext, Jobs, Schedule, Terms
from partway.jobs.retry import Again, Done, Verdict, reason_of

log = structlog.get_logger("partway.jobs")

IDLE_SECONDS = 2.0
"""How long a worker sleeps at most when nobody wakes it: hints may get lost."""
LOOK_SECONDS = 0.2
"""How often, at most, it looks whether its jobs are still wanted."""
REPORT_SECONDS = 1.0
"""How often, at most, progress is written down."""
SWEEP_SECONDS = 60.0
"""How often it sweeps."""
LEAVE_SECONDS = 5.0
"""How long handlers get to clean up after themselves when they are stopped for good."""


@dataclass(frozen=True, slots=True)
class Held:
    """A job that a worker has a lease of; its word counts while the job is at this attempt, and running."""

    job: Job
    attempt: int
    failures: int


@dataclass(frozen=True, slots=True)
class Found:
    """What a look for work has brought."""

    held: Sequence[Held]
    next_seconds: float
    """When there may be more: the next job to become due, the next lease to end."""


Lost = Mapping[tuple[str, int], JobStopped]
"""Attempts, by job id and number, that are not ours any more, and why."""


class Leases(Protocol):
    """What the loop needs of an engine. Every call but ``watch`` may raise ``JobsUnavailable``."""

    async def claim(self, worker: str, handlers: Collection[str], count: int) -> Found:
        """Take up to ``count`` jobs, having released those that became due and those of dead workers."""
        ...

    async def renew(self, contexts: Sequence[JobContext]) -> Lost:
        """Renew leases and write progress down; answer which jobs are not ours any more, and why."""
        ...

    async def look(self, contexts: Sequence[JobContext]) -> Lost:
        """Answer which jobs are not ours any more, and why; changes nothing."""
        ...

    async def settle(self, verdicts: Sequence[tuple[Held, Verdict]]) -> Sequence[Held]:
        """Write down what came of attempts; answer those about which we have nothing to say any more."""
        ...

    async def watch(self, wake: asyncio.Event) -> None:
        """Set ``wake`` whenever something may have changed, until cancelled."""
        ...


class Worker:
    """One worker.

    Args:
        jobs: where the jobs of its schedules go.
        leases: the same engine, seen from this side.
        handlers: what it can do.
        terms: the times to keep.
        concurrency: how many jobs at a time.
        schedules: the clocks it keeps, together with all other workers.
    """

    def __init__(
        self,
        jobs: Jobs,
        leases: Leases,
        handlers: Mapping[str, Handler],
        terms: Terms,
        *,
        concurrency: int,
        schedules: Sequence[Schedule],
    ) -> None:
        if any(schedule.every_seconds > terms.keep_done_seconds for schedule in schedules):
            raise ValueError("a tick would be forgotten, and done again, before the next one")
        # Never a name that another worker had: a lease row says who holds it.
        self.name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        self._jobs = jobs
        self._leases = leases
        self._handlers = dict(handlers)
        self._terms = terms
        self._concurrency = concurrency
        self._schedules = schedules
        self._at_work: dict[asyncio.Task[None], JobContext] = {}
        self._unsettled: list[tuple[Held, Verdict]] = []
        self._ticked: dict[str, float] = {}
        self._told: dict[str, tuple[float, str]] = {}
        self._pulse = min(REPORT_SECONDS, terms.heartbeat_seconds)
        self._wake = asyncio.Event()
        self._renewed_at = self._looked_at = time.monotonic()
        self._swept_at = float("-inf")
        self._is_cut_off = False

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set, then finish or hand back."""
        beside = [
            asyncio.create_task(self._leases.watch(self._wake)),
            asyncio.create_task(self._listen(stop)),
            asyncio.create_task(self._guard()),
        ]
        log.info("worker started", worker=self.name, concurrency=self._concurrency)
        try:
            while not stop.is_set():
                await self._step(self._turn)
            ends = time.monotonic() + self._terms.grace_seconds
            while (self._at_work or self._unsettled) and time.monotonic() < ends:
                await self._step(self._keep, at_most=ends - time.monotonic())
        finally:
            await self._hand_back()
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            log.info("worker stopped", worker=self.name)

    async def _listen(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._wake.set()

    async def _guard(self) -> None:
        """Stop what has outlived its lease, also while the loop waits for an answer of the database."""
        while True:
            await asyncio.sleep(min(1.0, self._terms.lease_seconds / 4))
            self._stop(self._overdue())

    async def _step(self, do: Callable[[], Awaitable[float]], at_most: float = IDLE_SECONDS) -> None:
        self._wake.clear()
        try:
            seconds = await do()
            if self._is_cut_off:
                self._is_cut_off = False
                log.info("jobs available again", worker=self.name)
        except JobsUnavailable as error:
            if not self._is_cut_off:
                self._is_cut_off = True
                log.warning("jobs unavailable", worker=self.name, reason=reason_of(error))
            seconds = min(1.0, self._terms.heartbeat_seconds)
        except Exception:
            # A worker that ends for a reason of its own would take every other job with it.
            log.exception("worker stumbled", worker=self.name)
            seconds = min(1.0, self._terms.heartbeat_seconds)
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, min(seconds, at_most))):
                await self._wake.wait()

    async def _turn(self) -> float:
        seconds = min(await self._keep(), await self._tick())
        if time.monotonic() - self._swept_at >= SWEEP_SECONDS:
            self._swept_at = time.monotonic()
            await self._jobs.sweep()
        free = self._concurrency - len(self._at_work)
        if free <= 0:
            return seconds
        asked_at = time.monotonic()
        found = await self._leases.claim(self.name, self._handlers.keys(), free)
        for held in found.held:
            self._begin(held, lease_ends=asked_at + self._terms.lease_seconds)
        return min(seconds, found.next_seconds, self._pulse if self._at_work else IDLE_SECONDS)

    async def _keep(self) -> float:
        """Say what came of attempts, renew leases, stop what is not wanted; answer when to come back."""
        if self._unsettled:
            settling = list(self._unsettled)
            for held in await self._leases.settle(settling):
                log.warning("job was not ours any more", job=held.job.id, attempt=held.attempt, worker=self.name)
            self._unsettled = [one for one in self._unsettled if one not in settling]
        contexts = [context for context in self._at_work.values() if context.stopped is None]
        if not contexts:
            return IDLE_SECONDS
        now = time.monotonic()
        idle = now - self._renewed_at
        reports = {context.job.id: (context.fraction, context.words) for context in contexts}
        if idle >= self._terms.heartbeat_seconds or (idle >= REPORT_SECONDS and reports != self._told):
            lost = await self._leases.renew(contexts)
            self._renewed_at = self._looked_at = now
            self._told = reports
            for context in contexts:
                if context.key not in lost:
                    context.hold(now + self._terms.lease_seconds)
        elif now - self._looked_at >= LOOK_SECONDS:
            lost = await self._leases.look(contexts)
            self._looked_at = now
        else:
            return LOOK_SECONDS - (now - self._looked_at)
        self._stop(lost)
        return self._pulse

    async def _tick(self) -> float:
        """Enqueue the jobs of the ticks that came; answer when the next one comes."""
        seconds = float("inf")
        for schedule in self._schedules:
            tick = schedule.tick_at(time.time())
            if self._ticked.get(schedule.name) != tick:
                if not await self._jobs.list(states=ACTIVE, group=schedule.group, limit=1):
                    await self._jobs.enqueue(schedule.job_at(tick))
                self._ticked[schedule.name] = tick
            seconds = min(seconds, tick + schedule.every_seconds - time.time())
        return seconds

    def _begin(self, held: Held, lease_ends: float) -> None:
        context = JobContext(held.job, held.attempt, failures=held.failures, lease_ends=lease_ends)
        task = asyncio.create_task(self._attempt(held, context), name=f"job {held.job.id}")
        self._at_work[task] = context
        task.add_done_callback(self._left)

    def _left(self, task: asyncio.Task[None]) -> None:
        del self._at_work[task]
        self._wake.set()

    async def _attempt(self, held: Held, context: JobContext) -> None:
        handler = self._handlers[held.job.handler]
        verdict: Verdict | None
        try:
            await handler.call(context)
            verdict = Done()
        except JobPostponed as error:
            verdict = Again(error.seconds, reason_of(error), counted=False)
        except (Exception, asyncio.CancelledError) as error:
            stopped = context.stopped or (error if isinstance(error, JobStopped) else None)
            if stopped is None:
                verdict = handler.retry.after(held.failures + 1, error)
                log.warning("job failed", job=held.job.id, attempt=held.attempt, verdict=verdict)
            elif isinstance(stopped, JobCancelled):
                verdict = None
            else:
                verdict = Again(0.0, reason_of(stopped), counted=False)
        if verdict is not None:
            self._unsettled.append((held, verdict))

    def _overdue(self) -> Lost:
        return {context.key: LeaseLost() for context in self._at_work.values() if context.is_overdue}

    def _stop(self, lost: Lost) -> None:
        for task, context in self._at_work.items():
            why = lost.get(context.key)
            if why is not None and context.stopped is None:
                log.info("job stopped", job=context.job.id, attempt=context.attempt, reason=str(why))
                context.stop(why)
                task.cancel()

    async def _hand_back(self) -> None:
        """Stop every handler that is still at work, and give its job back; also when ``run`` itself is cancelled."""
        self._stop({context.key: WorkerStopping() for context in self._at_work.values()})
        await _ended(self._at_work)
        if self._unsettled:
            with suppress(JobsUnavailable):
                await self._leases.settle(self._unsettled)


async def _ended(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Wait for tasks that have been cancelled; not for ever."""
    waiting = list(tasks)
    if waiting:
        await asyncio.wait(waiting, timeout=LEAVE_SECONDS)
