"""Every row, by the name of its route."""

from __future__ import annotations

from partway.api.openapi import beside, contract, library, ours, playback
from partway.api.openapi.operation import Operation

OPERATIONS: dict[str, Operation] = {
    **contract.OPERATIONS,
    **library.OPERATIONS,
    **beside.OPERATIONS,
    **playback.OPERATIONS,
    **ours.OPERATIONS,
}
