"""Texts as they are looked for: without case and accents."""

from __future__ import annotations

import unicodedata


def folded(text: str) -> str:
    """A text whose letters are plain: ``Élan`` and ``ELAN`` become ``elan``."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in apart if not unicodedata.combining(char)).casefold()
