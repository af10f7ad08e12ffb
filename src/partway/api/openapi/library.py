"""Rows: what a video is given, and what is made beside it (contract.md 1.5 to 1.13)."""

from __future__ import annotations

from partway import errors
from partway.api.openapi.operation import (
    BYTES,
    IDEMPOTENCY,
    NOTHING,
    PAGING,
    TEXT,
    Answer,
    Form,
    Operation,
    Parameter,
    json_answer,
    one_of,
    ref,
    sorting,
)
from partway.api.schemas.players import PlayerChanges
from partway.api.schemas.text_tracks import CaptionChanges
from partway.api.schemas.webhooks import NewWebhook

_FILE_REFUSALS = (
    errors.FileMissing,
    errors.SeveralFiles,
    errors.FileEmpty,
    errors.FileTooLarge,
    errors.FileInvalid,
    errors.ExtensionInvalid,
    errors.BodyBroken,
    errors.BlobError,
)
_LANGUAGE_REFUSALS = (errors.InvalidAttribute,)
_VTT = Form("A WebVTT file.")
_ORIGINS = one_of("auto", "api")
_PICTURE = Form("A picture: JPEG or PNG.")
_STATUSES = one_of("missing", "waiting", "failed", "completed", "unprocessable")


def _text_tracks(kind: str, one: str, several: str) -> dict[str, Operation]:
    path = f"/videos/{{videoId}}/{kind}"
    return {
        f"GET {path}": Operation({200: json_answer(ref(several))}, PAGING),
        f"POST {path}/{{language}}": Operation(
            {200: json_answer(ref(one))}, body=_VTT, refusals=(*_FILE_REFUSALS, *_LANGUAGE_REFUSALS)
        ),
        f"GET {path}/{{language}}": Operation({200: json_answer(ref(one))}, refusals=_LANGUAGE_REFUSALS),
        f"DELETE {path}/{{language}}": Operation({204: NOTHING}, refusals=_LANGUAGE_REFUSALS),
    }


OPERATIONS: dict[str, Operation] = {
    **_text_tracks("captions", "Caption", "Captions"),
    "PATCH /videos/{videoId}/captions/{language}": Operation({200: json_answer(ref("Caption"))}, body=CaptionChanges),
    **_text_tracks("chapters", "Chapter", "Chapters"),
    "GET /tags": Operation(
        {200: json_answer(ref("Tags"))},
        (
            Parameter("value", TEXT, "Letters anywhere in the tag, whatever their case and accents."),
            *sorting("value", "videoCount"),
            *PAGING,
        ),
    ),
    "GET /watermarks": Operation({200: json_answer(ref("Watermarks"))}, (*sorting("createdAt"), *PAGING)),
    "POST /watermarks": Operation(
        {200: json_answer(ref("StoredWatermark"), "Made.")}, body=_PICTURE, refusals=_FILE_REFUSALS
    ),
    "DELETE /watermarks/{watermarkId}": Operation({204: NOTHING}),
    "GET /players": Operation(
        {200: json_answer(ref("PlayerThemes"))}, (*sorting("name", "createdAt", "updatedAt"), *PAGING)
    ),
    "POST /players": Operation(
        {201: json_answer(ref("PlayerTheme"), "Made.")}, (IDEMPOTENCY,), PlayerChanges, body_may_be_missing=True
    ),
    "GET /players/{playerId}": Operation({200: json_answer(ref("PlayerTheme"))}),
    "PATCH /players/{playerId}": Operation({200: json_answer(ref("PlayerTheme"))}, body=PlayerChanges),
    "DELETE /players/{playerId}": Operation({204: NOTHING}),
    "POST /players/{playerId}/logo": Operation(
        {201: json_answer(ref("PlayerTheme"))},
        body=Form(_PICTURE.file, {"link": {**TEXT, "description": "Where a click on it leads."}}),
        refusals=(*_FILE_REFUSALS, errors.InvalidAttribute),
    ),
    "DELETE /players/{playerId}/logo": Operation({204: NOTHING}),
    "GET /-/players/{playerId}/logo": Operation(
        {200: Answer("The picture.", {"image/*": BYTES})},
        refusals=(errors.NotFound, errors.BlobError),
        caller="anybody",
    ),
    "GET /summaries": Operation(
        {200: json_answer(ref("Summaries"))},
        (
            Parameter("videoId", TEXT, "The video it is of."),
            Parameter("origin", _ORIGINS, "Who has written it."),
            Parameter("sourceStatus", _STATUSES, "How far it is."),
            *sorting("createdAt", "updatedAt", "videoId"),
            *PAGING,
        ),
    ),
    "POST /summaries": Operation({201: json_answer(ref("Summary"), "Made.")}),
    "DELETE /summaries/{summaryId}": Operation({204: NOTHING}),
    "GET /summaries/{summaryId}/source": Operation({200: json_answer(ref("SummarySource"))}),
    "PATCH /summaries/{summaryId}/source": Operation({201: json_answer(ref("SummarySource"))}),
    "GET /webhooks": Operation(
        {200: json_answer(ref("Webhooks"))},
        (Parameter("events", TEXT, "Events that it wants to hear of, all of them; joined by commas."), *PAGING),
    ),
    "POST /webhooks": Operation(
        {201: json_answer(ref("Webhook"), "Made.")},
        (IDEMPOTENCY,),
        NewWebhook,
        refusals=(errors.WebhookLimitReached,),
    ),
    "GET /webhooks/{webhookId}": Operation({200: json_answer(ref("Webhook"))}),
    "DELETE /webhooks/{webhookId}": Operation({204: NOTHING}),
    "GET /live-streams": Operation({200: json_answer({"type": "object"})}, PAGING),
    "POST /live-streams": Operation({200: json_answer({"type": "object"})}),
    "GET /live-streams/{liveStreamId}": Operation({200: json_answer({"type": "object"})}),
    "PATCH /live-streams/{liveStreamId}": Operation({200: json_answer({"type": "object"})}),
    "DELETE /live-streams/{liveStreamId}": Operation({204: NOTHING}),
    "POST /live-streams/{liveStreamId}/thumbnail": Operation({201: json_answer({"type": "object"})}),
    "DELETE /live-streams/{liveStreamId}/thumbnail": Operation({200: json_answer({"type": "object"})}),
    "PUT /live-streams/{liveStreamId}/complete": Operation({202: NOTHING}),
    "GET /data/metrics/{metric}/{aggregation}": Operation({200: json_answer({"type": "object"})}),
    "GET /data/buckets/{metric}/{breakdown}": Operation({200: json_answer({"type": "object"})}, PAGING),
    "GET /data/timeseries/{metric}": Operation({200: json_answer({"type": "object"})}, PAGING),
}
