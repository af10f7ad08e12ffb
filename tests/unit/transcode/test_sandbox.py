"""The command line around a program."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

from partway.transcode.sandbox import MIB, Limits, Sandbox, is_static
from partway.transcode.wrapper import ARCHITECTURES, CLONE, CLONE3, REFUSED_CALLS, RLIMITS

PROGRAM = os.path.realpath(sys.executable)
BARE = Sandbox(Path("/scratch"))
WHOLE = replace(BARE, die_with_parent=True, no_privileges=True, landlock=5, seccomp=True, bubblewrap="/usr/bin/bwrap")


def command(sandbox: Sandbox, limits: Limits | None = None, **more: object) -> tuple[str, ...]:
    given: dict[str, object] = {"folder": Path("/scratch/work"), "link": 7, "progress": None, **more}
    return sandbox.command((PROGRAM, "-i", "a b"), limits or Limits(), **given)  # type: ignore[arg-type]


def orders(words: tuple[str, ...]) -> dict[str, list[str]]:
    """What the wrapper is told."""
    start = words.index("-S") + 2
    end = words.index("--", start)
    found: dict[str, list[str]] = {}
    for word in words[start:end]:
        name, _, value = word.partition("=")
        found.setdefault(name, []).append(value)
    return found


def test_the_program_comes_last_and_unchanged() -> None:
    for sandbox in (BARE, WHOLE):
        words = command(sandbox)
        assert words[-4:] == ("--", PROGRAM, "-i", "a b")


def test_without_a_program_there_are_only_orders() -> None:
    words = BARE.command((), Limits(), folder=Path("/scratch/work"), link=7, progress=None)
    assert "--" not in words
    assert "link=7" in words


def test_python_starts_bare() -> None:
    words = command(BARE)
    assert words[:3] == (os.path.realpath(sys.executable), "-I", "-S")


def test_limits_are_ordered() -> None:
    limits = Limits(wall_seconds=10, cpu_seconds=3, memory_bytes=512 * MIB, file_bytes=5, descriptors=9, nice=4)
    told = orders(command(BARE, limits, progress=11))
    assert {name: told[name] for name in ("cpu", "file", "descriptors", "core", "nice", "link", "progress")} == {
        "cpu": ["3"], "file": ["5"], "descriptors": ["9"], "core": ["0"], "nice": ["4"], "link": ["7"],
        "progress": ["11"],
    }  # fmt: skip
    assert told.get("memory") == ([str(512 * MIB)] if sys.platform == "linux" else None)
    # Later than our own clock, which knows better what to say.
    assert int(told["wall"][0]) > limits.wall_seconds
    assert set(RLIMITS) <= {*told, "memory"}


def test_layers_are_ordered() -> None:
    for sandbox, on in ((BARE, "0"), (WHOLE, "1")):
        told = orders(command(sandbox))
        assert [told[name] for name in ("die_with_parent", "no_privileges", "seccomp")] == [[on]] * 3
    assert orders(command(WHOLE))["landlock"] == ["5"]


def test_only_what_is_needed_is_given() -> None:
    told = orders(command(WHOLE, reads=[Path("/media/in")]))
    assert told["write"] == ["/scratch/work"]
    assert told["read"] == ["/media/in"]
    assert told["execute"][0] == PROGRAM


def test_bubblewrap_binds_read_only_but_the_work_folder() -> None:
    words = command(WHOLE, reads=[Path("/media/in")])
    around = words[: words.index("--")]
    assert around[0] == "/usr/bin/bwrap"
    assert {"--unshare-all", "--die-with-parent"} <= set(around)
    assert around[around.index("--cap-drop") + 1] == "ALL"
    writable = [around[at + 1] for at, word in enumerate(around) if word == "--bind"]
    readable = [around[at + 1] for at, word in enumerate(around) if word == "--ro-bind"]
    assert writable == ["/scratch/work"]
    assert {"/media/in", PROGRAM} <= set(readable)
    assert not {"/", "/home", "/root", "/etc", "/proc", "/sys", "/dev", "/usr", "/tmp"} & set(readable)
    assert around[-2:] == ("--remount-ro", "/")


def test_a_static_program_gets_no_libraries(tmp_path: Path) -> None:
    assert not is_static(PROGRAM)
    head = bytearray(64)
    head[:6] = b"\x7fELF\x02\x01"
    head[32:40] = (64).to_bytes(8, "little")
    head[54:58] = (56).to_bytes(2, "little") + (1).to_bytes(2, "little")
    for kind, answer in ((1, True), (3, False)):
        program = tmp_path / f"program{kind}"
        program.write_bytes(bytes(head) + kind.to_bytes(4, "little") + bytes(52))
        assert is_static(str(program)) is answer
    script = tmp_path / "script"
    script.write_bytes(b"#!/bin/sh\n")
    assert not is_static(str(script))


def test_more_work_gets_more_time_but_no_more_memory() -> None:
    once = Limits(wall_seconds=10, cpu_seconds=8, output_bytes=100, file_bytes=50)
    thrice = once.scaled(3)
    assert (thrice.wall_seconds, thrice.cpu_seconds, thrice.output_bytes, thrice.file_bytes) == (30, 24, 300, 150)
    assert thrice.memory_bytes == once.memory_bytes
    assert once.scaled(0.001).cpu_seconds == 1


def test_the_tables_of_system_calls_have_no_number_twice() -> None:
    for column, _ in ARCHITECTURES.values():
        numbers = [calls[column] for calls in REFUSED_CALLS.values() if calls[column] is not None]
        numbers += [CLONE[column], CLONE3[column]]
        assert len(set(numbers)) == len(numbers)
