"""A TCP proxy that breaks connections where a test tells it to: cut after so many bytes, delayed, half closed."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Ending = Literal["reset", "close", "half"]

_BUFFER = 64 * 1024


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to one connection; without anything named it is passed on as it is."""

    after_sent: int | None = None
    """Cut once so many bytes went from the client to the server."""
    after_answered: int | None = None
    """Cut once so many bytes went from the server to the client; 0 loses the answer whole."""
    ending: Ending = "reset"
    """How it is cut: both sides reset, both sides closed, or only the server told that no more will come."""
    delay_seconds: float = 0.0
    """Waited before each buffer, both ways."""


class Proxy:
    """Listens on a loopback port of its own and passes on to another; runs in a thread.

    Each connection takes the next planned fault; when there is none, it is left alone.
    """

    def __init__(self, target_port: int) -> None:
        self.port = 0
        self._target = target_port
        self._planned: deque[Fault] = deque()
        self._loop = asyncio.new_event_loop()
        self._connections: set[asyncio.Task[None]] = set()

    def plan(self, *faults: Fault) -> None:
        """Add faults for the connections to come, in their order."""
        self._planned.extend(faults)

    def mend(self) -> None:
        """Forget the faults that no connection has taken yet."""
        self._planned.clear()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    async def _serve(self, is_ready: threading.Event, stop: asyncio.Event) -> None:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        is_ready.set()
        await stop.wait()
        server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        fault = self._planned.popleft() if self._planned else Fault()
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        try:
            both = writer, far_writer
            up = asyncio.create_task(_pump(reader, far_writer, both, fault.after_sent, fault))
            down = asyncio.create_task(_pump(far_reader, writer, both, fault.after_answered, fault))
            await asyncio.gather(up, down)
        finally:
            for one in (writer, far_writer):
                one.close()
            self._connections.discard(task)


async def _pump(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    both: tuple[asyncio.StreamWriter, asyncio.StreamWriter],
    most: int | None,
    fault: Fault,
) -> None:
    passed = 0
    with contextlib.suppress(OSError):
        while True:
            buffer = await reader.read(_BUFFER if most is None else max(1, min(_BUFFER, most - passed)))
            if not buffer:
                break
            if most is not None and passed >= most:
                _cut(writer, both, fault.ending)
                return
            if fault.delay_seconds:
                await asyncio.sleep(fault.delay_seconds)
            writer.write(buffer)
            await writer.drain()
            passed += len(buffer)
            if most is not None and passed >= most > 0:
                _cut(writer, both, fault.ending)
                return
        if writer.can_write_eof():
            writer.write_eof()


def _cut(writer: asyncio.StreamWriter, both: tuple[asyncio.StreamWriter, asyncio.StreamWriter], ending: Ending) -> None:
    if ending == "half":
        writer.write_eof()
        return
    for one in both:
        if ending == "reset":
            # Closed with nothing to wait for: the other side sees a reset, not an end.
            connection = one.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            one.transport.abort()
        else:
            one.close()


@contextlib.contextmanager
def running_proxy(target_port: int) -> Iterator[Proxy]:
    """Run a proxy for the length of a block."""
    proxy = Proxy(target_port)
    is_ready, stop = threading.Event(), asyncio.Event()
    thread = threading.Thread(target=proxy._loop.run_until_complete, args=(proxy._serve(is_ready, stop),))
    thread.start()
    try:
        is_ready.wait(30)
        yield proxy
    finally:
        proxy._loop.call_soon_threadsafe(stop.set)
        thread.join()
        proxy._loop.close()
