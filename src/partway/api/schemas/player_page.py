"""What the player page is told about its video (``web/static/stage.js``); every address as this viewer has to ask."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from pydantic.alias_generators import to_camel

from partway.api.schemas.players import logo_path
from partway.api.schemas.text_tracks import player_tracks_json
from partway.api.schemas.videos import asset_root
from partway.services.status import Status
from partway.services.values import PlayerTheme, TextTrack
from partway.services.viewing import Viewer


def player_page_json(
    viewer: Viewer, base: str, status: Status, tracks: Iterable[TextTrack], theme: PlayerTheme | None
) -> dict[str, Any]:
    """The page's configuration; ``base`` is the start of every address in it."""
    video = viewer.video
    root = asset_root(video.video_id, base, None)
    return {
        "videoId": video.video_id,
        "title": video.title,
        "page": viewer.uri(root),
        "hls": viewer.uri(f"{root}/hls/manifest.m3u8"),
        "mp4": viewer.uri(f"{root}/mp4/source.mp4") if video.mp4_support else None,
        "status": viewer.uri(f"{root}/status.json"),
        "poster": viewer.uri(f"{root}/thumbnail.jpg"),
        "playable": status.is_playable,
        "reason": status.reason,
        "tracks": player_tracks_json(tracks, root, viewer.uri),
        "theme": None if theme is None else _theme_json(theme, base),
    }


def _theme_json(theme: PlayerTheme, base: str) -> dict[str, Any]:
    look = {to_camel(name): value for name, value in asdict(theme.look).items()}
    logo = theme.logo
    return {
        "colours": {name: value for name, value in look.items() if not isinstance(value, bool)},
        **{name: value for name, value in look.items() if isinstance(value, bool)},
        "logo": None if logo is None else {"src": f"{base}{logo_path(theme)}", "link": logo.link},
    }
