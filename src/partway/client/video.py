"""What the server tells of a video and of an upload token, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Video:
    """A video on the server (contract.md 4.1)."""

    id: str
    title: str
    watch_url: str | None
    """The page that plays it."""
    hls: str | None
    mp4: str | None
    thumbnail: str | None
    description: str
    tags: tuple[str, ...]
    is_public: bool
    created_at: str
    """ISO 8601."""
    raw: Mapping[str, Any] = field(repr=False)
    """The server's whole answer."""

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        assets = raw.get("assets") or {}
        return cls(
            id=raw["videoId"],
            title=raw.get("title") or "",
            watch_url=assets.get("player"),
            hls=assets.get("hls"),
            mp4=assets.get("mp4"),
            thumbnail=assets.get("thumbnail"),
            description=raw.get("description") or "",
            tags=tuple(raw.get("tags") or ()),
            is_public=bool(raw.get("public", True)),
            created_at=raw.get("createdAt") or "",
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class Status:
    """How far the server is with a video (contract.md 4.3)."""

    is_playable: bool
    is_failed: bool
    """Whether it never will be."""
    ingest: str | None
    """``uploading``, ``uploaded``, ...; None before the first byte."""
    reason: str | None
    """In a sentence, why it can't be watched (yet)."""
    raw: Mapping[str, Any] = field(repr=False)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        ours = raw.get("partway") or {}
        return cls(
            is_playable=bool((raw.get("encoding") or {}).get("playable")),
            is_failed=ours.get("state") == "failed",
            ingest=(raw.get("ingest") or {}).get("status"),
            reason=ours.get("reason"),
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class UploadToken:
    """A token that lets its bearer upload without an API key (contract.md 1.4)."""

    token: str
    ttl_seconds: int
    """0 for ever."""
    created_at: str
    expires_at: str | None

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        return cls(raw["token"], raw.get("ttl") or 0, raw.get("createdAt") or "", raw.get("expiresAt"))
