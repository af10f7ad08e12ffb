"""Rows: what a video is given, and what it looks like (contract.md 1.5 to 1.8, 1.11)."""

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
    ref,
    sorting,
)
from partway.api.schemas.players import PlayerChanges
from partway.api.schemas.text_tracks import CaptionChanges

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
_PICTURE = Form("A picture: JPEG or PNG.")


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
        {200: json_answer(ref("StoredWatermark"), "Made.")}, (IDEMPOTENCY,), _PICTURE, refusals=_FILE_REFUSALS
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
}
