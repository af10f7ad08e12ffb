"""Upload a regular file: byte spans in parallel, round whatever the server holds already."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import anyio.to_thread

from partway.client.boxes import late_moov_offset
from partway.client.delivery import Delivery, together
from partway.client.plan import Pace, Plan
from partway.client.resume import Listing, PlacedPiece, place_parts, place_spans
from partway.client.source import RegularFile
from partway.client.wire import Piece
from partway.errors import FileChanged, ServerRefused
from partway.ledger import Address, Mode, State

_OUTDATED = {
    "video-content-range-by-bytes-range-overlap",
    "video-content-range-by-part-part-already-sent",
    "video-content-range-by-bytes-different-total-bytes",
    "video-content-range-by-part-different-total-parts",
    "video-source-already-uploaded",
}
"""Refusals which mean that the server holds more than it said before."""


@dataclass(frozen=True, slots=True)
class Order:
    """A piece to send: where it belongs, and where in the file it is."""

    address: Address
    offset: int
    length: int
    goes_alone: bool = False
    """Nothing else is to be on its way meanwhile."""


Orders = Callable[[], Order | None]


async def deliver_file(delivery: Delivery, file: RegularFile, *, is_resumed: bool) -> None:
    """Send what the server lacks of ``file``.

    Raises:
        FileChanged: what the server holds is not of this file.
        ServerRefused, ServerUnreachable, ClientError
    """
    delivery.meter.total_bytes = file.size
    moov_offset = await anyio.to_thread.run_sync(late_moov_offset, file.peek, file.size)
    listing = await delivery.listing() if is_resumed else Listing(State.EMPTY, None, None, ())
    verified: set[PlacedPiece] = set()
    while True:
        orders, pace = await _what_is_left(delivery, file, listing, moov_offset, verified)
        try:
            await _send_all(delivery, file, orders, pace)
            return
        except ServerRefused as refused:
            # Accepted since we asked: a request of an earlier run, or another machine's. Ask again; this
            # ends, because the server holds more each time.
            if refused.slug not in _OUTDATED:
                raise
            known, listing = listing, await delivery.listing()
            if listing == known:
                raise


async def _what_is_left(
    delivery: Delivery, file: RegularFile, listing: Listing, moov_offset: int | None, verified: set[PlacedPiece]
) -> tuple[Orders, Pace]:
    try:
        if listing.mode is Mode.PART:
            placed, missing = place_parts(listing, file.size, delivery.limits)
        else:
            placed, missing = place_spans(listing, file.size), []
        await _verify(delivery, file, placed, verified)
    except FileChanged as changed:
        raise FileChanged(
            f"{file.name} is not the file that was started as {delivery.video.id}: {changed}. "
            "Begin anew with --restart (in Python: restart=True)."
        ) from None
    pace = Pace()
    if listing.mode is Mode.PART:
        parts = iter(missing)

        def next_part() -> Order | None:
            part = next(parts, None)
            return None if part is None else Order(part.address, part.offset, part.length, part.offset == 0)

        return next_part, pace
    held = [(each.offset, each.offset + each.piece.size) for each in placed]
    plan = Plan(file.size, moov_offset, delivery.limits, held)

    def next_span() -> Order | None:
        span = plan.next(pace.target_bytes)
        return None if span is None else Order(span, span.first, span.length, plan.goes_alone(span))

    return next_span, pace


async def _verify(delivery: Delivery, file: RegularFile, placed: list[PlacedPiece], verified: set[PlacedPiece]) -> None:
    """Compare what the server holds with the file, before any of it is skipped."""
    delivery.meter.reset()
    for each in placed:
        if each not in verified:
            digest = await anyio.to_thread.run_sync(file.digest, each.offset, each.piece.size)
            if digest != each.piece.digest:
                raise FileChanged(f"its bytes from {each.offset} on differ from those that were sent")
            verified.add(each)
        delivery.meter.held(each.piece.size)


async def _send_all(delivery: Delivery, file: RegularFile, orders: Orders, pace: Pace) -> None:
    async def send(order: Order) -> None:
        begun = time.monotonic()
        await delivery.send(Piece(order.address, file, order.offset, order.length, file.name, file.check_unchanged))
        pace.sent(order.length, time.monotonic() - begun)

    async def work(given: Order | None = None) -> None:
        order = given or orders()
        while order is not None:
            await send(order)
            order = orders()

    first = orders()
    while first is not None and first.goes_alone:
        await send(first)
        first = orders()
    if first is None:
        return
    async with together() as group:
        group.start_soon(work, first)
        for _ in range(delivery.parallel - 1):
            group.start_soon(work)
