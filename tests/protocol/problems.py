"""The contract's problem objects, copied from contract.md 1.1 by hand: not from the code."""

from __future__ import annotations

import json
from typing import Any

from tests.protocol.wire import Answer

_RANGE = 'in the "Content-Range" header'

TITLES: dict[str, tuple[int, str]] = {
    "attribute-required": (400, "This attribute is required."),
    "invalid-attribute": (400, "An attribute is invalid."),
    "invalid-payload": (400, "The payload is invalid."),
    "request-invalid-query-parameter": (400, "A query parameter is invalid."),
    "webhook-limit-reached": (400, "Your account has reached the webhook urls limit."),
    "authentication-invalid-user-credentials": (400, "The user credentials were incorrect."),
    "authentication-missing-authorization-header": (401, 'The "Authorization" header is missing.'),
    "authentication-invalid-authorization-header-value": (401, 'The "Authorization" header value is invalid.'),
    "authentication-invalid-api-key": (401, "The API key is invalid."),
    "authentication-invalid-access-token": (401, "The access token is invalid or expired."),
    "authentication-missing-upload-token": (401, "The upload token is missing."),
    "authentication-invalid-upload-token": (401, "The upload token is invalid or expired."),
    "too-many-requests": (429, "Too many requests."),
    "resource-not-found": (404, "The requested resource was not found."),
    "unrecognized-request-url": (404, "Unrecognized request URL."),
    "method-not-allowed": (405, "Method is not allowed for this route."),
    "summary-already-exists": (409, "A summary already exists or is being created on this video."),
    "uploaded-file-no-file": (400, "There is no uploaded file in the request."),
    "uploaded-file-multiple-files": (400, "There are more than one uploaded file in the request."),
    "uploaded-file-empty": (400, "The uploaded file is empty."),
    "uploaded-file-too-large": (400, "The uploaded file is too large."),
    "uploaded-file-invalid-file": (400, "The uploaded file is invalid."),
    "uploaded-file-extension-invalid": (400, "Only some file extensions are supported."),
    "video-source-already-uploaded": (400, "This video source has already been uploaded."),
    "video-source-already-downloaded": (
        400,
        "This video source has already been downloaded when the video was created.",
    ),
    "video-source-already-copied": (
        400,
        "This video source has already been copied from an existing video when the video was created.",
    ),
    "video-content-range-already-initiated": (
        400,
        'This video source has already been initiated with a "Content-Range" upload.',
    ),
    "video-content-range-malformed": (
        400,
        'The value of the "Content-Range" header is malformed, the expected format is '
        '"bytes <from_byte>-<to_byte>/<total_bytes>" or "part <part>/<total_parts>".',
    ),
    "video-content-range-started-with-part": (
        400,
        'This "Content-Range" upload has been started with "part", you cannot continue it with "bytes".',
    ),
    "video-content-range-started-with-bytes": (
        400,
        'This "Content-Range" upload has been started with "bytes", you cannot continue it with "part".',
    ),
}

_BY_PART = {
    "part-zero": f'The "part" value {_RANGE} must be greater than 0.',
    "part-too-high-allowed": f'The "part" value {_RANGE} is higher than the maximum number of parts allowed '
    "for a video.",
    "part-too-high-total": f'The "part" value {_RANGE} is higher than the "total_parts" value you set for this video.',
    "part-already-sent": f'The "part" value {_RANGE} collides with a previous one you already sent for this video.',
    "total-parts-zero": f'The "total_parts" value {_RANGE} must be greater than 0.',
    "total-parts-too-high": f'The "total_parts" value {_RANGE} is higher than the maximum number of parts allowed '
    "for a video.",
    "total-parts-too-low": f'The "total_parts" value {_RANGE} is lower than or equal to a part number you already sent '
    "for this video.",
    "different-total-parts": f'The "total_parts" value {_RANGE} must be the same than the one you already set '
    "for this video.",
    "uploaded-file-too-small": "The uploaded file is too small.",
}
_BY_BYTES = {
    "from-byte-too-high": f'The "from_byte" value {_RANGE} is higher than the "to_byte" value.',
    "to-byte-too-high-total": f'The "to_byte" value {_RANGE} is higher than the "total_bytes" value you set '
    "for this video.",
    "to-byte-too-high-allowed": f'The "to_byte" value {_RANGE} is higher than the maximum upper bound allowed '
    "for a video.",
    "total-bytes-zero": f'The "total_bytes" value {_RANGE} must be greater than 0.',
    "total-bytes-too-high": f'The "total_bytes" value {_RANGE} is higher than the maximum allowed limit.',
    "total-bytes-too-low": f'The "total_bytes" value {_RANGE} is lower than or equal to the upper bound of a range '
    "you already sent for this video.",
    "different-total-bytes": f'The "total_bytes" value {_RANGE} must be the same than the one you already set '
    "for this video.",
    "range-mismatch": f"The size of the file you sent is different than the range length you set {_RANGE}.",
    "range-overlap": f"The range {_RANGE} overlaps with a previous one you already sent for this video.",
    "range-too-small": f"The range {_RANGE} is too small.",
    "range-too-large": f"The range {_RANGE} is too large.",
}
PART = "video-content-range-by-part-"
BYTES = "video-content-range-by-bytes-"
TITLES.update({PART + slug: (400, title) for slug, title in _BY_PART.items()})
TITLES.update({BYTES + slug: (400, title) for slug, title in _BY_BYTES.items()})

LATER = {
    "authorization-suspended-account",
    "authentication-invalid-refresh-token",
}
"""Rows of the table that nothing in partway can raise yet, or that it never will (docs/reference/compatibility.md)."""

_KEYS = {"type", "title", "status", "name", "detail", "problems", "range"}


def check_shape(answer: Answer) -> dict[str, Any]:
    """That an error is a problem object, whatever it says; returns it."""
    assert 400 <= answer.status < 500, answer
    assert answer.headers["content-type"] == "application/json"
    for header in ("limit", "remaining", "retry-after"):
        assert answer.headers[f"x-ratelimit-{header}"].isdigit()
    assert answer.headers["access-control-allow-origin"] == "*"
    problem = json.loads(answer.body)
    assert isinstance(problem, dict)
    assert {"type", "title", "status"} <= set(problem) <= _KEYS, problem
    assert problem["type"].startswith("https://docs.api.video/reference/")
    assert problem["status"] == answer.status
    assert isinstance(problem["title"], str)
    return problem


def assert_problem(answer: Answer, slug: str, *, name: str | None = None, detail: str | None = None) -> None:
    """That an answer is this problem; ``detail`` is a piece of it."""
    problem = check_shape(answer)
    status, title = TITLES[slug]
    assert problem["type"] == "https://docs.api.video/reference/" + slug, problem
    assert (problem["status"], problem["title"]) == (status, title)
    assert "problems" not in problem, "a single complaint is a flat object"
    if name is not None:
        assert problem["name"] == name
    if detail is not None:
        assert detail in problem["detail"]
