"""Checks of the queue: one job an id, whose turn it is, and when."""

from __future__ import annotations

import asyncio
from typing import Any

from partway.errors import JobHopeless
from partway.jobs.base import Job, JobContext, JobState, Priority, Schedule, Terms
from partway.testing.job_ground import (
    FOREVER,
    TERMS,
    Call,
    Check,
    Notebook,
    Open,
    as_answer,
    eventually,
    has_ended,
    nothing,
    reaches,
    working,
)


async def duplicates_are_one_job(open_jobs: Open) -> None:
    """However often an id is enqueued, at once and later, it runs once."""
    async with open_jobs(TERMS) as jobs, open_jobs(TERMS) as others:
        notebook = Notebook()
        wanted = [Job("one", "note"), Job("two", "note")]
        told = await asyncio.gather(
            *(engine.enqueue(*order) for engine in (jobs, others) for order in (wanted, wanted[::-1], wanted[:1]))
        )
        assert sum(told) == 2, f"enqueueing two ids six times has set {sum(told)} jobs going"
        async with working(jobs, {"note": notebook}, concurrency=2):
            await reaches(jobs, "one", JobState.DONE)
            await reaches(jobs, "two", JobState.DONE)
            assert await jobs.enqueue(*wanted) == 0, "a done job was set going again"
            assert await jobs.enqueue(Job("three", "note"), Job("three", "note")) == 1
            await reaches(jobs, "three", JobState.DONE)
        assert sorted(notebook.begun) == ["one", "three", "two"], notebook.begun


async def again_starts_anew(open_jobs: Open) -> None:
    """``again`` starts a job anew that has ended, however; its attempts go on counting."""
    async with open_jobs(TERMS) as jobs:
        await jobs.enqueue(Job("done", "note"), Job("off", "note"), Job("bad", "fail"))
        await jobs.cancel("off")
        notebook = Notebook()

        async def fail(context: JobContext) -> None:
            if context.attempt == 1:
                raise JobHopeless("no")

        async with working(jobs, {"note": notebook, "fail": fail}):
            await reaches(jobs, "done", JobState.DONE)
            assert (await reaches(jobs, "bad", JobState.FAILED)).reason == "no"
            for job_id, handler, attempt in (("done", "note", 2), ("off", "note", 1), ("bad", "fail", 2)):
                assert await jobs.enqueue(Job(job_id, handler, {"n": 2}), again=True) == 1
                status = await reaches(jobs, job_id, JobState.DONE)
                assert (status.attempt, status.reason, status.failures) == (attempt, "", 0), status
                assert status.job.payload == {"n": 2}, "it kept the old payload"
        assert sorted(notebook.begun) == ["done", "done", "off"], notebook.begun


async def again_leaves_active_jobs_alone(open_jobs: Open) -> None:
    """``again`` changes nothing about a job that waits or runs."""
    async with open_jobs(TERMS) as jobs:
        notebook = Notebook(is_open=False)
        await jobs.enqueue(Job("one", "note"))
        assert await jobs.enqueue(Job("one", "note"), again=True) == 0
        async with working(jobs, {"note": notebook}):
            await reaches(jobs, "one", JobState.RUNNING)
            assert await jobs.enqueue(Job("one", "note"), again=True) == 0
            notebook.gate.set()
            status = await reaches(jobs, "one", JobState.DONE)
        assert (status.attempt, notebook.begun) == (1, ["one"])


async def urgent_jobs_first(open_jobs: Open) -> None:
    """Smaller priorities begin first; within one, in the order of enqueueing."""
    async with open_jobs(TERMS) as jobs:
        notebook = Notebook()
        for number, priority in enumerate((Priority.LATER, Priority.NORMAL, 5, Priority.NOW, Priority.NORMAL)):
            await jobs.enqueue(Job(f"{priority:d}/{number}", "note", priority=priority))
        async with working(jobs, {"note": notebook}):
            await reaches(jobs, "200/0", JobState.DONE)
        assert notebook.begun == ["0/3", "5/2", "100/1", "100/4", "200/0"], notebook.begun


async def more_urgent_when_asked_again(open_jobs: Open) -> None:
    """A waiting job takes the more urgent of both priorities, and never the less urgent."""
    async with open_jobs(TERMS) as jobs:
        notebook = Notebook()
        await jobs.enqueue(*(Job(name, "note", priority=Priority.LATER) for name in "abc"))
        await jobs.enqueue(Job("c", "note", priority=Priority.NOW))
        await jobs.enqueue(Job("c", "note", priority=Priority.NORMAL))
        async with working(jobs, {"note": notebook}):
            await reaches(jobs, "b", JobState.DONE)
        assert notebook.begun == ["c", "a", "b"], notebook.begun


async def delayed_jobs_wait(open_jobs: Open) -> None:
    """A delayed job doesn't begin before its time, and then it does; enqueued once more, it takes the earlier time."""
    async with open_jobs(TERMS) as jobs:
        notebook = Notebook()
        await jobs.enqueue(Job("soon", "note"), delay_seconds=0.3)
        await jobs.enqueue(Job("late", "note"), delay_seconds=FOREVER)
        await jobs.enqueue(Job("hastened", "note"), delay_seconds=FOREVER)
        async with working(jobs, {"note": notebook}):
            assert (await reaches(jobs, "late", JobState.DELAYED)).attempt == 0
            await jobs.enqueue(Job("hastened", "note"))
            await jobs.enqueue(Job("soon", "note"), delay_seconds=FOREVER)
            await reaches(jobs, "hastened", JobState.DONE)
            status = await reaches(jobs, "soon", JobState.DONE)
            assert status.started_at is not None
            assert status.started_at >= status.due_at, "it began before its time"
            late = await reaches(jobs, "late", JobState.DELAYED)
            assert (late.due_at - late.enqueued_at).total_seconds() > FOREVER - 1
        assert sorted(notebook.begun) == ["hastened", "soon"], notebook.begun


async def groups_take_turns(open_jobs: Open) -> None:
    """A video with a hundred jobs doesn't make one with a single job wait for them."""
    async with open_jobs(TERMS) as jobs:
        begun: list[str] = []

        async def note(context: JobContext) -> None:
            begun.append(context.job.id)
            if context.job.id == "many/050":
                # A newcomer takes turns with what is left.
                await jobs.enqueue(*(Job(f"new/{n:02}", "note", group="new") for n in range(30)))

        await jobs.enqueue(*(Job(f"many/{n:03}", "note", group="many") for n in range(100)))
        await jobs.enqueue(Job("single/0", "note", group="single"))
        await jobs.enqueue(*(Job(f"few/{n}", "note", group="few") for n in range(5)))
        async with working(jobs, {"note": note}):
            await reaches(jobs, "many/099", JobState.DONE)
        assert begun.index("single/0") <= 2, begun[:5]
        assert begun.index("few/4") <= 15, begun[:20]
        for group in ("many", "few", "new"):
            own = [job_id for job_id in begun if job_id.startswith(group)]
            assert own == sorted(own), f"within a group the order has changed: {own}"
        left = begun[begun.index("many/050") :]
        assert left.index("new/29") <= 65, "the newcomer was starved"
        assert left.index("many/075") <= 60, "the newcomer starved the others"


async def fairness_is_within_a_priority(open_jobs: Open) -> None:
    """A group's turn never comes before somebody else's more urgent job."""
    async with open_jobs(TERMS) as jobs:
        notebook = Notebook()
        await jobs.enqueue(Job("idle/0", "note", group="idle", priority=Priority.LATER))
        await jobs.enqueue(*(Job(f"busy/{n}", "note", group="busy") for n in range(8)))
        async with working(jobs, {"note": notebook}):
            await reaches(jobs, "idle/0", JobState.DONE)
        assert notebook.begun[-1] == "idle/0", notebook.begun


async def concurrency_is_each_workers_own(open_jobs: Open) -> None:
    """Two workers with different concurrency have as many jobs at work as each was told."""
    async with open_jobs(TERMS) as jobs, open_jobs(TERMS) as others:
        small, big = Notebook(is_open=False), Notebook(is_open=False)
        await jobs.enqueue(*(Job(f"{n}", "note") for n in range(12)))
        async with working(jobs, {"note": small}, concurrency=1), working(others, {"note": big}, concurrency=4):
            await eventually(lambda: as_answer(len(small.begun) + len(big.begun) >= 5), "both workers are full")
            assert (len(small.begun), len(big.begun)) == (1, 4)
            small.gate.set()
            big.gate.set()
            await eventually(lambda: has_ended(jobs, 12), "all are done")
        assert sorted(small.begun + big.begun) == sorted(f"{n}" for n in range(12))


async def schedules_tick_once(open_jobs: Open) -> None:
    """Several workers keep one clock: every tick is done once, and a slow job is not joined by the next one."""
    async with open_jobs(TERMS) as jobs, open_jobs(TERMS) as others:
        ticks, slow = Notebook(), Notebook(is_open=False)
        clocks = [
            Schedule("often", "tick", every_seconds=0.25, payload={"what": "sweep"}),
            Schedule("seldom", "slow", every_seconds=0.25),
        ]
        calls: dict[str, Call] = {"tick": ticks, "slow": slow}
        async with (
            working(jobs, calls, concurrency=2, schedules=clocks),
            working(others, calls, concurrency=2, schedules=clocks),
        ):
            await eventually(lambda: as_answer(len(ticks.begun) >= 6), "the clock ticks")
            assert len(slow.begun) == 1, "a tick's job was joined by the next one"
            slow.gate.set()
            await eventually(lambda: as_answer(len(slow.begun) > 1), "the slow clock goes on")
        assert len(set(ticks.begun)) == len(ticks.begun), f"a tick was done twice: {ticks.begun}"
        one = await reaches(jobs, ticks.begun[0], JobState.DONE)
        assert (one.job.payload, one.job.group) == ({"what": "sweep"}, "schedule:often")


async def sweeping_forgets(open_jobs: Open) -> None:
    """Ended jobs are forgotten after their time, failed ones later; active ones never."""
    terms = Terms(keep_done_seconds=0.0, keep_failed_seconds=FOREVER, lease_seconds=2.0)
    async with open_jobs(terms) as jobs:

        async def fail(context: JobContext) -> None:
            raise JobHopeless("no")

        await jobs.enqueue(Job("done", "nothing"), Job("bad", "fail"), Job("off", "nothing"), Job("later", "unknown"))
        await jobs.cancel("off")
        async with working(jobs, {"nothing": nothing, "fail": fail}):
            await reaches(jobs, "bad", JobState.FAILED)

        async def is_forgotten() -> bool:
            await jobs.sweep()
            return [await jobs.status(job_id) for job_id in ("done", "off")] == [None, None]

        await eventually(is_forgotten, "they are forgotten")
        assert await jobs.status("bad") is not None
        assert await jobs.status("later") is not None
        assert await jobs.enqueue(Job("done", "nothing")) == 1, "a forgotten id is free again"


async def jobs_are_listed(open_jobs: Open) -> None:
    """The last first; by state, group and handler, some at a time; payloads come back as they were."""
    async with open_jobs(TERMS) as jobs:
        payload: dict[str, Any] = {"videoId": "vi é", "parts": [1, 2.5, None, True], "deep": {"er": []}}
        await jobs.enqueue(*(Job(f"{n}", "note", payload, group=f"g{n % 2}") for n in range(6)))
        await jobs.enqueue(Job("late", "other"), delay_seconds=FOREVER)
        await jobs.cancel("3")
        assert [status.job.id for status in await jobs.list()] == ["late", "5", "4", "3", "2", "1", "0"]
        assert [status.job.id for status in await jobs.list(limit=2, offset=1)] == ["5", "4"]
        assert [status.job.id for status in await jobs.list(group="g1", states={JobState.WAITING})] == ["5", "1"]
        assert [status.job.id for status in await jobs.list(handler="other")] == ["late"]
        assert [status.job.id for status in await jobs.list(states={JobState.CANCELLED, JobState.DELAYED})] == [
            "late",
            "3",
        ]
        (one,) = await jobs.list(limit=1, offset=6)
        assert one.job == Job("0", "note", payload, "g0", Priority.NORMAL)
        assert await jobs.status("unknown") is None
        try:
            await jobs.enqueue(Job("fine", "note"), Job("bytes", "note", {"b": b"x"}))
        except TypeError:
            pass
        else:
            raise AssertionError("a payload that is not JSON was taken")
        assert await jobs.status("fine") is None, "half of an enqueue was kept"


CHECKS: tuple[Check, ...] = (
    duplicates_are_one_job,
    again_starts_anew,
    again_leaves_active_jobs_alone,
    urgent_jobs_first,
    more_urgent_when_asked_again,
    delayed_jobs_wait,
    groups_take_turns,
    fairness_is_within_a_priority,
    concurrency_is_each_workers_own,
    schedules_tick_once,
    sweeping_forgets,
    jobs_are_listed,
)
