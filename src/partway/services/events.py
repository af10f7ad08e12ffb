"""Events: what a webhook may be told (contract.md 5), and telling it in the transaction that makes it true."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from partway.catalog import deliveries
from partway.catalog.clock import to_datetime
from partway.catalog.database import Transaction
from partway.services.status import Quality, Status

QUALITY_COMPLETED = "video.encoding.quality.completed"
UPLOAD_COMPLETED = "partway.upload.completed"
UPLOAD_EXPIRED = "partway.upload.expired"
VIDEO_PLAYABLE = "partway.video.playable"
VIDEO_FAILED = "partway.video.failed"

OURS = (UPLOAD_COMPLETED, UPLOAD_EXPIRED, VIDEO_PLAYABLE, VIDEO_FAILED)
"""Events beyond the contract's."""

EVENTS = (
    QUALITY_COMPLETED,
    "video.source.recorded",
    "video.caption.generated",
    "video.summary.generated",
    "live-stream.broadcast.started",
    "live-stream.broadcast.ended",
    *OURS,
)
"""Every event that a webhook may ask for. Those of live streams and of generated texts never happen here."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that has happened to a video."""

    type: str
    video_id: str
    details: Mapping[str, str | int] = field(default_factory=dict)

    def body(self, at: int) -> str:
        """The JSON that is delivered, whatever happens to the video meanwhile."""
        emitted = to_datetime(at).isoformat(timespec="milliseconds")
        told = {"type": self.type, "emittedAt": emitted, "videoId": self.video_id, **self.details}
        return json.dumps(told, separators=(",", ":"))


async def announce(tx: Transaction, *events: Event, at: int) -> None:
    """Leave events for the webhooks that want them; they go out if, and only if, the transaction commits."""
    for event in events:
        await deliveries.announce(tx, event.type, event.body(at), at=at)


def upload_completed(video_id: str, size: int) -> Event:
    """The source is whole: ``size`` bytes."""
    return Event(UPLOAD_COMPLETED, video_id, {"filesize": size})


def upload_expired(video_id: str) -> Event:
    """Nothing has come for too long, and the video is gone."""
    return Event(UPLOAD_EXPIRED, video_id)


def quality_completed(video_id: str, quality: Quality) -> Event:
    """One entry of ``encoding.qualities`` has become ``encoded``."""
    return Event(QUALITY_COMPLETED, video_id, {"encoding": quality.kind, "quality": quality.label})


def events_of(video_id: str, status: Status) -> Iterator[Event]:
    """What a status that has just become known says."""
    if status.is_failed:
        yield Event(VIDEO_FAILED, video_id, {"reason": status.reason or "It can't be played."})
    if status.is_playable:
        yield Event(VIDEO_PLAYABLE, video_id)
    for quality in status.qualities:
        if quality.status == "encoded":
            yield quality_completed(video_id, quality)
