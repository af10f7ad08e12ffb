"""The table of jobs and what is read from it, the same on SQLite and PostgreSQL.

One row is one job. A lease is three columns of it (``worker``, ``attempt``, ``lease_ends_at``); the attempt's number
never goes back, so it fences every write of a worker. All times are the database's own clock, in seconds since 1970.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Double,
    Index,
    Integer,
    MetaData,
    Row,
    Table,
    Text,
    literal_column,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from partway.jobs.base import Job, JobState, JobStatus

VERSION = 1
"""Of the schema below; a change of it comes with a step from the version before."""

metadata = MetaData()

jobs = Table(
    "jobs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("handler", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("group_name", Text, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("turn", BigInteger, nullable=False, default=0),
    Column("state", Text, nullable=False),
    Column("attempt", Integer, nullable=False, default=0),
    Column("failures", Integer, nullable=False, default=0),
    Column("deaths", Integer, nullable=False, default=0),
    Column("fraction", Double, nullable=False, default=0.0),
    Column("words", Text, nullable=False, default=""),
    Column("reason", Text, nullable=False, default=""),
    Column("worker", Text, nullable=False, default=""),
    Column("enqueued_at", Double, nullable=False),
    Column("due_at", Double, nullable=False),
    Column("lease_ends_at", Double),
    Column("started_at", Double),
    Column("ended_at", Double),
)

schema_version = Table("jobs_version", metadata, Column("version", Integer, primary_key=True))


def in_state(state: JobState) -> ColumnElement[bool]:
    """The row is in this state; written out, because SQLite uses a partial index only for a literal."""
    return jobs.c.state == literal_column(f"'{state.value}'")


def _partial(name: str, state: JobState, *columns: Column[Any]) -> None:
    Index(name, *columns, sqlite_where=in_state(state), postgresql_where=in_state(state))


_partial("jobs_waiting", JobState.WAITING, jobs.c.priority, jobs.c.turn, jobs.c.number)
_partial("jobs_turns", JobState.WAITING, jobs.c.group_name, jobs.c.priority, jobs.c.turn)
_partial("jobs_delayed", JobState.DELAYED, jobs.c.due_at)
_partial("jobs_running", JobState.RUNNING, jobs.c.lease_ends_at)
Index("jobs_groups", jobs.c.group_name, jobs.c.number)
Index("jobs_numbers", jobs.c.number)
Index("jobs_ended", jobs.c.ended_at)


class now(FunctionElement[float]):
    """The database's clock, in seconds since 1970: no two machines need agree on the time."""

    type = Double()
    inherit_cache = True


@compiles(now, "sqlite")
def _sqlite_now(*_: Any, **__: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(now, "postgresql")
def _postgresql_now(*_: Any, **__: Any) -> str:
    # Of the statement, not of the transaction's begin, which may have waited for a lock.
    return "CAST(extract(epoch FROM clock_timestamp()) AS double precision)"


def job_of(row: Row[Any]) -> Job:
    """The job of a row."""
    return Job(row.id, row.handler, json.loads(row.payload), row.group_name, row.priority)


def status_of(row: Row[Any]) -> JobStatus:
    """How the job of a row stands."""
    return JobStatus(
        job=job_of(row),
        state=JobState(row.state),
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
