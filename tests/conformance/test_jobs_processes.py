"""Workers that are killed, frozen or told to stop, and a database that crashes: every job has its effect, once."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError
from tests.conformance.jobs_worker import Place

from partway.jobs.base import Job, Jobs, JobState, Terms
from partway.jobs.table import TableJobs
from partway.testing.job_ground import eventually, reaches
from partway.testing.postgres import RunningPostgres, running_postgres

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

TERMS = Terms(lease_seconds=2.0, heartbeat_seconds=0.4, grace_seconds=20.0)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "sqlite":
        return Place(f"sqlite:///{tmp_path}/jobs.db", tmp_path)
    server: RunningPostgres = request.getfixturevalue("postgres")
    return Place(server.url_of(server.create_database()), tmp_path)


@contextlib.asynccontextmanager
async def opened(place: Place, terms: Terms = TERMS) -> AsyncIterator[Jobs]:
    jobs = TableJobs(place.url, terms)
    await jobs.prepare()
    try:
        yield jobs
    finally:
        await jobs.close()


async def test_a_killed_workers_job_is_done_by_another(place: Place) -> None:
    async with opened(place) as jobs:
        place.add_videos("v1")
        await jobs.enqueue(Job("poster:v1", "gated", {"video": "v1"}))
        with place.workers(1, TERMS) as (first,):
            place.await_event("begun", pid=first.pid)
            with place.workers(1, TERMS) as (second,):
                first.kill()
                place.await_event("begun", pid=second.pid, attempt=2)
                place.open_gate()
                status = await reaches(jobs, "poster:v1", JobState.DONE)
    assert (status.attempt, status.failures) == (2, 0)
    assert place.posters() == {"v1": "poster:v1.2"}
    assert len(place.events("published")) == 1


async def test_a_frozen_workers_job_is_done_once(place: Place) -> None:
    """The frozen worker comes back, finds out, and leaves its job; what it might have published doesn't count."""
    async with opened(place) as jobs:
        place.add_videos("v1")
        await jobs.enqueue(Job("poster:v1", "gated", {"video": "v1"}))
        with place.workers(1, TERMS) as (first,):
            place.await_event("begun", pid=first.pid)
            with place.workers(1, TERMS) as (second,):
                place.freeze(first)
                place.await_event("begun", pid=second.pid, attempt=2)
                first.send_signal(signal.SIGCONT)
                assert place.await_event("left", pid=first.pid, attempt=1)["why"] == "LeaseLost"
                place.open_gate()
                status = await reaches(jobs, "poster:v1", JobState.DONE)
                # It is of use again.
                second.kill()
                place.add_videos("v2")
                await jobs.enqueue(Job("poster:v2", "gated", {"video": "v2"}))
                place.await_event("published", pid=first.pid, job="poster:v2")
    assert status.attempt == 2
    assert place.posters()["v1"] == "poster:v1.2"


@pytest.mark.slow
async def test_what_a_frozen_worker_publishes_late_has_no_effect(place: Place) -> None:
    async with opened(place) as jobs:
        place.add_videos("v1")
        await jobs.enqueue(Job("poster:v1", "gated", {"video": "v1"}))
        with place.workers(1, TERMS) as (first,):
            place.await_event("begun", pid=first.pid)
            with place.workers(1, TERMS) as (second,):
                place.freeze(first)
                place.await_event("begun", pid=second.pid, attempt=2)
                place.open_gate()
                await reaches(jobs, "poster:v1", JobState.DONE)
                first.send_signal(signal.SIGCONT)
                # It finds the gate open and publishes, or finds out first and leaves; both are harmless.
                await eventually(lambda: _left_or_published(place, first.pid), "the frozen worker's attempt ends")
    status = [event["won"] for event in place.events("published")]
    assert status.count(True) == 1
    assert place.posters() == {"v1": "poster:v1.2"}


async def _left_or_published(place: Place, pid: int) -> bool:
    return bool(place.events("left", pid=pid) or place.events("published", pid=pid))


async def test_a_worker_told_to_stop_finishes(place: Place) -> None:
    async with opened(place) as jobs:
        place.add_videos("v1", "v2")
        await jobs.enqueue(*(Job(f"poster:{video}", "gated", {"video": video}) for video in ("v1", "v2")))
        with place.workers(1, TERMS) as (worker,):
            place.await_event("begun")
            worker.terminate()
            place.open_gate()
            assert worker.wait(timeout=30) == 0
        assert (await reaches(jobs, "poster:v1", JobState.DONE)).attempt == 1
        assert (await reaches(jobs, "poster:v2", JobState.WAITING)).attempt == 0
        assert place.events("stopped")
        with place.workers(1, TERMS):
            await reaches(jobs, "poster:v2", JobState.DONE)


async def test_a_worker_told_to_stop_hands_back(place: Place) -> None:
    terms = Terms(lease_seconds=600.0, grace_seconds=0.3)
    async with opened(place, terms) as jobs:
        place.add_videos("v1")
        await jobs.enqueue(Job("poster:v1", "gated", {"video": "v1"}))
        with place.workers(1, terms) as (worker,):
            place.await_event("begun")
            worker.terminate()
            assert worker.wait(timeout=30) == 0
        status = await reaches(jobs, "poster:v1", JobState.WAITING)
        assert (status.attempt, status.failures) == (1, 0)
        assert place.events("left")[0]["why"] == "WorkerStopping"
        place.open_gate()
        with place.workers(1, terms):
            assert (await reaches(jobs, "poster:v1", JobState.DONE)).attempt == 2


async def test_several_processes_share_the_work_and_one_clock(place: Place) -> None:
    """Jobs enqueued from several sides at once are done once each, and every tick is one job."""
    (place.folder / "clock").touch()
    place.open_gate()
    ids = [f"v{number:02}" for number in range(40)]
    place.add_videos(*ids)
    wanted = [Job(f"poster:{video}", "gated", {"video": video}, group=video) for video in ids]
    async with opened(place) as jobs:
        with place.workers(3, TERMS, concurrency=2) as workers:
            await jobs.enqueue(*wanted)
            assert await jobs.enqueue(*wanted) == 0
            for job in wanted:
                await reaches(jobs, job.id, JobState.DONE)
            await eventually(lambda: _has_ticked(place, 6), "the clock ticks")
            for worker in workers:
                worker.terminate()
            assert [worker.wait(timeout=30) for worker in workers] == [0, 0, 0]
    assert sorted(event["job"] for event in place.events("begun")) == [job.id for job in wanted]
    ticks = [event["job"] for event in place.events("tick")]
    assert len(set(ticks)) == len(ticks)


async def _has_ticked(place: Place, times: int) -> bool:
    return len(place.events("tick")) >= times


@pytest.mark.services
async def test_workers_survive_a_database_that_crashes(tmp_path: Path) -> None:
    """PostgreSQL loses a process, drops everybody and recovers; the job at work is done, and so are later ones."""
    with running_postgres() as server:
        place = Place(server.url_of(server.create_database()), tmp_path)
        place.add_videos("v1", "v2")
        async with opened(place) as jobs:
            await jobs.enqueue(Job("poster:v1", "gated", {"video": "v1"}))
            with place.workers(1, TERMS) as (worker,):
                place.await_event("begun")
                await _crash(server)
                await _crash(server)
                place.open_gate()
                await reaches(jobs, "poster:v1", JobState.DONE)
                await jobs.enqueue(Job("poster:v2", "gated", {"video": "v2"}))
                await reaches(jobs, "poster:v2", JobState.DONE)
                assert worker.poll() is None
    assert None not in place.posters().values()
    assert [event["won"] for event in place.events("published")].count(True) == 2


async def _crash(server: RunningPostgres) -> None:
    """Kill one of its processes, and wait until it has recovered."""
    query = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'"
    ((pid,),) = server.run("postgres", query)
    assert isinstance(pid, int)
    os.kill(pid, signal.SIGKILL)

    async def is_another() -> bool:
        try:
            return server.run("postgres", query) not in ([], [(pid,)])
        except OperationalError:
            return False

    await eventually(is_another, "PostgreSQL recovers")
