"""The official Python package ``api.video``, as it is published, with nothing but the host changed."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import apivideo
import pytest
from apivideo.exceptions import ApiException, NotFoundException
from tests.protocol.sdks.python_sdk import CHUNK, Sdk, logged_in
from tests.protocol.wire import Wire, pieces_of

pytestmark = pytest.mark.sdk


@pytest.fixture
def sdk(plain_wire: Wire) -> Iterator[Sdk]:
    with logged_in(plain_wire) as sdk:
        yield sdk


def make(sdk: Sdk, title: str = "by the package") -> str:
    made = sdk.videos.create({"title": title, "tags": ["sdk"], "metadata": [{"key": "k", "value": "v"}]})
    assert (made["title"], made["tags"], made["metadata"][0]["value"]) == (title, ["sdk"], "v")
    return str(made["video_id"])


def assert_playable(sdk: Sdk, video_id: str, size: int) -> None:
    status = sdk.videos.get_status(video_id)
    assert status["ingest"]["status"] == "uploaded"
    assert status["ingest"]["filesize"] == size
    assert status["encoding"]["playable"]
    assert {(one["type"], one["quality"], one["status"]) for one in status["encoding"]["qualities"]} == {
        ("hls", "240p", "encoded"),
        ("mp4", "240p", "encoded"),
    }
    metadata = status["encoding"]["metadata"]
    assert (metadata["width"], metadata["height"], metadata["video_codec"]) == (320, 180, "h264")


def parts(path: Path) -> Iterator[io.BytesIO]:
    """A file in pieces, as the package wants them."""
    for number, piece in enumerate(pieces_of(path.read_bytes(), CHUNK)):
        stream = io.BytesIO(piece)
        stream.name = f"{path.name}.part.{'abc'[number]}"
        yield stream


def test_one_call_for_a_big_file(plain_wire: Wire, sdk: Sdk, big: Path) -> None:
    video_id, heard = make(sdk), []
    with big.open("rb") as file:
        video = sdk.videos.upload(video_id, file, _progress_listener=lambda done, total: heard.append((done, total)))
    size = big.stat().st_size
    assert heard == [(CHUNK, size), (2 * CHUNK, size), (size, size)]
    assert video["video_id"] == video_id
    assert video["assets"]["hls"].endswith("/hls/manifest.m3u8")
    assert sdk.videos.get_status(video_id)["ingest"]["received_parts"]["parts"] == [1, 2, 3]
    assert plain_wire.source(video_id) == big.read_bytes()
    assert_playable(sdk, video_id, size)


def test_one_call_for_a_small_file(plain_wire: Wire, sdk: Sdk, small: Path) -> None:
    video_id = make(sdk)
    with small.open("rb") as file:
        assert sdk.videos.upload(video_id, file)["video_id"] == video_id
    assert plain_wire.source(video_id) == small.read_bytes()
    assert_playable(sdk, video_id, small.stat().st_size)


def test_progressive_session(plain_wire: Wire, sdk: Sdk, big: Path) -> None:
    video_id = make(sdk)
    session = sdk.videos.create_upload_progressive_session(video_id)
    one, two, three = parts(big)
    assert session.uploadPart(one)["video_id"] == video_id
    assert session.uploadPart(two)["video_id"] == video_id
    status = sdk.videos.get_status(video_id)
    assert (status["ingest"]["status"], status["encoding"]["playable"]) == ("uploading", True)
    assert session.uploadLastPart(three)["title"] == "by the package"
    assert plain_wire.source(video_id) == big.read_bytes()
    assert_playable(sdk, video_id, big.stat().st_size)


def test_upload_token(plain_wire: Wire, sdk: Sdk, small: Path) -> None:
    token = sdk.upload_tokens.create_token({"ttl": 600})["token"]
    with small.open("rb") as file:
        video = sdk.videos.upload_with_upload_token(token, file)
    assert video["title"] == small.name
    assert plain_wire.source(video["video_id"]) == small.read_bytes()


def test_upload_token_and_a_big_file(sdk: Sdk, big: Path) -> None:
    """The package forgets the videoId after the first piece, a known bug of it: it is told what to send."""
    token = sdk.upload_tokens.create_token({"ttl": 0})["token"]
    with big.open("rb") as file, pytest.raises(ApiException) as refused:
        sdk.videos.upload_with_upload_token(token, file)
    assert refused.value.status == 400
    assert "attribute-required" in refused.value.body
    assert "send the videoId" in refused.value.body


def test_upload_token_in_a_progressive_session(plain_wire: Wire, sdk: Sdk, big: Path) -> None:
    token = sdk.upload_tokens.create_token({})["token"]
    session = sdk.videos.create_upload_with_upload_token_progressive_session(token)
    one, two, three = parts(big)
    video_id = session.uploadPart(one)["video_id"]
    session.uploadPart(two)
    video = session.uploadLastPart(three)
    assert (video["video_id"], video["title"]) == (video_id, "big.mp4.part.a")
    assert plain_wire.source(video_id) == big.read_bytes()


def test_records(sdk: Sdk) -> None:
    """Created, found, changed, deleted; before the first byte ``ingest`` is null (contract.md 0, fact 15)."""
    video_id = make(sdk, "to be found")
    status = sdk.videos.get_status(video_id)
    assert (status["ingest"], status["encoding"]["playable"], status["encoding"]["qualities"]) == (None, False, [])
    wanted = {"title": "BE FOUND", "tags": ["sdk"], "metadata": {"k": "v"}}
    found = sdk.videos.list(**wanted, sort_by="createdAt", sort_order="desc", current_page=1, page_size=10)
    assert video_id in [video["video_id"] for video in found["data"]]
    assert (found["pagination"]["current_page"], found["pagination"]["page_size"]) == (1, 10)
    changed = sdk.videos.update(video_id, {"title": "new", "tags": ["x", "y"], "metadata": [], "public": True})
    assert (changed["title"], changed["tags"], changed["metadata"]) == ("new", ["x", "y"], [])
    assert sdk.videos.get(video_id)["title"] == "new"
    sdk.videos.delete(video_id)
    with pytest.raises(NotFoundException) as missing:
        sdk.videos.get(video_id)
    assert missing.value.status == 404


def test_upload_tokens(sdk: Sdk) -> None:
    made = sdk.upload_tokens.create_token({"ttl": 60})
    assert made["ttl"] == 60
    assert sdk.upload_tokens.get_token(made["token"])["token"] == made["token"]
    listed = sdk.upload_tokens.list(sort_by="ttl", sort_order="asc", current_page=1, page_size=100)
    assert made["token"] in [one["token"] for one in listed["data"]]
    sdk.upload_tokens.delete_token(made["token"])
    with pytest.raises(NotFoundException):
        sdk.upload_tokens.get_token(made["token"])


def test_wrong_key(plain_wire: Wire) -> None:
    client = apivideo.AuthenticatedApiClient("nobody")
    client.configuration.host = plain_wire.server.url
    with pytest.raises(ApiException) as refused:
        client.connect()
    assert refused.value.status == 400
    client.close()


def answered(wire: Wire, status: int) -> float:
    """How many POSTs have been answered so."""
    start = f'partway_requests_total{{method="POST",status="{status}"}} '
    lines = wire.get("/metrics", key=None).body.decode().splitlines()
    return sum(float(line.removeprefix(start)) for line in lines if line.startswith(start))


def test_in_a_with_block(plain_wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package renews its token once more on leaving; the rotation must not make that fail."""
    monkeypatch.setitem(apivideo.auth_api_client.HOST_ENVIRONMENT, "production", plain_wire.server.url)
    fine, refused = answered(plain_wire, 200), answered(plain_wire, 400)
    with apivideo.AuthenticatedApiClient(plain_wire.server.api_key) as client:
        video_id = Sdk.of(client).videos.create({"title": "in a block"})["video_id"]
        client.refresh_token()
        assert Sdk.of(client).videos.get(video_id)["title"] == "in a block"
    assert answered(plain_wire, 200) == fine + 3, "one login, one renewal of ours, one on leaving"
    assert answered(plain_wire, 400) == refused
