"""Secrets that all processes of an installation share; each is made once."""

from __future__ import annotations

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from partway.catalog.database import Transaction
from partway.catalog.tables import secrets


async def get(tx: Transaction, name: str) -> str | None:
    """A secret, if it has been made."""
    return (await tx.execute(select(secrets.c.value).where(secrets.c.name == name))).scalar_one_or_none()


async def keep(tx: Transaction, name: str, value: str, *, at: int) -> str:
    """Keep a new secret; the one that is kept, which is another one where somebody was quicker."""
    try:
        # A savepoint: where a statement has failed, PostgreSQL takes no other one before a rollback.
        async with tx.begin_nested():
            await tx.execute(insert(secrets).values(name=name, value=value, created_at=at))
    except IntegrityError:
        return str((await tx.execute(select(secrets.c.value).where(secrets.c.name == name))).scalar_one())
    return value
