"""What ffprobe reports of a file, as the facts that ``status`` tells (contract.md 4.3).

The report comes from a program that has just read hostile bytes: every value is checked, none is believed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from partway.errors import MediaError, MediaMalformed, MediaTooLarge, MediaUnsupported
from partway.media.commands import MAX_PIXELS
from partway.media.facts import Facts, aspect_ratio

MAX_REPORT_BYTES = 1 << 20
MAX_SECONDS = 100 * 3600
MAX_FRAMERATE = 300
"""Containers that count in ticks (AVI, MXF) claim their tick rate where they know no better."""

_NOTHING = "The file is damaged: no stream in it can be read."


def facts_from_report(report: bytes, container: str, size: int | None) -> Facts:
    """Read ffprobe's JSON (``commands.probe``) about a file of ``size`` bytes, None while that is unknown.

    Raises MediaMalformed where nothing was understood, MediaTooLarge beyond our bounds, MediaUnsupported, with the
    facts, where there is no video.
    """
    try:
        read = json.loads(report)
    except ValueError:
        raise MediaMalformed(_NOTHING) from None
    streams = [one for one in _list(_map(read).get("streams")) if isinstance(one, Mapping)]
    if not streams:
        raise MediaMalformed(_NOTHING)
    videos = [one for one in streams if one.get("codec_type") == "video" and not _flag(one, "attached_pic")]
    _check_pixels(videos)
    video = _chosen(videos)
    audio = _chosen([one for one in streams if one.get("codec_type") == "audio"])
    facts = _facts(video, audio, _map(_map(read).get("format")), container, size)
    if video is None:
        refusal = MediaUnsupported("The file has no video track.")
        refusal.facts = facts
        raise refusal
    return facts


def complaint(messages: str) -> MediaError | None:
    """What ffmpeg's messages say is wrong with a file, where it is a bound of ours that they are about."""
    if "exceeds specified max pixel count" in messages:
        return MediaTooLarge(f"The video's picture is larger than {MAX_PIXELS} pixels.")
    if "exceeds max_streams" in messages:
        return MediaTooLarge("The file has too many tracks.")
    return None


def _facts(
    video: Mapping[str, Any] | None,
    audio: Mapping[str, Any] | None,
    whole: Mapping[str, Any],
    container: str,
    size: int | None,
) -> Facts:
    seconds = _number(whole.get("duration")) or max((_seconds(one) for one in (video, audio) if one), default=0)
    if seconds > MAX_SECONDS:
        raise MediaTooLarge(f"The file claims to last longer than {MAX_SECONDS // 3600} hours.")
    width = height = 0
    aspect = framerate = None
    if video is not None:
        turned = _is_turned(video)
        width, height = _whole(video.get("width")), _whole(video.get("height"))
        if turned:
            width, height = height, width
        if width and height:
            aspect = aspect_ratio(width, height, _pixel(video.get("sample_aspect_ratio")), turned=turned)
        rate = _ratio(video.get("avg_frame_rate"))
        framerate = round(rate, 3) if 0 < rate <= MAX_FRAMERATE else None
    rates = [_number(one.get("bit_rate")) for one in (video, audio) if one is not None]
    bits = sum(rates) if all(rates) else (size or 0) * 8 / seconds if seconds else 0
    return Facts(
        container=container,
        width=width or None,
        height=height or None,
        aspect_ratio=aspect,
        duration_seconds=round(seconds, 6) or None,
        framerate=framerate,
        bitrate_kbps=round(bits / 1000) or None,
        sample_rate=_whole(audio.get("sample_rate")) or None if audio else None,
        video_codec=_name(video),
        audio_codec=_name(audio),
        audio_channels=_whole(audio.get("channels")) or None if audio else None,
    )


def _check_pixels(videos: list[Mapping[str, Any]]) -> None:
    """Summed over the tracks: each alone may be within bounds, and all of them be decoded."""
    if sum(_whole(one.get("width")) * _whole(one.get("height")) for one in videos) > MAX_PIXELS:
        raise MediaTooLarge(f"The video's picture is larger than {MAX_PIXELS} pixels.")


def _chosen(streams: list[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The first that its file calls the default, else the first."""
    return next((one for one in streams if _flag(one, "default")), streams[0] if streams else None)


def _is_turned(video: Mapping[str, Any]) -> bool:
    turns = [_map(one).get("rotation") for one in _list(video.get("side_data_list"))]
    turns.append(_map(video.get("tags")).get("rotate"))
    degrees: float = next((float(turn) for turn in turns if turn is not None and _is_number(turn)), 0.0)
    return round(degrees / 90) % 2 == 1


def _seconds(stream: Mapping[str, Any]) -> float:
    """A stream's length: its own, or Matroska's tag, ``00:00:13.021000000``."""
    if own := _number(stream.get("duration")):
        return own
    fields = str(_map(stream.get("tags")).get("DURATION", "")).split(":")
    if len(fields) != 3 or not all(map(_is_number, fields)):
        return 0
    hours, minutes, seconds = map(float, fields)
    return _number(hours * 3600 + minutes * 60 + seconds)


def _pixel(text: object) -> tuple[int, int]:
    wide, _, high = str(text).partition(":")
    return (_whole(wide), _whole(high)) if _whole(wide) and _whole(high) else (1, 1)


def _ratio(text: object) -> float:
    above, _, below = str(text).partition("/")
    return _number(above) / _number(below) if _number(below) else 0


def _name(stream: Mapping[str, Any] | None) -> str | None:
    name = stream.get("codec_name") if stream is not None else None
    # ffprobe says "unknown" for what it has no decoder for.
    return name[:32] if isinstance(name, str) and name.isascii() and name.isprintable() and name != "unknown" else None


def _flag(stream: Mapping[str, Any], name: str) -> bool:
    return _map(stream.get("disposition")).get(name) == 1


def _whole(value: object) -> int:
    """A whole number from 0 to 2^31 - 1; 0 for anything else."""
    number = _number(value)
    return int(number) if number < 1 << 31 else 0


def _number(value: object) -> float:
    """A finite number above 0; 0 for anything else."""
    if not _is_number(value):
        return 0
    number = float(value)  # type: ignore[arg-type]
    return number if math.isfinite(number) and number > 0 else 0


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return False
    try:
        return math.isfinite(float(value))
    except (ValueError, OverflowError):
        return False


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
