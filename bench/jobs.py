"""Jobs per second, and from enqueue to start: memory, SQLite, and PostgreSQL where its programs are installed.

    python -m bench.jobs [--rounds 5] [--jobs 300] [--singles 30] [--concurrency 4]

The engines take turns. A round enqueues no-ops one by one, then all at once, and lets one worker do them: first with
one job at a time, then with ``--concurrency``. For the latency a worker waits in a process of its own (memory: in
this one) for jobs that come one by one at uneven times; what counts is from the call of enqueue to the first line of
the handler. Last, what an idle worker costs.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import structlog

from partway.jobs.base import Handler, Job, JobContext, Jobs
from partway.jobs.memory import MemoryJobs
from partway.jobs.table import TableJobs
from partway.testing.postgres import PostgresMissing, running_postgres

IDLE_SECONDS = 5.0


class Figures:
    """What the rounds of one engine gave."""

    def __init__(self) -> None:
        self.rates: dict[str, list[float]] = {}
        self.latencies: list[list[float]] = []
        self.idle = ""

    def add(self, what: str, count: int, seconds: float) -> None:
        self.rates.setdefault(what, []).append(count / seconds)

    def print(self, name: str) -> None:
        for what, rates in self.rates.items():
            middle = statistics.median(rates)
            print(f"{name:8} {what:22} {middle:8.0f} jobs/s   (rounds {min(rates):.0f}-{max(rates):.0f})")
        every = sorted(one * 1000 for round_ in self.latencies for one in round_)
        medians = [statistics.median(round_) * 1000 for round_ in self.latencies]
        print(
            f"{name:8} {'enqueue to start':22} median {statistics.median(every):.1f} ms, "
            f"p95 {every[int(len(every) * 0.95)]:.1f} ms, most {every[-1]:.1f} ms   "
            f"(medians of rounds {min(medians):.1f}-{max(medians):.1f})"
        )
        if self.idle:
            print(f"{name:8} {self.idle}")


async def rates(jobs: Jobs, figures: Figures, count: int, concurrency: int) -> None:
    """Enqueue and do ``count`` no-ops, twice."""
    for way, at_once in (("one by one", 1), ("in one call", concurrency)):
        wanted = [Job(f"{random.getrandbits(64):x}", "nothing", group=f"g{number % 7}") for number in range(count)]
        begun = time.perf_counter()
        if way == "one by one":
            for job in wanted:
                await jobs.enqueue(job)
        else:
            await jobs.enqueue(*wanted)
        figures.add(f"enqueued {way}", count, time.perf_counter() - begun)
        stop, done = asyncio.Event(), 0

        async def nothing(_: JobContext, stop: asyncio.Event = stop) -> None:
            nonlocal done
            done += 1
            if done == count:
                stop.set()

        begun = time.perf_counter()
        await jobs.run({"nothing": Handler(nothing)}, stop=stop, concurrency=at_once)
        figures.add(f"done, {at_once} at a time", count, time.perf_counter() - begun)


async def latencies(jobs: Jobs, started: Callable[[str], asyncio.Future[float]], singles: int) -> list[float]:
    """Enqueue one job after the other, and tell how long each took to start, in seconds."""
    found = []
    for _ in range(singles):
        await asyncio.sleep(random.uniform(0.02, 0.2))
        job = Job(f"{random.getrandbits(64):x}", "stamp")
        starts = started(job.id)
        called = time.time()
        await jobs.enqueue(job)
        found.append(await asyncio.wait_for(starts, 60) - called)
    return found


class Starts:
    """When jobs started, by id."""

    def __init__(self) -> None:
        self._waiting: dict[str, asyncio.Future[float]] = {}

    def of(self, job_id: str) -> asyncio.Future[float]:
        return self._waiting.setdefault(job_id, asyncio.get_running_loop().create_future())

    def tell(self, job_id: str, at: float) -> None:
        self.of(job_id).set_result(at)


@contextlib.asynccontextmanager
async def worker_here(jobs: Jobs, starts: Starts) -> AsyncIterator[None]:
    """A worker in this process."""
    stop = asyncio.Event()

    async def stamp(context: JobContext) -> None:
        starts.tell(context.job.id, time.time())

    run = asyncio.create_task(jobs.run({"stamp": Handler(stamp)}, stop=stop))
    yield
    stop.set()
    await run


@contextlib.asynccontextmanager
async def worker_elsewhere(url: str, starts: Starts) -> AsyncIterator[int]:
    """A worker in a process of its own, which tells its starts on standard output; its process id."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.jobs", "--worker", url, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert child.stdout is not None
    assert await child.stdout.readline() == b"ready\n"
    lines = child.stdout

    async def listen() -> None:
        async for line in lines:
            job_id, at = json.loads(line)
            starts.tell(job_id, at)

    listening = asyncio.create_task(listen())
    try:
        yield child.pid
    finally:
        child.terminate()
        await child.wait()
        await listening


async def work(url: str) -> None:
    """Be that worker."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)

    async def stamp(context: JobContext) -> None:
        print(json.dumps([context.job.id, time.time()]), flush=True)

    jobs = TableJobs(url)
    await jobs.prepare()
    print("ready", flush=True)
    await jobs.run({"stamp": Handler(stamp)}, stop=stop)
    await jobs.close()


async def idle_cost(pid: int) -> str:
    """What a process that does nothing uses."""
    before = _cpu_seconds(pid)
    await asyncio.sleep(IDLE_SECONDS)
    share = (_cpu_seconds(pid) - before) / IDLE_SECONDS
    return f"{'idle worker':22} {share * 100:.1f} % of a core, {_resident_mib(pid):.0f} MiB resident"


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


async def measure(urls: dict[str, str], given: argparse.Namespace) -> None:
    """Run the rounds and print."""
    figures = {name: Figures() for name in urls}
    for _ in range(given.rounds):
        for name, url in urls.items():
            jobs: MemoryJobs | TableJobs = TableJobs(url) if url else MemoryJobs()
            if isinstance(jobs, TableJobs):
                await jobs.prepare()
            await rates(jobs, figures[name], given.jobs, given.concurrency)
            starts = Starts()
            if isinstance(jobs, TableJobs):
                async with worker_elsewhere(url, starts) as pid:
                    figures[name].latencies.append(await latencies(jobs, starts.of, given.singles))
                    if not figures[name].idle:
                        figures[name].idle = await idle_cost(pid)
                await jobs.close()
            else:
                async with worker_here(jobs, starts):
                    figures[name].latencies.append(await latencies(jobs, starts.of, given.singles))
    for name, found in figures.items():
        found.print(name)


@contextlib.contextmanager
def engines() -> Iterator[dict[str, str]]:
    """The URLs of the engines there are; memory has none."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="partway-bench-"))
        urls = {"memory": "", "sqlite": f"sqlite:///{folder}/jobs.db"}
        try:
            server = stack.enter_context(running_postgres())
            urls["postgres"] = server.url_of(server.create_database())
        except PostgresMissing as missing:
            print(missing)
        yield urls


def main() -> None:
    """Run it."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--jobs", type=int, default=300)
    arguments.add_argument("--singles", type=int, default=30)
    arguments.add_argument("--concurrency", type=int, default=4)
    arguments.add_argument("--worker", help=argparse.SUPPRESS)
    given = arguments.parse_args()
    _quiet()
    if given.worker:
        asyncio.run(work(given.worker))
        return
    with engines() as urls:
        asyncio.run(measure(urls, given))


def _quiet() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))


if __name__ == "__main__":
    main()
