"""Upload a stream of unknown length: numbered parts, spooled one by one."""

from __future__ import annotations

import anyio
import anyio.to_thread

from partway.client.delivery import Delivery, together
from partway.client.plan import part_bytes
from partway.client.source import BUFFER_BYTES, Spool, Stream
from partway.client.wire import Piece
from partway.errors import ClientError
from partway.ledger import Limits, PartNumber


async def deliver_stream(delivery: Delivery, stream: Stream, first: bytes) -> None:
    """Send a stream to its end.

    At most ``parallel`` parts are in flight, and one more is being filled; each stands in a temporary
    file until the server has it. A part goes out as soon as one byte behind it is known, since only
    then it is known not to be the last. If the stream fails, what was read of it is
    sent as far as parts may end there, before that is told.

    Args:
        first: bytes read from the stream already; not empty.

    Raises:
        ServerRefused, ServerUnreachable, ClientError
        OSError: the stream can't be read, or there is no room for its parts.
    """
    slots = anyio.Semaphore(delivery.parallel)
    sent_bytes = 0
    failure: OSError | ClientError | None = None

    async def send(number: int, total: int | None, spool: Spool) -> None:
        try:
            await delivery.send(Piece(PartNumber(number, total), spool, 0, spool.length, stream.name))
        finally:
            spool.close()
            slots.release()

    async with together() as group:
        number, ahead = 0, first
        while ahead and failure is None:
            number += 1
            spool = Spool()
            try:
                try:
                    ahead = await _fill(spool, stream, ahead, part_bytes(sent_bytes))
                    _check_size(delivery, stream, sent_bytes + spool.length + len(ahead))
                except (OSError, ClientError) as error:
                    failure = error
                sent_bytes += spool.length
                if failure is not None and not _may_stand_before_another(spool.length, sent_bytes, delivery.limits):
                    spool.close()
                    break
                await slots.acquire()
            except BaseException:
                spool.close()
                raise
            is_last = not ahead and failure is None
            if is_last:
                delivery.meter.total_bytes = sent_bytes
            group.start_soon(send, number, number if is_last else None, spool)
    if failure is not None:
        raise failure


async def _fill(spool: Spool, stream: Stream, ahead: bytes, length: int) -> bytes:
    """Move ``length`` bytes into the spool; returns what was read beyond, nothing at the stream's end."""
    while ahead and spool.length < length:
        room = length - spool.length
        await anyio.to_thread.run_sync(spool.append, ahead[:room])
        ahead = ahead[room:] or await stream.read(BUFFER_BYTES)
    return ahead


def _may_stand_before_another(length: int, sent_bytes: int, limits: Limits) -> bool:
    return length >= limits.piece_bytes_min and sent_bytes <= limits.source_bytes_max


def _check_size(delivery: Delivery, stream: Stream, length: int) -> None:
    most = delivery.limits.source_bytes_max
    if length > most:
        raise ClientError(
            f"{stream.name} is longer than the {most} bytes a video can have. What was sent is kept as "
            f"{delivery.video.id}; `partway finish {delivery.video.id}` makes a video of it."
        )
