"""Jobs in the memory of one process: for tests, and the plainest statement of what the other engine does in SQL."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from partway.errors import JobCancelled, JobStopped, LeaseLost
from partway.jobs.base import ACTIVE, Handler, Job, JobContext, JobState, JobStatus, Schedule, Swept, Terms
from partway.jobs.retry import Again, Done, GivenUp, Verdict, after_death
from partway.jobs.worker import Found, Held, Lost, Worker


@dataclass(slots=True)
class _Row:
    job: Job
    number: int
    enqueued_at: float
    due_at: float
    state: JobState = JobState.DELAYED
    turn: int = 0
    attempt: int = 0
    failures: int = 0
    deaths: int = 0
    fraction: float = 0.0
    words: str = ""
    reason: str = ""
    worker: str = ""
    lease_ends_at: float = 0.0
    started_at: float | None = None
    ended_at: float | None = None


class MemoryJobs:
    """See ``partway.jobs.base.Jobs``."""

    def __init__(self, terms: Terms | None = None) -> None:
        self.terms = terms or Terms()
        self._rows: dict[str, _Row] = {}
        self._numbers = 0
        self._wakes: set[asyncio.Event] = set()

    async def enqueue(self, *jobs: Job, delay_seconds: float = 0.0, again: bool = False) -> int:
        """See ``Jobs.enqueue``."""
        copies = [replace(job, payload=json.loads(json.dumps(job.payload))) for job in jobs]
        set_going = sum(self._enqueue(job, time.time() + delay_seconds, again) for job in copies)
        self._changed()
        return set_going

    def _enqueue(self, job: Job, due_at: float, again: bool) -> bool:
        row = self._rows.get(job.id)
        if row is not None and row.state in ACTIVE:
            self._hasten(row, job, due_at)
            return False
        if row is not None and not again:
            return False
        self._numbers += 1
        fresh = _Row(job, self._numbers, time.time(), due_at, attempt=row.attempt if row else 0)
        self._rows[job.id] = fresh
        self._release_due(fresh)
        return True

    def _hasten(self, row: _Row, job: Job, due_at: float) -> None:
        if row.state is JobState.RUNNING:
            return
        if row.failures == 0 and due_at < row.due_at:
            row.due_at = due_at
        if job.priority < row.job.priority:
            row.job = replace(row.job, priority=job.priority)
            if row.state is JobState.WAITING:
                row.state = JobState.DELAYED
        self._release_due(row)

    async def cancel(self, *job_ids: str) -> int:
        """See ``Jobs.cancel``."""
        rows = [self._rows[job_id] for job_id in set(job_ids) if job_id in self._rows]
        called_off = [row for row in rows if row.state in ACTIVE]
        for row in called_off:
            row.state, row.ended_at = JobState.CANCELLED, time.time()
        self._changed()
        return len(called_off)

    async def status(self, job_id: str) -> JobStatus | None:
        """See ``Jobs.status``."""
        row = self._rows.get(job_id)
        return None if row is None else _status(row)

    async def list(
        self,
        *,
        states: Collection[JobState] = frozenset(JobState),
        group: str | None = None,
        handler: str | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> Sequence[JobStatus]:
        """See ``Jobs.list``."""
        fitting = [
            row
            for row in self._rows.values()
            if row.state in states and group in (None, row.job.group) and handler in (None, row.job.handler)
        ]
        fitting.sort(key=lambda row: -row.number)
        return [_status(row) for row in fitting[offset : offset + limit]]

    async def run(
        self,
        handlers: Mapping[str, Handler],
        *,
        stop: asyncio.Event,
        concurrency: int = 1,
        schedules: Sequence[Schedule] = (),
    ) -> None:
        """See ``Jobs.run``."""
        await Worker(self, self, handlers, self.terms, concurrency=concurrency, schedules=schedules).run(stop)

    async def sweep(self) -> Swept:
        """See ``Jobs.sweep``."""
        taken_over = self._release()
        now = time.time()
        old = [
            job_id
            for job_id, row in self._rows.items()
            if row.ended_at is not None
            and now - row.ended_at
            > (self.terms.keep_failed_seconds if row.state is JobState.FAILED else self.terms.keep_done_seconds)
        ]
        for job_id in old:
            del self._rows[job_id]
        return Swept(taken_over, len(old))

    async def claim(self, worker: str, handlers: Collection[str], count: int) -> Found:
        """See ``Leases.claim``."""
        self._release()
        now = time.time()
        waiting = [row for row in self._in(JobState.WAITING) if row.job.handler in handlers]
        waiting.sort(key=lambda row: (row.job.priority, row.turn, row.number))
        for row in waiting[:count]:
            row.state, row.worker, row.started_at = JobState.RUNNING, worker, now
            row.lease_ends_at = now + self.terms.lease_seconds
            row.attempt += 1
            row.fraction, row.words = 0.0, ""
        delayed = [row.due_at for row in self._in(JobState.DELAYED)]
        running = [row.lease_ends_at for row in self._in(JobState.RUNNING)]
        return Found(
            [Held(row.job, row.attempt, row.failures) for row in waiting[:count]],
            min((*delayed, *running), default=float("inf")) - now,
        )

    async def renew(self, contexts: Sequence[JobContext]) -> Lost:
        """See ``Leases.renew``."""
        lost = await self.look(contexts)
        for context in contexts:
            if context.key not in lost:
                row = self._rows[context.job.id]
                row.lease_ends_at = time.time() + self.terms.lease_seconds
                row.fraction, row.words = context.fraction, context.words
        return lost

    async def look(self, contexts: Sequence[JobContext]) -> Lost:
        """See ``Leases.look``."""
        lost: dict[tuple[str, int], JobStopped] = {}
        for context in contexts:
            row = self._rows.get(context.job.id)
            if row is None or row.attempt != context.attempt or row.state is not JobState.RUNNING:
                cancelled = row is not None and row.state is JobState.CANCELLED
                lost[context.key] = JobCancelled() if cancelled else LeaseLost()
        return lost

    async def settle(self, verdicts: Sequence[tuple[Held, Verdict]]) -> Sequence[Held]:
        """See ``Leases.settle``."""
        late = []
        for held, verdict in verdicts:
            row = self._rows.get(held.job.id)
            if row is None or row.state is not JobState.RUNNING or row.attempt != held.attempt:
                late.append(held)
            else:
                self._settle(row, verdict)
        self._changed()
        return late

    async def watch(self, wake: asyncio.Event) -> None:
        """See ``Leases.watch``."""
        self._wakes.add(wake)
        try:
            await asyncio.Event().wait()
        finally:
            self._wakes.discard(wake)

    def _settle(self, row: _Row, verdict: Verdict) -> None:
        now = time.time()
        match verdict:
            case Done():
                row.state, row.reason, row.fraction, row.ended_at = JobState.DONE, "", 1.0, now
            case GivenUp(reason, counted):
                row.state, row.reason, row.ended_at = JobState.FAILED, reason, now
                row.failures += counted
            case Again(delay_seconds, reason, counted):
                # Without a delay it keeps its turn: it has only changed hands.
                row.state = JobState.DELAYED if delay_seconds > 0 else JobState.WAITING
                row.reason, row.due_at = reason, now + delay_seconds
                row.failures += counted

    def _release(self) -> int:
        """Let what became due wait for a worker, and take from dead workers what they had."""
        for row in sorted(self._in(JobState.DELAYED), key=lambda row: row.due_at):
            self._release_due(row)
        abandoned = [row for row in self._in(JobState.RUNNING) if row.lease_ends_at < time.time()]
        for row in abandoned:
            row.deaths += 1
            self._settle(row, after_death(row.deaths, self.terms.deaths_max, row.worker))
        return len(abandoned)

    def _release_due(self, row: _Row) -> None:
        if row.state is JobState.DELAYED and row.due_at <= time.time():
            row.turn, row.state = self._turn(row.job), JobState.WAITING

    def _turn(self, job: Job) -> int:
        """See ``partway.jobs.rows.turn_of``."""
        waiting = [row for row in self._in(JobState.WAITING) if row.job.priority == job.priority]
        running = [row.turn for row in self._in(JobState.RUNNING) if row.job.priority == job.priority]
        last = max((row.turn + 1 for row in waiting if row.job.group == job.group), default=0)
        return max(last, min((row.turn for row in waiting), default=0), max(running, default=0))

    def _in(self, state: JobState) -> Sequence[_Row]:
        return [row for row in self._rows.values() if row.state is state]

    def _changed(self) -> None:
        for wake in self._wakes:
            wake.set()


def _status(row: _Row) -> JobStatus:
    return JobStatus(
        job=row.job,
        state=row.state,
        attempt=row.attempt,
        failures=row.failures,
        fraction=row.fraction,
        words=row.words,
        reason=row.reason,
        worker=row.worker,
        enqueued_at=datetime.fromtimestamp(row.enqueued_at, UTC),
        due_at=datetime.fromtimestamp(row.due_at, UTC),
        started_at=None if row.started_at is None else datetime.fromtimestamp(row.started_at, UTC),
        ended_at=None if row.ended_at is None else datetime.fromtimestamp(row.ended_at, UTC),
    )
