"""However a program ends, nothing is left of it: no process, no folder, no descriptor."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.system.sandbox.ground import GENEROUS, is_running, is_there, library, program, python, until

from partway.errors import BlobError, ProgramFailed
from partway.transcode.layers import Detected
from partway.transcode.outcome import Ending
from partway.transcode.process import Child, run, running
from partway.transcode.progress import Progress
from partway.transcode.sandbox import Limits, Sandbox

pytestmark = pytest.mark.anyio

# A child that doesn't listen to SIGTERM, and says when it runs.
CHILD = """
import os, time, _signal
if os.fork() == 0:
    {}
    _signal.signal(15, _signal.SIG_IGN)
    print('begun', flush=True)
    time.sleep(600)
"""
FAMILY = CHILD.format("") + "time.sleep(600)"
ORPHAN = CHILD.format("os.close(0)") + "os.read(0, 1)"
RUNAWAY = CHILD.format("os.setsid()") + "time.sleep(600)"


def descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


def group_members(leader: int) -> list[int]:
    """Everybody in a process group, by the kernel's own list; zombies of others not counted."""
    members = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[2]) == leader and fields[0] not in "ZX":
            members.append(int(path.parent.name))
    return members


async def begun(child: Child) -> list[int]:
    """Wait until the program says that it has begun; its group's processes."""
    async for buffer in child.output():
        assert buffer == b"begun\n"
        break
    members = group_members(child.pid)
    assert len(members) >= 2
    return members


async def test_cancelling_ends_the_whole_group(forking: Sandbox) -> None:
    before = descriptors()
    started: asyncio.Future[tuple[Child, list[int]]] = asyncio.get_running_loop().create_future()

    async def work() -> None:
        async with running(program(FAMILY), GENEROUS, forking, reads=library()) as child:
            started.set_result((child, await begun(child)))
            await child.wait()

    task = asyncio.create_task(work())
    child, members = await asyncio.wait_for(started, 60)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    # Not "soon": when the task has ended, it is over. Only what was orphaned is reaped by somebody else.
    await until(lambda: not any(map(is_running, members)))
    assert not is_there(f"/proc/{child.pid}")
    assert not child.folder.exists()
    await until(lambda: descriptors() <= before)


@pytest.mark.slow
async def test_being_cancelled_again_does_not_hurry_it(bare: Sandbox) -> None:
    deaf = "import _signal, time; _signal.signal(15, _signal.SIG_IGN); print('begun', flush=True); time.sleep(600)"
    ready: asyncio.Future[Child] = asyncio.get_running_loop().create_future()

    async def work() -> None:
        async with running(program(deaf), GENEROUS, bare, reads=library()) as child:
            async for _ in child.output():
                ready.set_result(child)

    task = asyncio.create_task(work())
    child = await asyncio.wait_for(ready, 60)
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not is_there(f"/proc/{child.pid}")
    assert not child.folder.exists()


async def test_stop(forking: Sandbox) -> None:
    async with running(program(FAMILY), GENEROUS, forking, reads=library()) as child:
        members = await begun(child)
        await child.stop()
        outcome = await child.wait()
    assert outcome.ending is Ending.STOPPED
    await until(lambda: not any(map(is_running, members)))


async def test_an_error_in_the_block_ends_it(bare: Sandbox) -> None:
    members: list[int] = []

    async def fail() -> None:
        async with running(program(FAMILY), GENEROUS, bare, reads=library()) as child:
            members.extend(await begun(child))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert members
    await until(lambda: not any(map(is_running, members)))


async def test_what_a_program_leaves_behind_goes_with_it(forking: Sandbox) -> None:
    """The program ends by itself, and what it has started doesn't."""
    end: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def when_begun() -> AsyncIterator[bytes]:
        await end
        yield b"1"

    async with running(program(ORPHAN), GENEROUS, forking, reads=library(), feed=when_begun()) as child:
        members = await begun(child)
        end.set_result(None)
        outcome = await child.wait()
    assert outcome.ending is Ending.FINISHED
    await until(lambda: not any(map(is_running, members)))


async def test_leaving_the_group_is_no_way_out(detected: Detected, capsys: pytest.CaptureFixture[str]) -> None:
    """What moves into a session of its own ends all the same, with the process namespace."""
    if detected.sandbox.bubblewrap is None:
        with capsys.disabled():
            print("\n*** WITHOUT BUBBLEWRAP ONLY THE FILTER OF SYSTEM CALLS KEEPS A PROGRAM FROM LEAVING ITS GROUP")
        assert not next(layer for layer in detected.layers if layer.name == "bubblewrap").is_active
        assert (await python(detected.sandbox, RUNAWAY)).ending is Ending.FAILED
        return
    sandbox = replace(detected.sandbox, seccomp=False)
    async with running(program(RUNAWAY), GENEROUS, sandbox, reads=library()) as child:
        async for _ in child.output():
            break
        family = [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if descends(pid, child.pid)]
        assert any(os.getsid(pid) != child.pid for pid in family)
    await until(lambda: not any(map(is_running, family)))


def descends(pid: int, ancestor: int) -> bool:
    while pid > 1:
        if pid == ancestor:
            return True
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            return False
    return False


@pytest.mark.slow
async def test_a_process_that_keeps_the_pipes_is_waited_for_until_the_clock(bare: Sandbox) -> None:
    """Without any layer a program can leave something behind; not even then does anybody wait for ever."""
    code = "import os, time\nif os.fork() == 0:\n  os.setsid(); print(os.getpid(), flush=True); time.sleep(600)"
    outcome = await python(bare, code, Limits(wall_seconds=1))
    os.kill(int(outcome.output), 9)
    assert outcome.ending is Ending.TIMEOUT


async def test_exit_codes_and_signals(sandbox: Sandbox) -> None:
    failed = await python(sandbox, "import sys; print('no', file=sys.stderr); sys.exit(3)")
    assert (failed.ending, failed.exit_code, failed.signal, failed.messages) == (Ending.FAILED, 3, None, "no\n")
    crashed = await python(sandbox, "import os; os.kill(os.getpid(), 11)")
    assert (crashed.ending, crashed.exit_code, crashed.signal) == (Ending.CRASHED, None, 11)
    killed = await python(sandbox, "import os; os.kill(os.getpid(), 9)")
    assert (killed.ending, killed.signal) == (Ending.KILLED, 9)
    # What ffmpeg exits with after a signal is not taken for one.
    assert (await python(sandbox, "import os; os._exit(255)")).exit_code == 255


async def test_output_as_it_comes(sandbox: Sandbox) -> None:
    code = "import sys\nfor line in sys.stdin.buffer:\n  sys.stdout.buffer.write(line.upper()); sys.stdout.flush()"
    sent: asyncio.Queue[bytes] = asyncio.Queue()

    async def lines() -> AsyncIterator[bytes]:
        while line := await sent.get():
            yield line

    async with running(program(code), GENEROUS, sandbox, reads=library(), feed=lines()) as child:
        output = child.output()
        for word in (b"one\n", b"two\n"):
            sent.put_nowait(word)
            assert await anext(output) == word.upper()
        sent.put_nowait(b"")
        assert (await child.wait()).ending is Ending.FINISHED


async def test_a_program_that_has_read_enough(sandbox: Sandbox) -> None:
    is_closed = False

    async def without_end() -> AsyncIterator[bytes]:
        nonlocal is_closed
        try:
            while True:
                yield bytes(1 << 16)
        finally:
            is_closed = True

    code = "import sys; print(len(sys.stdin.buffer.read(100_000)))"
    outcome = await python(sandbox, code, feed=without_end())
    assert (outcome.ending, outcome.output) == (Ending.FINISHED, b"100000\n")
    assert is_closed


async def test_what_is_fed_arrives_as_it_was(sandbox: Sandbox) -> None:
    content = os.urandom(1 << 20)

    async def buffers() -> AsyncIterator[bytes]:
        for at in range(0, len(content), 77_777):
            yield content[at : at + 77_777]

    code = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())"
    assert (await python(sandbox, code, feed=buffers())).output == content


async def test_an_error_of_the_feed_is_raised(sandbox: Sandbox) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"first"
        raise BlobError("the store is gone")

    with pytest.raises(BlobError, match="the store is gone"):
        await python(sandbox, "import sys, time; sys.stdin.read(); time.sleep(600)", feed=broken())


async def test_progress(sandbox: Sandbox) -> None:
    reports: list[Progress] = []
    code = (
        "import os\n"
        "os.write(3, b'frame=25\\nout_time_us=1000000\\nspeed=2.5x\\nprogress=continue\\nframe=')\n"
        "os.write(3, b'50\\ntotal_size=77\\nout_time_ms=2000000\\nspeed=N/A\\nprogress=end\\n')"
    )
    assert (await python(sandbox, code, on_progress=reports.append)).ending is Ending.FINISHED
    assert reports == [
        Progress(frames=25, seconds=1.0, speed=2.5),
        Progress(frames=50, seconds=2.0, output_bytes=77, is_last=True),
    ]


async def test_an_error_of_whoever_is_told_of_progress_is_raised(bare: Sandbox) -> None:
    def refuse(_: Progress) -> None:
        raise BlobError("the lease is lost")

    code = "import os, time; os.write(3, b'progress=continue\\n'); time.sleep(600)"
    with pytest.raises(BlobError, match="the lease is lost"):
        await python(bare, code, on_progress=refuse)


async def test_a_program_that_is_not_there(sandbox: Sandbox) -> None:
    before = descriptors()
    with pytest.raises(ProgramFailed, match="could not be started"):
        await run(("/no/such/program",), GENEROUS, sandbox, on_progress=print)
    await until(lambda: descriptors() <= before)


async def test_many_at_once(whole: Sandbox) -> None:
    before = descriptors()
    outcomes = await asyncio.gather(*(python(whole, f"print({number})") for number in range(12)))
    assert [outcome.output for outcome in outcomes] == [b"%d\n" % number for number in range(12)]
    await until(lambda: descriptors() <= before)
