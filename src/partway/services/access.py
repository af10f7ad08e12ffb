"""Who may ask: API keys, bearer tokens and their renewal (contract.md 1.2)."""

from __future__ import annotations

import time
from dataclasses import dataclass

from partway.catalog import access
from partway.catalog.access import ApiKey
from partway.catalog.clock import SECOND, now
from partway.catalog.database import Database, Transaction
from partway.errors import InvalidAccessToken, InvalidApiKey, InvalidCredentials
from partway.services.identifiers import fingerprint, new_id, new_secret

_REFRESH_LIFE = 30 * 24 * 3600
_CACHED_SECONDS = 30.0
_CACHED_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Login:
    """A pair of fresh tokens; ``expires_in`` in seconds."""

    access_token: str
    refresh_token: str
    expires_in: int


class Access:
    """Knows keys and tokens, and remembers a good one for half a minute.

    Args:
        access_token_life: seconds.
    """

    def __init__(self, database: Database, *, access_token_life: int) -> None:
        self._database = database
        self._life = access_token_life
        self._known: dict[tuple[str, str], tuple[str, float]] = {}
        """By kind and hash: what is good as a key is not good as a token."""

    async def login(self, api_key: str) -> Login:
        """Make tokens from an API key.

        Raises:
            InvalidCredentials: the key is unknown or revoked.
        """
        async with self._database.write() as tx:
            key_id = await access.key_with_hash(tx, fingerprint(api_key))
            if key_id is None:
                raise InvalidCredentials()
            await access.remove_expired_sessions(tx, at=now())
            return await self._make(tx, key_id)

    async def refresh(self, refresh_token: str) -> Login:
        """Exchange a refresh token, which is good once, for new tokens.

        Raises:
            InvalidCredentials: the token is unknown, used or expired.
        """
        used = fingerprint(refresh_token)
        async with self._database.write() as tx:
            key_id = await access.session_with_hash(tx, "refresh", used, at=now())
            if key_id is None or not await access.remove_session(tx, used):
                raise InvalidCredentials()
            return await self._make(tx, key_id)

    async def by_api_key(self, api_key: str) -> str:
        """The id of the key behind a Basic user name.

        Raises:
            InvalidApiKey: there is none.
        """
        hashed = fingerprint(api_key)
        found = self._remembered("key", hashed)
        if found is None:
            async with self._database.read() as tx:
                found = await access.key_with_hash(tx, hashed)
            if found is None:
                raise InvalidApiKey()
            self._remember("key", hashed, found)
        return found

    async def by_access_token(self, token: str) -> str:
        """The id of the key behind a bearer token.

        Raises:
            InvalidAccessToken: there is none, or its time has passed.
        """
        hashed = fingerprint(token)
        found = self._remembered("token", hashed)
        if found is None:
            async with self._database.read() as tx:
                found = await access.session_with_hash(tx, "access", hashed, at=now())
            if found is None:
                raise InvalidAccessToken()
            self._remember("token", hashed, found)
        return found

    async def create_key(self, name: str, secret: str | None = None) -> tuple[ApiKey, str]:
        """Make an API key; its secret is in the answer and nowhere else."""
        secret = secret or new_secret()
        key = ApiKey(new_id("ak"), name, now(), None)
        async with self._database.write() as tx:
            await access.add_key(tx, key, fingerprint(secret))
        return key, secret

    async def keys(self) -> list[ApiKey]:
        """Every key, revoked ones too."""
        async with self._database.read() as tx:
            return await access.keys(tx)

    async def is_known(self, api_key: str) -> bool:
        """Whether an API key is good."""
        async with self._database.read() as tx:
            return await access.key_with_hash(tx, fingerprint(api_key)) is not None

    async def revoke_key(self, key_id: str) -> None:
        """Revoke a key; other processes notice within half a minute.

        Raises:
            NotFound: there is no such active key.
        """
        async with self._database.write() as tx:
            await access.revoke_key(tx, key_id, at=now())
        self._known.clear()

    async def _make(self, tx: Transaction, key_id: str) -> Login:
        login = Login(new_secret(), new_secret(), self._life)
        made = now()
        await access.add_session(
            tx, "access", fingerprint(login.access_token), key_id, expires_at=made + self._life * SECOND
        )
        await access.add_session(
            tx, "refresh", fingerprint(login.refresh_token), key_id, expires_at=made + _REFRESH_LIFE * SECOND
        )
        return login

    def _remembered(self, kind: str, hashed: str) -> str | None:
        found = self._known.get((kind, hashed))
        return found[0] if found is not None and found[1] > time.monotonic() else None

    def _remember(self, kind: str, hashed: str, key_id: str) -> None:
        if len(self._known) >= _CACHED_MOST:
            self._known.clear()
        self._known[kind, hashed] = (key_id, time.monotonic() + _CACHED_SECONDS)
