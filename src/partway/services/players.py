"""Player themes and their logos (contract.md 1.11)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from partway.blobs.base import BlobStore
from partway.catalog import idempotency, players
from partway.catalog.clock import now
from partway.catalog.database import Database
from partway.catalog.paging import Order, Page
from partway.catalog.players import Logo, Look, PlayerTheme
from partway.errors import FileInvalid, InvalidAttribute, NotFound
from partway.services.attached import discard, keep, read_named
from partway.services.identifiers import fingerprint, new_id
from partway.services.images import one_image
from partway.services.incoming import IncomingForm

LOGO_BYTES_MAX = 100 * 1024
_LOGO_WIDTH_MAX, _LOGO_HEIGHT_MAX = 200, 100
_LINK_MAX = 2000
# Nothing that CSS or HTML could take for more than an address.
_LINK = re.compile(r"https?://[^\s\"'<>\\^`{|}\x00-\x1f\x7f]+", re.IGNORECASE)


class Players:
    """The verbs of player themes."""

    def __init__(self, database: Database, blobs: BlobStore) -> None:
        self._database = database
        self._blobs = blobs

    async def create(
        self, name: str | None, look: Look, *, asked_by: str, idempotency_key: str | None = None, asked: str = ""
    ) -> PlayerTheme:
        """Make a theme.

        Args:
            asked_by: whose idempotency keys these are.
            asked: the request's text; the same key with another text is refused.

        Raises:
            InvalidAttribute: the idempotency key was used for another request.
        """
        at = now()
        theme = PlayerTheme(new_id("pl"), name, look, at, at)
        async with self._database.write() as tx:
            scope = f"players:{asked_by}"
            earlier = await idempotency.claim(tx, scope, idempotency_key, fingerprint(asked), theme.player_id, at=at)
            if earlier is not None:
                return await players.get(tx, earlier)
            await players.add(tx, theme)
        return theme

    async def get(self, player_id: str) -> PlayerTheme:
        """Read a theme.

        Raises:
            NotFound: there is none.
        """
        async with self._database.read() as tx:
            return await players.get(tx, player_id)

    async def theme_of(self, player_id: str | None) -> PlayerTheme | None:
        """The theme that a video names, if it names one that is still there."""
        if player_id is None:
            return None
        try:
            return await self.get(player_id)
        except NotFound:
            return None

    async def find(self, order: Order, *, page: int, page_size: int) -> Page[PlayerTheme]:
        """Read one page of themes."""
        async with self._database.read() as tx:
            return await players.find(tx, order, page=page, page_size=page_size)

    async def change(self, player_id: str, changes: dict[str, Any]) -> PlayerTheme:
        """Change what ``changes`` names: ``name``, and fields of ``Look``.

        Raises:
            NotFound: there is no such theme.
        """
        look = {name: value for name, value in changes.items() if name != "name"}
        async with self._database.write() as tx:
            theme = await players.get(tx, player_id, lock=True)
            theme = replace(
                theme, name=changes.get("name", theme.name), look=replace(theme.look, **look), updated_at=now()
            )
            await players.save(tx, theme)
        return theme

    async def delete(self, player_id: str) -> None:
        """Delete a theme and its logo; videos that name it are played with the player's own look.

        Raises:
            NotFound: there is no such theme.
        """
        async with self._database.write() as tx:
            theme = await players.get(tx, player_id, lock=True)
            await players.remove(tx, theme)
        if theme.logo is not None:
            await discard(self._blobs, theme.logo.blob_key)

    async def put_logo(self, player_id: str, form: IncomingForm) -> PlayerTheme:
        """Take in a logo, and its ``link`` from the form's text field; it replaces an earlier one.

        Raises:
            NotFound: there is no such theme.
            InvalidAttribute: the link is no web address.
            UploadRefused: there is not one file in the form, or it is no image of an allowed kind and size.
            BodyError: the form broke off or is not well formed.
        """
        await self.get(player_id)
        file, image = await one_image(form, ("jpeg", "png"), LOGO_BYTES_MAX)
        if image.width > _LOGO_WIDTH_MAX or image.height > _LOGO_HEIGHT_MAX:
            raise FileInvalid(
                f"A logo has at most {_LOGO_WIDTH_MAX} x {_LOGO_HEIGHT_MAX} pixels; "
                f"this one has {image.width} x {image.height}."
            )
        link = _checked_link(file.fields.get("link", ""))
        stored = await keep(self._blobs, file.content)
        logo = Logo(stored.key, stored.length, image.media_type, link)
        try:
            return await self._exchange(player_id, logo)
        except NotFound:
            await discard(self._blobs, stored.key)
            raise

    async def delete_logo(self, player_id: str) -> None:
        """Delete a theme's logo, if it has one.

        Raises:
            NotFound: there is no such theme.
        """
        await self._exchange(player_id, None)

    async def _exchange(self, player_id: str, logo: Logo | None) -> PlayerTheme:
        async with self._database.write() as tx:
            earlier = await players.get(tx, player_id, lock=True)
            theme = replace(earlier, logo=logo, updated_at=now())
            await players.save(tx, theme)
        if earlier.logo is not None:
            await discard(self._blobs, earlier.logo.blob_key)
        return theme

    async def logo(self, player_id: str) -> tuple[str, bytes]:
        """A theme's logo: its media type and its bytes.

        Raises:
            NotFound: there is no such theme, or it has none.
        """
        media_type = ""

        async def named() -> tuple[str, int]:
            nonlocal media_type
            logo = (await self.get(player_id)).logo
            if logo is None:
                raise NotFound(name="playerId")
            media_type = logo.media_type
            return logo.blob_key, logo.length

        content = await read_named(self._blobs, named)
        return media_type, content


def _checked_link(link: str) -> str | None:
    link = link.strip()
    if not link:
        return None
    try:
        has_host = bool(urlsplit(link).hostname)
    except ValueError:
        has_host = False
    if len(link) > _LINK_MAX or not has_host or not _LINK.fullmatch(link):
        raise InvalidAttribute("The link has to be an address that starts with http:// or https://.", name="link")
    return link
