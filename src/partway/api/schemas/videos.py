"""Videos on the wire (contract.md 1.3, 4.1, 4.2)."""

from __future__ import annotations

from html import escape
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StrictBool, StrictStr
from pydantic.alias_generators import to_camel

from partway.api.schemas.base import Language, Payload, Text, moment
from partway.errors import InvalidAttribute
from partway.services.values import Video


class Pair(Payload):
    """One entry of ``metadata``."""

    key: Text
    value: Text


Timecode = Annotated[
    StrictStr,
    Field(pattern=r"^(?:[0-9]{2,3}:[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,3}|:[0-9]{1,2})?|[0-9]{1,7})$"),
]
Place = Annotated[StrictStr, Field(pattern=r"^-?[0-9]{1,6}(\.[0-9]{1,3})?(px|%)$")]
Extent = Annotated[StrictStr, Field(pattern=r"^([0-9]{1,6}(\.[0-9]{1,3})?(px|%)|initial)$")]
Opacity = Annotated[StrictStr, Field(pattern=r"^([0-9]{1,2}(\.[0-9]{1,3})?|100(\.0{1,3})?)%$")]


class Clip(Payload):
    """``clip``: where to cut what is uploaded or copied."""

    start_timecode: Timecode | None = None
    end_timecode: Timecode | None = None


class Watermark(Payload):
    """``watermark``: which one, and where on the picture."""

    id: Text | None = None
    top: Place | None = None
    left: Place | None = None
    bottom: Place | None = None
    right: Place | None = None
    width: Extent | None = None
    height: Extent | None = None
    opacity: Opacity | None = None


class VideoChanges(Payload):
    """The body of ``PATCH /videos/{videoId}``: a merge patch (RFC 7396); what is absent stays."""

    title: Text | None = None
    description: Text | None = None
    public: StrictBool | None = None
    panoramic: StrictBool | None = None
    mp4_support: StrictBool | None = None
    early_playback: StrictBool | None = None
    player_id: Text | None = None
    language: Language | None = None
    tags: list[Text] | None = Field(None, max_length=1000)
    metadata: list[Pair] | None = Field(None, max_length=1000)
    transcript: StrictBool | None = None
    transcript_summary: StrictBool | None = None
    transcript_summary_attributes: list[Literal["abstract", "takeaways"]] | None = Field(None, max_length=10)

    def as_changes(self) -> dict[str, Any]:
        """What was sent, in the catalog's words.

        Raises:
            InvalidAttribute: null for something that can't be unset.
        """
        changes: dict[str, Any] = {name: getattr(self, name) for name in self.model_fields_set}
        for name in ("title", "public", "panoramic", "mp4_support"):
            if name in changes and changes[name] is None:
                raise InvalidAttribute("This attribute can't be null.", name=to_camel(name))
        for name in ("transcript", "transcript_summary"):
            if name in changes:
                changes[name] = bool(changes[name])
        if "transcript_summary_attributes" in changes:
            changes["transcript_summary_attributes"] = tuple(dict.fromkeys(self.transcript_summary_attributes or ()))
        if "tags" in changes:
            changes["tags"] = tuple(self.tags or ())
        if "metadata" in changes:
            changes["metadata"] = tuple((pair.key, pair.value) for pair in self.metadata or ())
        return changes


class NewVideo(VideoChanges):
    """The body of ``POST /videos``."""

    title: Text
    source: Text | None = None
    clip: Clip | None = None
    watermark: Watermark | None = None

    def as_video(self) -> Video:
        """The video to create; its id and times are the service's."""
        changes = {name: value for name, value in self.as_changes_or_defaults().items() if name != "source"}
        for name in ("clip", "watermark"):
            if name in changes:
                changes[name] = changes[name].model_dump(by_alias=True, exclude_none=True)
        return Video(video_id="", created_at=0, updated_at=0, **changes)

    def as_changes_or_defaults(self) -> dict[str, Any]:
        """What was sent, null meaning the default."""
        sent = {name: value for name in self.model_fields_set if (value := getattr(self, name)) is not None}
        return type(self).model_construct(_fields_set=set(sent), **sent).as_changes()


def _only_false(value: object) -> bool:
    if value is not False:
        raise ValueError("Value must be false.")
    return value


class Restoration(Payload):
    """The body of ``PATCH /discarded/videos/{videoId}``."""

    discarded: Annotated[bool, BeforeValidator(_only_false)]


class ThumbnailPick(Payload):
    """The body of ``PATCH /videos/{videoId}/thumbnail``."""

    timecode: Text


def video_json(video: Video, base: str, token: str | None) -> dict[str, Any]:
    """A Video (contract.md 4.1).

    Args:
        base: the start of every absolute URL in it.
        token: a new one of ``Viewing.token``; None for a public video alone.
    """
    return {
        "videoId": video.video_id,
        "title": video.title,
        "description": video.description,
        "public": video.public,
        "panoramic": video.panoramic,
        "mp4Support": video.mp4_support,
        "earlyPlayback": video.early_playback,
        "playerId": video.player_id,
        "tags": list(video.tags),
        "metadata": [{"key": key, "value": value} for key, value in video.metadata],
        "language": video.language,
        "languageOrigin": "api" if video.language else None,
        "createdAt": moment(video.created_at),
        "publishedAt": moment(video.published_at),
        "updatedAt": moment(video.updated_at),
        "discarded": video.discarded_at is not None,
        "discardedAt": moment(video.discarded_at),
        "deletesAt": moment(video.deletes_at),
        "source": {"type": "upload", "uri": f"/videos/{video.video_id}/source"},
        # What is in the trash can't be watched.
        "assets": assets_json(video, base, token) if video.discarded_at is None else None,
    }


def asset_root(video_id: str, base: str, token: str | None) -> str:
    """What stands before the path of each of a video's assets."""
    return f"{base}/vod/{video_id}" + (f"/token/{token}" if token else "")


def assets_json(video: Video, base: str, token: str | None) -> dict[str, str]:
    """The asset URLs of a video (contract.md 4.2)."""
    root = asset_root(video.video_id, base, token)
    player = asset_root(video.video_id, base, None) + (f"?token={token}" if token else "")
    assets = {
        "iframe": f'<iframe src="{escape(player)}" width="100%" height="100%" frameborder="0" scrolling="no" '
        'allowfullscreen="true"></iframe>',
        "player": player,
        "hls": f"{root}/hls/manifest.m3u8",
        "thumbnail": f"{root}/thumbnail.jpg",
    }
    if video.mp4_support:
        assets["mp4"] = f"{root}/mp4/source.mp4"
    return assets
