"""Upload tokens (contract.md 1.4)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert, or_, select, update

from partway.catalog.database import Transaction
from partway.catalog.paging import Order, Page, fetch_page
from partway.catalog.tables import upload_tokens
from partway.errors import NotFound


@dataclass(frozen=True, slots=True)
class UploadToken:
    """A token; ``ttl`` in seconds, 0 for ever; times in microseconds since 1970."""

    token: str
    ttl: int
    created_at: int
    expires_at: int | None

    def is_expired(self, at: int) -> bool:
        """Whether the token's time has passed."""
        return self.expires_at is not None and self.expires_at <= at


_COLUMNS = (upload_tokens.c.token, upload_tokens.c.ttl, upload_tokens.c.created_at, upload_tokens.c.expires_at)
_ALIVE = upload_tokens.c.deleted_at.is_(None)
_SORTABLE = {"createdAt": upload_tokens.c.created_at, "ttl": upload_tokens.c.ttl}
SORT_KEYS = tuple(_SORTABLE)


async def add(tx: Transaction, token: UploadToken) -> None:
    """Insert a token."""
    await tx.execute(
        insert(upload_tokens).values(
            token=token.token, ttl=token.ttl, created_at=token.created_at, expires_at=token.expires_at
        )
    )


async def get(tx: Transaction, token: str) -> UploadToken:
    """Read a token that has not been deleted, expired or not.

    Raises:
        NotFound: there is none.
    """
    row = (await tx.execute(select(*_COLUMNS).where(upload_tokens.c.token == token, _ALIVE))).one_or_none()
    if row is None:
        raise NotFound(name="uploadToken")
    return UploadToken(**row._mapping)


async def find(tx: Transaction, order: Order, *, at: int, page: int, page_size: int) -> Page[UploadToken]:
    """Read one page of the tokens that are active at ``at``."""
    statement = select(*_COLUMNS).where(
        _ALIVE, or_(upload_tokens.c.expires_at.is_(None), upload_tokens.c.expires_at > at)
    )
    found = await fetch_page(
        tx,
        statement,
        order,
        _SORTABLE,
        default=upload_tokens.c.created_at,
        tie=upload_tokens.c.token,
        page=page,
        size=page_size,
    )
    return Page([UploadToken(**row._mapping) for row in found.items], found.total)


async def delete(tx: Transaction, token: str, *, at: int) -> None:
    """Delete a token.

    Raises:
        NotFound: there is none.
    """
    touched = await tx.execute(
        update(upload_tokens).where(upload_tokens.c.token == token, _ALIVE).values(deleted_at=at)
    )
    if touched.rowcount == 0:
        raise NotFound(name="uploadToken")
