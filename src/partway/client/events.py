"""What an upload reports while it runs."""

from __future__ import annotations

from dataclasses import dataclass

from partway.client.video import Video


@dataclass(frozen=True, slots=True)
class Created:
    """The server has the video's record; bytes follow."""

    file: str
    video_id: str
    watch_url: str | None
    is_resumed: bool = False
    """Whether the record is from an earlier run."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the upload is; sent a few times a second."""

    file: str
    video_id: str
    acknowledged_bytes: int
    """Safe on the server."""
    sent_bytes: int
    """Acknowledged, and on their way; falls back when a piece has to be sent again."""
    total_bytes: int | None
    """None while the length of a stream is unknown."""
    bytes_per_second: float
    """Over the last ten seconds."""
    eta_seconds: float | None
    pieces_in_flight: int
    trouble: str | None = None
    """Why the server doesn't take anything at the moment; it is tried again."""
    recorded_bytes: int | None = None
    """How long the file is by now, while it is still being written (``follow``); None otherwise."""


@dataclass(frozen=True, slots=True)
class Playable:
    """The video can be watched now, perhaps before all of it has arrived."""

    file: str
    video_id: str
    watch_url: str | None


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to know of a file that is followed while it is being written; the upload goes on."""

    file: str
    video_id: str
    text: str
    """One or two sentences."""


@dataclass(frozen=True, slots=True)
class Completed:
    """The server has all of it."""

    file: str
    video_id: str
    watch_url: str | None
    video: Video
    is_playable: bool
    reason: str | None = None
    """In a sentence, why it can't be watched yet."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The upload ended without success; the error is raised as well."""

    file: str
    video_id: str | None
    error: Exception


Event = Created | Progress | Playable | Notice | Completed | Failed
