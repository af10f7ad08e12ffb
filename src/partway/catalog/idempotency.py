"""Idempotency keys: what a creating request has made, so that a repeated one makes nothing more."""

from __future__ import annotations

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from partway.catalog.database import Transaction
from partway.catalog.tables import idempotency
from partway.errors import InvalidAttribute


async def claim(
    tx: Transaction, scope: str, key: str | None, fingerprint: str, resource: str, *, at: int
) -> str | None:
    """Claim a key for what a request is about to make; None, or what an earlier request with it has made.

    Of two at once the second waits for the end of the first's transaction. Without a key nothing is claimed.

    Raises:
        InvalidAttribute: the key was used for something else.
    """
    if key is None:
        return None
    try:
        # A savepoint: where a statement has failed, PostgreSQL takes no other one before a rollback.
        async with tx.begin_nested():
            await tx.execute(
                insert(idempotency).values(
                    scope=scope, key=key, fingerprint=fingerprint, resource=resource, created_at=at
                )
            )
    except IntegrityError:
        row = (
            await tx.execute(
                select(idempotency.c.fingerprint, idempotency.c.resource).where(
                    idempotency.c.scope == scope, idempotency.c.key == key
                )
            )
        ).one()
    else:
        return None
    if row.fingerprint != fingerprint:
        raise InvalidAttribute("This Idempotency-Key was used for another request.", name="Idempotency-Key")
    return str(row.resource)
