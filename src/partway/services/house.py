"""All services together, as ``wiring`` makes them and the API takes them."""

from __future__ import annotations

from dataclasses import dataclass

from partway.services.access import Access
from partway.services.examination import Examinations
from partway.services.pictures import Pictures
from partway.services.playback import Playback
from partway.services.players import Players
from partway.services.summaries import Summaries
from partway.services.tags import Tags
from partway.services.text_tracks import TextTracks
from partway.services.tokens import UploadTokens
from partway.services.upkeep import Upkeep
from partway.services.uploads import Uploads
from partway.services.videos import Videos
from partway.services.viewing import Viewing
from partway.services.watermarks import Watermarks
from partway.services.webhooks import Webhooks
from partway.services.work import Work


@dataclass(frozen=True, slots=True)
class House:
    """The verbs, by noun."""

    access: Access
    videos: Videos
    uploads: Uploads
    tokens: UploadTokens
    examinations: Examinations
    playback: Playback
    pictures: Pictures
    text_tracks: TextTracks
    players: Players
    watermarks: Watermarks
    tags: Tags
    summaries: Summaries
    viewing: Viewing
    webhooks: Webhooks
    upkeep: Upkeep
    work: Work
