"""A proxy that lets a client send only so many bytes a second, however many connections it opens."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator

BUFFER = 64 * 1024


class Throttle:
    """Passes on to ``target_port`` at ``bytes_per_second``; answers are not slowed down."""

    def __init__(self, target_port: int, bytes_per_second: float) -> None:
        self.port = 0
        self.first_piece_at = 0.0
        """When the first bytes of a source came, by ``time.perf_counter``; 0 before."""
        self._target = target_port
        self._rate = bytes_per_second
        self._free_at = 0.0
        self._loop = asyncio.new_event_loop()
        self._ready, self._stop = threading.Event(), asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        try:
            await asyncio.gather(self._up(reader, far_writer), _down(far_reader, writer))
        except (OSError, asyncio.CancelledError):
            pass  # one side has gone and takes the other with it, or all is over
        finally:
            writer.close()
            far_writer.close()
            self._tasks.discard(task)

    async def _up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while buffer := await reader.read(BUFFER):
            if not self.first_piece_at and b"/source HTTP/1.1" in buffer:
                self.first_piece_at = time.perf_counter()
            now = time.perf_counter()
            self._free_at = max(now, self._free_at) + len(buffer) / self._rate
            await asyncio.sleep(self._free_at - now)
            writer.write(buffer)
            await writer.drain()
        writer.write_eof()


async def _down(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while buffer := await reader.read(BUFFER):
        writer.write(buffer)
        await writer.drain()


@contextlib.contextmanager
def throttled(target_port: int, bytes_per_second: float) -> Iterator[Throttle]:
    """Run one for the length of a block."""
    throttle = Throttle(target_port, bytes_per_second)
    thread = threading.Thread(target=throttle._loop.run_until_complete, args=(throttle._serve(),))
    thread.start()
    try:
        throttle._ready.wait(30)
        yield throttle
    finally:
        throttle._loop.call_soon_threadsafe(throttle._stop.set)
        thread.join()
        throttle._loop.close()
