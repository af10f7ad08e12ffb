"""The composition root: settings -> database, blobs -> services. Nobody else names a concrete store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

import structlog

from partway.blobs.base import BlobStore
from partway.blobs.local import LocalBlobs
from partway.catalog.database import Database, open_database
from partway.catalog.migrations import HEAD
from partway.errors import ConfigurationError, PartwayError
from partway.jobs.base import Jobs, Terms
from partway.jobs.table import TableJobs
from partway.outbound.fetcher import HttpFetcher
from partway.outbound.posting import post
from partway.services.access import Access
from partway.services.checkup import Finding, check_clock, check_database, check_store
from partway.services.delivering import Courier
from partway.services.deriving import Deriving
from partway.services.examination import Examination, Examinations
from partway.services.house import House
from partway.services.ingest import Ingesting
from partway.services.pictures import Pictures
from partway.services.playback import Playback
from partway.services.players import Players
from partway.services.probing import Probing
from partway.services.summaries import Summaries
from partway.services.sweeping import Sweeping
from partway.services.tags import Tags
from partway.services.text_tracks import TextTracks
from partway.services.tokens import UploadTokens
from partway.services.upkeep import Upkeep
from partway.services.uploads import Uploads
from partway.services.values import Facts, Plan
from partway.services.videos import Videos
from partway.services.viewing import Viewing, shared_secret
from partway.services.watermarks import Watermarks
from partway.services.webhooks import Webhooks
from partway.services.work import SCHEDULES, Work
from partway.settings import Settings
from partway.transcode.folder import sweep as sweep_scratch
from partway.transcode.layers import describe_programs, detect
from partway.transcode.live import live, plan
from partway.transcode.poster import poster
from partway.transcode.probe import probe
from partway.transcode.programs import Tools, find_tools

log = structlog.get_logger("partway.wiring")

__all__ = [
    "Finding",
    "House",
    "Jobs",
    "check_clock",
    "check_sandbox",
    "check_up",
    "database_url",
    "furnish",
    "jobs_url",
    "migrate",
    "open_blobs",
    "open_house",
    "open_jobs",
    "run_worker",
]


def database_url(settings: Settings) -> str:
    """The catalog's URL: the setting, else a file in the data folder."""
    return settings.database or f"sqlite:///{settings.data.absolute() / 'partway.db'}"


def open_blobs(settings: Settings) -> BlobStore:
    """The blob store that the setting names, else a folder in the data folder.

    Raises:
        ConfigurationError: the URL is of no kind we know.
    """
    if not settings.blobs:
        return LocalBlobs(settings.data.absolute() / "blobs")
    parsed = urlsplit(settings.blobs)
    if parsed.scheme == "file" and parsed.path:
        return LocalBlobs(Path(unquote(parsed.path)))
    raise ConfigurationError(f"The blob store URL is {settings.blobs!r}; use file:///some/folder.")


@asynccontextmanager
async def open_house(settings: Settings) -> AsyncIterator[House]:
    """All services on the database and store that the settings name; closes them at the end.

    The schema is brought up to date first.

    Raises:
        ConfigurationError: a URL is wrong, or the data folder can't be used.
    """
    database = _open_catalog(settings)
    try:
        blobs = open_blobs(settings)
    except OSError as error:
        raise ConfigurationError(f"The data folder {settings.data} can't be used: {error.strerror}.") from error
    try:
        database.prepare()
        yield furnish(settings, database, blobs, await shared_secret(database))
    finally:
        await database.close()


def _open_catalog(settings: Settings) -> Database:
    try:
        settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        return open_database(database_url(settings))
    except OSError as error:
        raise ConfigurationError(f"The data folder {settings.data} can't be used: {error.strerror}.") from error


async def migrate(settings: Settings) -> list[str]:
    """Bring the tables of the catalog and of the jobs up to date; says what was done.

    Raises:
        ConfigurationError: a URL is wrong, or the tables are another version's.
        JobsUnavailable: the jobs' database can't be reached.
    """
    database = _open_catalog(settings)
    try:
        verb = "brought to" if database.prepare() else "is at"
        lines = [f"catalog  {verb} {HEAD}: {database.url.render_as_string(hide_password=True)}"]
    finally:
        await database.close()
    async with open_jobs(settings):
        return [*lines, "jobs     up to date"]


def furnish(settings: Settings, database: Database, blobs: BlobStore, secret: bytes) -> House:
    """All services on a given database and store; ``secret`` is the database's own, see ``shared_secret``."""
    videos = Videos(database, blobs, trash_days=settings.trash_days)
    uploads = Uploads(
        database,
        blobs,
        settings.limits,
        request_deadline=settings.request_deadline,
        token_grace=settings.upload_token_grace,
    )
    examinations = Examinations(database, blobs, cache_bytes=settings.index_cache_bytes)
    pictures = Pictures(database, blobs, examinations)
    viewing = Viewing(
        database,
        secret,
        token_life=settings.private_token_life,
        token_grace=settings.private_token_grace,
        session_life=settings.viewer_session_life,
    )
    sweeping = Sweeping(database, blobs, request_deadline=settings.request_deadline, expire_after=settings.expire_after)
    webhooks = Webhooks(database, most=settings.webhooks_max, kept=settings.webhook_log_kept)
    return House(
        access=Access(database, access_token_life=settings.access_token_life),
        videos=videos,
        uploads=uploads,
        tokens=UploadTokens(database),
        examinations=examinations,
        playback=Playback(database, examinations, early=settings.early_playback),
        pictures=pictures,
        text_tracks=TextTracks(database, blobs),
        players=Players(database, blobs),
        watermarks=Watermarks(database, blobs),
        tags=Tags(database),
        summaries=Summaries(database),
        viewing=viewing,
        work=Work(
            database,
            pictures,
            Probing(database, examinations),
            sweeping,
            viewing,
            webhooks,
            Deriving(database, blobs, examinations),
            Ingesting(
                database,
                blobs,
                settings.limits,
                request_deadline=settings.request_deadline,
                deadline=settings.fetch_deadline,
            ),
            early=settings.early_playback,
        ),
        webhooks=webhooks,
        upkeep=Upkeep(videos, uploads, complete_after_idle=settings.complete_after_idle),
    )


def jobs_url(settings: Settings) -> str:
    """The jobs' database: the setting, else the catalog's if that is PostgreSQL, else a file in the data folder."""
    if settings.jobs:
        return settings.jobs
    if settings.database and not settings.database.startswith("sqlite"):
        return settings.database
    return f"sqlite:///{settings.data.absolute() / 'jobs.db'}"


@asynccontextmanager
async def open_jobs(settings: Settings) -> AsyncIterator[Jobs]:
    """The engine of the jobs, its tables made where they are not.

    Raises:
        ConfigurationError: the URL is wrong, or the tables are another version's.
    """
    jobs = TableJobs(jobs_url(settings), Terms(settings.lease_seconds, heartbeat_seconds=settings.lease_seconds / 6))
    try:
        await jobs.prepare()
        yield jobs
    finally:
        await jobs.close()


async def run_worker(house: House, jobs: Jobs, settings: Settings, *, concurrency: int, stop: asyncio.Event) -> None:
    """Be a worker until ``stop`` is set: enqueue what is due, and do ``concurrency`` jobs at a time."""
    workshop = Workshop(settings)
    fetcher = HttpFetcher(allow_private=settings.allow_private_addresses)
    reconciling = asyncio.create_task(house.work.keep_reconciling(jobs))
    try:
        async with asyncio.TaskGroup() as loops:
            handlers = house.work.handlers(workshop.poster, workshop.probe, courier_of(settings))
            loops.create_task(jobs.run(handlers, stop=stop, concurrency=concurrency, schedules=SCHEDULES))
            # Loops of their own: what takes as long as an upload or a download does keeps no poster waiting.
            loops.create_task(jobs.run(house.work.fetching(fetcher), stop=stop, concurrency=settings.fetches))
            if settings.live_encoders:
                handlers = house.work.live_handlers(workshop)
                loops.create_task(jobs.run(handlers, stop=stop, concurrency=settings.live_encoders))
    finally:
        reconciling.cancel()
        await asyncio.gather(reconciling, return_exceptions=True)


def courier_of(settings: Settings) -> Courier:
    """Who posts to webhooks, and where they may lead."""
    return partial(post, allow_private=settings.allow_private_addresses)


class Workshop:
    """ffmpeg and ffprobe in the sandbox of this machine, looked for when first needed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._scratch = settings.data.absolute() / "scratch"
        self._found: Tools | None = None
        self._scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
        sweep_scratch(self._scratch)

    async def tools(self) -> Tools:
        """What probing and pictures are made with.

        Raises:
            ProgramMissing: there is no ffmpeg, or it is too old.
        """
        if self._found is None:
            detected = await detect(self._scratch)
            if detected.worry:
                log.warning("sandbox", worry=detected.worry)
            self._found = await find_tools(
                detected.sandbox, ffmpeg=self._settings.ffmpeg or None, ffprobe=self._settings.ffprobe or None
            )
        return self._found

    async def poster(self, found: Examination, at_seconds: float | None) -> bytes:
        """See ``services.pictures.Painter``."""
        covered = None if found.is_whole else found.source.covered
        tools = await self.tools()
        made = await poster(tools, found.source, facts=found.facts, at_seconds=at_seconds, covered=covered)
        return made.jpeg

    async def probe(self, found: Examination) -> Facts:
        """See ``services.probing.Prober``."""
        return await probe(await self.tools(), found.source)

    async def plan(self, buffers: AsyncIterator[bytes], container: str) -> Plan:
        """See ``services.deriving.Maker``."""
        return await plan(await self.tools(), buffers, container)

    async def make(
        self, feed: AsyncIterator[bytes], container: str, plan: Plan, on_seconds: Callable[[float], None]
    ) -> AsyncGenerator[bytes, None]:
        """See ``services.deriving.Maker``."""
        async with aclosing(live(await self.tools(), feed, container, plan, on_seconds=on_seconds)) as made:
            async for buffer in made:
                yield buffer


async def check_sandbox(settings: Settings) -> list[Finding]:
    """Which layers of the sandbox are active, and which ffmpeg is used."""
    detected = await detect()
    programs = await describe_programs(
        detected.sandbox, ffmpeg=settings.ffmpeg or None, ffprobe=settings.ffprobe or None
    )
    lines = [
        Finding(f"sandbox: {layer.name}", True, layer.words if layer.is_active else f"off: {layer.words}")
        for layer in detected.layers
    ]
    if detected.worry:
        lines.append(Finding("sandbox", False, detected.worry))
    return lines + [Finding(layer.name, layer.is_active, layer.words) for layer in programs]


async def check_up(settings: Settings) -> list[Finding]:
    """Try the database and the store that the settings name; what is wrong is in the findings."""
    findings = []
    try:
        findings.append(await check_store(open_blobs(settings)))
    except (PartwayError, OSError) as error:
        findings.append(Finding("blob store", False, str(error)))
    try:
        database = open_database(database_url(settings))
        try:
            database.prepare()
            findings.append(await check_database(database))
        finally:
            await database.close()
    except Exception as error:  # whatever a driver raises is what the reader needs to see
        findings.append(Finding("database", False, str(error).splitlines()[0]))
    return findings
