"""Start an external program, feed it, watch it, bound it, and end it with everything it has started.

    outcome = await run(arguments, limits, sandbox, feed=buffers)

    async with running(arguments, limits, sandbox, feed=buffers) as child:
        async for buffer in child.output():
            ...
        outcome = await child.wait()

How a program ended is a value, an ``Outcome``. An error is raised only where it could not be started, and where
``feed`` raises one. Whoever leaves the block, by being cancelled too, leaves no process behind: the whole process group
gets SIGTERM, soon after SIGKILL, and is reaped. If this process is killed, the kernel ends the program
(``PR_SET_PDEATHSIG``, which counts the *thread* that started it: run this in a thread that lives as long).
"""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import socket
import subprocess
import time
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Coroutine, Iterable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import structlog

from partway.errors import ProgramFailed
from partway.transcode.folder import used_bytes, work_folder
from partway.transcode.outcome import Ending, Excerpt, Outcome, outcome_of
from partway.transcode.progress import Progress, ProgressReader
from partway.transcode.sandbox import Limits, Sandbox

log = structlog.get_logger("partway.transcode")

T = TypeVar("T")
OnProgress = Callable[[Progress], None]

_BUFFER_BYTES = 64 * 1024
_GRACE_SECONDS = 1.0
"""Between SIGTERM and SIGKILL. Nobody wants what a stopped program would still write."""
_FOLDER_EVERY_SECONDS = 0.25


async def run(
    program: tuple[str, ...],
    limits: Limits,
    sandbox: Sandbox,
    *,
    feed: AsyncIterable[bytes] | None = None,
    folder: Path | None = None,
    reads: Iterable[Path] = (),
    on_progress: OnProgress | None = None,
) -> Outcome:
    """Run a program to its end; arguments and errors as for ``running``."""
    async with running(
        program, limits, sandbox, feed=feed, folder=folder, reads=reads, on_progress=on_progress
    ) as child:
        return await child.wait()


@asynccontextmanager
async def running(
    program: tuple[str, ...],
    limits: Limits,
    sandbox: Sandbox,
    *,
    feed: AsyncIterable[bytes] | None = None,
    folder: Path | None = None,
    reads: Iterable[Path] = (),
    on_progress: OnProgress | None = None,
) -> AsyncIterator[Child]:
    """Start a program, and end it on the way out if it hasn't ended.

    Args:
        program: its path, absolute and without symbolic links, and its arguments.
        limits: how much it may take.
        sandbox: the layers around it.
        feed: for standard input, which is closed after it; an async generator is closed too.
        folder: a work folder of the caller's; by default it gets one of its own.
        reads: files and folders it may read besides.
        on_progress: called with each report that it writes to descriptor 3 (``commands.PROGRESS``).

    Raises:
        ProgramFailed: it, or a layer of the sandbox, could not be started.
    """
    async with AsyncExitStack() as stack:
        folder = folder or stack.enter_context(work_folder(sandbox.scratch))
        child = Child(program, limits, sandbox, folder, tuple(reads))
        try:
            await child._start(feed, on_progress)
            yield child
        finally:
            await _to_the_end(child._close())


class Child:
    """A program that is running."""

    def __init__(
        self, program: tuple[str, ...], limits: Limits, sandbox: Sandbox, folder: Path, reads: tuple[Path, ...]
    ) -> None:
        self.program = program
        self.folder = folder
        self.pid = 0
        self._limits = limits
        self._sandbox = sandbox
        self._reads = reads
        self._begun = time.monotonic()
        self._ended = self._begun
        self._cause: Ending | None = None
        self._written = 0
        self._messages = Excerpt()
        self._failure: Exception | None = None
        self._unconnected: list[Any] = []
        self._pipes: list[asyncio.BaseTransport] = []
        self._readers: list[asyncio.Task[None]] = []
        self._watchers: list[asyncio.Task[None]] = []
        self._feeder: asyncio.Task[None] | None = None

    async def output(self) -> AsyncIterator[bytes]:
        """Yield what it writes to standard output, as it comes; a program that is not read from will wait."""
        while buffer := await self._stdout.read(_BUFFER_BYTES):
            self._written += len(buffer)
            if self._written > self._limits.output_bytes:
                await self._end(Ending.OUTPUT)
                return
            yield buffer

    async def wait(self) -> Outcome:
        """Read what is left of its output, and wait for its end.

        Raises what ``feed`` has raised.
        """
        kept = b"".join([buffer async for buffer in self.output()])
        await asyncio.wait([self._exit, *self._readers])
        if self._failure is not None:
            raise self._failure
        if self._limits.file_bytes and used_bytes(self.folder) > self._limits.output_bytes:
            self._cause = self._cause or Ending.OUTPUT
        status, usage = self._exit.result()
        outcome = outcome_of(
            status,
            usage,
            self._limits,
            cause=self._cause,
            output=kept,
            messages=self._messages.text(),
            wall_seconds=self._ended - self._begun,
            in_namespace=self._sandbox.bubblewrap is not None,
        )
        log.info(
            "program ended",
            pid=self.pid,
            ending=outcome.ending.value,
            exit_code=outcome.exit_code,
            signal=outcome.signal,
            wall_seconds=outcome.wall_seconds,
            cpu_seconds=outcome.cpu_seconds,
            messages=outcome.messages[-2000:],
        )
        return outcome

    async def stop(self) -> None:
        """End it now, with everything it has started."""
        await self._end(Ending.STOPPED)

    async def _start(self, feed: AsyncIterable[bytes] | None, on_progress: OnProgress | None) -> None:
        loop = asyncio.get_running_loop()
        link, far_link = socket.socketpair()
        progress, far_progress = os.pipe() if on_progress else (None, None)
        reports = None if progress is None else os.fdopen(progress, "rb", 0)
        with link:
            try:
                popen = self._spawn(far_link.fileno(), far_progress, is_fed=feed is not None)
            except OSError as error:
                if reports:
                    reports.close()
                raise ProgramFailed(f"The sandbox could not be started: {error}.") from error
            finally:
                far_link.close()
                if far_progress is not None:
                    os.close(far_progress)
            self.pid = popen.pid
            log.info("program started", pid=self.pid, command=shlex.join(self.program))
            self._exit = loop.create_task(_reap(popen))
            self._exit.add_done_callback(self._has_exited)
            self._watchers.append(loop.create_task(self._watch_clock()))
            if self._limits.file_bytes:
                self._watchers.append(loop.create_task(self._watch_folder()))
            self._unconnected = [popen.stdout, popen.stderr, *filter(None, (popen.stdin, reports))]
            self._stdout = await self._connect(popen.stdout)
            self._read(await self._connect(popen.stderr), self._messages.add)
            if on_progress:
                self._read(await self._connect(reports), _teller(on_progress))
            if feed is not None:
                self._feeder = loop.create_task(self._feed(feed, await self._connect_writer(popen.stdin)))
            await self._await_start(link)

    def _spawn(self, link: int, progress: int | None, *, is_fed: bool) -> subprocess.Popen[bytes]:
        command = self._sandbox.command(
            self.program, self._limits, folder=self.folder, reads=self._reads, link=link, progress=progress
        )
        log.debug("sandbox", command=shlex.join(command))
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE if is_fed else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env={},
            cwd=self.folder,
            pass_fds=[link] if progress is None else [link, progress],
            start_new_session=True,
        )

    async def _await_start(self, link: socket.socket) -> None:
        """Wait until the wrapper has become the program; raises ProgramFailed if it could not."""
        link.setblocking(False)
        loop = asyncio.get_running_loop()
        said = b""
        with suppress(ConnectionResetError):
            while buffer := await loop.sock_recv(link, 4096):
                said += buffer
        if said != b"ready\n":
            # Let it say why; as a rule it is ending by itself.
            await asyncio.wait([self._exit, *self._readers], timeout=_GRACE_SECONDS)
            await self._end(Ending.STOPPED)
            await asyncio.wait(self._readers)
            if self._failure is not None:
                raise self._failure
            why = said.removeprefix(b"ready\n").decode("utf-8", "replace").strip() or self._messages.text().strip()
            log.error("program not started", command=shlex.join(self.program), why=why)
            raise ProgramFailed(f"The sandbox could not be started: {why or 'it said nothing'}.")

    async def _connect(self, pipe: Any) -> asyncio.StreamReader:
        reader = asyncio.StreamReader(limit=_BUFFER_BYTES)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), pipe
        )
        self._unconnected.remove(pipe)
        self._pipes.append(transport)
        return reader

    async def _connect_writer(self, pipe: Any) -> asyncio.StreamWriter:
        loop = asyncio.get_running_loop()
        unread = asyncio.StreamReader()
        transport, protocol = await loop.connect_write_pipe(lambda: asyncio.StreamReaderProtocol(unread), pipe)
        self._unconnected.remove(pipe)
        self._pipes.append(transport)
        return asyncio.StreamWriter(transport, protocol, unread, loop)

    def _read(self, reader: asyncio.StreamReader, take: Callable[[bytes], None]) -> None:
        async def read() -> None:
            while buffer := await reader.read(_BUFFER_BYTES):
                take(buffer)

        self._readers.append(asyncio.ensure_future(self._or_stop(read())))

    async def _feed(self, feed: AsyncIterable[bytes], writer: asyncio.StreamWriter) -> None:
        try:
            await self._or_stop(self._copy(feed, writer))
        finally:
            writer.close()

    async def _copy(self, feed: AsyncIterable[bytes], writer: asyncio.StreamWriter) -> None:
        left = self._limits.input_bytes
        async with AsyncExitStack() as stack:
            if isinstance(feed, AsyncGenerator):
                await stack.enter_async_context(aclosing(feed))
            async for buffer in feed:
                if left is not None:
                    buffer = buffer[:left]
                    left -= len(buffer)
                try:
                    writer.write(buffer)
                    await writer.drain()
                except (BrokenPipeError, ConnectionResetError):
                    # It has read enough, and says so in this way.
                    return
                if left == 0:
                    return

    async def _or_stop(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something for the program; where that fails, there is no use in going on."""
        try:
            await work
        except Exception as error:
            self._failure = error
            await self._end(Ending.STOPPED)

    async def _watch_clock(self) -> None:
        await asyncio.sleep(self._limits.wall_seconds)
        await self._end(Ending.TIMEOUT)

    async def _watch_folder(self) -> None:
        # A folder tells nobody how full it is: it has to be looked at.
        while await asyncio.to_thread(used_bytes, self.folder) <= self._limits.output_bytes:  # noqa: ASYNC110
            await asyncio.sleep(_FOLDER_EVERY_SECONDS)
        await self._end(Ending.OUTPUT)

    def _has_exited(self, _: object) -> None:
        self._ended = time.monotonic()
        if self._feeder is not None:
            self._feeder.cancel()

    async def _end(self, cause: Ending) -> None:
        """End it, for the first reason that was given, and everybody who waits for its output."""
        self._cause = self._cause or cause
        if not self._exit.done():
            _signal_group(self.pid, signal.SIGTERM)
            await asyncio.wait([self._exit], timeout=_GRACE_SECONDS)
        if not self._exit.done():
            _signal_group(self.pid, signal.SIGKILL)
            await asyncio.wait([self._exit])
        # A process that has left the group may still hold the other ends.
        for pipe in self._pipes:
            pipe.close()

    async def _close(self) -> None:
        if not self.pid:
            return
        await self._end(Ending.STOPPED)
        tasks = [*self._watchers, *self._readers, *([self._feeder] if self._feeder else ())]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        for pipe in self._unconnected:
            pipe.close()


def _teller(on_progress: OnProgress) -> Callable[[bytes], None]:
    reader = ProgressReader()

    def tell(arrived: bytes) -> None:
        for report in reader.feed(arrived):
            on_progress(report)

    return tell


async def _reap(popen: subprocess.Popen[bytes]) -> tuple[int, Any]:
    """Wait for the end of the leader, kill what is left of its group, and return its wait status and usage.

    In this order: while the leader is a zombie, nobody else can have its number.
    """
    try:
        descriptor = os.pidfd_open(popen.pid)
    except (AttributeError, OSError):
        # macOS, and Linux before 5.3.
        status, usage = await asyncio.to_thread(_collect, popen.pid)
        _signal_group(popen.pid, signal.SIGKILL)
    else:
        await _becomes_readable(descriptor)
        _signal_group(popen.pid, signal.SIGKILL)
        status, usage = _collect(popen.pid)
    popen.returncode = os.waitstatus_to_exitcode(status)
    return status, usage


def _collect(pid: int) -> tuple[int, Any]:
    _, status, usage = os.wait4(pid, 0)
    return status, usage


async def _becomes_readable(descriptor: int) -> None:
    """Wait until there is something to read, and close it."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(descriptor, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def _signal_group(group: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


async def _to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Await something that must not be interrupted; being cancelled meanwhile takes effect after it."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    return task.result()
