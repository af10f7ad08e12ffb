"""Every layer bites, alone; and one that this machine lacks is said to be inactive.

Each test runs the same program without the layer too, where it can do what it must not: so it is the layer that bites.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.system.sandbox.ground import (
    GENEROUS,
    INTERPRETER,
    Listener,
    is_running,
    is_there,
    library,
    program,
    python,
    until,
)

from partway.errors import ProgramFailed
from partway.transcode.layers import Detected, describe_programs, detect, landlock_abi
from partway.transcode.outcome import Ending
from partway.transcode.process import run
from partway.transcode.sandbox import Sandbox

pytestmark = pytest.mark.anyio

NAMES = ["limits", "parent's death", "privileges", "system calls", "Landlock", "bubblewrap"]


def lacks(detected: Detected, name: str, capsys: pytest.CaptureFixture[str]) -> bool:
    """Whether a layer is missing here, said aloud."""
    layer = next(layer for layer in detected.layers if layer.name == name)
    if layer.is_active:
        return False
    with capsys.disabled():
        print(f"\n*** THIS MACHINE HAS NO LAYER {name!r}, so it can't be shown to bite: {layer.words}")
    return True


@pytest.fixture
def canary() -> Iterator[Path]:
    """A file that everybody may read, in a folder of its own, outside of every sandbox."""
    with tempfile.TemporaryDirectory(prefix="canary-") as folder:
        os.chmod(folder, 0o755)
        path = Path(folder, "canary")
        path.write_text("tweet")
        yield path


READ = "print(open({!r}).read())"
CONNECT = "import socket; socket.create_connection(('127.0.0.1', {}), 5).send(b'{}'); print('connected')"


async def test_all_are_named(detected: Detected) -> None:
    assert [layer.name for layer in detected.layers] == NAMES
    assert all(layer.words for layer in detected.layers)
    assert detected.layers[0].is_active


async def test_what_is_said_is_what_is_used(detected: Detected) -> None:
    used = detected.sandbox
    said = {layer.name: layer.is_active for layer in detected.layers}
    assert said["parent's death"] == used.die_with_parent == (sys.platform == "linux")
    assert said["privileges"] == used.no_privileges == (sys.platform == "linux")
    assert said["system calls"] == used.seccomp
    assert said["Landlock"] == bool(used.landlock) == bool(landlock_abi())
    assert said["bubblewrap"] == bool(used.bubblewrap)
    assert not (said["bubblewrap"] and shutil.which("bwrap") is None)
    assert (detected.worry is None) == (said["Landlock"] or said["bubblewrap"]) == used.hides_files


async def test_layers_can_be_turned_off(tmp_path: Path) -> None:
    """And then there is something to worry about."""
    found = await detect(tmp_path, landlock=False, bubblewrap=False)
    assert (found.sandbox.landlock, found.sandbox.bubblewrap) == (0, None)
    assert [(layer.is_active, layer.words) for layer in found.layers[-2:]] == [(False, "turned off")] * 2
    assert found.worry is not None
    assert "Install bubblewrap" in found.worry


async def test_a_bubblewrap_that_does_not_work_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    impostor = tmp_path / "bwrap"
    impostor.write_text("#!/bin/sh\necho 'No permissions to create a new namespace' >&2\nexit 1\n")
    impostor.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = await detect(tmp_path)
    assert found.sandbox.bubblewrap is None
    assert not found.layers[-1].is_active
    assert "No permissions to create a new namespace" in found.layers[-1].words


async def test_a_layer_that_can_not_be_had_stops_everything(bare: Sandbox) -> None:
    """Fewer layers than were ordered are never run with."""
    with pytest.raises(ProgramFailed, match="could not be started"):
        await run(program("print(1)"), GENEROUS, replace(bare, landlock=1, scratch=bare.scratch), reads=[Path("/none")])
    with pytest.raises(ProgramFailed, match="could not be started"):
        await run(("/no/such/program",), GENEROUS, replace(bare, no_privileges=True))


async def test_privileges(detected: Detected, bare: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    if lacks(detected, "privileges", capsys):
        return
    code = "print(*(line for line in open('/proc/self/status') if line.startswith(('Cap', 'NoNew'))))"
    said = (await python(replace(bare, no_privileges=True), code)).output.decode().split()
    fields = dict(zip(said[::2], said[1::2], strict=True))
    assert int(fields["CapEff:"], 16) == int(fields["CapPrm:"], 16) == int(fields["CapAmb:"], 16) == 0
    assert fields["NoNewPrivs:"] == "1"
    if os.geteuid() == 0:
        before = (await python(bare, code)).output.decode().split()
        assert int(before[before.index("CapEff:") + 1], 16) != 0


async def test_system_calls(
    detected: Detected, bare: Sandbox, listener: Listener, capsys: pytest.CaptureFixture[str]
) -> None:
    if lacks(detected, "system calls", capsys):
        return
    code = f"""
import os, socket, threading
def tried(what):
    try: what(); print('done')
    except OSError as error: print(error.errno)
tried(lambda: socket.create_connection(('127.0.0.1', {listener.port}), 5).send(b'{listener.word}'))
tried(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
tried(lambda: socket.socketpair())
tried(lambda: os.fork() or os._exit(0))
tried(lambda: os.posix_spawn('/bin/true', ['true'], {{}}))
tried(lambda: os.pidfd_open(os.getpid()))
thread = threading.Thread(target=lambda: print('thread'))
thread.start(); thread.join()
"""
    free = await python(bare, code)
    assert free.output.split() == [b"done"] * 6 + [b"thread"]
    assert listener.was_called()
    bound = await python(replace(bare, seccomp=True), code)
    assert bound.output.split() == [b"1"] * 5 + [b"done", b"thread"], bound.messages
    assert not listener.was_called()


async def test_landlock_hides_files(
    detected: Detected, bare: Sandbox, canary: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if lacks(detected, "Landlock", capsys):
        return
    bound = replace(bare, landlock=detected.sandbox.landlock)
    assert (await python(bare, READ.format(str(canary)))).output == b"tweet\n"
    refused = await python(bound, READ.format(str(canary)))
    assert refused.output == b""
    assert "PermissionError" in refused.messages
    # What it is given it can read, and its own folder it can write.
    given = await run(program(READ.format(str(canary))), GENEROUS, bound, reads=[*library(), canary])
    assert given.output == b"tweet\n"
    own = "open('own', 'w').write('mine'); print(open('own').read())"
    limits = replace(GENEROUS, file_bytes=100)
    assert (await python(bound, own, limits)).output == b"mine\n"
    attempts = ("open({!r}, 'a')", "open({!r} + '2', 'w')", "__import__('os').remove({!r})")
    for attempt in (template.format(str(canary)) for template in attempts):
        assert "PermissionError" in (await python(bound, attempt, limits)).messages
    execute = "import os; os.execv('/bin/true', ['true'])"
    assert (await python(bare, execute)).ending is Ending.FINISHED
    assert "PermissionError" in (await python(bound, execute)).messages


async def test_landlock_closes_the_network(
    detected: Detected, bare: Sandbox, listener: Listener, capsys: pytest.CaptureFixture[str]
) -> None:
    if lacks(detected, "Landlock", capsys):
        return
    version = detected.sandbox.landlock
    code = CONNECT.format(listener.port, listener.word)
    assert (await python(bare, code)).output == b"connected\n"
    assert listener.was_called()
    outcome = await python(replace(bare, landlock=version), code)
    if version < 4:
        with capsys.disabled():
            print(f"\n*** LANDLOCK VERSION {version} OF THIS KERNEL DOES NOT KNOW THE NETWORK (4 does)")
        assert "the network only from" in next(layer for layer in detected.layers if layer.name == "Landlock").words
        assert outcome.output == b"connected\n"
    else:
        assert "PermissionError" in outcome.messages
        assert not listener.was_called()


async def test_bubblewrap_hides_files_network_and_processes(
    detected: Detected, bare: Sandbox, canary: Path, listener: Listener, capsys: pytest.CaptureFixture[str]
) -> None:
    if lacks(detected, "bubblewrap", capsys):
        return
    bound = replace(bare, bubblewrap=detected.sandbox.bubblewrap)
    assert "FileNotFoundError" in (await python(bound, READ.format(str(canary)))).messages

    code = CONNECT.format(listener.port, listener.word)
    assert (await python(bare, code)).output == b"connected\n"
    assert listener.was_called()
    assert (await python(bound, code)).ending is Ending.FAILED
    assert not listener.was_called()

    reach = f"import os; os.kill({os.getpid()}, 0); print('reached')"
    assert (await python(bare, reach)).output == b"reached\n"
    assert "ProcessLookupError" in (await python(bound, reach)).messages

    write = "open('/anywhere', 'w')"
    assert (await python(bound, write, replace(GENEROUS, file_bytes=100))).ending is Ending.FAILED
    assert not is_there("/anywhere")


@pytest.mark.parametrize("layers", ["die_with_parent", "bubblewrap", "whole"])
async def test_the_parents_death_ends_it(
    layers: str, detected: Detected, bare: Sandbox, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    needed = {"die_with_parent": "parent's death", "bubblewrap": "bubblewrap", "whole": "parent's death"}[layers]
    if lacks(detected, needed, capsys):
        return
    whole = detected.sandbox
    sandbox = whole if layers == "whole" else replace(bare, **{layers: getattr(whole, layers)})
    parent = start_parent(sandbox, tmp_path)
    try:
        await until(lambda: is_there(tmp_path / "begun") or parent.poll() is not None)
        assert parent.poll() is None, (tmp_path / "log").read_text()
        children = children_of(parent.pid)
        assert children
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        await until(lambda: not any(map(is_running, children)))
    finally:
        parent.kill()
        parent.wait()


def start_parent(sandbox: Sandbox, folder: Path) -> subprocess.Popen[bytes]:
    """A process that runs, by our code, a program which says that it has begun, and then waits for ever."""
    code = f"""
import asyncio, sys
from pathlib import Path, PosixPath
from partway.transcode.process import running
from partway.transcode.sandbox import Sandbox, Limits
async def main():
    child = {program("print('begun', flush=True); __import__('time').sleep(600)")!r}
    async with running(child, Limits(wall_seconds=600), {sandbox!r}, reads={list(library())!r}) as started:
        async for _ in started.output():
            Path({str(folder / "begun")!r}).touch()
asyncio.run(main())
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with (folder / "log").open("wb") as log:
        return subprocess.Popen((sys.executable, "-c", code), env=environment, stdout=log, stderr=log)


def children_of(pid: int) -> list[int]:
    """Every process under one, by the kernel's own list."""
    found: list[int] = []
    waiting = [pid]
    while waiting:
        tasks = Path(f"/proc/{waiting.pop()}/task").glob("*/children")
        children = [int(child) for task in tasks for child in task.read_text().split()]
        found += children
        waiting += children
    return found


async def test_the_programs_are_described(detected: Detected, tmp_path: Path) -> None:
    lines = await describe_programs(detected.sandbox)
    assert [(line.name, line.is_active) for line in lines] == [("ffmpeg", True), ("ffprobe", True)]
    none = await describe_programs(detected.sandbox, ffmpeg=tmp_path / "none")
    assert not none[0].is_active
    assert "named by the settings" in none[0].words
    old = tmp_path / "ffmpeg"
    old.write_text(f"#!{INTERPRETER}\nprint('ffmpeg version 4.4.2-0ubuntu0.22.04.1 Copyright')")
    old.chmod(0o755)
    assert "too old, 5.1 or newer" in (await describe_programs(Sandbox(tmp_path), ffmpeg=old))[0].words
