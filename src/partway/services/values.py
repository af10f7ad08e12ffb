"""The values that the verbs take and give, in one place for those above the services."""

from partway.catalog.clock import to_datetime
from partway.catalog.deliveries import Delivery, DeliveryState
from partway.catalog.paging import Order, Page
from partway.catalog.players import SORT_KEYS as PLAYER_SORT_KEYS
from partway.catalog.players import Look, PlayerTheme
from partway.catalog.summaries import SORT_KEYS as SUMMARY_SORT_KEYS
from partway.catalog.summaries import Origin as SummaryOrigin
from partway.catalog.summaries import SourceStatus as SummaryStatus
from partway.catalog.summaries import Summary as VideoSummary
from partway.catalog.summaries import SummaryFilter
from partway.catalog.tags import SORT_KEYS as TAG_SORT_KEYS
from partway.catalog.text_tracks import Kind as TextTrackKind
from partway.catalog.text_tracks import TextTrack
from partway.catalog.upload_tokens import SORT_KEYS as TOKEN_SORT_KEYS
from partway.catalog.upload_tokens import UploadToken
from partway.catalog.uploads import Part
from partway.catalog.videos import SORT_KEYS as VIDEO_SORT_KEYS
from partway.catalog.videos import Video, VideoFilter
from partway.catalog.watermarks import SORT_KEYS as WATERMARK_SORT_KEYS
from partway.catalog.watermarks import Watermark
from partway.catalog.webhooks import Webhook
from partway.ledger import Mode, State, Summary
from partway.media.deriving import Plan
from partway.media.facts import Facts

__all__ = [
    "PLAYER_SORT_KEYS",
    "SUMMARY_SORT_KEYS",
    "TAG_SORT_KEYS",
    "TOKEN_SORT_KEYS",
    "VIDEO_SORT_KEYS",
    "WATERMARK_SORT_KEYS",
    "Delivery",
    "DeliveryState",
    "Facts",
    "Look",
    "Mode",
    "Order",
    "Page",
    "Part",
    "Plan",
    "PlayerTheme",
    "State",
    "Summary",
    "SummaryFilter",
    "SummaryOrigin",
    "SummaryStatus",
    "TextTrack",
    "TextTrackKind",
    "UploadToken",
    "Video",
    "VideoFilter",
    "VideoSummary",
    "Watermark",
    "Webhook",
    "to_datetime",
]
