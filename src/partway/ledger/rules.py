"""The rules: may this piece enter this source, and what is the source afterwards?

Three questions, asked in this order by everybody who takes in a piece:

1. ``check_address``  is the address possible at all?           (needs the header alone)
2. ``check_state``    does it fit what the source is now?       (needs the summary; asked before storing)
3. ``accept``         and now that its bytes are known?         (needs the neighbours; asked under the row's lock)

``MOVES`` is the table of legal moves; what is absent there is an error by construction. The order of
the checks is the contract's (contract.md 2.3 and "Decided").
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from partway import errors
from partway.ledger.address import Address, ByteSpan, Limits, Mode, PartNumber, Whole
from partway.ledger.state import Content, Neighbours, State, Summary


class Move(StrEnum):
    """What a piece would do to its source."""

    START = "start"
    CONTINUE = "continue"
    REPEAT = "repeat"
    """Only a piece that is held already, byte for byte, is welcome."""


MOVES: dict[tuple[State, Mode | None, Mode], Move | type[errors.UploadRefused]] = {
    (State.EMPTY, None, Mode.SINGLE): Move.START,
    (State.EMPTY, None, Mode.PART): Move.START,
    (State.EMPTY, None, Mode.BYTES): Move.START,
    (State.RECEIVING, Mode.PART, Mode.PART): Move.CONTINUE,
    (State.RECEIVING, Mode.PART, Mode.BYTES): errors.StartedWithPart,
    (State.RECEIVING, Mode.PART, Mode.SINGLE): errors.AlreadyInitiated,
    (State.RECEIVING, Mode.BYTES, Mode.BYTES): Move.CONTINUE,
    (State.RECEIVING, Mode.BYTES, Mode.PART): errors.StartedWithBytes,
    (State.RECEIVING, Mode.BYTES, Mode.SINGLE): errors.AlreadyInitiated,
    (State.COMPLETE, Mode.SINGLE, Mode.SINGLE): Move.REPEAT,
    (State.COMPLETE, Mode.PART, Mode.PART): Move.REPEAT,
    (State.COMPLETE, Mode.BYTES, Mode.BYTES): Move.REPEAT,
}


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to an accepted piece."""

    summary: Summary
    """The source after this piece."""
    is_new: bool
    """False for a re-send: nothing is to be stored, at most a total was learnt."""


def check_address(address: Address, limits: Limits) -> None:
    """Refuse an address that no source could take.

    Raises:
        errors.PartRefused, errors.BytesRefused: see the table of upload errors, contract.md 1.1.
    """
    match address:
        case Whole():
            return
        case PartNumber(number, total):
            if number < 1:
                raise errors.PartZero()
            if total is not None and total < 1:
                raise errors.PartsTotalZero()
            if number > limits.parts_max:
                raise errors.PartAboveLimit(f"The part number {number} is above {limits.parts_max}.")
            if total is not None and total > limits.parts_max:
                raise errors.PartsTotalAboveLimit(f"The total {total} is above {limits.parts_max}.")
            if total is not None and number > total:
                raise errors.PartAboveTotal(f"The part number {number} is above the total {total}.")
        case ByteSpan(first, last, total):
            if total is not None and total < 1:
                raise errors.BytesTotalZero()
            if first > last:
                raise errors.FromAboveTo(f"The range starts at {first} and ends at {last}.")
            if total is not None and total > limits.source_bytes_max:
                raise errors.BytesTotalAboveLimit(f"The total {total} is above {limits.source_bytes_max}.")
            if last >= limits.source_bytes_max:
                raise errors.ToAboveLimit(f"The end {last} is above {limits.source_bytes_max - 1}.")
            if total is not None and last >= total:
                raise errors.ToAboveTotal(f"The end {last} is not below the total {total}.")


def check_state(summary: Summary, address: Address, limits: Limits) -> Move:
    """Say what ``address`` would do to a source in this state, before any byte of it is stored.

    Raises:
        errors.UploadRefused: the source can't take such a piece now.
    """
    move = MOVES.get((summary.state, summary.mode, address.mode), errors.AlreadyUploaded)
    if not isinstance(move, Move):
        # A part number above a known total is told before a clash of modes: both can't hold at once,
        # since a total in parts is only ever known in part mode.
        raise move()
    total = summary.total
    if isinstance(address, PartNumber) and total is not None and address.number > total:
        raise _complete_or(summary, errors.PartAboveTotal(f"The total of this video is {total} parts."))
    if isinstance(address, ByteSpan) and total is not None and address.last >= total:
        raise _complete_or(summary, errors.ToAboveTotal(f"The total of this video is {total} bytes."))
    if address.total is not None:
        if total is not None and address.total != total:
            differs = errors.BytesTotalDiffers if address.mode is Mode.BYTES else errors.PartsTotalDiffers
            raise _complete_or(summary, differs(f"The total of this video is {total}."))
        if address.total < summary.highest:
            too_low = errors.BytesTotalTooLow if address.mode is Mode.BYTES else errors.PartsTotalTooLow
            raise too_low(f"This video already holds {_unit(address)} up to {summary.highest}.")
    return move


def can_be_new(summary: Summary, neighbours: Neighbours, address: Address) -> bool:
    """Whether a piece at ``address`` could be news; if not, its bytes need a digest but no place.

    A piece that can't be new is either held already, byte for byte, or will be refused.
    """
    return (
        summary.state is not State.COMPLETE
        and neighbours.same is None
        and not (isinstance(address, ByteSpan) and _overlaps(neighbours, address))
    )


def check_length(summary: Summary, address: Address, length: int, limits: Limits) -> None:
    """Refuse a piece whose length doesn't fit its address.

    Args:
        length: bytes of the piece.

    Raises:
        errors.UploadRefused: too small, too large, empty, or not what the range says.
    """
    total = address.total if address.total is not None else summary.total
    claims_last = address.with_total(total).claims_last
    if isinstance(address, ByteSpan):
        if length != address.length:
            raise errors.RangeMismatch(f"The range is {address.length} bytes long, the file {length}.")
        if length < limits.piece_bytes_min and not claims_last:
            raise errors.RangeTooSmall(f"Only the last range may be below {limits.piece_bytes_min} bytes.")
        if length > limits.piece_bytes_max:
            raise errors.RangeTooLarge(f"A range has at most {limits.piece_bytes_max} bytes.")
        return
    if length > limits.piece_bytes_max:
        raise errors.FileTooLarge(f"A request's file has at most {limits.piece_bytes_max} bytes.")
    if length == 0 and total == 1:
        raise errors.FileEmpty()
    if length < limits.piece_bytes_min and not claims_last:
        raise errors.PartTooSmall(
            f"Only the last part may be below {limits.piece_bytes_min} bytes; this one has {length}. "
            f'If it is the last, say so: "part {address.position}/{address.position}".'
        )


def accept(summary: Summary, neighbours: Neighbours, address: Address, content: Content, limits: Limits) -> Decision:
    """Decide on a piece whose bytes are known. To be asked under the lock of the source's row.

    Raises:
        errors.UploadRefused: the piece is refused and nothing changes.
    """
    check_state(summary, address, limits)
    is_repeat = _is_repeat(neighbours, address, content)
    if summary.state is State.COMPLETE and not is_repeat:
        raise errors.AlreadyUploaded()
    check_length(summary, address, content.length, limits)
    if is_repeat:
        return Decision(_learn_total(summary, address), is_new=False)
    if isinstance(address, ByteSpan):
        if _overlaps(neighbours, address):
            raise errors.RangeOverlap(f"Bytes of {address.first}-{address.last} have already been sent.")
    elif neighbours.same is not None:
        raise errors.PartAlreadySent(f"The part number {address.position} has already been sent.")
    received_bytes = summary.received_bytes + content.length
    if received_bytes > limits.source_bytes_max:
        raise errors.FileTooLarge(f"A video has at most {limits.source_bytes_max} bytes.")
    grown = replace(
        summary,
        state=State.RECEIVING,
        mode=address.mode,
        pieces=summary.pieces + 1,
        received_bytes=received_bytes,
        highest=max(summary.highest, address.highest),
    )
    return Decision(_learn_total(grown, address), is_new=True)


def finish(summary: Summary) -> Summary:
    """Declare that the highest piece held was the last one.

    Raises:
        errors.UploadHasGaps: something below it is missing, or nothing has arrived.
    """
    if summary.state is State.COMPLETE:
        return summary
    if summary.state is State.EMPTY:
        raise errors.UploadHasGaps("Nothing has arrived yet.")
    if summary.total is not None and summary.total > summary.highest:
        raise errors.UploadHasGaps(
            f"The total was given as {summary.total}, but the upload reaches only to {summary.highest}."
        )
    if summary.has_gaps:
        raise errors.UploadHasGaps()
    return _completed_if_full(replace(summary, total=summary.highest))


def _is_repeat(neighbours: Neighbours, address: Address, content: Content) -> bool:
    """Whether this very piece is held; a range that says another length than it has is not it."""
    if isinstance(address, ByteSpan) and address.length != content.length:
        return False
    return neighbours.same is not None and neighbours.same.content == content


def _overlaps(neighbours: Neighbours, address: ByteSpan) -> bool:
    before, after = neighbours.before, neighbours.after
    return (
        neighbours.same is not None
        or (before is not None and before.end > address.first)
        or (after is not None and after.position <= address.last)
    )


def _learn_total(summary: Summary, address: Address) -> Summary:
    if address.total is not None and summary.total is None:
        summary = replace(summary, total=address.total)
    return _completed_if_full(summary)


def _completed_if_full(summary: Summary) -> Summary:
    if summary.total is not None and summary.filled == summary.total:
        return replace(summary, state=State.COMPLETE)
    return summary


def _complete_or(summary: Summary, refusal: errors.UploadRefused) -> errors.UploadRefused:
    return errors.AlreadyUploaded() if summary.state is State.COMPLETE else refusal


def _unit(address: Address) -> str:
    return "bytes" if address.mode is Mode.BYTES else "parts"
