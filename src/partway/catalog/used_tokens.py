"""Path tokens of private videos that have had their viewer; unused ones have no row."""

from __future__ import annotations

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError

from partway.catalog.database import Transaction
from partway.catalog.tables import used_tokens


async def used_at(tx: Transaction, nonce: str) -> int | None:
    """When a token was used; None if it was not."""
    return (await tx.execute(select(used_tokens.c.used_at).where(used_tokens.c.nonce == nonce))).scalar_one_or_none()


async def use(tx: Transaction, nonce: str, *, at: int, expires_at: int) -> int | None:
    """Use a token; None, or when somebody else has used it.

    Of two at once the second waits for the end of the first's transaction.
    """
    try:
        # A savepoint: where a statement has failed, PostgreSQL takes no other one before a rollback.
        async with tx.begin_nested():
            await tx.execute(insert(used_tokens).values(nonce=nonce, used_at=at, expires_at=expires_at))
    except IntegrityError:
        return await used_at(tx, nonce)
    return None


async def forget(tx: Transaction, *, at: int) -> int:
    """Forget tokens that have ended; say how many."""
    return (await tx.execute(delete(used_tokens).where(used_tokens.c.expires_at <= at))).rowcount
