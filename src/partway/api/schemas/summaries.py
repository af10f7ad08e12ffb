"""Summaries on the wire (contract.md 1.9)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from partway.api.schemas.base import Payload, Text, moment
from partway.services.values import VideoSummary


class NewSummary(Payload):
    """The body of ``POST /summaries``."""

    video_id: Text
    origin: Literal["auto"] | None = None
    attributes: Annotated[list[Literal["abstract", "takeaways"]], Field(max_length=10)] | None = None


class SummaryText(Payload):
    """The body of ``PATCH /summaries/{summaryId}/source``: what is absent stays."""

    abstract: Text | None = None
    takeaways: Annotated[list[Text], Field(max_length=3)] | None = None

    def as_changes(self) -> dict[str, Any]:
        """What was sent, in the catalog's words."""
        changes: dict[str, Any] = {name: getattr(self, name) for name in self.model_fields_set}
        if changes.get("takeaways") is not None:
            changes["takeaways"] = tuple(changes["takeaways"])
        return changes


def summary_json(summary: VideoSummary) -> dict[str, Any]:
    """A summary's record."""
    return {
        "summaryId": summary.summary_id,
        "createdAt": moment(summary.created_at),
        "updatedAt": moment(summary.updated_at),
        "videoId": summary.video_id,
        "origin": summary.origin,
        "sourceStatus": summary.source_status,
    }


def summary_text_json(summary: VideoSummary) -> dict[str, Any]:
    """A summary's text; what there is none of is left out, for the Python client takes no null there."""
    text = {"abstract": summary.abstract, "takeaways": summary.takeaways}
    return {name: value for name, value in text.items() if value is not None}
