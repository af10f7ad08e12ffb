"""Upkeep: the small work that goes on beside requests, in the server's own process."""

from __future__ import annotations

import asyncio

import structlog

from partway.services.uploads import Uploads
from partway.services.videos import Videos

log = structlog.get_logger("partway.upkeep")

_EVERY = 60.0


class Upkeep:
    """Buries deleted videos, and completes uploads that have fallen silent.

    Args:
        complete_after_idle: seconds, 0 for never.
    """

    def __init__(self, videos: Videos, uploads: Uploads, *, complete_after_idle: float) -> None:
        self._videos = videos
        self._uploads = uploads
        self._idle = complete_after_idle
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Say that there is something to bury now."""
        self._woken.set()

    async def run(self) -> None:
        """Work until cancelled; a failure is logged and tried again."""
        every = min(_EVERY, max(self._idle / 4, 0.2)) if self._idle else _EVERY
        while True:
            try:
                buried = await self._videos.bury()
                finished = await self._uploads.finish_idle(self._idle) if self._idle else []
                if buried or finished:
                    log.info("upkeep", buried=buried, finished=finished)
            except Exception:
                log.exception("upkeep failed; it will be tried again")
            try:
                await asyncio.wait_for(self._woken.wait(), every)
            except TimeoutError:
                continue
            self._woken.clear()
