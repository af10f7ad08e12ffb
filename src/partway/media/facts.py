"""What ``status`` and the playlists tell about a video (contract.md 4.3), playable or not."""

from __future__ import annotations

import math
from dataclasses import dataclass

from partway.errors import MediaError
from partway.media.boxes import fields
from partway.media.codecs import video_codec
from partway.media.movie import Movie
from partway.media.picture import stated_pixel
from partway.media.sound import read_sound


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a video; None where it is unknown. A playable index knows all but the sound it may not have."""

    container: str
    """``mp4`` or ``mov``."""
    width: int | None = None
    """In pixels, as displayed: after rotation, before stretching to the aspect ratio."""
    height: int | None = None
    aspect_ratio: str | None = None
    """For example ``16/9``."""
    duration_seconds: float | None = None
    framerate: float | None = None
    """Frames a second, on average."""
    bitrate_kbps: int | None = None
    """Kilobits (1000 bits) a second of the chosen video and sound, on average."""
    sample_rate: int | None = None
    """Of the sound, in Hz."""
    video_codec: str | None = None
    """Lower-case libavcodec name."""
    audio_codec: str | None = None
    codecs: tuple[str, ...] = ()
    """RFC 6381, video first; only where it plays."""
    audio_channels: int | None = None
    peak_bandwidth: int | None = None
    """Bits a second of the busiest segments, video and sound together."""
    average_bandwidth: int | None = None


def aspect_ratio(width: int, height: int, shape: tuple[int, int], *, turned: bool) -> str:
    """The reduced aspect ratio of the display, for example ``16/9``; ``shape`` is that of a pixel before rotation."""
    wide, high = (shape[1], shape[0]) if turned else shape
    wide, high = width * wide, height * high
    divisor = math.gcd(wide, high)
    return f"{wide // divisor}/{high // divisor}"


def facts_from_headers(movie: Movie, size: int, container: str) -> Facts:
    """As much as the headers of a ``moov`` tell, tables unread: for files that need transcoding."""
    video, audio = movie.video, movie.audio
    duration = movie.duration / movie.timescale
    width = height = 0
    framerate = codec = aspect = sound = None
    if video is not None:
        entry = video.entries[0]
        codec = video_codec(entry.kind)
        width, height = fields(">HH", entry.body, 24)
        turned = video.rotation in (90, 270)
        if turned:
            width, height = height, width
        if width and height:
            aspect = aspect_ratio(width, height, stated_pixel(entry) or (1, 1), turned=turned)
        if video.duration and video.sample_count:
            framerate = round(video.sample_count * video.timescale / video.duration, 3)
    if audio is not None:
        sound = read_sound(audio.entries[0], quicktime=not audio.sound_descriptions_are_iso)
    return Facts(
        container=container,
        width=width or None,
        height=height or None,
        aspect_ratio=aspect,
        duration_seconds=round(duration, 6) or None,
        framerate=framerate,
        bitrate_kbps=round(size * 8 / duration / 1000) if duration else None,
        sample_rate=(sound.sample_rate or None) if sound else None,
        video_codec=codec,
        audio_codec=sound.codec if sound else None,
        audio_channels=(sound.channels or None) if sound else None,
    )


def facts_of(error: MediaError) -> Facts | None:
    """What is known of a file that was refused: a refusal of a sound file carries its facts."""
    facts = getattr(error, "facts", None)
    return facts if isinstance(facts, Facts) else None
