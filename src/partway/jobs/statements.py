"""The statements of the jobs' table, the same on SQLite and PostgreSQL.

They are built once: building one costs more than running it. Their parameters begin with ``to_``, which no column does.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Double,
    Insert,
    Integer,
    Text,
    Update,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from partway.jobs.base import ACTIVE, Job, JobState
from partway.jobs.retry import Again, Done, GivenUp, Verdict
from partway.jobs.rows import in_state, jobs, now

BATCH = 500
"""Rows that one transaction of housekeeping touches at most."""


def _text(name: str) -> BindParameter[str]:
    return bindparam(f"to_{name}", type_=Text())


def _integer(name: str) -> BindParameter[int]:
    return bindparam(f"to_{name}", type_=Integer())


def _seconds(name: str) -> BindParameter[float]:
    return bindparam(f"to_{name}", type_=Double())


def _any_of(name: str) -> BindParameter[Any]:
    return bindparam(f"to_{name}", expanding=True)


class largest(FunctionElement[int]):
    """The largest of several values, none of them null."""

    type = BigInteger()
    inherit_cache = True


@compiles(largest, "sqlite")
def _sqlite_largest(element: largest, compiler: SQLCompiler, **options: Any) -> str:
    return f"max({compiler.process(element.clauses, **options)})"


@compiles(largest, "postgresql")
def _postgresql_largest(element: largest, compiler: SQLCompiler, **options: Any) -> str:
    return f"greatest({compiler.process(element.clauses, **options)})"


def turn_of(group: ColumnElement[str], priority: ColumnElement[int]) -> ColumnElement[int]:
    """The turn of a job that now begins to wait.

    Start-time fair queueing, every job of weight one: a group's next job comes one turn after its last one that
    is waiting, but not before the turn that is being served. So a group of one job waits for one job of each
    other group, however many those have.
    """
    same = jobs.c.priority == priority
    last = select(jobs.c.turn + 1).where(in_state(JobState.WAITING), same, jobs.c.group_name == group)
    first = select(jobs.c.turn).where(in_state(JobState.WAITING), same)
    served = select(func.max(jobs.c.turn)).where(in_state(JobState.RUNNING), same)
    return largest(
        func.coalesce(last.order_by(jobs.c.turn.desc()).limit(1).scalar_subquery(), 0),
        func.coalesce(first.order_by(jobs.c.turn).limit(1).scalar_subquery(), 0),
        func.coalesce(served.scalar_subquery(), 0),
    )


@cache
def entering(*, delayed: bool) -> dict[str, Any]:
    """The columns of a job that begins to wait, as SQL of the parameters that ``entry_of`` gives."""
    group, priority = _text("group"), _integer("priority")
    return {
        "handler": _text("handler"),
        "payload": _text("payload"),
        "group_name": group,
        "priority": priority,
        "number": select(func.coalesce(func.max(jobs.c.number), 0) + 1).scalar_subquery(),
        "state": literal_column(f"'{JobState.DELAYED if delayed else JobState.WAITING}'"),
        "turn": literal_column("0") if delayed else turn_of(group, priority),
        "enqueued_at": now(),
        "due_at": now() + _seconds("delay"),
    }


def entry_of(job: Job, delay_seconds: float) -> dict[str, Any]:
    """The parameters of ``entering``, and the job's id as ``to_id``.

    Raises:
        TypeError: the payload is not JSON.
    """
    return {
        "to_id": job.id,
        "to_handler": job.handler,
        "to_payload": json.dumps(job.payload),
        "to_group": job.group,
        "to_priority": job.priority,
        "to_delay": max(0.0, delay_seconds),
    }


@cache
def adding(dialect: str, *, delayed: bool) -> Insert:
    """The statement that adds a job, and answers its id unless it is there; building it costs more than using it."""
    if dialect == "sqlite":
        from sqlalchemy.dialects.sqlite import insert
    else:
        from sqlalchemy.dialects.postgresql import insert  # type: ignore[assignment]
    row = {"id": _text("id"), **entering(delayed=delayed)}
    return insert(jobs).values(row).on_conflict_do_nothing().returning(jobs.c.id)


LOCK = select(jobs.c.state).where(jobs.c.id == _text("id")).with_for_update()
START_ANEW = {
    delayed: update(jobs)
    .where(jobs.c.id == _text("id"))
    .values(**entering(delayed=delayed), failures=0, deaths=0, reason="", fraction=0.0, words="", ended_at=None)
    for delayed in (False, True)
}
HASTEN_WAITING = (
    update(jobs)
    .where(jobs.c.id == _text("id"), in_state(JobState.WAITING), jobs.c.priority > _integer("priority"))
    .values(priority=_integer("priority"), turn=turn_of(_text("group"), _integer("priority")))
)
# What is delayed stays so: the next look for work releases it, and gives it its turn.
_sooner = now() + _seconds("delay")
HASTEN_DELAYED = (
    update(jobs)
    .where(jobs.c.id == _text("id"), in_state(JobState.DELAYED))
    .values(
        priority=case((jobs.c.priority > _integer("priority"), _integer("priority")), else_=jobs.c.priority),
        due_at=case((and_(jobs.c.failures == 0, jobs.c.due_at > _sooner), _sooner), else_=jobs.c.due_at),
    )
)
CANCEL = (
    update(jobs)
    .where(jobs.c.id == _text("id"), jobs.c.state.in_(sorted(ACTIVE)))
    .values(state=JobState.CANCELLED, ended_at=now())
)

_fitting = and_(in_state(JobState.WAITING), jobs.c.handler.in_(_any_of("handlers")))
LOOK_FOR_WORK = select(
    now(),
    exists(select(jobs.c.id).where(_fitting)),
    select(func.min(jobs.c.due_at)).where(in_state(JobState.DELAYED)).scalar_subquery(),
    select(func.min(jobs.c.lease_ends_at)).where(in_state(JobState.RUNNING)).scalar_subquery(),
)
_first = (
    select(jobs.c.id)
    .where(_fitting)
    .order_by(jobs.c.priority, jobs.c.turn, jobs.c.number)
    .limit(_integer("count"))
    .with_for_update(skip_locked=True)
    # Run once: PostgreSQL may run a plain subquery again, and then takes more than were asked for.
    .cte("first_jobs")
)
TAKE = (
    update(jobs)
    .where(jobs.c.id.in_(select(_first.c.id)))
    .values(
        state=JobState.RUNNING,
        worker=_text("worker"),
        attempt=jobs.c.attempt + 1,
        started_at=now(),
        lease_ends_at=now() + _seconds("lease"),
        fraction=0.0,
        words="",
    )
    .returning(jobs)
)
DUE = (
    select(jobs.c.id, jobs.c.group_name, jobs.c.priority)
    .where(in_state(JobState.DELAYED), jobs.c.due_at <= now())
    .order_by(jobs.c.due_at)
    .limit(BATCH)
    .with_for_update(skip_locked=True)
)
RELEASE = (
    update(jobs)
    .where(jobs.c.id == _text("id"))
    .values(state=JobState.WAITING, turn=turn_of(_text("group"), _integer("priority")))
)
ABANDONED = (
    select(jobs.c.id, jobs.c.attempt, jobs.c.deaths, jobs.c.worker)
    .where(in_state(JobState.RUNNING), jobs.c.lease_ends_at < now())
    .limit(BATCH)
    .with_for_update(skip_locked=True)
)
STANDING = select(jobs.c.id, jobs.c.attempt, jobs.c.state).where(jobs.c.id.in_(_any_of("ids")))

# What fences every write of a worker.
_is_at = and_(jobs.c.id == _text("id"), jobs.c.attempt == _integer("attempt"), in_state(JobState.RUNNING))
RENEW = (
    update(jobs)
    .where(_is_at)
    .values(lease_ends_at=now() + _seconds("lease"), fraction=_seconds("fraction"), words=_text("words"))
)
_left = {
    "state": _text("state"),
    "reason": _text("reason"),
    "failures": jobs.c.failures + _integer("counted"),
    "deaths": jobs.c.deaths + _integer("died"),
}
DONE = update(jobs).where(_is_at).values(state=JobState.DONE, reason="", fraction=1.0, ended_at=now())
GIVE_UP = update(jobs).where(_is_at).values(**_left, ended_at=now())
HAND_BACK = update(jobs).where(_is_at).values(**_left, due_at=now() + _seconds("delay"))
FORGET = delete(jobs).where(
    jobs.c.id.in_(
        select(jobs.c.id)
        .where(
            or_(
                jobs.c.ended_at < now() - _seconds("keep_failed"),
                and_(jobs.c.state != JobState.FAILED, jobs.c.ended_at < now() - _seconds("keep_done")),
            )
        )
        .limit(BATCH)
    )
)


def outcome(job_id: str, attempt: int, verdict: Verdict, *, died: bool = False) -> tuple[Update, dict[str, Any]]:
    """What writes down what came of an attempt, and its parameters; no row matches when it is not the present one."""
    at: dict[str, Any] = {"to_id": job_id, "to_attempt": attempt}
    match verdict:
        case Done():
            return DONE, at
        case GivenUp(reason, counted):
            ended = {"to_state": JobState.FAILED.value, "to_reason": reason}
            return GIVE_UP, at | ended | {"to_counted": int(counted), "to_died": int(died)}
        case Again(delay_seconds, reason, counted):
            # Without a delay it keeps its turn: it has only changed hands.
            state = JobState.DELAYED if delay_seconds > 0 else JobState.WAITING
            back = {"to_state": state.value, "to_reason": reason, "to_delay": delay_seconds}
            return HAND_BACK, at | back | {"to_counted": int(counted), "to_died": int(died)}
