"""What the server holds of a source, and what is therefore still to be sent. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from partway.client.plan import part_bytes
from partway.errors import ClientError, FileChanged
from partway.ledger import Limits, Mode, PartNumber, State


@dataclass(frozen=True, slots=True)
class HeldPiece:
    """A piece the server holds."""

    position: int
    """The part number, or the offset of a byte span."""
    size: int
    digest: str
    """XXH3-128 in lower-case hex."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The answer of ``GET /-/videos/{id}/parts``."""

    state: State
    mode: Mode | None
    total: int | None
    """In bytes for spans, in parts for parts."""
    pieces: tuple[HeldPiece, ...]

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        mode = Mode(raw["mode"]) if raw.get("mode") else None
        return cls(
            State(raw["state"]),
            mode,
            raw.get("total"),
            tuple(
                HeldPiece(
                    position=piece["from"] if "from" in piece else piece.get("part", 1),
                    size=piece["size"],
                    digest=piece["digest"],
                )
                for piece in raw.get("pieces") or ()
            ),
        )


@dataclass(frozen=True, slots=True)
class PlacedPiece:
    """A held piece, and where in the file its bytes should be."""

    offset: int
    piece: HeldPiece


@dataclass(frozen=True, slots=True)
class MissingPart:
    """A part that is still to be sent, and where in the file it is."""

    address: PartNumber
    offset: int
    length: int


def place_spans(listing: Listing, size: int) -> list[PlacedPiece]:
    """Where the held spans, or the one whole piece, lie in a file of ``size`` bytes.

    Raises:
        FileChanged: they can't be of such a file.
    """
    whole = listing.mode is Mode.SINGLE
    placed = [PlacedPiece(0 if whole else piece.position, piece) for piece in listing.pieces]
    total = listing.pieces[0].size if whole else listing.total
    if total is not None and total != size:
        raise FileChanged(f"the file has {size} bytes, the one that was started had {total}")
    if any(each.offset + each.piece.size > size for each in placed):
        raise FileChanged(f"the file has {size} bytes, the one that was started had more")
    return placed


def place_parts(listing: Listing, size: int, limits: Limits) -> tuple[list[PlacedPiece], list[MissingPart]]:
    """Where the held parts lie in a file of ``size`` bytes, and the parts to send round them.

    Part numbers say nothing of offsets: a missing part below a held one is taken to be as large as the
    first. The digests of those behind it prove that, or the upload can't go on.

    Raises:
        FileChanged: they can't be of such a file.
        ClientError: no legal parts fill what is missing.
    """
    held = {piece.position: piece for piece in listing.pieces}
    highest = max(held)
    usual = _usual_bytes(held, listing.total, size)
    placed: list[PlacedPiece] = []
    gaps: list[tuple[int, int, int]] = []
    offset = 0
    for number in range(1, highest + 1):
        piece = held.get(number)
        if piece is None:
            gaps.append((number, offset, usual))
        else:
            placed.append(PlacedPiece(offset, piece))
        offset += usual if piece is None else piece.size
    if offset > size or (listing.total == highest and offset != size):
        raise FileChanged(f"the file has {size} bytes, the parts that were sent make {offset}")
    lengths = _rest_in_parts(size - offset, offset, highest, listing.total, usual, limits)
    for number, length in enumerate(lengths, highest + 1):
        gaps.append((number, offset, length))
        offset += length
    total = highest + len(lengths)
    return placed, [MissingPart(PartNumber(number, total), at, length) for number, at, length in gaps]


def _usual_bytes(held: Mapping[int, HeldPiece], total: int | None, size: int) -> int:
    """The size that most parts seem to have; the last one says nothing of the others."""
    others = [piece.size for number, piece in held.items() if number != total]
    if others:
        return held[1].size if 1 in held and total != 1 else Counter(others).most_common(1)[0][0]
    last = held[max(held)]
    return max(0, size - last.size) // max(1, last.position - 1)


def _rest_in_parts(rest: int, sent: int, highest: int, total: int | None, usual: int, limits: Limits) -> list[int]:
    """The lengths of the parts above the highest one held."""
    if total is not None:
        count = total - highest
        if count == 0:
            return []
        each = usual
        if not 0 <= rest - (count - 1) * each <= limits.piece_bytes_max:
            each = -(-rest // count)
        lengths = [each] * (count - 1) + [rest - (count - 1) * each]
    else:
        least = -(-rest // max(1, limits.parts_max - highest))
        lengths = []
        while rest:
            length = min(rest, max(limits.piece_bytes_min, least, part_bytes(sent)), limits.piece_bytes_max)
            lengths.append(length)
            rest -= length
            sent += length
    legal = all(limits.piece_bytes_min <= length <= limits.piece_bytes_max for length in lengths[:-1])
    if not legal or any(not 0 <= length <= limits.piece_bytes_max for length in lengths[-1:]):
        raise ClientError(f"The upload can't go on: the rest doesn't fit the {total} parts that were announced.")
    if highest + len(lengths) > limits.parts_max:
        raise ClientError("The upload can't go on: it would need more parts than a video can have.")
    return lengths
