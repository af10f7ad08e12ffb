"""Work: what is due according to our own tables, and who does it.

No request enqueues anything. The reconciler reads what is due from the tables and enqueues it under an id made of
the fact, again and again; so a crash between a commit and an enqueue loses nothing, and there is one way to work
instead of two.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import partial

import structlog

from partway.catalog import findings, ingests, live, uploads, videos
from partway.catalog.database import Database
from partway.errors import BlobMissing, JobPostponed, NotFound, NotReady, ProgramMissing
from partway.jobs.base import Handler, Job, JobContext, Jobs, Priority, Schedule
from partway.services.delivering import Courier, Delivering
from partway.services.deriving import Deriving, Maker
from partway.services.ingest import Fetcher, Ingesting
from partway.services.pictures import Painter, Pictures
from partway.services.probing import Prober, Probing
from partway.services.sweeping import Sweeping
from partway.services.viewing import Viewing
from partway.services.webhooks import Webhooks

log = structlog.get_logger("partway.work")

_EVERY = 1.0
_PAGE = 200
_WITHOUT_PROGRAM = 600.0
_IN_TRASH = 86400.0
_LATEST_LOOK = 30.0

SCHEDULES = (
    Schedule("expire", "expire", 600.0),
    Schedule("empty-trash", "empty-trash", 600.0, offset_seconds=300.0),
    Schedule("sweep", "sweep", 6 * 3600.0),
    Schedule("forget-deliveries", "forget-deliveries", 3600.0),
    Schedule("forget-used-tokens", "forget-used-tokens", 3600.0),
)
"""What is done by the clock."""

_Due = Callable[..., Awaitable[list[str]]]
_DUE: tuple[tuple[str, _Due], ...] = (
    ("ingest", ingests.unfetched),
    ("probe", findings.without_probe),
    ("poster", findings.without_poster),
    ("live", live.complete),
)
_EARLY: tuple[tuple[str, _Due], ...] = (("early-poster", findings.without_early_poster), ("live", live.arriving))
"""Asked for once by each process: such a job looks again by itself until its time has come or passed."""


def job_for(handler: str, fact: str) -> Job:
    """The job of one kind for one fact, a video's id or ``<id>:<version>``: one id, however often it is asked for."""
    video_id = _video_of(fact)
    return Job(f"{handler}:{fact}", handler, {"videoId": video_id}, group=video_id)


class Work:
    """The verbs of work.

    Args:
        early: whether videos may be seen while they arrive, unless they say themselves.
    """

    def __init__(
        self,
        database: Database,
        pictures: Pictures,
        probing: Probing,
        sweeping: Sweeping,
        viewing: Viewing,
        webhooks: Webhooks,
        deriving: Deriving,
        ingesting: Ingesting,
        *,
        early: bool,
    ) -> None:
        self._database = database
        self._pictures = pictures
        self._probing = probing
        self._sweeping = sweeping
        self._viewing = viewing
        self._webhooks = webhooks
        self._delivering = Delivering(database)
        self._ingesting = ingesting
        self._early = early
        self._deriving = deriving
        self._asked: dict[str, set[str]] = {}

    def handlers(self, painter: Painter, prober: Prober, courier: Courier) -> Mapping[str, Handler]:
        """What a worker can do, by name."""

        async def probe(context: JobContext) -> None:
            video_id = context.payload["videoId"]
            await self._care(video_id, self._probing.probe(video_id, prober))

        async def poster(context: JobContext) -> None:
            video_id = context.payload["videoId"]
            await self._care(video_id, self._pictures.make_poster(video_id, painter))

        async def early_poster(context: JobContext) -> None:
            try:
                await poster(context)
            except NotReady as error:
                # Soon at first, then ever later: an index at the end comes last, and then "poster" is due.
                raise JobPostponed(min(_LATEST_LOOK, 1.5 ** min(context.attempt, 10))) from error

        async def webhook(context: JobContext) -> None:
            await self._delivering.deliver(context.payload["webhookId"], courier, context)

        async def expire(_: JobContext) -> None:
            if expired := await self._sweeping.expire_uploads():
                log.info("expired", videos=expired)

        async def empty_trash(_: JobContext) -> None:
            if given_up := await self._sweeping.empty_trash():
                log.info("trash emptied", videos=given_up)

        async def sweep(_: JobContext) -> None:
            if removed := await self._sweeping.sweep_orphans():
                log.info("swept", blobs=removed)

        async def forget_deliveries(_: JobContext) -> None:
            if forgotten := await self._webhooks.forget():
                log.info("forgotten", deliveries=forgotten)

        async def forget_used_tokens(_: JobContext) -> None:
            if forgotten := await self._viewing.forget():
                log.info("forgotten", used_tokens=forgotten)

        return {
            "probe": Handler(probe),
            "poster": Handler(poster),
            "early-poster": Handler(early_poster),
            "webhook": Handler(webhook),
            "expire": Handler(expire),
            "empty-trash": Handler(empty_trash),
            "sweep": Handler(sweep),
            "forget-deliveries": Handler(forget_deliveries),
            "forget-used-tokens": Handler(forget_used_tokens),
        }

    def live_handlers(self, maker: Maker) -> Mapping[str, Handler]:
        """What is done beside the rest, by name: it takes as long as an upload does."""

        async def derive(context: JobContext) -> None:
            video_id = context.payload["videoId"]
            await self._care(video_id, self._deriving.derive(video_id, maker, context))

        return {"live": Handler(derive)}

    def fetching(self, fetcher: Fetcher) -> Mapping[str, Handler]:
        """What a worker can do that costs it no processor, only patience: it has places of its own."""

        async def ingest(context: JobContext) -> None:
            video_id = context.payload["videoId"]
            await self._care(video_id, self._ingesting.fetch(video_id, fetcher, context.report))

        return {"ingest": Handler(ingest)}

    async def _care(self, video_id: str, work: Awaitable[None]) -> None:
        """Do work on a video's blobs; they may go while it is under way, and then nobody wants what comes of it.

        If the video is in the trash by now, the job waits there for it. One that ended would not be begun again under
        its id when the video comes back, and the reconciler brings one that waits forward.
        """
        try:
            await _with_programs(work)
        except BlobMissing:
            async with self._database.read() as tx:
                try:
                    await uploads.get(tx, video_id)
                except NotFound:
                    return
            raise
        async with self._database.read() as tx:
            if await videos.is_discarded(tx, video_id):
                raise JobPostponed(_IN_TRASH, "The video is in the trash.")

    async def reconcile(self, jobs: Jobs) -> int:
        """Enqueue everything that is due; say how many jobs this has set going."""
        begun = 0
        for handler, due in _DUE:
            async for found in self._pages(due):
                begun += await jobs.enqueue(*(job_for(handler, fact) for fact in found))
        for handler, due in _EARLY:
            seen = {one async for found in self._pages(partial(due, early=self._early)) for one in found}
            fresh = seen - self._asked.get(handler, set())
            if fresh:
                begun += await jobs.enqueue(*(job_for(handler, video_id) for video_id in sorted(fresh)))
            self._asked[handler] = seen
        if webhooks := await self._delivering.due():
            # The same job again for whatever comes: one webhook, one worker, and so one order.
            begun += await jobs.enqueue(*map(_delivery_job, webhooks), again=True)
        return begun

    async def _pages(self, due: _Due) -> AsyncIterator[list[str]]:
        after = ""
        while True:
            async with self._database.read() as tx:
                found = await due(tx, after=after, limit=_PAGE)
            if found:
                yield found
            if len(found) < _PAGE:
                return
            after = _video_of(found[-1])

    async def keep_reconciling(self, jobs: Jobs) -> None:
        """Reconcile every second until cancelled; a failure is logged and tried again."""
        while True:
            try:
                await self.reconcile(jobs)
            except Exception:
                log.exception("reconciling failed; it will be tried again")
            await asyncio.sleep(_EVERY)


def _video_of(fact: str) -> str:
    return fact.partition(":")[0]


def _delivery_job(webhook_id: str) -> Job:
    """Later than what an upload needs: somebody's dead address must not keep a poster waiting."""
    payload = {"webhookId": webhook_id}
    return Job(f"webhook:{webhook_id}", "webhook", payload, group=webhook_id, priority=Priority.LATER)


async def _with_programs(work: Awaitable[None]) -> None:
    try:
        await work
    except ProgramMissing as error:
        # Not the job's fault: somebody may install it.
        raise JobPostponed(_WITHOUT_PROGRAM, str(error)) from error
