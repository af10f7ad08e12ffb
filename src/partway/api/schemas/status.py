"""A video's status on the wire (contract.md 4.3)."""

from __future__ import annotations

from typing import Any

from partway.services.status import Status
from partway.services.values import Mode, State


def status_json(status: Status) -> dict[str, Any]:
    """A video's status (contract.md 4.3); what is ours stands under ``partway``."""
    return {
        "ingest": _ingest_json(status),
        "encoding": {
            "playable": status.is_playable,
            "qualities": [
                {"type": quality.kind, "quality": quality.label, "status": quality.status}
                for quality in status.qualities
            ],
            "metadata": _metadata_json(status),
        },
        "partway": {
            "state": status.state,
            "reason": status.reason,
            "receivedBytes": status.summary.received_bytes,
            "hasGaps": status.summary.has_gaps,
            "canFinish": status.can_finish,
            "edgeSeconds": status.edge_seconds,
            "durationSeconds": status.facts.duration_seconds if status.facts else None,
        },
    }


_WORDS = {
    (True, False): "uploading",
    (True, True): "uploaded",
    (False, False): "ingesting",
    (False, True): "ingested",
}
"""By whether it is an upload, and whether it is complete."""


def _ingest_json(status: Status) -> dict[str, Any] | None:
    summary = status.summary
    if summary.state is State.EMPTY and status.origin is None:
        return None
    by_parts, by_bytes = summary.mode is Mode.PART, summary.mode is Mode.BYTES
    complete = summary.state is State.COMPLETE
    size = summary.received_bytes if complete else summary.total if by_bytes else None
    return {
        "status": _WORDS[status.origin is None, complete],
        "filesize": size,
        "receivedBytes": [
            {"from": part.position, "to": part.position + part.content.length - 1, "total": part.total}
            for part in status.parts
            if by_bytes
        ],
        "receivedParts": {
            "parts": [part.position for part in status.parts] if by_parts else [],
            "total": summary.total if by_parts else None,
        },
    }


def _metadata_json(status: Status) -> dict[str, Any]:
    facts = status.facts
    return {
        "width": facts.width if facts else None,
        "height": facts.height if facts else None,
        "bitrate": facts.bitrate_kbps if facts else None,
        "duration": round(facts.duration_seconds) if facts and facts.duration_seconds is not None else None,
        "framerate": round(facts.framerate) if facts and facts.framerate is not None else None,
        "samplerate": facts.sample_rate if facts else None,
        "videoCodec": facts.video_codec if facts else None,
        "audioCodec": facts.audio_codec if facts else None,
        "aspectRatio": facts.aspect_ratio if facts else None,
    }
