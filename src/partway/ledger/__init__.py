"""The ledger: what has arrived of a source, what is missing, may it complete? Pure.

Like h11 it is functions of inputs: no clock, no file, no socket, no database. The server asks it
under a database lock, the client asks it what is left to send, the tests ask it everything.
"""

from partway.ledger.address import MIB, Address, ByteSpan, Limits, Mode, PartNumber, Whole
from partway.ledger.book import Book
from partway.ledger.rules import (
    MOVES,
    Decision,
    Move,
    accept,
    can_be_new,
    check_address,
    check_length,
    check_state,
    finish,
)
from partway.ledger.state import Content, Held, Neighbours, State, Summary

__all__ = [
    "MIB",
    "MOVES",
    "Address",
    "Book",
    "ByteSpan",
    "Content",
    "Decision",
    "Held",
    "Limits",
    "Mode",
    "Move",
    "Neighbours",
    "PartNumber",
    "State",
    "Summary",
    "Whole",
    "accept",
    "can_be_new",
    "check_address",
    "check_length",
    "check_state",
    "finish",
]
