"""Rows: logins, videos, uploads, upload tokens (contract.md 1.2 to 1.4)."""

from __future__ import annotations

from typing import get_args

from partway import errors
from partway.api.openapi.operation import (
    IDEMPOTENCY,
    NOTHING,
    PAGING,
    TEXT,
    Form,
    Operation,
    Parameter,
    a_list,
    json_answer,
    one_of,
    ref,
    sorting,
)
from partway.api.schemas.base import Language
from partway.api.schemas.logins import ApiKeyLogin, Refresh
from partway.api.schemas.tokens import NewUploadToken
from partway.api.schemas.videos import NewVideo, Restoration, ThumbnailPick, VideoChanges
from partway.services.values import TOKEN_SORT_KEYS, VIDEO_SORT_KEYS

LANGUAGES = one_of(*get_args(Language))

VIDEO_FILTERS = (
    Parameter("title", TEXT, "Words anywhere in the title, whatever their case."),
    Parameter("description", TEXT, "Words anywhere in the description."),
    Parameter("liveStreamId", TEXT, "The live stream it was recorded from."),
    Parameter("tags[]", {**a_list(TEXT), "maxItems": 20}, "Tags that it all has.", style="form"),
    Parameter(
        "metadata",
        {"type": "object", "additionalProperties": TEXT, "maxProperties": 20},
        "Metadata that it all has: `metadata[key]=value`.",
        style="deepObject",
    ),
    *sorting(*VIDEO_SORT_KEYS),
    *PAGING,
)

CONTENT_RANGE = Parameter(
    "Content-Range",
    TEXT,
    "`part <part>/<total_parts>` or `bytes <from>-<to>/<total_bytes>`, for one piece of it; the total may be `*`.",
    "header",
)

_FORM_REFUSALS = (errors.FileMissing, errors.SeveralFiles, errors.FileEmpty, errors.FileTooLarge, errors.BodyBroken)
_PIECE_REFUSALS = (
    *_FORM_REFUSALS,
    errors.InvalidAttribute,
    errors.AlreadyUploaded,
    errors.AlreadyInitiated,
    errors.RangeMalformed,
    errors.StartedWithPart,
    errors.StartedWithBytes,
    *errors.PartRefused.__subclasses__(),
    *errors.BytesRefused.__subclasses__(),
    errors.BlobError,
)
_PIECE_ANSWERS = {
    201: json_answer(
        {"oneOf": [ref("Video"), ref("VideoId")]},
        "The whole video if this piece completed it, else its id alone.",
    )
}
_PIECE = Form("The source, whole or one piece of it.", {"videoId": TEXT})

OPERATIONS: dict[str, Operation] = {
    "POST /auth/api-key": Operation(
        {200: json_answer(ref("AccessToken"))},
        body=ApiKeyLogin,
        refusals=(errors.InvalidCredentials,),
        caller="anybody",
    ),
    "POST /auth/refresh": Operation(
        {200: json_answer(ref("AccessToken"))},
        body=Refresh,
        refusals=(errors.InvalidCredentials,),
        caller="anybody",
    ),
    "GET /videos": Operation({200: json_answer(ref("Videos"))}, VIDEO_FILTERS),
    "POST /videos": Operation(
        {201: json_answer(ref("Video"), "Made."), 202: json_answer(ref("Video"), "Made, with a source of its own.")},
        (IDEMPOTENCY,),
        NewVideo,
    ),
    "GET /videos/{videoId}": Operation({200: json_answer(ref("Video"))}),
    "PATCH /videos/{videoId}": Operation({200: json_answer(ref("Video"))}, body=VideoChanges),
    "DELETE /videos/{videoId}": Operation({204: NOTHING}),
    "GET /videos/{videoId}/status": Operation({200: json_answer(ref("VideoStatus"))}),
    "POST /videos/{videoId}/source": Operation(_PIECE_ANSWERS, (CONTENT_RANGE,), _PIECE, refusals=_PIECE_REFUSALS),
    "POST /upload": Operation(
        _PIECE_ANSWERS,
        (Parameter("token", TEXT, "The upload token."), CONTENT_RANGE, IDEMPOTENCY),
        _PIECE,
        refusals=(
            *_PIECE_REFUSALS,
            errors.MissingUploadToken,
            errors.TooManyRequests,
            errors.InvalidUploadToken,
            errors.MissingAttribute,
            errors.NotFound,
        ),
        caller="upload token",
    ),
    "POST /videos/{videoId}/thumbnail": Operation(
        {200: json_answer(ref("Video"))},
        body=Form("A picture: JPEG, PNG or WebP, 8 MiB at most."),
        refusals=(*_FORM_REFUSALS, errors.FileInvalid, errors.ExtensionInvalid, errors.BlobError),
    ),
    "PATCH /videos/{videoId}/thumbnail": Operation({200: json_answer(ref("Video"))}, body=ThumbnailPick),
    "GET /discarded/videos": Operation({200: json_answer(ref("Videos"))}, VIDEO_FILTERS),
    "GET /discarded/videos/{videoId}": Operation({200: json_answer(ref("Video"))}),
    "PATCH /discarded/videos/{videoId}": Operation({200: json_answer(ref("Video"))}, body=Restoration),
    "GET /upload-tokens": Operation({200: json_answer(ref("UploadTokens"))}, (*sorting(*TOKEN_SORT_KEYS), *PAGING)),
    "POST /upload-tokens": Operation(
        {200: json_answer(ref("UploadToken"), "Made.")}, (IDEMPOTENCY,), NewUploadToken, body_may_be_missing=True
    ),
    "GET /upload-tokens/{token}": Operation({200: json_answer(ref("UploadToken"))}),
    "DELETE /upload-tokens/{token}": Operation({204: NOTHING}),
}
