"""Workers are killed, frozen and stopped at random, again and again: every job has its effect, exactly once."""

from __future__ import annotations

import random
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conformance.jobs_worker import Place

from partway.jobs.base import ACTIVE, Job, JobState, Terms
from partway.jobs.table import TableJobs
from partway.testing.job_ground import eventually
from partway.testing.postgres import RunningPostgres, running_postgres

pytestmark = [pytest.mark.anyio, pytest.mark.crash_long, pytest.mark.timeout(600)]

TERMS = Terms(lease_seconds=2.0, heartbeat_seconds=0.4, grace_seconds=0.2, deaths_max=20)
VIDEOS = 60
BLOWS = 16


@pytest.fixture(scope="module")
def server() -> Iterator[RunningPostgres]:
    with running_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "sqlite":
        return Place(f"sqlite:///{tmp_path}/jobs.db", tmp_path)
    server: RunningPostgres = request.getfixturevalue("server")
    return Place(server.url_of(server.create_database()), tmp_path)


@pytest.mark.parametrize("seed", [1])
async def test_every_job_has_one_effect(place: Place, seed: int) -> None:
    chance = random.Random(seed)
    ids = [f"v{number:03}" for number in range(VIDEOS)]
    place.add_videos(*ids)
    jobs = TableJobs(place.url, TERMS)
    await jobs.prepare()
    wanted = [_poster_of(video, chance) for video in ids]
    await jobs.enqueue(*wanted)
    blows: list[str] = []
    with place.workers(3, TERMS, concurrency=2) as workers:
        at_work = list(workers)
        frozen: list[subprocess.Popen[bytes]] = []
        while len(blows) < BLOWS:
            begun = len(place.events("begun"))
            await eventually(lambda begun=begun: _has_begun(place, begun), "somebody begins a job")
            victim = at_work.pop(chance.randrange(len(at_work)))
            blow = chance.choice(["SIGKILL", "SIGKILL", "SIGSTOP", "SIGTERM"])
            blows.append(blow)
            if blow == "SIGSTOP":
                place.freeze(victim)
                frozen.append(victim)
            else:
                victim.send_signal(signal.Signals[blow])
            if len(frozen) > 1:
                # Back from the dead, when others have what it had.
                at_work.append(frozen.pop(0))
                at_work[-1].send_signal(signal.SIGCONT)
            if len(at_work) < 3:
                workers.append(place.start(TERMS, concurrency=2))
                at_work.append(workers[-1])
                place.await_event("ready", pid=workers[-1].pid)
            if len(await jobs.list(states=ACTIVE, limit=10)) < 10:
                # Keep them busy: the same facts ask for the same work, and new ones for more.
                more = [f"v{len(wanted) + number:03}" for number in range(20)]
                place.add_videos(*more)
                wanted += [_poster_of(video, chance) for video in more]
                await jobs.enqueue(*wanted)
        for worker in frozen:
            worker.send_signal(signal.SIGCONT)

        async def all_are_done() -> bool:
            return len(await jobs.list(states={JobState.DONE}, limit=len(wanted) + 1)) == len(wanted)

        await eventually(all_are_done, f"all jobs are done after {blows}", seconds=120)
    await jobs.close()
    assert None not in place.posters().values()
    won = [event["job"] for event in place.events("published") if event["won"]]
    # A worker killed between its publication and its note about it has published all the same.
    assert len(set(won)) == len(won), "a job has published twice"
    assert len(place.posters()) == len(wanted)


def _poster_of(video: str, chance: random.Random) -> Job:
    return Job(f"poster:{video}", "short", {"video": video, "seconds": chance.uniform(0.05, 1.5)}, group=video)


async def _has_begun(place: Place, more_than: int) -> bool:
    return len(place.events("begun")) > more_than
