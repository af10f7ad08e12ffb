"""What an external program may do, as a value: limits, layers, and the command line that they make."""

from __future__ import annotations

import os
import struct
import sys
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

MIB = 1 << 20

_WRAPPER = Path(__file__).with_name("wrapper.py")
_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache", "/etc/alternatives")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a program may take before it is ended."""

    wall_seconds: float = 60
    cpu_seconds: int = 60
    memory_bytes: int = 2048 * MIB
    """Of address space."""
    input_bytes: int | None = None
    """Fed to standard input; then it ends. None: as much as there is."""
    output_bytes: int = 16 * MIB
    """On standard output, and as much again in files."""
    file_bytes: int = 0
    """Largest file it may write; 0: none at all."""
    descriptors: int = 64
    nice: int = 10

    def scaled(self, work: float) -> Limits:
        """The same for ``work`` times the work: time and output grow, memory doesn't."""
        return replace(
            self,
            wall_seconds=self.wall_seconds * work,
            cpu_seconds=max(1, round(self.cpu_seconds * work)),
            output_bytes=round(self.output_bytes * work),
            file_bytes=round(self.file_bytes * work),
        )


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The layers around every external program; ``layers.detect`` finds out which this machine has."""

    scratch: Path
    """Where private work folders are made."""
    die_with_parent: bool = False
    no_privileges: bool = False
    landlock: int = 0
    """The kernel's version of it that is used; 0: none."""
    seccomp: bool = False
    bubblewrap: str | None = None
    """The program's path; None: not used."""

    @property
    def hides_files(self) -> bool:
        """Whether anything but ffmpeg's own arguments keeps a program from files that are not its own."""
        return bool(self.landlock or self.bubblewrap)

    def command(
        self,
        program: tuple[str, ...],
        limits: Limits,
        *,
        folder: Path,
        reads: Iterable[Path] = (),
        link: int,
        progress: int | None,
    ) -> tuple[str, ...]:
        """The whole command line; an empty ``program`` only tries the layers out.

        ``reads`` are files and folders it may read, besides itself and ``folder``, which it may also write.
        ``link`` and ``progress`` are descriptors that it inherits.
        """
        executes = [*program[:1], *(_libraries() if program and not is_static(program[0]) else ())]
        readable = [str(path) for path in reads]
        orders = {
            "link": link,
            "progress": progress,
            "nice": limits.nice,
            "cpu": limits.cpu_seconds,
            # Elsewhere it counts what no program can help.
            "memory": limits.memory_bytes if sys.platform == "linux" else None,
            "file": limits.file_bytes,
            "descriptors": limits.descriptors,
            "core": 0,
            # Later than ours, which says why: this one is for a parent that is stopped.
            "wall": round(limits.wall_seconds * 1.2 + 5),
            "die_with_parent": int(self.die_with_parent),
            "no_privileges": int(self.no_privileges),
            "landlock": self.landlock,
            "seccomp": int(self.seccomp),
        }
        words = [f"{name}={value}" for name, value in orders.items() if value is not None]
        words += [f"execute={path}" for path in executes]
        words += [f"read={path}" for path in readable]
        words.append(f"write={folder}")
        if program:
            words += ["--", *program]
        return (*self._bubblewrap(folder, {*executes, *readable}), *_python(), str(_WRAPPER), *words)

    def _bubblewrap(self, folder: Path, visible: set[str]) -> tuple[str, ...]:
        if self.bubblewrap is None:
            return ()
        visible |= {str(_WRAPPER), *_libraries(), *_python_places()}
        binds = [word for path in sorted(visible) for word in ("--ro-bind", path, path)]
        return (
            self.bubblewrap,
            # Own user, processes, network (none), mounts, host name, shared memory.
            "--unshare-all",
            *("--cap-drop", "ALL"),
            "--die-with-parent",
            *binds,
            *("--bind", str(folder), str(folder)),
            *("--chdir", str(folder)),
            # The root itself is a file system in memory, which nothing else would bound.
            *("--remount-ro", "/"),
            "--",
        )


@cache
def is_static(program: str) -> bool:
    """Whether an ELF program names no loader: then it needs no libraries."""
    with open(program, "rb") as file:
        head = file.read(64)
        if head[:6] != b"\x7fELF\x02\x01":
            return False
        (table,) = struct.unpack_from("<Q", head, 32)
        size, count = struct.unpack_from("<HH", head, 54)
        file.seek(table)
        entries = file.read(size * count)
    interpreter = 3
    return all(struct.unpack_from("<I", entries, at)[0] != interpreter for at in range(0, len(entries), size))


@cache
def _libraries() -> tuple[str, ...]:
    return tuple(path for path in _LIBRARIES if os.path.exists(path))


@cache
def _python() -> tuple[str, ...]:
    # The interpreter itself rather than a virtual environment's: nothing of one is needed.
    # -I: no environment, no user's folder; -S: no site-packages. Both make it start faster, too.
    return (os.path.realpath(sys.executable), "-I", "-S")


@cache
def _python_places() -> tuple[str, ...]:
    """What the interpreter needs to start."""
    named = {_python()[0], sysconfig.get_path("stdlib"), os.path.join(sys.base_prefix, "lib")}
    return tuple(sorted(path for path in named if os.path.exists(path)))
