"""Player themes: how a player looks and behaves (contract.md 1.11)."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from partway.catalog.database import Transaction
from partway.catalog.paging import Order, Page, fetch_page
from partway.catalog.tables import players
from partway.errors import NotFound


@dataclass(frozen=True, slots=True)
class Look:
    """Colours, as CSS writes them, None for the player's own; and what the player does."""

    text: str | None = None
    link: str | None = None
    link_hover: str | None = None
    link_active: str | None = None
    track_played: str | None = None
    track_unplayed: str | None = None
    track_background: str | None = None
    background_top: str | None = None
    background_bottom: str | None = None
    background_text: str | None = None
    enable_api: bool = True
    enable_controls: bool = True
    force_autoplay: bool = False
    hide_title: bool = False
    force_loop: bool = False


@dataclass(frozen=True, slots=True)
class Logo:
    """An image for the player's corner; ``length`` in bytes."""

    blob_key: str
    length: int
    media_type: str
    link: str | None
    """Where a click leads."""


@dataclass(frozen=True, slots=True)
class PlayerTheme:
    """A player theme; times in microseconds since 1970."""

    player_id: str
    name: str | None
    look: Look
    created_at: int
    updated_at: int
    logo: Logo | None = None


_SORTABLE = {"name": players.c.name, "createdAt": players.c.created_at, "updatedAt": players.c.updated_at}
SORT_KEYS = tuple(_SORTABLE)


async def add(tx: Transaction, theme: PlayerTheme) -> None:
    """Insert a theme."""
    await tx.execute(
        insert(players).values(player_id=theme.player_id, created_at=theme.created_at, **_changeable(theme))
    )


async def get(tx: Transaction, player_id: str, *, lock: bool = False) -> PlayerTheme:
    """Read a theme, and keep others from changing it if ``lock`` is set.

    Raises:
        NotFound: there is none.
    """
    statement = select(players).where(players.c.player_id == player_id)
    row = (await tx.execute(statement.with_for_update() if lock else statement)).one_or_none()
    if row is None:
        raise NotFound(name="playerId")
    return _theme(row)


async def find(tx: Transaction, order: Order, *, page: int, page_size: int) -> Page[PlayerTheme]:
    """Read one page of themes."""
    found = await fetch_page(
        tx,
        select(players),
        order,
        _SORTABLE,
        default=players.c.created_at,
        tie=players.c.player_id,
        page=page,
        size=page_size,
    )
    return Page([_theme(row) for row in found.items], found.total)


async def save(tx: Transaction, theme: PlayerTheme) -> None:
    """Write a theme that was read with its lock."""
    await tx.execute(update(players).where(players.c.player_id == theme.player_id).values(**_changeable(theme)))


async def remove(tx: Transaction, theme: PlayerTheme) -> None:
    """Remove a theme that was read with its lock."""
    await tx.execute(delete(players).where(players.c.player_id == theme.player_id))


def _changeable(theme: PlayerTheme) -> dict[str, Any]:
    return {
        "name": theme.name,
        "look": json.dumps(asdict(theme.look)),
        "logo_key": theme.logo and theme.logo.blob_key,
        "logo_length": theme.logo and theme.logo.length,
        "logo_type": theme.logo and theme.logo.media_type,
        "logo_link": theme.logo and theme.logo.link,
        "updated_at": theme.updated_at,
    }


def _theme(row: Row[Any]) -> PlayerTheme:
    # What another version has kept beside what we know is passed over.
    kept, known = json.loads(row.look), {field.name for field in fields(Look)}
    look = Look(**{name: value for name, value in kept.items() if name in known})
    logo = None if row.logo_key is None else Logo(row.logo_key, row.logo_length, row.logo_type, row.logo_link)
    return PlayerTheme(row.player_id, row.name, look, row.created_at, row.updated_at, logo)
