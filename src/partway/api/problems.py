"""The one table from our errors to status codes and problem objects (contract.md 1.1)."""

from __future__ import annotations

from typing import Any, NamedTuple

import structlog
from starlette.responses import JSONResponse

from partway import errors
from partway.errors import PartwayError, Refused, message_of

log = structlog.get_logger("partway.api")

REFERENCE = "https://docs.api.video/reference/"


class Problem(NamedTuple):
    """A row of the table."""

    status: int
    slug: str


_PART = "video-content-range-by-part-"
_BYTES = "video-content-range-by-bytes-"

PROBLEMS: dict[type[PartwayError], Problem] = {
    errors.NotFound: Problem(404, "resource-not-found"),
    errors.MissingAuthorization: Problem(401, "authentication-missing-authorization-header"),
    errors.InvalidAuthorization: Problem(401, "authentication-invalid-authorization-header-value"),
    errors.InvalidApiKey: Problem(401, "authentication-invalid-api-key"),
    errors.InvalidAccessToken: Problem(401, "authentication-invalid-access-token"),
    errors.MissingUploadToken: Problem(401, "authentication-missing-upload-token"),
    errors.InvalidUploadToken: Problem(401, "authentication-invalid-upload-token"),
    errors.TooManyRequests: Problem(429, "too-many-requests"),
    errors.WebhookLimitReached: Problem(400, "webhook-limit-reached"),
    errors.InvalidCredentials: Problem(400, "authentication-invalid-user-credentials"),
    errors.InvalidPayload: Problem(400, "invalid-payload"),
    errors.MissingAttribute: Problem(400, "attribute-required"),
    errors.InvalidAttribute: Problem(400, "invalid-attribute"),
    errors.InvalidQueryParameter: Problem(400, "request-invalid-query-parameter"),
    errors.SummaryExists: Problem(409, "summary-already-exists"),
    errors.NoLiveStreams: Problem(400, "live-streams-unavailable"),
    errors.FileMissing: Problem(400, "uploaded-file-no-file"),
    errors.SeveralFiles: Problem(400, "uploaded-file-multiple-files"),
    errors.FileEmpty: Problem(400, "uploaded-file-empty"),
    errors.FileTooLarge: Problem(400, "uploaded-file-too-large"),
    errors.FileInvalid: Problem(400, "uploaded-file-invalid-file"),
    errors.ExtensionInvalid: Problem(400, "uploaded-file-extension-invalid"),
    errors.AlreadyUploaded: Problem(400, "video-source-already-uploaded"),
    errors.AlreadyCopied: Problem(400, "video-source-already-copied"),
    errors.AlreadyDownloaded: Problem(400, "video-source-already-downloaded"),
    errors.AlreadyInitiated: Problem(400, "video-content-range-already-initiated"),
    errors.UploadHasGaps: Problem(409, "upload-has-gaps"),
    errors.RangeMalformed: Problem(400, "video-content-range-malformed"),
    errors.StartedWithPart: Problem(400, "video-content-range-started-with-part"),
    errors.StartedWithBytes: Problem(400, "video-content-range-started-with-bytes"),
    errors.PartZero: Problem(400, _PART + "part-zero"),
    errors.PartAboveLimit: Problem(400, _PART + "part-too-high-allowed"),
    errors.PartAboveTotal: Problem(400, _PART + "part-too-high-total"),
    errors.PartAlreadySent: Problem(400, _PART + "part-already-sent"),
    errors.PartsTotalZero: Problem(400, _PART + "total-parts-zero"),
    errors.PartsTotalAboveLimit: Problem(400, _PART + "total-parts-too-high"),
    errors.PartsTotalTooLow: Problem(400, _PART + "total-parts-too-low"),
    errors.PartsTotalDiffers: Problem(400, _PART + "different-total-parts"),
    errors.PartTooSmall: Problem(400, _PART + "uploaded-file-too-small"),
    errors.FromAboveTo: Problem(400, _BYTES + "from-byte-too-high"),
    errors.ToAboveTotal: Problem(400, _BYTES + "to-byte-too-high-total"),
    errors.ToAboveLimit: Problem(400, _BYTES + "to-byte-too-high-allowed"),
    errors.BytesTotalZero: Problem(400, _BYTES + "total-bytes-zero"),
    errors.BytesTotalAboveLimit: Problem(400, _BYTES + "total-bytes-too-high"),
    errors.BytesTotalTooLow: Problem(400, _BYTES + "total-bytes-too-low"),
    errors.BytesTotalDiffers: Problem(400, _BYTES + "different-total-bytes"),
    errors.RangeMismatch: Problem(400, _BYTES + "range-mismatch"),
    errors.RangeOverlap: Problem(400, _BYTES + "range-overlap"),
    errors.RangeTooSmall: Problem(400, _BYTES + "range-too-small"),
    errors.RangeTooLarge: Problem(400, _BYTES + "range-too-large"),
    errors.BodyBroken: Problem(400, "invalid-payload"),
    errors.BlobError: Problem(503, "storage-unavailable"),
}
"""A class that isn't here is looked up by its nearest ancestor that is."""

_FILE_ERRORS = (
    errors.FileMissing,
    errors.SeveralFiles,
    errors.FileEmpty,
    errors.FileTooLarge,
    errors.FileInvalid,
    errors.ExtensionInvalid,
    errors.AlreadyUploaded,
    errors.AlreadyCopied,
    errors.AlreadyDownloaded,
)


def problem_of(error: PartwayError) -> tuple[int, dict[str, Any]]:
    """The status and the problem object of an error."""
    if isinstance(error, errors.SeveralProblems):
        inner = [problem_of(one)[1] for one in error.problems]
        status, first = problem_of(error.problems[0])
        return status, {"type": first["type"], "title": first["title"], "status": status, "problems": inner}
    row = next((PROBLEMS[kind] for kind in type(error).__mro__ if kind in PROBLEMS), None)
    if row is None:
        return 500, server_error()
    body: dict[str, Any] = {"type": REFERENCE + row.slug, "title": _title(error), "status": row.status}
    name = error.name if isinstance(error, Refused) else None
    if name is None and isinstance(error, _FILE_ERRORS):
        name = "file"
    if isinstance(error, errors.InvalidCredentials):
        name = ""
    if name is not None:
        body["name"] = name
    if isinstance(error, Refused):
        if error.detail:
            body["detail"] = error.detail
        if error.allowed:
            body["range"] = {"min": error.allowed[0], "max": error.allowed[1]}
    elif isinstance(error, errors.BodyError):
        body["detail"] = str(error)
    return row.status, body


def answer_to(error: PartwayError) -> JSONResponse:
    """The whole answer to an error; one that is ours to answer for is also logged, with what lies beneath it."""
    status, body = problem_of(error)
    if status >= 500:
        log.error("request failed", status=status, error=str(error), cause=repr(error.__cause__))
    wait = error.seconds if isinstance(error, errors.TooManyRequests) else 2 if status == 503 else None
    return JSONResponse(body, status, headers=None if wait is None else {"Retry-After": str(wait)})


def unknown_path() -> JSONResponse:
    """The answer to a path that is none of ours."""
    return _plain(404, "unrecognized-request-url", "Unrecognized request URL.")


def wrong_method(allow: str) -> JSONResponse:
    """The answer to a known path asked with a method it doesn't know."""
    answer = _plain(405, "method-not-allowed", "Method is not allowed for this route.")
    answer.headers["Allow"] = allow
    return answer


def too_slow() -> JSONResponse:
    """The answer to a request that has taken longer than ``request_deadline``."""
    return _plain(408, "request-timeout", "The request took too long.")


def server_error() -> dict[str, Any]:
    """The problem object of an error that is ours."""
    return {"type": REFERENCE + "server-error", "title": "Server error", "status": 500}


def _plain(status: int, slug: str, title: str) -> JSONResponse:
    return JSONResponse({"type": REFERENCE + slug, "title": title, "status": status}, status)


def _title(error: PartwayError) -> str:
    if isinstance(error, errors.BodyBroken):
        return message_of(errors.InvalidPayload)
    if isinstance(error, errors.BlobError):
        return "The storage is unavailable, please try again."
    return message_of(type(error))
