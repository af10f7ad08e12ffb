"""``partway jobs``: what is to be done, what went wrong, once more, and never mind."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from partway.wiring import Jobs

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, help="List, show, retry and cancel jobs, on the server's own machine.")

Data = Annotated[Path | None, typer.Option(help="The server's data folder (PARTWAY_DATA).")]
Database = Annotated[str | None, typer.Option(help="The jobs' database URL (PARTWAY_JOBS).")]
Ids = Annotated[list[str], typer.Argument(help="Ids as `partway jobs list` shows them.")]


@app.command("list")
def list_jobs(
    state: Annotated[
        str | None, typer.Option(help="Only these: delayed, waiting, running, done, failed or cancelled.")
    ] = None,
    video: Annotated[str | None, typer.Option(help="Only those of this video.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
    data: Data = None,
    database: Database = None,
) -> None:
    """List jobs, the newest first: id, state, progress, attempts, and what went wrong."""

    async def work(jobs: Jobs) -> Any:
        wanted: dict[str, Any] = {"group": video, "limit": limit}
        if state is not None:
            wanted["states"] = {state}
        return await jobs.list(**wanted)

    known = ("delayed", "waiting", "running", "done", "failed", "cancelled")
    if state is not None and state not in known:
        typer.echo(f"partway: there is no state {state}; use one of {', '.join(known)}.", err=True)
        raise typer.Exit(2)
    for found in _with_jobs(work, data, database):
        words = found.reason or found.words
        typer.echo(f"{found.job.id}\t{found.state}\t{found.fraction:.0%}\t{found.attempt}\t{words}")


@app.command()
def show(
    job_id: Annotated[str, typer.Argument(help="An id as `partway jobs list` shows it.")],
    data: Data = None,
    database: Database = None,
) -> None:
    """Show everything there is to know of a job."""
    found = _with_jobs(lambda jobs: jobs.status(job_id), data, database)
    if found is None:
        typer.echo(f"partway: there is no job {job_id}.", err=True)
        raise typer.Exit(1)
    for name, value in (
        ("job", found.job.id),
        ("handler", found.job.handler),
        ("payload", dict(found.job.payload)),
        ("state", found.state),
        ("progress", f"{found.fraction:.0%} {found.words}".strip()),
        ("attempts", found.attempt),
        ("failures", found.failures),
        ("reason", found.reason),
        ("worker", found.worker),
        ("enqueued", found.enqueued_at),
        ("due", found.due_at),
        ("started", found.started_at),
        ("ended", found.ended_at),
    ):
        if value not in (None, ""):
            typer.echo(f"{name:<10} {value}")


@app.command()
def retry(job_ids: Ids, data: Data = None, database: Database = None) -> None:
    """Begin jobs anew that have ended, however they ended."""

    async def work(jobs: Jobs) -> list[str]:
        missing = []
        for job_id in job_ids:
            found = await jobs.status(job_id)
            if found is None:
                missing.append(job_id)
            else:
                await jobs.enqueue(found.job, again=True)
        return missing

    _tell_missing(_with_jobs(work, data, database))


@app.command()
def cancel(job_ids: Ids, data: Data = None, database: Database = None) -> None:
    """Call jobs off; one that is running is stopped within seconds, and leaves nothing behind."""

    async def work(jobs: Jobs) -> list[str]:
        missing = [job_id for job_id in job_ids if await jobs.status(job_id) is None]
        await jobs.cancel(*job_ids)
        return missing

    _tell_missing(_with_jobs(work, data, database))


def _tell_missing(job_ids: list[str]) -> None:
    for job_id in job_ids:
        typer.echo(f"partway: there is no job {job_id}.", err=True)
    if job_ids:
        raise typer.Exit(1)


def _with_jobs(work: Callable[[Jobs], Awaitable[T]], data: Path | None, database: str | None) -> T:
    import asyncio

    from partway.errors import ConfigurationError, JobsUnavailable
    from partway.settings import read_settings
    from partway.wiring import open_jobs

    async def run() -> T:
        settings = read_settings(data=data, jobs=database)
        if not settings.jobs and not settings.database and not settings.data.is_dir():
            raise ConfigurationError(f"There is no data folder {settings.data}; name the server's with --data.")
        async with open_jobs(settings) as jobs:
            return await work(jobs)

    try:
        return asyncio.run(run())
    except (ConfigurationError, JobsUnavailable) as error:
        typer.echo(f"partway: {error}", err=True)
        raise typer.Exit(2) from None
