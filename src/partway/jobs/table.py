"""Jobs in a table with leases, in an SQLite file of their own or in PostgreSQL; why: docs/why/jobs.md."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, insert, select

from partway.errors import ConfigurationError, JobCancelled, JobStopped, LeaseLost
from partway.jobs import statements
from partway.jobs.base import ACTIVE, Handler, Job, JobContext, JobState, JobStatus, Schedule, Swept, Terms
from partway.jobs.connections import open_connections
from partway.jobs.retry import Again, Verdict, after_death
from partway.jobs.rows import VERSION, job_of, jobs, metadata, schema_version, status_of
from partway.jobs.worker import Found, Held, Lost, Worker

Entry = dict[str, Any]
"""Parameters of a statement."""
ELSEWHERE_SECONDS = 0.05
"""When to look again after other workers had the rows that were waiting."""


class TableJobs:
    """See ``partway.jobs.base.Jobs``.

    Args:
        url: ``sqlite:////absolute/jobs.db`` or ``postgresql://user@host/name``.
        terms: the same in every process.

    Raises:
        ConfigurationError: the URL is of no kind we know.
    """

    def __init__(self, url: str, terms: Terms | None = None) -> None:
        self.terms = terms or Terms()
        self._connections = open_connections(url, patience_seconds=self.terms.lease_seconds)

    async def prepare(self) -> None:
        """Make the tables where they are not; safe to call from several processes at once.

        Raises:
            ConfigurationError: the tables are those of another version of partway.
            JobsUnavailable: the database can't be reached.
        """
        await self._connections.write(self._prepare)

    def _prepare(self, connection: Connection) -> None:
        self._connections.lock_schema(connection)
        metadata.create_all(connection)
        found = connection.execute(select(schema_version.c.version)).scalar_one_or_none()
        if found is None:
            connection.execute(insert(schema_version).values(version=VERSION))
        elif found != VERSION:
            raise ConfigurationError(f"The tables of the jobs have version {found}, and this partway knows {VERSION}.")

    async def close(self) -> None:
        """Close every connection."""
        await self._connections.close()

    async def enqueue(self, *given: Job, delay_seconds: float = 0.0, again: bool = False) -> int:
        """See ``Jobs.enqueue``."""
        entries = [statements.entry_of(job, delay_seconds) for job in given]
        return await self._connections.write(self._enqueue, entries, delay_seconds > 0, again)

    def _enqueue(self, connection: Connection, entries: Sequence[Entry], delayed: bool, again: bool) -> int:
        if len(entries) > 1:
            self._connections.lock_order(connection)
        known = [entry for entry in entries if not _add(connection, entry, delayed)]
        set_going = len(entries) - len(known)
        # Rows that others may lock too are locked in one order everywhere, so nobody waits in a circle.
        for entry in sorted(known, key=lambda entry: str(entry["to_id"])):
            set_going += _enqueue_known(connection, entry, delayed, again)
        self._connections.announce(connection)
        return set_going

    async def cancel(self, *job_ids: str) -> int:
        """See ``Jobs.cancel``."""
        return await self._connections.write(self._cancel, sorted(set(job_ids)))

    def _cancel(self, connection: Connection, job_ids: Sequence[str]) -> int:
        called_off = sum(connection.execute(statements.CANCEL, {"to_id": job_id}).rowcount for job_id in job_ids)
        self._connections.announce(connection)
        return called_off

    async def status(self, job_id: str) -> JobStatus | None:
        """See ``Jobs.status``."""

        def read(connection: Connection) -> JobStatus | None:
            row = connection.execute(select(jobs).where(jobs.c.id == job_id)).one_or_none()
            return None if row is None else status_of(row)

        return await self._connections.read(read)

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
        query = select(jobs).order_by(jobs.c.number.desc(), jobs.c.id).limit(limit).offset(offset)
        if set(states) != set(JobState):
            query = query.where(jobs.c.state.in_(sorted(states)))
        if group is not None:
            query = query.where(jobs.c.group_name == group)
        if handler is not None:
            query = query.where(jobs.c.handler == handler)
        return await self._connections.read(lambda connection: [status_of(row) for row in connection.execute(query)])

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
        return await self._connections.write(self._sweep)

    def _sweep(self, connection: Connection) -> Swept:
        taken_over = self._release(connection)
        keep = {"to_keep_done": self.terms.keep_done_seconds, "to_keep_failed": self.terms.keep_failed_seconds}
        return Swept(taken_over, connection.execute(statements.FORGET, keep).rowcount)

    async def claim(self, worker: str, handlers: Collection[str], count: int) -> Found:
        """See ``Leases.claim``."""
        known = {"to_handlers": sorted(handlers)}
        # Looking takes no lock, and mostly there is nothing.
        clock, anything, due_at, ends_at = await self._connections.read(
            lambda connection: connection.execute(statements.LOOK_FOR_WORK, known).one()
        )
        next_seconds = min((at for at in (due_at, ends_at) if at is not None), default=float("inf")) - clock
        if not anything and next_seconds > 0:
            return Found((), next_seconds)
        wanted = {**known, "to_count": count, "to_worker": worker, "to_lease": self.terms.lease_seconds}
        held = await self._connections.write(self._claim, wanted, next_seconds <= 0)
        return Found(held, 0.0 if held else ELSEWHERE_SECONDS)

    def _claim(self, connection: Connection, wanted: Entry, release: bool) -> Sequence[Held]:
        if release:
            self._release(connection)
        # The database may answer them in any order.
        rows = sorted(connection.execute(statements.TAKE, wanted), key=lambda row: (row.priority, row.turn, row.number))
        return [Held(job_of(row), row.attempt, row.failures) for row in rows]

    def _release(self, connection: Connection) -> int:
        """Let what became due wait for a worker, and take from dead workers what they had."""
        for due in connection.execute(statements.DUE).all():
            turn = {"to_id": due.id, "to_group": due.group_name, "to_priority": due.priority}
            connection.execute(statements.RELEASE, turn)
        abandoned = connection.execute(statements.ABANDONED).all()
        for row in abandoned:
            verdict = after_death(row.deaths + 1, self.terms.deaths_max, row.worker)
            connection.execute(*statements.outcome(row.id, row.attempt, verdict, died=True))
        return len(abandoned)

    async def renew(self, contexts: Sequence[JobContext]) -> Lost:
        """See ``Leases.renew``."""
        return await self._connections.write(self._renew, contexts)

    def _renew(self, connection: Connection, contexts: Sequence[JobContext]) -> Lost:
        for context in sorted(contexts, key=lambda context: context.key):
            at = {"to_id": context.job.id, "to_attempt": context.attempt, "to_lease": self.terms.lease_seconds}
            told = {"to_fraction": context.fraction, "to_words": context.words}
            connection.execute(statements.RENEW, at | told)
        return _lost(connection, contexts)

    async def look(self, contexts: Sequence[JobContext]) -> Lost:
        """See ``Leases.look``."""
        return await self._connections.read(_lost, contexts)

    async def settle(self, verdicts: Sequence[tuple[Held, Verdict]]) -> Sequence[Held]:
        """See ``Leases.settle``."""
        return await self._connections.write(self._settle, verdicts)

    def _settle(self, connection: Connection, verdicts: Sequence[tuple[Held, Verdict]]) -> Sequence[Held]:
        late = []
        for held, verdict in sorted(verdicts, key=lambda one: one[0].job.id):
            if connection.execute(*statements.outcome(held.job.id, held.attempt, verdict)).rowcount == 0:
                late.append(held)
        if any(isinstance(verdict, Again) for _, verdict in verdicts):
            self._connections.announce(connection)
        return late

    async def watch(self, wake: asyncio.Event) -> None:
        """See ``Leases.watch``."""
        await self._connections.watch(wake)


def _add(connection: Connection, entry: Entry, delayed: bool) -> bool:
    """Add a row; False if its id is there already."""
    adding = statements.adding(connection.dialect.name, delayed=delayed)
    return connection.execute(adding, entry).first() is not None


def _enqueue_known(connection: Connection, entry: Entry, delayed: bool, again: bool) -> bool:
    """Enqueue a job whose id is there already; say whether this has set it going."""
    state = connection.execute(statements.LOCK, entry).scalar_one_or_none()
    if state is None:
        # Forgotten between the two statements.
        return _add(connection, entry, delayed)
    if state == JobState.WAITING:
        connection.execute(statements.HASTEN_WAITING, entry)
    if state == JobState.DELAYED:
        connection.execute(statements.HASTEN_DELAYED, entry)
    if state in ACTIVE or not again:
        return False
    connection.execute(statements.START_ANEW[delayed], entry)
    return True


def _lost(connection: Connection, contexts: Sequence[JobContext]) -> Lost:
    """Which of these attempts are not the present ones any more, and why."""
    rows = connection.execute(statements.STANDING, {"to_ids": [context.job.id for context in contexts]})
    found = {row.id: row for row in rows}
    lost: dict[tuple[str, int], JobStopped] = {}
    for context in contexts:
        row = found.get(context.job.id)
        if row is None or row.state != JobState.RUNNING or row.attempt != context.attempt:
            cancelled = row is not None and row.state == JobState.CANCELLED
            lost[context.key] = JobCancelled() if cancelled else LeaseLost()
    return lost
