"""Upload a file while it is being written: numbered parts from its start, and at the end a look back at all of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup

from partway.client.delivery import Delivery, together
from partway.client.growing import Cuts, Following, Growth, Head, head_of
from partway.client.resume import HeldPiece, Listing
from partway.client.source import RegularFile
from partway.client.wire import Piece
from partway.errors import ClientError, FileChanged
from partway.ledger import Mode, PartNumber, State


async def first_bytes(file: RegularFile, following: Following) -> None:
    """Wait until something has been written.

    Raises:
        ClientError: nothing was, to the end.
    """
    growth = Growth(following.idle_seconds)
    file.look()
    while file.size == 0:
        now = time.monotonic()
        growth.note(file.size, file.changed_ns, now)
        if growth.is_over(now) or following.is_over():
            raise ClientError(f"{file.name} is empty: there is nothing to upload.")
        await anyio.sleep(following.look_seconds)
        file.look()


async def deliver_growing(delivery: Delivery, file: RegularFile, following: Following, *, is_resumed: bool) -> None:
    """Send a file from its start, part by part as they are written, to the end of its growth.

    A part goes out as soon as one byte behind it is there, since only then it is known not to be the last. The
    first one is held back when its bytes change at the end. Before the parts that complete the video are sent,
    all others are compared with the file: what was changed meanwhile must not become a video unnoticed.

    Raises:
        FileChanged: what was sent is not what the file has now.
        ServerRefused, ServerUnreachable, ClientError
    """
    await _Follower(delivery, file, following).run(is_resumed=is_resumed)


@dataclass(slots=True)
class _Follower:
    delivery: Delivery
    file: RegularFile
    following: Following
    cuts: Cuts = field(default_factory=Cuts)
    done: set[int] = field(default_factory=set)
    """Parts that are there, or on their way."""
    head: Head | None = None
    """Unknown until there is enough of the file to send."""
    is_ended: bool = False
    """Its last part was sent by an earlier run."""
    slots: anyio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self.slots = anyio.Semaphore(self.delivery.parallel)

    async def run(self, *, is_resumed: bool) -> None:
        self.file.look()
        if is_resumed and await self._take_up(await self.delivery.listing()):
            return
        while True:
            async with together() as group:
                is_asked = await self._follow(group)
            await self._compare((await self.delivery.listing()).pieces, at_end=True)
            if is_asked or self._has_stayed():
                break
        self.delivery.recorded_bytes = None
        self.delivery.meter.total_bytes = self.file.size
        await self._finish(may_change=is_asked)

    async def _take_up(self, listing: Listing) -> bool:
        """Go on where an earlier run stopped; True when nothing is left to be done."""
        if listing.mode not in (None, Mode.PART):
            raise ClientError(
                f"{self.delivery.video.id} was begun as a file of known length: go on without --follow, "
                "or begin anew with --restart."
            )
        self.is_ended = listing.total is not None
        if self.is_ended and listing.total != self.cuts.count(self.file.size):
            raise FileChanged(f"{self.file.name} was changed after its end had been sent. {self._ways_out()}")
        await self._compare(listing.pieces, at_end=listing.state is State.COMPLETE)
        for piece in listing.pieces:
            self.done.add(piece.position)
            self.delivery.meter.held(piece.size)
        return listing.state is State.COMPLETE

    async def _follow(self, group: TaskGroup) -> bool:
        """Send what is written until nothing more is; whether we were told to end it here."""
        growth = Growth(self.following.idle_seconds)
        while True:
            self._look(growth)
            while (number := self._next()) is not None:
                await self.slots.acquire()
                self.done.add(number)
                group.start_soon(self._send, PartNumber(number), _nothing)
            if self.following.is_over():
                return True
            if self.is_ended or growth.is_over(time.monotonic()):
                return False
            await anyio.sleep(self.following.look_seconds)

    def _look(self, growth: Growth) -> None:
        try:
            self.file.look()
            growth.note(self.file.size, self.file.changed_ns, time.monotonic())
        except FileChanged as changed:
            raise FileChanged(f"{self.file.name} became shorter: {changed}. {self._ways_out()}") from None
        most = self.delivery.limits.source_bytes_max
        if self.file.size > most:
            raise ClientError(f"{self.file.name} is longer than the {most} bytes a video can have.")
        self.delivery.recorded_bytes = self.file.size

    def _next(self) -> int | None:
        """The first part that is whole, known not to be the last, and not on its way."""
        number = 1
        while number in self.done or (number == 1 and self._holds_head()):
            number += 1
        return number if sum(self.cuts.span(number)) < self.file.size else None

    def _holds_head(self) -> bool:
        if self.head is None:
            if self.file.size <= self.cuts.span(1)[1]:
                return False  # too short to be sent, or to be judged
            self.head = head_of(self.file.peek, self.file.size)
            if self.head is Head.CHANGES and not self.following.exact:
                self.delivery.notice(
                    f"The first bytes of {self.file.name} change when it is closed. They are sent at its end, "
                    "and it can be watched from then on."
                )
        return self.following.exact or self.head is Head.CHANGES

    async def _send(self, address: PartNumber, check: Callable[[], None]) -> None:
        try:
            offset, length = self._span(address.number)
            await self.delivery.send(Piece(address, self.file, offset, length, self.file.name, check))
        finally:
            self.slots.release()

    def _span(self, number: int) -> tuple[int, int]:
        """Offset and length of a part, the last one as short as the file has it now."""
        offset, length = self.cuts.span(number)
        return offset, min(length, self.file.size - offset)

    async def _compare(self, pieces: tuple[HeldPiece, ...], *, at_end: bool) -> None:
        """Hash every part that was sent again, against the file as it is."""
        for piece in pieces:
            offset, length = self._span(piece.position)
            if piece.size == length:
                digest = await anyio.to_thread.run_sync(self.file.digest, offset, length)
                if digest == piece.digest:
                    continue
                if piece.position == 1 and head_of(self.file.peek, self.file.size) is Head.MAY_CHANGE:
                    if at_end:
                        self.delivery.notice(
                            f"The head of {self.file.name} was changed after it had been sent, as Matroska does when "
                            "it is closed: the video has the earlier one, without the length. --exact holds it back."
                        )
                    continue
            raise FileChanged(
                f"{self.file.name} was changed in its bytes {offset} to {offset + piece.size - 1}, after they had "
                f"been sent. {self._ways_out()}"
            )

    def _has_stayed(self) -> bool:
        try:
            self.file.check_unchanged()
        except FileChanged:
            return False
        return True

    async def _finish(self, *, may_change: bool) -> None:
        """Send the last part, and the first one if it was held back."""
        total = self.cuts.count(self.file.size)
        missing = [number for number in range(1, total + 1) if number not in self.done]
        check = _nothing if may_change else self.file.check_unchanged
        async with together() as group:
            for number in reversed(missing):
                await self.slots.acquire()
                group.start_soon(self._send, PartNumber(number, total), check)

    def _ways_out(self) -> str:
        video_id = self.delivery.video.id
        return (
            f"What was sent is no video of it: upload the finished file with --restart, and remove {video_id} with "
            f"`partway delete {video_id}`. If it is the head that changes, follow it with --exact."
        )


def _nothing() -> None:
    pass
