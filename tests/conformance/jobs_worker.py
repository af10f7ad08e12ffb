"""A worker process for tests, and what a test says about it.

    python jobs_worker.py URL FOLDER TERMS [CONCURRENCY]

It writes what happens to FOLDER/events, a line of JSON each, and publishes to FOLDER/catalog.db by one conditional
update, as handlers do. ``gated`` jobs wait for the file FOLDER/gate.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from partway.jobs.base import Handler, JobContext, Schedule, Terms
from partway.jobs.retry import RetryPolicy
from partway.jobs.table import TableJobs
from partway.testing.job_ground import eventually
from partway.testing.waiting import wait_until

RETRY = RetryPolicy(first_seconds=0.1)


class Place:
    """A folder with a catalog of one table, a gate and a list of events; a test's side of it."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        with contextlib.closing(self._connect()) as catalog:
            catalog.execute("PRAGMA journal_mode=WAL")
            catalog.execute("CREATE TABLE IF NOT EXISTS videos (id TEXT PRIMARY KEY, poster TEXT)")

    def add_videos(self, *ids: str) -> None:
        with contextlib.closing(self._connect()) as catalog:
            catalog.executemany("INSERT INTO videos (id) VALUES (?)", [(one,) for one in ids])

    def publish(self, video: str, poster: str) -> bool:
        """One conditional update: whoever comes first."""
        with contextlib.closing(self._connect()) as catalog:
            done = catalog.execute("UPDATE videos SET poster = ? WHERE id = ? AND poster IS NULL", (poster, video))
            return done.rowcount == 1

    def posters(self) -> dict[str, str | None]:
        with contextlib.closing(self._connect()) as catalog:
            return dict(catalog.execute("SELECT id, poster FROM videos").fetchall())

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self.folder / "catalog.db", isolation_level=None, timeout=30)

    def note(self, what: str, **more: Any) -> None:
        line = json.dumps({"what": what, "pid": os.getpid(), **more}) + "\n"
        with open(self.folder / "events", "ab", buffering=0) as events:
            events.write(line.encode())

    def events(self, what: str, **more: Any) -> list[dict[str, Any]]:
        path = self.folder / "events"
        if not path.exists():
            return []
        found = [json.loads(line) for line in path.read_text().splitlines()]
        return [event for event in found if {"what": what, **more}.items() <= event.items()]

    def await_event(self, what: str, **more: Any) -> dict[str, Any]:
        return wait_until(lambda: self.events(what, **more), f"event {what} {more}")[0]

    def open_gate(self) -> None:
        (self.folder / "gate").touch()

    @contextlib.contextmanager
    def workers(self, count: int, terms: Terms, *, concurrency: int = 1) -> Iterator[list[subprocess.Popen[bytes]]]:
        """Worker processes that are ready; more may be added to the list; all are ended with the block."""
        started: list[subprocess.Popen[bytes]] = []
        try:
            started += [self.start(terms, concurrency) for _ in range(count)]
            for worker in started:
                self.await_event("ready", pid=worker.pid)
            yield started
        finally:
            for worker in started:
                if worker.poll() is None:
                    worker.kill()
            for worker in started:
                worker.wait(timeout=30)

    def freeze(self, worker: subprocess.Popen[bytes]) -> None:
        """Stop a process where it doesn't hold SQLite's write lock: nobody could take it from there."""

        def is_frozen_and_free() -> bool:
            worker.send_signal(signal.SIGSTOP)
            if not self.url.startswith("sqlite"):
                return True
            try:
                with contextlib.closing(sqlite3.connect(self.folder / "jobs.db", isolation_level=None)) as jobs:
                    jobs.execute("PRAGMA busy_timeout = 1000")
                    jobs.execute("BEGIN IMMEDIATE")
                    jobs.execute("ROLLBACK")
            except sqlite3.OperationalError:
                worker.send_signal(signal.SIGCONT)
                return False
            return True

        wait_until(is_frozen_and_free, "the worker is frozen outside of its transactions")

    def start(self, terms: Terms, concurrency: int = 1) -> subprocess.Popen[bytes]:
        with open(self.folder / "log", "ab") as log:
            return subprocess.Popen(
                [sys.executable, __file__, self.url, str(self.folder), json.dumps(asdict(terms)), str(concurrency)],
                stdout=log,
                stderr=subprocess.STDOUT,
            )


async def work(place: Place, terms: Terms, concurrency: int) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)

    async def gate_is_open() -> bool:
        return (place.folder / "gate").exists()

    async def gated(context: JobContext) -> None:
        place.note("begun", job=context.job.id, attempt=context.attempt)
        try:
            await eventually(gate_is_open, "the gate is opened", seconds=600)
        except asyncio.CancelledError:
            place.note("left", job=context.job.id, attempt=context.attempt, why=type(context.stopped).__name__)
            raise
        publish(context)

    async def short(context: JobContext) -> None:
        place.note("begun", job=context.job.id, attempt=context.attempt)
        ends = time.monotonic() + context.payload["seconds"]
        while time.monotonic() < ends:
            context.report(0.5, "half way")
            await asyncio.sleep(0.01)
        publish(context)

    def publish(context: JobContext) -> None:
        won = place.publish(context.payload["video"], f"{context.job.id}.{context.attempt}")
        place.note("published", job=context.job.id, attempt=context.attempt, won=won)

    async def tick(context: JobContext) -> None:
        place.note("tick", job=context.job.id)

    jobs = TableJobs(place.url, terms)
    await jobs.prepare()
    handlers = {"gated": Handler(gated, RETRY), "short": Handler(short, RETRY), "tick": Handler(tick, RETRY)}
    clocks = [Schedule("clock", "tick", every_seconds=0.5)] if (place.folder / "clock").exists() else []
    place.note("ready")
    await jobs.run(handlers, stop=stop, concurrency=concurrency, schedules=clocks)
    await jobs.close()
    place.note("stopped")


def main(arguments: Sequence[str]) -> None:
    url, folder, terms, concurrency = arguments
    asyncio.run(work(Place(url, Path(folder)), Terms(**json.loads(terms)), int(concurrency)))


if __name__ == "__main__":
    main(sys.argv[1:])
