"""Rows: the assets of a video, under ``/vod/`` (contract.md 4.2); each has a second door, with a token in its path."""

from __future__ import annotations

from collections.abc import Iterator

from partway.api.openapi.operation import (
    BYTES,
    NEVER,
    NOT_YET,
    NUMBER,
    TEXT,
    WHOLE,
    YES_OR_NO,
    Answer,
    Operation,
    Parameter,
    Schema,
    json_answer,
    or_null,
    shape,
)

_SESSION = Parameter("avh", TEXT, "A viewer session, for a private video.")
_TOKEN = Parameter("token", TEXT, "The token of a private video's address.")
_UNCHANGED = Answer("You have it. There is no body.")
_PLAYLIST = "application/vnd.apple.mpegurl"
_POLLED = shape(
    playable=YES_OR_NO,
    complete=YES_OR_NO,
    state=TEXT,
    reason={**or_null(TEXT), "description": "Why it can't be played, in a sentence."},
    receivedBytes=WHOLE,
    edgeSeconds=or_null(NUMBER),
)


def _asset(media_type: str, schema: Schema = BYTES) -> Operation:
    found = Answer("The asset.", {media_type: schema})
    return Operation({200: found, 202: NOT_YET, 404: NEVER}, (_SESSION,), caller="anybody")


def _source() -> Operation:
    bytes_wanted = Answer("The bytes that were asked for.", {"*/*": BYTES})
    beyond = Answer("There are no such bytes. There is no body.")
    plain = _asset("*/*")
    parameters = (Parameter("dl", TEXT, "To save it."), Parameter("Range", TEXT, "Which bytes.", "header"))
    answers = {**plain.answers, 206: bytes_wanted, 304: _UNCHANGED, 416: beyond}
    return Operation(answers, (*plain.parameters, *parameters), caller="anybody")


def _picture() -> Operation:
    plain = _asset("image/*")
    return Operation({**plain.answers, 304: _UNCHANGED}, plain.parameters, caller="anybody")


_ASSETS: dict[str, Operation] = {
    "/status.json": Operation({200: json_answer(_POLLED), 404: NEVER}, (_SESSION,), caller="anybody"),
    "/session": Operation(
        {200: json_answer(shape(session_token=TEXT)), 404: NEVER},
        (_SESSION, _TOKEN),
        caller="anybody",
    ),
    "/hls/manifest.m3u8": _asset(_PLAYLIST, TEXT),
    "/hls/{packaging}/{kind}.m3u8": _asset(_PLAYLIST, TEXT),
    "/hls/{packaging}/{kind}-init.mp4": _asset("*/*"),
    "/hls/{packaging}/{kind}-{number}.{ending}": _asset("*/*"),
    "/dash/manifest.mpd": _asset("application/dash+xml", TEXT),
    "/mp4/source.mp4": _source(),
    "/thumbnail.jpg": _picture(),
    "/captions/{language}.vtt": _asset("text/vtt", TEXT),
    "/chapters/{language}.vtt": _asset("text/vtt", TEXT),
}


def _doors() -> Iterator[tuple[str, Operation]]:
    player = Answer("The page.", {"text/html": TEXT})
    yield "GET /vod/{videoId}", Operation({200: player, 404: NEVER}, (_SESSION, _TOKEN), caller="anybody")
    for path, row in _ASSETS.items():
        yield f"GET /vod/{{videoId}}{path}", row
        yield f"GET /vod/{{videoId}}/token/{{token}}{path}", row


OPERATIONS: dict[str, Operation] = dict(_doors())
