"""JSON in and out: any payload gives a value or a refusal, and nothing leaves that Python's client would reject."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partway.api.problems import problem_of
from partway.api.schemas.base import Language, moment, parse
from partway.api.schemas.logins import ApiKeyLogin, Refresh
from partway.api.schemas.status import status_json
from partway.api.schemas.tokens import NewUploadToken, token_json
from partway.api.schemas.videos import NewVideo, VideoChanges, video_json
from partway.errors import InvalidAttribute, InvalidRequest, MissingAttribute, SeveralProblems
from partway.ledger import Content, Mode, State, Summary
from partway.media.facts import Facts
from partway.services.status import Quality, Status
from partway.services.values import Part, UploadToken, Video

LANGUAGES = "ar ca cs da de el en es fa fi fr he hi hr hu it ja ko ml nl nn no pl pt ru sk sl te tr uk ur vi zh"
FIELDS = [
    *("title", "description", "public", "panoramic", "mp4Support", "earlyPlayback"),
    *("playerId", "tags", "metadata", "language"),
]
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=5)
KEYS = st.sampled_from(["key", "value", "x"])
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from([*FIELDS, "source", "ttl", "apiKey", "refreshToken", "unknown", "mp4_support", ""])


def is_sane(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= char <= "\udfff" for char in text)


def as_json(payload: object) -> Any:
    """Through a request and back: what a client can send at all."""
    return json.loads(json.dumps(payload))


@given(st.dictionaries(NAMES, ANYTHING, max_size=5).map(as_json))
def test_any_payload(payload: dict[str, Any]) -> None:
    for kind in (NewVideo, VideoChanges, NewUploadToken, ApiKeyLogin, Refresh):
        try:
            found = parse(kind, payload)
            made = found.as_video() if isinstance(found, NewVideo) else None
            changes = found.as_changes() if isinstance(found, VideoChanges) and made is None else {}
        except InvalidRequest as refusal:
            status, problem = problem_of(refusal)
            assert (status, problem["status"]) == (400, 400)
            json.dumps(problem).encode()
            continue
        if made is not None:
            assert is_sane(json.dumps(video_json(made, "http://x", None), ensure_ascii=False))
        assert set(changes) <= {"title", "description", "public", "panoramic", "mp4_support", "early_playback"} | {
            "player_id",
            "tags",
            "metadata",
            "language",
        }


@given(st.text(st.characters(codec=None), max_size=20))
def test_texts_that_can_be_kept(text: str) -> None:
    for payload in (
        {"title": text},
        {"title": "x", "tags": [text]},
        {"title": "x", "metadata": [{"key": text, "value": text}]},
    ):
        if is_sane(text):
            parse(NewVideo, payload)
        else:
            with pytest.raises((InvalidAttribute, SeveralProblems)):
                parse(NewVideo, payload)


def test_languages_are_the_contracts() -> None:
    assert get_args(Language) == tuple(LANGUAGES.split())
    for language in get_args(Language):
        assert parse(VideoChanges, {"language": language}).as_changes() == {"language": language}


@pytest.mark.parametrize(
    ("payload", "name"),
    [
        ({"title": "x", "metadata": [{"key": "a"}]}, "metadata[0].value"),
        ({"title": "x", "tags": ["a", 1]}, "tags[1]"),
        ({"title": "x", "mp4Support": "yes"}, "mp4Support"),
        ({}, "title"),
    ],
)
def test_names_are_the_senders(payload: dict[str, Any], name: str) -> None:
    with pytest.raises((InvalidAttribute, MissingAttribute)) as refusal:
        parse(NewVideo, payload)
    assert refusal.value.name == name


def test_moments_are_whole_seconds_with_an_offset() -> None:
    assert moment(None) is None
    assert moment(1_720_999_567_999_999) == "2024-07-14T23:26:07+00:00"


def test_token() -> None:
    token = UploadToken("to1", 60, 1_720_999_567_000_000, 1_720_999_627_000_000)
    assert token_json(token) == {
        "token": "to1",
        "ttl": 60,
        "createdAt": "2024-07-14T23:26:07+00:00",
        "expiresAt": "2024-07-14T23:27:07+00:00",
    }


PARTS = st.lists(st.tuples(st.integers(1, 10_000), st.integers(0, 10**8)), max_size=5, unique_by=lambda part: part[0])
FACTS = st.none() | st.builds(
    Facts,
    container=st.sampled_from(["mp4", "mov"]),
    width=st.none() | st.integers(1, 8192),
    height=st.none() | st.integers(1, 8192),
    duration_seconds=st.none() | st.floats(0, 1e6),
    framerate=st.none() | st.floats(0, 1000),
    bitrate_kbps=st.none() | st.integers(0, 10**6),
)


@given(
    st.sampled_from(
        [(State.EMPTY, None), *((state, mode) for state in (State.RECEIVING, State.COMPLETE) for mode in Mode)]
    ),
    PARTS,
    st.none() | st.integers(1, 10_000),
    FACTS,
    st.booleans(),
)
def test_status_is_what_the_clients_know(
    where: tuple[State, Mode | None],
    held: list[tuple[int, int]],
    total: int | None,
    facts: Facts | None,
    playable: bool,
) -> None:
    """No value that Python's client rejects (contract.md 0, fact 18), and integers where typed clients want them."""
    state, mode = where
    parts = tuple(Part(at, Content(size, ""), "key", None) for at, size in sorted(held)) if mode else ()
    received = sum(part.content.length for part in parts)
    summary = Summary(state, mode, total if mode else None, len(parts), received, 10_000)
    qualities = (Quality("mp4", "240p", "encoded"), Quality("hls", "240p", "waiting"))
    found = status_json(Status(summary, parts, facts, qualities, playable, False, None))
    assert json.loads(json.dumps(found)) == found
    assert set(found) == {"ingest", "encoding", "partway"}
    ingest, encoding = found["ingest"], found["encoding"]
    if state is State.EMPTY:
        assert ingest is None
    else:
        assert set(ingest) == {"status", "filesize", "receivedBytes", "receivedParts"}
        assert ingest["status"] == ("uploaded" if state is State.COMPLETE else "uploading")
        assert ingest["filesize"] is None or isinstance(ingest["filesize"], int)
        if state is State.COMPLETE:
            assert ingest["filesize"] == received
        assert ingest["receivedParts"]["parts"] == ([part.position for part in parts] if mode is Mode.PART else [])
        assert len(ingest["receivedBytes"]) == (len(parts) if mode is Mode.BYTES else 0)
    assert set(encoding) == {"playable", "qualities", "metadata"}
    assert encoding["playable"] is playable
    for quality in encoding["qualities"]:
        assert quality["type"] in ("hls", "mp4")
        assert quality["quality"] in ("240p", "360p", "480p", "720p", "1080p", "2160p")
        assert quality["status"] in ("waiting", "encoding", "encoded", "failed")
    for name in ("width", "height", "duration", "framerate", "samplerate"):
        assert encoding["metadata"][name] is None or type(encoding["metadata"][name]) is int


def test_a_title_can_not_leave_the_iframe() -> None:
    video = Video('"><script>', "x", created_at=0, updated_at=0)
    assert "<script>" not in video_json(video, 'http://"><script>', None)["assets"]["iframe"]
