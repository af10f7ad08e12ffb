"""Viewing: who may watch a video, and what the addresses they are given carry (contract.md "Decided", 4.2 and 6).

Anybody may watch a public video. A private one is opened by a *path token*, which every answer of the API makes anew
and which is good for one viewer: the first answer that gives away a session uses it up. A *viewer session* then stands
as ``avh`` in the query of every address. Both are seals over the video and its visibility's generation: making one
costs no row, and making the video public or private again ends them all. A used token costs one row, for as long as it
would have lived.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote

from partway.catalog import secrets, used_tokens, videos
from partway.catalog.clock import SECOND, now
from partway.catalog.database import Database
from partway.catalog.videos import Video
from partway.errors import NotFound
from partway.services.identifiers import new_secret
from partway.services.sealing import Seal, seal, unseal


@dataclass(slots=True)
class Viewer:
    """Somebody who may watch a video."""

    video: Video
    seconds_left: float | None = None
    """For how long; None for a public video."""
    avh: str | None = None
    """The session shown, if one was."""
    token: Seal | None = None
    """The path token shown, if that is what lets them in."""
    is_token_used: bool = False
    mint: Callable[[], str] | None = None
    minted: str | None = field(default=None, init=False)
    """The session made for this answer: whoever sends it has to redeem the token."""

    @property
    def is_private(self) -> bool:
        """Whether nobody else may see the answer."""
        return not self.video.public

    @property
    def session(self) -> str | None:
        """What goes into ``?avh=``; None for a public video."""
        if self.avh is None and self.mint is not None:
            self.avh = self.minted = self.mint()
        return self.avh

    def uri(self, uri: str) -> str:
        """An address as it has to be written into anything this viewer gets: playlist, page, VTT, MPD."""
        if self.session is None:
            return uri
        address, hash_sign, fragment = uri.partition("#")
        return f"{address}{'&' if '?' in address else '?'}avh={quote(self.session)}{hash_sign}{fragment}"


class Viewing:
    """The verbs of watching what not everybody may watch.

    Args:
        secret: of ``shared_secret``.
        token_life: seconds a path token waits for its first viewer.
        token_grace: seconds a used one is still honoured.
        session_life: seconds.
    """

    def __init__(
        self, database: Database, secret: bytes, *, token_life: float, token_grace: float, session_life: float
    ) -> None:
        self._database = database
        self._secret = secret
        self._token_life = int(token_life * SECOND)
        self._token_grace = int(token_grace * SECOND)
        self._session_life = int(session_life * SECOND)

    def token(self, video: Video) -> str | None:
        """A new path token for an answer about a video; None for a public one."""
        return None if video.public else self._seal("token", video, self._token_life)

    async def admit(self, video_id: str, *, token: str | None, session: str | None) -> Viewer:
        """Let a viewer in.

        Raises:
            NotFound: there is no such video, or it is private and neither token nor session is good for it.
        """
        at = now()
        async with self._database.read() as tx:
            video = await videos.get(tx, video_id)
            if video.public:
                return Viewer(video)
            if held := self._unseal("session", video, session, at):
                return Viewer(video, (held.expires_at - at) / SECOND, avh=session)
            shown = self._unseal("token", video, token, at)
            if shown is None:
                raise NotFound(name="videoId")
            used_at = await used_tokens.used_at(tx, shown.nonce)
        self._check_grace(used_at, at)
        return Viewer(
            video,
            self._session_life / SECOND,
            token=shown,
            is_token_used=used_at is not None,
            mint=lambda: self._seal("session", video, self._session_life),
        )

    async def redeem(self, viewer: Viewer) -> None:
        """Use up the token of a viewer whose answer holds a session made for it; nothing for any other viewer.

        Of several at once one is the first, and the others are within its grace or too late.

        Raises:
            NotFound: somebody else has used it up, and its grace is over.
        """
        if viewer.token is None or viewer.minted is None or viewer.is_token_used:
            return
        async with self._database.write() as tx:
            used_at = await used_tokens.use(tx, viewer.token.nonce, at=now(), expires_at=viewer.token.expires_at)
        self._check_grace(used_at, now())

    async def forget(self) -> int:
        """Forget used tokens that would have ended by now; say how many."""
        async with self._database.write() as tx:
            return await used_tokens.forget(tx, at=now())

    def _check_grace(self, used_at: int | None, at: int) -> None:
        # The clock of another node may be ahead of ours.
        if used_at is not None and used_at + self._token_grace <= max(at, used_at):
            raise NotFound(name="videoId")

    def _seal(self, purpose: str, video: Video, life: int) -> str:
        return seal(self._secret, purpose, _subject(video), expires_at=now() + life)

    def _unseal(self, purpose: str, video: Video, text: str | None, at: int) -> Seal | None:
        return unseal(self._secret, purpose, _subject(video), text, at=at) if text else None


async def shared_secret(database: Database) -> bytes:
    """What every process on this database signs with; the first one makes it, once and for all."""
    async with database.read() as tx:
        kept = await secrets.get(tx, "viewing")
    if kept is None:
        async with database.write() as tx:
            kept = await secrets.keep(tx, "viewing", new_secret(), at=now())
    return kept.encode()


def _subject(video: Video) -> str:
    return f"{video.video_id}/{video.generation}"
