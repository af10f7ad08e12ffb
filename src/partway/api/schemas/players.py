"""Player themes on the wire (contract.md 1.11)."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StrictBool
from pydantic.alias_generators import to_camel

from partway.api.schemas.base import Payload, Text, moment
from partway.services.values import Look, PlayerTheme

_BYTE = r"(?:25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})"
_ALPHA = r"(?:0|1|[01]?\.[0-9]{1,6}|[01]\.[0-9]{1,6})"
_COLOUR = re.compile(
    rf"#(?:[0-9a-f]{{3,4}}|[0-9a-f]{{6}}|[0-9a-f]{{8}})"
    rf"|rgba? ?\( ?{_BYTE} ?, ?{_BYTE} ?, ?{_BYTE} ?(?:, ?{_ALPHA} ?)?\)",
    re.IGNORECASE,
)


def _colour(text: str) -> str:
    # It ends in a style sheet: nothing but a colour may pass.
    if not _COLOUR.fullmatch(text):
        raise ValueError("A colour is written like rgba(255, 255, 255, .95).")
    return text


Colour = Annotated[Text, AfterValidator(_colour)]


class PlayerChanges(Payload):
    """The body of ``POST /players`` and ``PATCH /players/{playerId}``; null is the player's own."""

    name: Annotated[Text, Field(max_length=100)] | None = None
    text: Colour | None = None
    link: Colour | None = None
    link_hover: Colour | None = None
    link_active: Colour | None = None
    track_played: Colour | None = None
    track_unplayed: Colour | None = None
    track_background: Colour | None = None
    background_top: Colour | None = None
    background_bottom: Colour | None = None
    background_text: Colour | None = None
    enable_api: StrictBool | None = None
    enable_controls: StrictBool | None = None
    force_autoplay: StrictBool | None = None
    hide_title: StrictBool | None = None
    force_loop: StrictBool | None = None

    def as_changes(self) -> dict[str, Any]:
        """What was sent, in the catalog's words; null is the default."""
        plain = Look()
        return {
            name: value if (value := getattr(self, name)) is not None else getattr(plain, name, None)
            for name in self.model_fields_set
        }

    def as_look(self) -> Look:
        """The look to create a theme with."""
        return Look(**{name: value for name, value in self.as_changes().items() if name != "name"})


def player_json(theme: PlayerTheme, base: str) -> dict[str, Any]:
    """A player theme; what was not set is left out, for the Python client takes no null there."""
    look = {to_camel(field.name): getattr(theme.look, field.name) for field in fields(Look)}
    assets = {}
    if theme.logo is not None:
        assets = {"logo": f"{base}{logo_path(theme)}", "link": theme.logo.link}
    return {
        "playerId": theme.player_id,
        **_without_none({"name": theme.name, **look}),
        "createdAt": moment(theme.created_at),
        "updatedAt": moment(theme.updated_at),
        "assets": _without_none(assets),
    }


def logo_path(theme: PlayerTheme) -> str:
    """Where a theme's logo is served, from the server's root; another logo has another address."""
    version = theme.logo.blob_key[:8] if theme.logo is not None else ""
    return f"/-/players/{theme.player_id}/logo?v={version}"


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
