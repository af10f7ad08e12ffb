"""Seals: short texts that only this installation can have written, and that say for how long they are good.

A seal is 48 letters, digits, ``-`` and ``_``: a nonce of 10 bytes, its end in microseconds since 1970 (8 bytes), and
the first 18 bytes of an HMAC-SHA256 over what it is for, what it belongs to, nonce and end.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

_NONCE = 10
_END = 8
_MAC = 18
_WRITTEN = re.compile(r"[A-Za-z0-9_-]{48}")


@dataclass(frozen=True, slots=True)
class Seal:
    """What a good seal says; ``expires_at`` in microseconds since 1970."""

    nonce: str
    expires_at: int


def seal(secret: bytes, purpose: str, subject: str, *, expires_at: int) -> str:
    """Write a seal, unlike every other one."""
    said = secrets.token_bytes(_NONCE) + expires_at.to_bytes(_END, "big")
    return base64.urlsafe_b64encode(said + _mac(secret, purpose, subject, said)).decode()


def unseal(secret: bytes, purpose: str, subject: str, text: str, *, at: int) -> Seal | None:
    """Read a seal; None for one that is not ours, is for something else, or has ended. ``text`` may be anything."""
    # Of all texts that a lax reader takes for these bytes one alone is the seal.
    if not _WRITTEN.fullmatch(text):
        return None
    raw = base64.urlsafe_b64decode(text)
    said, mac = raw[:-_MAC], raw[-_MAC:]
    if not hmac.compare_digest(mac, _mac(secret, purpose, subject, said)):
        return None
    expires_at = int.from_bytes(said[_NONCE:], "big")
    return Seal(said[:_NONCE].hex(), expires_at) if expires_at > at else None


def _mac(secret: bytes, purpose: str, subject: str, said: bytes) -> bytes:
    # No two pairs of purpose and subject are written alike: neither has a NUL.
    message = f"{purpose}\0{subject}\0".encode() + said
    return hmac.digest(secret, message, hashlib.sha256)[:_MAC]
