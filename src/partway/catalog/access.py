"""API keys and the bearer tokens made from them; only SHA-256 hashes are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import delete, insert, select, update

from partway.catalog.database import Transaction
from partway.catalog.tables import api_keys, sessions
from partway.errors import NotFound

Kind = Literal["access", "refresh"]


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key's row; times in microseconds since 1970."""

    key_id: str
    name: str
    created_at: int
    revoked_at: int | None


async def add_key(tx: Transaction, key: ApiKey, key_hash: str) -> None:
    """Insert a key."""
    await tx.execute(
        insert(api_keys).values(key_id=key.key_id, name=key.name, key_hash=key_hash, created_at=key.created_at)
    )


async def keys(tx: Transaction) -> list[ApiKey]:
    """Read every key, revoked ones too, oldest first."""
    rows = await tx.execute(
        select(api_keys.c.key_id, api_keys.c.name, api_keys.c.created_at, api_keys.c.revoked_at).order_by(
            api_keys.c.created_at
        )
    )
    return [ApiKey(**row._mapping) for row in rows]


async def key_with_hash(tx: Transaction, key_hash: str) -> str | None:
    """The id of the unrevoked key with this hash."""
    found = await tx.execute(
        select(api_keys.c.key_id).where(api_keys.c.key_hash == key_hash, api_keys.c.revoked_at.is_(None))
    )
    return found.scalar_one_or_none()


async def revoke_key(tx: Transaction, key_id: str, *, at: int) -> None:
    """Revoke a key and everything that was made from it.

    Raises:
        NotFound: there is no such unrevoked key.
    """
    touched = await tx.execute(
        update(api_keys).where(api_keys.c.key_id == key_id, api_keys.c.revoked_at.is_(None)).values(revoked_at=at)
    )
    if touched.rowcount == 0:
        raise NotFound(f"There is no active API key {key_id}.", name="keyId")
    await tx.execute(delete(sessions).where(sessions.c.key_id == key_id))


async def add_session(tx: Transaction, kind: Kind, token_hash: str, key_id: str, *, expires_at: int) -> None:
    """Insert a token."""
    await tx.execute(insert(sessions).values(token_hash=token_hash, kind=kind, key_id=key_id, expires_at=expires_at))


async def session_with_hash(tx: Transaction, kind: Kind, token_hash: str, *, at: int) -> str | None:
    """The id of the key behind an unexpired token."""
    found = await tx.execute(
        select(sessions.c.key_id).where(
            sessions.c.token_hash == token_hash, sessions.c.kind == kind, sessions.c.expires_at > at
        )
    )
    return found.scalar_one_or_none()


async def remove_session(tx: Transaction, token_hash: str) -> bool:
    """Remove a token; say whether it was there."""
    return (await tx.execute(delete(sessions).where(sessions.c.token_hash == token_hash))).rowcount > 0


async def remove_expired_sessions(tx: Transaction, *, at: int) -> None:
    """Forget tokens whose time has passed."""
    await tx.execute(delete(sessions).where(sessions.c.expires_at <= at))
