"""JSON on the wire: the contract's names and shapes (contract.md 1.3, 1.4, 4). camelCase lives here alone."""

from __future__ import annotations

from html import escape
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, ValidationError
from pydantic.alias_generators import to_camel

from partway.errors import InvalidAttribute, MissingAttribute, Refused, SeveralProblems
from partway.services.status import Status
from partway.services.values import Mode, State, UploadToken, Video, to_datetime

Language = Literal[
    "ar", "ca", "cs", "da", "de", "el", "en", "es", "fa", "fi", "fr", "he", "hi", "hr", "hu", "it", "ja", "ko", "ml",
    "nl", "nn", "no", "pl", "pt", "ru", "sk", "sl", "te", "tr", "uk", "ur", "vi", "zh",
]  # fmt: skip


def _sane(text: str) -> str:
    if "\x00" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise ValueError("This text has characters that can't be kept.")
    return text


Text = Annotated[StrictStr, Field(max_length=100_000), AfterValidator(_sane)]


class _Payload(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="ignore")


class Pair(_Payload):
    """One entry of ``metadata``."""

    key: Text
    value: Text


class VideoChanges(_Payload):
    """The body of ``PATCH /videos/{videoId}``: a merge patch (RFC 7396); what is absent stays."""

    title: Text | None = None
    description: Text | None = None
    public: StrictBool | None = None
    panoramic: StrictBool | None = None
    mp4_support: StrictBool | None = None
    player_id: Text | None = None
    language: Language | None = None
    tags: list[Text] | None = Field(None, max_length=1000)
    metadata: list[Pair] | None = Field(None, max_length=1000)

    def as_changes(self) -> dict[str, Any]:
        """What was sent, in the catalog's words.

        Raises:
            InvalidAttribute: null for something that can't be unset.
        """
        changes: dict[str, Any] = {name: getattr(self, name) for name in self.model_fields_set}
        for name in ("title", "public", "panoramic", "mp4_support"):
            if name in changes and changes[name] is None:
                raise InvalidAttribute("This attribute can't be null.", name=to_camel(name))
        if "tags" in changes:
            changes["tags"] = tuple(self.tags or ())
        if "metadata" in changes:
            changes["metadata"] = tuple((pair.key, pair.value) for pair in self.metadata or ())
        return changes


class NewVideo(VideoChanges):
    """The body of ``POST /videos``."""

    title: Text
    source: Text | None = None

    def as_video(self) -> Video:
        """The video to create; its id and times are the service's."""
        changes = {name: value for name, value in self.as_changes_or_defaults().items() if name != "source"}
        return Video(video_id="", created_at=0, updated_at=0, **changes)

    def as_changes_or_defaults(self) -> dict[str, Any]:
        """What was sent, null meaning the default."""
        sent = {name: value for name in self.model_fields_set if (value := getattr(self, name)) is not None}
        return type(self).model_construct(_fields_set=set(sent), **sent).as_changes()


class NewUploadToken(_Payload):
    """The body of ``POST /upload-tokens``."""

    ttl: Annotated[StrictInt, Field(ge=0, le=2_147_483_647)] = 0


class ApiKeyLogin(_Payload):
    """The body of ``POST /auth/api-key``."""

    api_key: StrictStr


class Refresh(_Payload):
    """The body of ``POST /auth/refresh``."""

    refresh_token: StrictStr


P = TypeVar("P", bound=_Payload)


def parse(kind: type[P], payload: dict[str, Any]) -> P:
    """Check a payload.

    Raises:
        MissingAttribute, InvalidAttribute: something is wrong with one attribute.
        SeveralProblems: with more than one.
    """
    try:
        return kind.model_validate(payload)
    except ValidationError as error:
        problems = [_complaint(dict(one)) for one in error.errors(include_url=False, include_context=False)]
        raise problems[0] if len(problems) == 1 else SeveralProblems(problems) from None


def _complaint(error: dict[str, Any]) -> Refused:
    name = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error["loc"]).lstrip(".")
    required = error["type"] == "missing" or (error["loc"] == ("title",) and error["input"] is None)
    if required:
        return MissingAttribute(name=name)
    if name == "language" and isinstance(error["input"], str):
        letters = error["input"].replace("-", "").isalpha()
        known = ", ".join(get_args(Language))
        detail = f"is not valid, use one of {known}." if letters else "must contain only letters and dashes."
        return InvalidAttribute(f"This attribute {detail}", name=name)
    return InvalidAttribute(f"{error['msg']}.", name=name)


def moment(microseconds: int | None) -> str | None:
    """A time as the contract writes it: whole seconds and a numeric offset."""
    return None if microseconds is None else to_datetime(microseconds).strftime("%Y-%m-%dT%H:%M:%S+00:00")


def video_json(video: Video, base: str) -> dict[str, Any]:
    """A Video (contract.md 4.1); ``base`` is the start of every absolute URL in it."""
    return {
        "videoId": video.video_id,
        "title": video.title,
        "description": video.description,
        "public": video.public,
        "panoramic": video.panoramic,
        "mp4Support": video.mp4_support,
        "playerId": video.player_id,
        "tags": list(video.tags),
        "metadata": [{"key": key, "value": value} for key, value in video.metadata],
        "language": video.language,
        "languageOrigin": "api" if video.language else None,
        "createdAt": moment(video.created_at),
        "publishedAt": moment(video.published_at),
        "updatedAt": moment(video.updated_at),
        "discarded": False,
        "discardedAt": None,
        "deletesAt": None,
        "source": {"type": "upload", "uri": f"/videos/{video.video_id}/source"},
        "assets": assets_json(video, base),
    }


def assets_json(video: Video, base: str) -> dict[str, str]:
    """The asset URLs of a video (contract.md 4.2)."""
    root = f"{base}/vod/{video.video_id}"
    assets = {
        "iframe": f'<iframe src="{escape(root)}" width="100%" height="100%" frameborder="0" scrolling="no" '
        'allowfullscreen="true"></iframe>',
        "player": root,
        "hls": f"{root}/hls/manifest.m3u8",
        "thumbnail": f"{root}/thumbnail.jpg",
    }
    if video.mp4_support:
        assets["mp4"] = f"{root}/mp4/source.mp4"
    return assets


def token_json(token: UploadToken) -> dict[str, Any]:
    """An upload token (contract.md 1.4)."""
    return {
        "token": token.token,
        "ttl": token.ttl,
        "createdAt": moment(token.created_at),
        "expiresAt": moment(token.expires_at),
    }


def status_json(status: Status) -> dict[str, Any]:
    """A video's status (contract.md 4.3); what is ours stands under ``partway``."""
    return {
        "ingest": _ingest_json(status),
        "encoding": {
            "playable": status.is_playable,
            "qualities": [
                {"type": quality.kind, "quality": quality.label, "status": quality.status}
                for quality in status.qualities
            ],
            "metadata": _metadata_json(status),
        },
        "partway": {
            "state": status.state,
            "reason": status.reason,
            "receivedBytes": status.summary.received_bytes,
            "hasGaps": status.summary.has_gaps,
            "canFinish": status.can_finish,
            "durationSeconds": status.facts.duration_seconds if status.facts else None,
        },
    }


def _ingest_json(status: Status) -> dict[str, Any] | None:
    summary = status.summary
    if summary.state is State.EMPTY:
        return None
    by_parts, by_bytes = summary.mode is Mode.PART, summary.mode is Mode.BYTES
    complete = summary.state is State.COMPLETE
    size = summary.received_bytes if complete else summary.total if by_bytes else None
    return {
        "status": "uploaded" if complete else "uploading",
        "filesize": size,
        "receivedBytes": [
            {"from": part.position, "to": part.position + part.content.length - 1, "total": part.total}
            for part in status.parts
            if by_bytes
        ],
        "receivedParts": {
            "parts": [part.position for part in status.parts] if by_parts else [],
            "total": summary.total if by_parts else None,
        },
    }


def _metadata_json(status: Status) -> dict[str, Any]:
    facts = status.facts
    return {
        "width": facts.width if facts else None,
        "height": facts.height if facts else None,
        "bitrate": facts.bitrate_kbps if facts else None,
        "duration": round(facts.duration_seconds) if facts and facts.duration_seconds is not None else None,
        "framerate": round(facts.framerate) if facts and facts.framerate is not None else None,
        "samplerate": facts.sample_rate if facts else None,
        "videoCodec": facts.video_codec if facts else None,
        "audioCodec": facts.audio_codec if facts else None,
        "aspectRatio": facts.aspect_ratio if facts else None,
    }
