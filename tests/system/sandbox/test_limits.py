"""Every limit bites, with and without the layers around it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.system.sandbox.ground import INTERPRETER, is_there, names_in, program, python

from partway.transcode import sandbox as sandbox_module
from partway.transcode.folder import sweep, work_folder
from partway.transcode.outcome import Ending
from partway.transcode.process import run
from partway.transcode.sandbox import MIB, Limits, Sandbox

pytestmark = pytest.mark.anyio

# Python ignores this signal; ffmpeg doesn't.
AS_FFMPEG_DOES = "import _signal; _signal.signal(25, 0)\n"


@pytest.mark.slow
async def test_computing_time(sandbox: Sandbox) -> None:
    outcome = await python(sandbox, "while True: pass", Limits(wall_seconds=60, cpu_seconds=1))
    assert outcome.ending is Ending.CPU
    assert outcome.output == b""


@pytest.mark.slow
async def test_computing_time_of_a_program_that_catches_the_signal(bare: Sandbox) -> None:
    stubborn = "import _signal; _signal.signal(24, lambda *_: None)\nwhile True: pass"
    outcome = await python(bare, stubborn, Limits(wall_seconds=60, cpu_seconds=1))
    assert (outcome.ending, outcome.signal) == (Ending.CPU, 9)


async def test_memory(sandbox: Sandbox) -> None:
    outcome = await python(sandbox, "bytearray(600 << 20)", Limits(memory_bytes=512 * MIB))
    assert outcome.ending is Ending.MEMORY
    assert (await python(sandbox, "bytearray(300 << 20)", Limits(memory_bytes=512 * MIB))).ending is Ending.FINISHED


async def test_size_of_a_file(sandbox: Sandbox) -> None:
    code = AS_FFMPEG_DOES + "open('out', 'wb', 0).write(bytes({}))"
    limits = Limits(file_bytes=MIB, output_bytes=64 * MIB)
    assert (await python(sandbox, code.format(MIB), limits)).ending is Ending.FINISHED
    assert (await python(sandbox, code.format(2 * MIB) + "\nopen('out', 'ab').write(b'1')", limits)).ending is (
        Ending.FILE_SIZE
    )


async def test_no_files_at_all_is_the_default(sandbox: Sandbox) -> None:
    outcome = await python(sandbox, AS_FFMPEG_DOES + "open('out', 'wb').write(b'1')")
    assert outcome.ending is Ending.FILE_SIZE


async def test_files_together(sandbox: Sandbox, tmp_path: Path) -> None:
    code = (
        "import time\nfor n in range(10): open(str(n), 'wb').write(bytes(1 << 20))\nprint(flush=True); time.sleep(60)"
    )
    outcome = await python(sandbox, code, Limits(file_bytes=MIB, output_bytes=4 * MIB), folder=tmp_path)
    assert outcome.ending is Ending.OUTPUT


async def test_output(sandbox: Sandbox) -> None:
    outcome = await python(sandbox, "while True: print('x' * 1000)", Limits(output_bytes=MIB))
    assert outcome.ending is Ending.OUTPUT
    assert len(outcome.output) <= MIB


async def test_messages_are_kept_in_part(sandbox: Sandbox) -> None:
    code = "import sys\nfor n in range(100_000): print('line', n, file=sys.stderr)"
    outcome = await python(sandbox, code)
    assert outcome.ending is Ending.FINISHED
    assert outcome.messages.startswith("line 0\n")
    assert outcome.messages.endswith("line 99999\n")
    assert "bytes left out]" in outcome.messages
    assert len(outcome.messages) < 20_000


async def test_input(sandbox: Sandbox) -> None:
    fed = 0

    async def without_end() -> AsyncIterator[bytes]:
        nonlocal fed
        while True:
            fed += 1 << 16
            yield bytes(1 << 16)

    code = "import sys; print(len(sys.stdin.buffer.read()))"
    outcome = await python(sandbox, code, Limits(input_bytes=3 * MIB + 5), feed=without_end())
    assert (outcome.ending, outcome.output) == (Ending.FINISHED, b"%d\n" % (3 * MIB + 5))
    assert fed <= 4 * MIB


async def test_descriptors(sandbox: Sandbox) -> None:
    code = "import os\ntry:\n  while True: os.dup(0)\nexcept OSError as error: print(error.errno)"
    outcome = await python(sandbox, code, Limits(descriptors=16))
    assert outcome.output.strip() == b"24"


async def test_no_core_is_dumped(sandbox: Sandbox, tmp_path: Path) -> None:
    code = "import os, resource; print(resource.getrlimit(resource.RLIMIT_CORE), flush=True); os.abort()"
    outcome = await python(sandbox, code, folder=tmp_path)
    assert outcome.output == b"(0, 0)\n"
    assert (outcome.ending, outcome.signal) == (Ending.CRASHED, 6)
    assert names_in(tmp_path) == []


async def test_wall_clock(sandbox: Sandbox) -> None:
    outcome = await python(sandbox, "import time; time.sleep(600)", Limits(wall_seconds=0.5))
    assert outcome.ending is Ending.TIMEOUT
    assert outcome.wall_seconds < 30


async def test_wall_clock_where_nothing_is_fed(sandbox: Sandbox) -> None:
    is_closed = False

    async def silence() -> AsyncIterator[bytes]:
        nonlocal is_closed
        try:
            await asyncio.get_running_loop().create_future()
            yield b""
        finally:
            is_closed = True

    outcome = await python(sandbox, "import sys; sys.stdin.read()", Limits(wall_seconds=0.5), feed=silence())
    assert outcome.ending is Ending.TIMEOUT
    assert is_closed


@pytest.mark.slow
def test_wall_clock_of_a_parent_that_is_stopped() -> None:
    """The alarm is the kernel's: it rings also where nobody is left to look at the time."""
    wrapper = Path(sandbox_module.__file__).with_name("wrapper.py")
    ours, theirs = socket.socketpair()
    with ours, theirs:
        orders = (f"link={theirs.fileno()}", "wall=1", "--", *program("while True: pass"))
        command = (INTERPRETER, "-I", "-S", str(wrapper), *orders)
        with subprocess.Popen(command, pass_fds=[theirs.fileno()]) as child:
            try:
                assert child.wait(60) == -signal.SIGALRM
            finally:
                child.kill()


async def test_the_environment_is_empty(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARTWAY_API_KEY", "secret")
    outcome = await run(("/usr/bin/env",), Limits(), sandbox)
    assert (outcome.ending, outcome.output) == (Ending.FINISHED, b"")


async def test_no_descriptor_is_inherited(sandbox: Sandbox) -> None:
    code = "import os\nfor n in range(64):\n  try: os.fstat(n)\n  except OSError: continue\n  print(n)"
    with socket.socket() as ours:
        os.set_inheritable(ours.fileno(), True)
        assert (await python(sandbox, code)).output.split() == [b"0", b"1", b"2"]
        outcome = await python(sandbox, code, on_progress=print)
        assert outcome.output.split() == [b"0", b"1", b"2", b"3"]


async def test_own_group_and_session_and_low_priority(bare: Sandbox) -> None:
    code = "import os; print(os.getpid() == os.getpgrp() == os.getsid(0), os.nice(0))"
    lower = min(19, os.nice(0) + 7)
    assert (await python(bare, code, Limits(nice=7))).output.decode().split() == ["True", str(lower)]


async def test_the_work_folder_is_private_and_goes(sandbox: Sandbox) -> None:
    code = "import os; print(os.getcwd(), oct(os.stat('.').st_mode & 0o7777), os.listdir('.'))"
    folder, mode, listing = (await python(sandbox, code)).output.decode().split()
    assert (mode, listing) == ("0o700", "[]")
    assert Path(folder).parent == sandbox.scratch
    assert not is_there(folder)


def test_what_a_killed_process_has_left_is_swept(tmp_path: Path) -> None:
    left, young, other = (tmp_path / name for name in ("partway-work-left", "partway-work-young", "other"))
    for folder in (left, young, other):
        folder.mkdir()
        (folder / "file").write_bytes(b"1")
    with work_folder(tmp_path) as ours:
        for folder in (left, other, ours):
            os.utime(folder, (1, 1))
        assert sweep(tmp_path) == 1
        assert names_in(tmp_path) == sorted(["other", "partway-work-young", ours.name])
    os.utime(young, (1, 1))
    assert sweep(tmp_path) == 1
    assert names_in(tmp_path) == ["other"]
