"""An event loop in a thread of its own."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future

import anyio
from anyio.from_thread import BlockingPortal

_running: set[Loop] = set()
_watching = threading.Lock()
_watcher: threading.Thread | None = None


class Loop:
    """Runs until it is stopped, or until the program has nothing else to do.

    Args:
        at_end: awaited on the loop when it ends.
    """

    def __init__(self, at_end: Callable[[], Awaitable[None]]) -> None:
        self._at_end = at_end
        self._started: Future[BlockingPortal] = Future()
        self._thread = threading.Thread(target=anyio.run, args=(self._run,), name="partway-client")
        _end_with_the_program()
        self._thread.start()
        self.portal = self._started.result()

    def stop(self) -> None:
        """End what runs on it, and wait for that; a second time is nothing."""
        with contextlib.suppress(RuntimeError):  # it has ended already
            self.portal.start_task_soon(self.portal.stop, True)
        self._thread.join()

    async def _run(self) -> None:
        async with BlockingPortal() as portal:
            _running.add(self)
            self._started.set_result(portal)
            await portal.sleep_until_stopped()
        _running.discard(self)
        await self._at_end()


def _end_with_the_program() -> None:
    """See to it that no loop keeps a program alive whose main thread has ended without closing its client."""

    def wait() -> None:
        threading.main_thread().join()
        for loop in list(_running):
            loop.stop()

    global _watcher  # one for all, started with the first
    with _watching:
        if _watcher is None or not _watcher.is_alive():
            _watcher = threading.Thread(target=wait, name="partway-client-end", daemon=True)
            _watcher.start()
