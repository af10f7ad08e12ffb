"""Live streams on the wire: what is asked for is checked, for a clear answer (contract.md 1.12)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictBool

from partway.api.schemas.base import Payload, Text


class Restream(Payload):
    """Where else a live stream would go."""

    name: Text
    server_url: Text
    stream_key: Text


class NewLiveStream(Payload):
    """The body of ``POST /live-streams``."""

    name: Text
    public: StrictBool | None = None
    player_id: Text | None = None
    restreams: Annotated[list[Restream], Field(max_length=5)] | None = None
