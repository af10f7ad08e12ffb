"""Which layers of the sandbox this machine has: each is tried, none is taken from a version number."""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from partway.errors import ProgramFailed, ProgramMissing
from partway.transcode.outcome import Ending
from partway.transcode.process import run
from partway.transcode.programs import NAMES, OLDEST, find
from partway.transcode.sandbox import Limits, Sandbox
from partway.transcode.wrapper import ARCHITECTURES, LANDLOCK_CREATE_RULESET

NEWEST_LANDLOCK = 7
"""What later versions of Landlock add, the wrapper doesn't know."""

_TRIAL = Limits(wall_seconds=20, cpu_seconds=10)


@dataclass(frozen=True, slots=True)
class Layer:
    """A line for ``partway doctor``."""

    name: str
    is_active: bool
    words: str


@dataclass(frozen=True, slots=True)
class Detected:
    """The sandbox of this machine, and what to say about it."""

    sandbox: Sandbox
    layers: tuple[Layer, ...]

    @property
    def worry(self) -> str | None:
        """What is missing so much that it should be told at every start; None as a rule."""
        if self.sandbox.hides_files:
            return None
        return (
            "Neither Landlock nor bubblewrap works here: only ffmpeg's own arguments keep a hostile video from reading "
            "this server's files. Install bubblewrap, or use Linux 5.13 or newer."
        )


@dataclass(frozen=True, slots=True)
class _Candidate:
    name: str
    words: str
    lacking: str
    """Why it isn't even tried."""
    change: dict[str, Any]
    """Of the sandbox; empty if it can't be had."""


async def detect(scratch: Path | None = None, *, landlock: bool = True, bubblewrap: bool = True) -> Detected:
    """Try every layer, and put together those that work.

    Args:
        scratch: where work folders are made; None: the system's folder for temporary files.
        landlock: whether to use it where the kernel has it.
        bubblewrap: whether to use it where it is installed.

    Raises:
        ProgramFailed: not even the limits can be set.
    """
    sandbox = Sandbox(scratch or Path(tempfile.gettempdir()))
    await _try(sandbox)
    layers = [Layer("limits", True, "on time, memory, output, files; own process group, folder, no environment")]
    for candidate in _candidates(landlock=landlock, bubblewrap=bubblewrap):
        if not candidate.change:
            layers.append(Layer(candidate.name, False, candidate.lacking))
            continue
        # On top of those before it: what works alone may not work together.
        more = replace(sandbox, **candidate.change)
        try:
            await _try(more)
        except ProgramFailed as error:
            layers.append(Layer(candidate.name, False, f"does not work here: {error}"))
        else:
            sandbox = more
            layers.append(Layer(candidate.name, True, candidate.words))
    return Detected(sandbox, tuple(layers))


async def describe_programs(
    sandbox: Sandbox, *, ffmpeg: str | Path | None = None, ffprobe: str | Path | None = None
) -> tuple[Layer, ...]:
    """Which ffmpeg and ffprobe are used, as lines for ``partway doctor``."""
    lines = []
    for name, setting in zip(NAMES, (ffmpeg, ffprobe), strict=True):
        try:
            found = await find(name, sandbox, setting)
        except ProgramMissing as error:
            lines.append(Layer(name, False, str(error)))
            continue
        old = "" if found.is_new_enough else f"; too old, {'.'.join(map(str, OLDEST))} or newer is needed"
        lines.append(Layer(name, not old, f"{found.version} from {found.origin}: {found.path}{old}"))
    return tuple(lines)


def landlock_abi() -> int:
    """The kernel's version of Landlock; 0 if it has none."""
    if sys.platform != "linux":
        return 0
    version: int = ctypes.CDLL(None).syscall(ctypes.c_long(LANDLOCK_CREATE_RULESET), None, ctypes.c_long(0), 1)
    return max(0, version)


def _candidates(*, landlock: bool, bubblewrap: bool) -> Iterator[_Candidate]:
    is_linux, machine = sys.platform == "linux", os.uname().machine
    yield _Candidate(
        "parent's death",
        "ends every program, whatever kills the server",
        "needs Linux",
        {"die_with_parent": True} if is_linux else {},
    )
    yield _Candidate(
        "privileges", "none, and no way to any", "needs Linux", {"no_privileges": True} if is_linux else {}
    )
    yield _Candidate(
        "system calls",
        "no sockets, no new processes, no reach into others",
        f"no filter for {machine}" if is_linux else "needs Linux",
        {"seccomp": True} if is_linux and machine in ARCHITECTURES else {},
    )
    abi = min(landlock_abi(), NEWEST_LANDLOCK)
    yield _Candidate(
        "Landlock",
        f"version {abi}: no files but its own" + (", no TCP" if abi >= 4 else "; the network only from Linux 6.7 on"),
        "the kernel has none (Linux 5.13 does, if it is not left out at boot)" if landlock else "turned off",
        {"landlock": abi} if landlock and abi else {},
    )
    path = shutil.which("bwrap") if bubblewrap and is_linux else None
    yield _Candidate(
        "bubblewrap",
        "a file system, processes and a network of its own",
        "not installed (apt-get install bubblewrap)" if bubblewrap and is_linux else "turned off",
        {"bubblewrap": os.path.realpath(path)} if path else {},
    )


async def _try(sandbox: Sandbox) -> None:
    outcome = await run((), _TRIAL, sandbox)
    if outcome.ending is not Ending.FINISHED:
        raise ProgramFailed(f"it ended with {outcome.exit_code or outcome.signal} ({outcome.messages.strip()[-200:]})")
