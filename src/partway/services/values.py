"""The values that the verbs take and give, in one place for those above the services."""

from partway.catalog.clock import to_datetime
from partway.catalog.paging import Order, Page
from partway.catalog.upload_tokens import SORT_KEYS as TOKEN_SORT_KEYS
from partway.catalog.upload_tokens import UploadToken
from partway.catalog.uploads import Part
from partway.catalog.videos import SORT_KEYS as VIDEO_SORT_KEYS
from partway.catalog.videos import Video, VideoFilter
from partway.ledger import Mode, State, Summary
from partway.media.facts import Facts

__all__ = [
    "TOKEN_SORT_KEYS",
    "VIDEO_SORT_KEYS",
    "Facts",
    "Mode",
    "Order",
    "Page",
    "Part",
    "State",
    "Summary",
    "UploadToken",
    "Video",
    "VideoFilter",
    "to_datetime",
]
