"""New identifiers and secrets, in the contract's shapes (contract.md 1)."""

from __future__ import annotations

import hashlib
import re
import secrets
import string

_ALPHABET = string.ascii_letters + string.digits


def new_id(prefix: str) -> str:
    """``prefix`` and 22 random letters and digits (131 bits)."""
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(22))


def is_id(prefix: str, text: str) -> bool:
    """Whether a text has the form of ``new_id``."""
    return re.fullmatch(rf"{prefix}[A-Za-z0-9]{{22}}", text) is not None


def new_secret() -> str:
    """A random secret for keys and tokens (256 bits, URL-safe)."""
    return secrets.token_urlsafe(32)


def new_blob_key() -> str:
    """A blob key, unique per attempt; it says nothing about the video."""
    return secrets.token_hex(16)


def fingerprint(text: str) -> str:
    """SHA-256 of a text, in hex; of any text, even one that JSON can write and UTF-8 can't."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
