"""The promise about jobs (``partway.jobs.base``) as checks that every engine has to pass.

An engine's test file is a few lines, whatever the test runner::

    @pytest.mark.anyio
    @pytest.mark.parametrize("check", job_conformance.CHECKS, ids=job_conformance.name_of)
    async def test_promise(check: Check) -> None:
        await check(lambda terms: open_memory(terms))

A check is given a function that opens an engine, on what is empty at first and the same at every call. It raises
AssertionError, with words, where the engine breaks its promise. What needs several processes is in
``tests/conformance/test_jobs_processes.py``.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from partway.errors import JobCancelled, JobHopeless, JobPostponed, LeaseLost, MediaMalformed
from partway.jobs.base import Handler, Job, JobContext, Jobs, JobState, JobStatus, Priority, Schedule, Terms
from partway.jobs.retry import Again, Done, RetryPolicy
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


async def progress_is_seen(open_jobs: Open) -> None:
    """What a handler reports is to be seen while it runs, from another connection too."""
    async with open_jobs(TERMS) as jobs, open_jobs(TERMS) as others:
        gate = asyncio.Event()

        async def report(context: JobContext) -> None:
            context.report(0.4, "4 of 10 segments")
            await gate.wait()
            context.report(7.0, "more than all")

        await jobs.enqueue(Job("one", "report"))
        async with working(jobs, {"report": report}):

            async def is_seen() -> bool:
                status = await others.status("one")
                return status is not None and (status.fraction, status.words) == (0.4, "4 of 10 segments")

            await eventually(is_seen, "progress is seen")
            gate.set()
            assert (await reaches(others, "one", JobState.DONE)).fraction == 1.0


async def cancelled_jobs_never_begin(open_jobs: Open) -> None:
    """Cancelling what waits, is delayed or has ended."""
    async with open_jobs(TERMS) as jobs:
        notebook = Notebook()
        await jobs.enqueue(Job("kept", "note"), Job("waiting", "note"))
        await jobs.enqueue(Job("delayed", "note"), delay_seconds=0.1)
        assert await jobs.cancel("waiting", "delayed", "unknown") == 2
        assert await jobs.cancel("waiting") == 0
        async with working(jobs, {"note": notebook}):
            await reaches(jobs, "kept", JobState.DONE)
            assert await jobs.cancel("kept") == 0
            await jobs.enqueue(Job("last", "note", priority=Priority.LATER), delay_seconds=0.3)
            await reaches(jobs, "last", JobState.DONE)
            for job_id in ("waiting", "delayed"):
                status = await reaches(jobs, job_id, JobState.CANCELLED)
                assert status.ended_at is not None
                assert status.attempt == 0
        assert notebook.begun == ["kept", "last"], notebook.begun


async def cancelling_reaches_a_child_process(open_jobs: Open) -> None:
    """Cancelling a running job from elsewhere ends the child process that its handler waits for."""
    async with open_jobs(TERMS) as jobs, open_jobs(TERMS) as others:
        children: list[int] = []
        left: list[object] = []

        async def encode(context: JobContext) -> None:
            child = await asyncio.create_subprocess_exec(
                sys.executable, "-c", "import time; time.sleep(600)", start_new_session=True
            )
            children.append(child.pid)
            try:
                await child.wait()
            finally:
                left.append(context.stopped)
                os.killpg(child.pid, signal.SIGKILL)
                await child.wait()

        async with working(jobs, {"encode": encode, "nothing": nothing}):
            await jobs.enqueue(Job("one", "encode"))
            await eventually(lambda: _as_answer(children), "the child process starts")
            assert await others.cancel("one") == 1
            # The slot is free only when the handler has left.
            await jobs.enqueue(Job("next", "nothing"))
            await reaches(jobs, "next", JobState.DONE)
            status = await reaches(jobs, "one", JobState.CANCELLED)
        assert isinstance(left[0], JobCancelled), f"the handler was told {left}"
        assert (status.attempt, len(children)) == (1, 1)
        try:
            os.kill(children[0], 0)
        except ProcessLookupError:
            return
        raise AssertionError("the child process has survived its job")


async def cancelling_reaches_a_thread(open_jobs: Open) -> None:
    """What can't be interrupted is told when it asks, and what it returns counts no more."""
    async with open_jobs(TERMS) as jobs:
        told: list[BaseException] = []
        running = threading.Event()

        def work(context: JobContext) -> None:
            running.set()
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline:
                try:
                    context.report(0.5)
                except JobCancelled as error:
                    told.append(error)
                    return
                time.sleep(0.005)

        async with working(jobs, {"thread": lambda context: asyncio.shield(asyncio.to_thread(work, context))}):
            await jobs.enqueue(Job("one", "thread"))
            await eventually(lambda: _as_answer(running.is_set()), "the thread runs")
            await jobs.cancel("one")
            await eventually(lambda: _as_answer(told), "the thread is told")
        assert (await reaches(jobs, "one", JobState.CANCELLED)).attempt == 1


async def failures_are_tried_again(open_jobs: Open) -> None:
    """A handler that fails is called again after a while that grows; the last failure is to be seen meanwhile."""
    async with open_jobs(TERMS) as jobs:
        begun: list[float] = []

        async def shaky(context: JobContext) -> None:
            begun.append(time.monotonic())
            if len(begun) < 3:
                raise OSError(f"disk {len(begun)}")

        await jobs.enqueue(Job("one", "shaky"))
        async with working(jobs, {"shaky": shaky}):
            status = await reaches(jobs, "one", JobState.DONE)
        assert (status.attempt, status.failures, status.reason) == (3, 2, ""), status
        assert begun[1] - begun[0] >= 0.05, begun
        assert begun[2] - begun[1] >= 0.1, begun


async def poison_ends_as_failed(open_jobs: Open) -> None:
    """A job that always fails ends, with its reason; one that is hopeless at once; others go on."""
    async with open_jobs(TERMS) as jobs:

        async def poison(context: JobContext) -> None:
            raise ValueError("bad bytes")

        async def broken(context: JobContext) -> None:
            raise MediaMalformed("The moov ends in the middle.")

        async def cancels_itself(context: JobContext) -> None:
            raise asyncio.CancelledError("of its own")

        calls: dict[str, Call] = {"poison": poison, "broken": broken, "self": cancels_itself, "nothing": nothing}
        await jobs.enqueue(
            Job("poison", "poison"), Job("broken", "broken"), Job("self", "self"), Job("good", "nothing")
        )
        async with working(jobs, calls):
            status = await reaches(jobs, "poison", JobState.FAILED)
            assert (status.attempt, status.failures) == (3, 3)
            assert status.reason == "ValueError: bad bytes (attempt 3 of 3)", status.reason
            assert status.ended_at is not None
            status = await reaches(jobs, "broken", JobState.FAILED)
            assert (status.attempt, status.failures, status.reason) == (1, 1, "The moov ends in the middle.")
            status = await reaches(jobs, "self", JobState.FAILED)
            assert status.reason == "CancelledError: of its own (attempt 3 of 3)", status.reason
            await reaches(jobs, "good", JobState.DONE)


async def postponed_jobs_come_back(open_jobs: Open) -> None:
    """A handler may say that it is not time yet; that is no failure."""
    async with open_jobs(TERMS) as jobs:

        async def patient(context: JobContext) -> None:
            if context.attempt < 6:
                raise JobPostponed(0.01, "nothing there yet")

        await jobs.enqueue(Job("one", "patient"))
        async with working(jobs, {"patient": patient}):
            status = await reaches(jobs, "one", JobState.DONE, JobState.FAILED)
        assert (status.state, status.attempt, status.failures) == (JobState.DONE, 6, 0), status


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
            await eventually(lambda: _as_answer(len(small.begun) + len(big.begun) >= 5), "both workers are full")
            assert (len(small.begun), len(big.begun)) == (1, 4)
            small.gate.set()
            big.gate.set()
            await eventually(lambda: _has_ended(jobs, 12), "all are done")
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
            await eventually(lambda: _as_answer(len(ticks.begun) >= 6), "the clock ticks")
            assert len(slow.begun) == 1, "a tick's job was joined by the next one"
            slow.gate.set()
            await eventually(lambda: _as_answer(len(slow.begun) > 1), "the slow clock goes on")
        assert len(set(ticks.begun)) == len(ticks.begun), f"a tick was done twice: {ticks.begun}"
        one = await reaches(jobs, ticks.begun[0], JobState.DONE)
        assert (one.job.payload, one.job.group) == ({"what": "sweep"}, "schedule:often")


async def stopping_lets_jobs_finish(open_jobs: Open) -> None:
    """A worker that is told to stop finishes what it is at, and begins nothing more."""
    async with open_jobs(TERMS) as jobs:
        notebook = Notebook(is_open=False)
        await jobs.enqueue(Job("one", "note"), Job("two", "note"))
        async with working(jobs, {"note": notebook}) as stop:
            await reaches(jobs, "one", JobState.RUNNING)
            stop.set()
            notebook.gate.set()
        assert (await reaches(jobs, "one", JobState.DONE)).attempt == 1
        assert (await reaches(jobs, "two", JobState.WAITING)).attempt == 0
        assert notebook.left == []


async def stopping_hands_jobs_back(open_jobs: Open) -> None:
    """What doesn't finish in time is stopped, and another worker's at once, with no failure counted."""
    terms = Terms(lease_seconds=FOREVER, heartbeat_seconds=0.2, grace_seconds=0.2)
    async with open_jobs(terms) as jobs:
        notebook = Notebook(is_open=False)
        await jobs.enqueue(Job("one", "note"))
        async with working(jobs, {"note": notebook}) as stop:
            await reaches(jobs, "one", JobState.RUNNING)
            stop.set()
        status = await reaches(jobs, "one", JobState.WAITING)
        assert (status.attempt, status.failures, notebook.left) == (1, 0, ["WorkerStopping"]), (status, notebook.left)
        notebook.gate.set()
        async with working(jobs, {"note": notebook}):
            assert (await reaches(jobs, "one", JobState.DONE)).attempt == 2


async def a_cancelled_worker_hands_jobs_back(open_jobs: Open) -> None:
    """Also a worker whose own task is cancelled leaves nothing running."""
    async with open_jobs(Terms(lease_seconds=FOREVER)) as jobs:
        notebook = Notebook(is_open=False)
        await jobs.enqueue(Job("one", "note"))
        run = asyncio.create_task(jobs.run({"note": Handler(notebook)}, stop=asyncio.Event()))
        await reaches(jobs, "one", JobState.RUNNING)
        run.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await run
        assert run.cancelled(), "the cancellation was swallowed"
        assert notebook.left == ["WorkerStopping"]
        await reaches(jobs, "one", JobState.WAITING)


async def pending_jobs_outlive_the_worker(open_jobs: Open) -> None:
    """What no worker was there for is done by the next one; what it can't do is left alone."""
    async with open_jobs(TERMS) as jobs:
        await jobs.enqueue(Job("strange", "unheard-of", priority=Priority.NOW), Job("one", "note"))
        await jobs.enqueue(Job("two", "note"), delay_seconds=0.05)
        notebook = Notebook()
        async with working(jobs, {"note": notebook}):
            await reaches(jobs, "one", JobState.DONE)
            await reaches(jobs, "two", JobState.DONE)
            await reaches(jobs, "strange", JobState.WAITING)
        async with working(jobs, {"unheard-of": notebook}):
            await reaches(jobs, "strange", JobState.DONE)
        assert notebook.begun == ["one", "two", "strange"]


async def long_jobs_keep_their_lease(open_jobs: Open) -> None:
    """A job that takes several leases is done once, though another worker is waiting for it."""
    terms = Terms(lease_seconds=1.5, heartbeat_seconds=0.2)
    async with open_jobs(terms) as jobs, open_jobs(terms) as others:
        notebook = Notebook(is_open=False)
        await jobs.enqueue(Job("long", "note"))
        async with working(jobs, {"note": notebook}), working(others, {"note": notebook}):
            await reaches(jobs, "long", JobState.RUNNING)
            for number in range(2):
                await jobs.enqueue(Job(f"{number}", "note"), delay_seconds=(number + 1) * terms.lease_seconds)
            await eventually(lambda: _as_answer(len(notebook.begun) > 1), "a lease goes by")
            assert (await reaches(jobs, "long", JobState.RUNNING)).attempt == 1
            notebook.gate.set()
            await eventually(lambda: _has_ended(jobs, 3), "all are done")
        assert notebook.begun.count("long") == 1, "its lease was lost"


async def dead_workers_lose_their_jobs(open_jobs: Open) -> None:
    """A lease that nobody renews ends; the job is the next one's, and the dead worker's word counts no more."""
    async with open_jobs(Terms(lease_seconds=0.2)) as jobs:
        await jobs.enqueue(Job("one", "note"), Job("two", "note"))
        (held,) = (await jobs.claim("dead", {"note"}, 1)).held
        (other,) = (await jobs.claim("dead", {"note"}, 1)).held
        context = JobContext(held.job, held.attempt)
        assert await jobs.look([context]) == {}
        assert await jobs.settle([(other, Done())]) == []

        async def is_free() -> bool:
            again = (await jobs.claim("alive", {"note"}, 5)).held
            return [(one.job.id, one.attempt, one.failures) for one in again] == [("one", 2, 0)]

        await eventually(is_free, "the lease ends")
        lost = await jobs.renew([context])
        assert isinstance(lost[("one", 1)], LeaseLost), lost
        assert await jobs.settle([(held, Done())]) == [held], "a dead worker's word has counted"
        assert await jobs.settle([(held, Again(0.0, "", counted=False))]) == [held]
        status = await reaches(jobs, "one", JobState.RUNNING)
        assert (status.attempt, status.worker) == (2, "alive"), status
        assert "dead died or lost touch" in status.reason


async def a_job_that_kills_its_workers_fails(open_jobs: Open) -> None:
    """A job that takes one worker after the other with it is given up, with its reason."""
    async with open_jobs(Terms(lease_seconds=0.05, deaths_max=2)) as jobs:
        await jobs.enqueue(Job("one", "note"))

        async def is_given_up() -> bool:
            await jobs.claim("victim", {"note"}, 1)
            status = await jobs.status("one")
            return status is not None and status.state is JobState.FAILED

        await eventually(is_given_up, "it is given up")
        status = await reaches(jobs, "one", JobState.FAILED)
        assert (status.attempt, status.failures) == (2, 0), status
        assert status.reason.endswith("that happened 2 times"), status.reason
        assert (await jobs.sweep()).taken_over == 0


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


async def _as_answer(value: object) -> object:
    return value


async def _has_ended(jobs: Jobs, count: int) -> bool:
    return len(await jobs.list(states={JobState.DONE}, limit=count + 1)) == count


CHECKS: tuple[Check, ...] = (
    duplicates_are_one_job,
    again_starts_anew,
    again_leaves_active_jobs_alone,
    urgent_jobs_first,
    more_urgent_when_asked_again,
    delayed_jobs_wait,
    progress_is_seen,
    cancelled_jobs_never_begin,
    cancelling_reaches_a_child_process,
    cancelling_reaches_a_thread,
    failures_are_tried_again,
    poison_ends_as_failed,
    postponed_jobs_come_back,
    groups_take_turns,
    fairness_is_within_a_priority,
    concurrency_is_each_workers_own,
    schedules_tick_once,
    stopping_lets_jobs_finish,
    stopping_hands_jobs_back,
    a_cancelled_worker_hands_jobs_back,
    pending_jobs_outlive_the_worker,
    long_jobs_keep_their_lease,
    dead_workers_lose_their_jobs,
    a_job_that_kills_its_workers_fails,
    sweeping_forgets,
    jobs_are_listed,
)
