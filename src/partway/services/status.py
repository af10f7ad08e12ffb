"""Status: where a video stands, and why it can't be watched if it can't (contract.md 4.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from partway.catalog.findings import Probe
from partway.catalog.uploads import Origin, Part
from partway.catalog.videos import Video
from partway.errors import MediaMalformed
from partway.ledger import State, Summary
from partway.services.examination import Examination
from partway.services.facts import read_facts

if TYPE_CHECKING:
    from partway.media.facts import Facts

_LABELS = (240, 360, 480, 720, 1080, 2160)


@dataclass(frozen=True, slots=True)
class Quality:
    """One entry of ``encoding.qualities``."""

    kind: Literal["hls", "mp4"]
    label: str
    status: Literal["waiting", "encoding", "encoded", "failed"]


@dataclass(frozen=True, slots=True)
class Status:
    """Where a video stands."""

    summary: Summary
    parts: tuple[Part, ...]
    facts: Facts | None
    qualities: tuple[Quality, ...]
    is_playable: bool
    is_failed: bool
    reason: str | None
    """Why it can't be watched, in a sentence for people."""
    edge_seconds: float | None = None
    """How far it can be watched now; None where it can't."""
    origin: Origin | None = None
    """None for an upload."""

    @property
    def state(self) -> str:
        """In one word: empty, receiving, complete or failed."""
        return "failed" if self.is_failed else self.summary.state.value

    @property
    def can_finish(self) -> bool:
        """Whether only a word is missing: there are no gaps, but nobody has said what the last piece is."""
        summary = self.summary
        return (
            self.origin is None and summary.state is State.RECEIVING and summary.total is None and not summary.has_gaps
        )


def status_of(
    video: Video,
    summary: Summary,
    parts: tuple[Part, ...],
    found: Examination | None,
    probe: Probe | None,
    *,
    early: bool = True,
) -> Status:
    """The status of a video.

    Args:
        found: what is known of its source, None before the first byte.
        probe: None before it has been probed.
        early: whether it may be watched before it is complete.
    """
    if found is None:
        return Status(summary, parts, None, (), False, False, _reason_to_wait(summary, video.video_id))
    is_failed, reason = found.is_failed, found.reason
    if probe is not None and is_given_up(found, probe):
        is_failed, reason = True, probe.reason
    facts = found.facts or read_facts(probe) or (found.index.facts if found.index else None)
    is_playable = found.is_playable and (found.is_whole or early)
    if not found.is_whole and not is_playable:
        waiting = _reason_to_wait(summary, video.video_id)
        reason = f"{waiting} {reason}" if reason and not isinstance(found.error, MediaMalformed) else waiting
    return Status(
        summary,
        parts,
        facts,
        _qualities(video, found, facts, is_failed=is_failed),
        is_playable=is_playable,
        is_failed=is_failed,
        reason=reason,
        edge_seconds=found.edge.seconds if found.edge and is_playable else None,
    )


def is_given_up(found: Examination, probe: Probe | None) -> bool:
    """Whether nothing can be made of a source: nor could ffprobe, and it knows more kinds of files than we do."""
    is_unread = found.is_whole and found.index is None and found.derived is None
    return is_unread and probe is not None and bool(probe.reason)


def label_of(width: int, height: int) -> str:
    """The contract's quality label of a displayed size (contract.md "Decided")."""
    shorter = min(width, height)
    return f"{max((label for label in _LABELS if label <= shorter), default=_LABELS[0])}p"


def _qualities(video: Video, found: Examination, facts: Facts | None, *, is_failed: bool) -> tuple[Quality, ...]:
    if facts is None or facts.width is None or facts.height is None:
        return ()
    label = label_of(facts.width, facts.height)
    shown = found.index.facts if found.derived and found.index else facts
    there: Literal["encoded", "encoding"] = "encoded" if found.is_ended else "encoding"
    hls = Quality(
        "hls",
        label_of(shown.width or 0, shown.height or 0),
        "failed" if is_failed else "waiting" if found.index is None else there,
    )
    if not video.mp4_support:
        return (hls,)
    return Quality("mp4", label, "encoded" if found.is_whole and found.container in ("mp4", "mov") else "waiting"), hls


def _reason_to_wait(summary: Summary, video_id: str) -> str:
    if summary.state is State.EMPTY:
        return "Nothing has been uploaded yet."
    if summary.total is None and not summary.has_gaps:
        return (
            "The upload is still open: no part has said that it is the last one. If everything has been sent, "
            f"close it with: partway finish {video_id}"
        )
    return "The upload is still arriving."
