"""Upload tokens: the right to upload without an account (contract.md 1.4)."""

from __future__ import annotations

from partway.catalog import idempotency, upload_tokens
from partway.catalog.clock import SECOND, now
from partway.catalog.database import Database
from partway.catalog.paging import Order, Page
from partway.catalog.upload_tokens import UploadToken
from partway.errors import NotFound
from partway.services.identifiers import fingerprint, new_id


class UploadTokens:
    """The verbs of upload tokens."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, ttl: int, *, asked_by: str, idempotency_key: str | None = None) -> UploadToken:
        """Make a token that lives ``ttl`` seconds, 0 for ever.

        Raises:
            InvalidAttribute: the idempotency key was used for another request.
        """
        created = now()
        token = UploadToken(new_id("to"), ttl, created, created + ttl * SECOND if ttl else None)
        scope, asked = f"upload-tokens:{asked_by}", fingerprint(str(ttl))
        async with self._database.write() as tx:
            earlier = await idempotency.claim(tx, scope, idempotency_key, asked, token.token, at=created)
            if earlier is not None:
                return await upload_tokens.get(tx, earlier)
            await upload_tokens.add(tx, token)
        return token

    async def get(self, token: str) -> UploadToken:
        """Read an active token.

        Raises:
            NotFound: there is none.
        """
        async with self._database.read() as tx:
            found = await upload_tokens.get(tx, token)
        if found.is_expired(now()):
            raise NotFound(name="uploadToken")
        return found

    async def find(self, order: Order, *, page: int, page_size: int) -> Page[UploadToken]:
        """Read one page of active tokens."""
        async with self._database.read() as tx:
            return await upload_tokens.find(tx, order, at=now(), page=page, page_size=page_size)

    async def delete(self, token: str) -> None:
        """Delete a token; it is dead at once.

        Raises:
            NotFound: there is none.
        """
        async with self._database.write() as tx:
            await upload_tokens.delete(tx, token, at=now())
