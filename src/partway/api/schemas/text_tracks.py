"""Captions and chapters on the wire (contract.md 1.5, 1.6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from pydantic import StrictBool

from partway.api.schemas.base import Payload
from partway.services.languages import language_name
from partway.services.values import TextTrack


class CaptionChanges(Payload):
    """The body of ``PATCH /videos/{videoId}/captions/{language}``."""

    default: StrictBool | None = None


def track_uri(track: TextTrack, root: str) -> str:
    """Where a text track's file is served; ``root`` is the video's ``asset_root``."""
    return f"{root}/{track.kind}/{track.tag}.vtt"


def caption_json(track: TextTrack, root: str) -> dict[str, Any]:
    """Captions (contract.md 1.5); ``root`` is the video's ``asset_root``."""
    return {
        "uri": f"/videos/{track.video_id}/captions/{track.tag}",
        "src": track_uri(track, root),
        "srclang": track.tag,
        "languageName": language_name(track.tag),
        "default": track.is_default,
    }


def chapter_json(track: TextTrack, root: str) -> dict[str, Any]:
    """Chapters (contract.md 1.6); ``root`` is the video's ``asset_root``."""
    return {
        "uri": f"/videos/{track.video_id}/chapters/{track.tag}",
        "src": track_uri(track, root),
        "language": track.tag,
    }


def player_tracks_json(tracks: Iterable[TextTrack], root: str, uri: Callable[[str], str]) -> list[dict[str, Any]]:
    """Text tracks as the player page takes them, for its ``track`` elements.

    Args:
        root: the video's ``asset_root``, without a token.
        uri: writes an address for the viewer, see ``Viewer.uri``.
    """
    return [
        {
            "kind": track.kind,
            "src": uri(track_uri(track, root)),
            "srclang": track.tag,
            "label": language_name(track.tag),
            "default": track.is_default,
        }
        for track in tracks
    ]
