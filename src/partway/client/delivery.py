"""One upload on its way: what its pieces have in common."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
from anyio.abc import TaskGroup

from partway.client.events import Event, Notice, Playable, Progress
from partway.client.patience import Life, Patience
from partway.client.progress import Meter
from partway.client.resume import Listing
from partway.client.video import Status, Video
from partway.client.wire import Listener, Piece, Wire
from partway.errors import ClientError
from partway.ledger import Limits

_REPORT_SECONDS = 0.2
_POLL_SECONDS_MIN = 0.25
_POLL_SECONDS_MOVING = 1.0
"""The longest pause between two questions while pieces arrive."""
_POLL_SECONDS_MAX = 5.0


@dataclass(slots=True)
class Delivery:
    """Sends the pieces of one video, and tells how that goes."""

    wire: Wire
    video: Video
    file_name: str
    tell: Callable[[Event], None]
    parallel: int = 4
    limits: Limits = field(default_factory=Limits)
    meter: Meter = field(default_factory=Meter)
    life: Life = field(default_factory=Life)
    completed: Video | None = None
    """From the answer of the piece that filled the set."""
    is_playable: bool = False
    trouble: str | None = None
    """Why the last attempt failed, until something is acknowledged again."""
    recorded_bytes: int | None = None
    """How long a file that is still being written is by now."""
    _told_at: float = 0.0

    async def listing(self) -> Listing:
        """What the server holds."""
        raw = await self.wire.ask("GET", f"/-/videos/{self.video.id}/parts")
        try:
            return Listing.from_json(raw)
        except (KeyError, TypeError, ValueError) as error:
            raise ClientError(f"{self.wire.server} doesn't answer as a partway server does.") from error

    async def send(self, piece: Piece) -> None:
        """Send one piece until the server has it."""
        key = piece.address.position
        path = f"/videos/{self.video.id}/source"
        answer = await self.wire.send(path, piece, self.life, _PieceListener(self, key))
        self.meter.acknowledged(key, piece.length)
        self.trouble = None
        self.report()
        if answer.get("assets"):  # the others are answered with nothing but the id (contract.md, fact 6)
            self.completed = Video.from_json(answer)

    def report(self, *, now: bool = False) -> None:
        """Tell the progress, unless that was done a moment ago."""
        clock = time.monotonic()
        if not now and clock - self._told_at < _REPORT_SECONDS:
            return
        self._told_at = clock
        rate = self.meter.bytes_per_second(clock)
        self.tell(
            Progress(
                file=self.file_name,
                video_id=self.video.id,
                acknowledged_bytes=self.meter.acknowledged_bytes,
                sent_bytes=self.meter.sent_bytes,
                total_bytes=self.meter.total_bytes,
                bytes_per_second=rate,
                eta_seconds=self.meter.eta_seconds(rate),
                pieces_in_flight=self.meter.pieces_in_flight,
                trouble=self.trouble,
                recorded_bytes=self.recorded_bytes,
            )
        )

    def notice(self, text: str) -> None:
        """Tell something that a person should know."""
        self.tell(Notice(self.file_name, self.video.id, text))

    async def status(self) -> Status | None:
        """The video's status, or None if it can't be had right now."""
        try:
            raw = await self.wire.ask("GET", f"/videos/{self.video.id}/status", patience=Patience(0))
            return Status.from_json(raw)
        except (ClientError, AttributeError):
            return None

    def note(self, status: Status | None) -> None:
        """Tell that the video can be watched, once."""
        if status is not None and status.is_playable and not self.is_playable:
            self.is_playable = True
            self.tell(Playable(self.file_name, self.video.id, self.video.watch_url))

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Meanwhile, report now and then, and ask whether the video can be watched already."""
        async with together() as group:
            group.start_soon(self._report)
            group.start_soon(self._ask_until_playable)
            yield
            group.cancel_scope.cancel()

    async def _report(self) -> None:
        while True:
            await anyio.sleep(_REPORT_SECONDS)
            self.report()

    async def _ask_until_playable(self) -> None:
        """Ask soon after the first pieces, then ever more rarely, since a long upload must not be many questions."""
        pause = _POLL_SECONDS_MIN
        while not self.is_playable:
            seen = self.life.acknowledged
            if self.meter.acknowledged_bytes:
                self.note(await self.status())
                pause = min(pause * 1.5, _POLL_SECONDS_MAX)
            await anyio.sleep(pause)
            if self.life.acknowledged != seen:
                pause = min(pause, _POLL_SECONDS_MOVING)


@dataclass(slots=True)
class _PieceListener(Listener):
    """Counts the bytes of one piece."""

    delivery: Delivery
    key: int

    def begun(self) -> None:
        self.delivery.meter.begin(self.key)

    def sent(self, length: int) -> None:
        self.delivery.meter.sent(self.key, length)
        self.delivery.report()

    def failed(self, reason: str) -> None:
        self.delivery.trouble = reason
        self.delivery.report()


@asynccontextmanager
async def together() -> AsyncIterator[TaskGroup]:
    """A task group that raises the first error as it is, not in a group: the others were only cancelled."""
    try:
        async with anyio.create_task_group() as group:
            yield group
    except BaseExceptionGroup as several:
        error: BaseException = several
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        raise error from error.__cause__
