"""Summaries, written by people: there is no model here that could write one (contract.md 1.9)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from partway.catalog import idempotency, summaries, uploads
from partway.catalog.clock import now
from partway.catalog.database import Database
from partway.catalog.paging import Order, Page
from partway.catalog.summaries import Summary, SummaryFilter
from partway.errors import NotFound, SummaryExists
from partway.services.identifiers import fingerprint, new_id


class Summaries:
    """The verbs of summaries."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self, video_id: str, *, is_auto: bool, asked_by: str, idempotency_key: str | None = None, asked: str = ""
    ) -> Summary:
        """Make a video's summary: one that waits for its text, or one that no model here will ever write.

        Args:
            is_auto: a model is to write it.
            asked_by: whose idempotency keys these are.
            asked: the request's text; the same key with another text is refused.

        Raises:
            NotFound: there is no such video.
            SummaryExists: it has one.
            InvalidAttribute: the idempotency key was used for another request.
        """
        at = now()
        summary = Summary(
            new_id("summary_"),
            video_id,
            "auto" if is_auto else "api",
            "unprocessable" if is_auto else "missing",
            created_at=at,
            updated_at=at,
        )
        scope, asked = f"summaries:{asked_by}", fingerprint(asked)
        async with self._database.write() as tx:
            earlier = await idempotency.claim(tx, scope, idempotency_key, asked, summary.summary_id, at=at)
            if earlier is not None:
                return await summaries.get(tx, earlier)
            await uploads.lock(tx, video_id)
            if await summaries.of_video(tx, video_id) is not None:
                raise SummaryExists("Delete it first.", name="videoId")
            await summaries.add(tx, summary)
        return summary

    async def find(self, wanted: SummaryFilter, order: Order, *, page: int, page_size: int) -> Page[Summary]:
        """Read one page of the summaries that fit."""
        async with self._database.read() as tx:
            return await summaries.find(tx, wanted, order, page=page, page_size=page_size)

    async def written(self, summary_id: str) -> Summary:
        """Read a summary that has its text.

        Raises:
            NotFound: there is none, or it has none yet.
        """
        async with self._database.read() as tx:
            summary = await summaries.get(tx, summary_id)
        if summary.source_status != "completed":
            raise NotFound("This summary has no text.", name="summaryId")
        return summary

    async def write(self, summary_id: str, changes: dict[str, Any]) -> Summary:
        """Write what ``changes`` names, ``abstract`` or ``takeaways``; a summary without both is missing its text.

        Raises:
            NotFound: there is no such summary.
            SummaryExists: it was asked of a model.
        """
        async with self._database.write() as tx:
            summary = await summaries.get(tx, summary_id, lock=True)
            if summary.origin != "api":
                raise SummaryExists(
                    "A model was asked for this one: delete it first, and create one without origin.", name="videoId"
                )
            summary = replace(summary, **changes, updated_at=now())
            is_written = summary.abstract is not None or summary.takeaways is not None
            summary = replace(summary, source_status="completed" if is_written else "missing")
            await summaries.save(tx, summary)
        return summary

    async def delete(self, summary_id: str) -> None:
        """Delete a summary.

        Raises:
            NotFound: there is no such summary.
        """
        async with self._database.write() as tx:
            await summaries.remove(tx, await summaries.get(tx, summary_id, lock=True))
