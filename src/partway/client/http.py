"""The HTTP library, imported here alone so that another of the same shape can stand in."""

from __future__ import annotations

try:
    import httpx2 as httpx
except ModuleNotFoundError:  # the older sibling has the same names
    import httpx  # type: ignore[import-not-found, no-redef]

__all__ = ["httpx"]
