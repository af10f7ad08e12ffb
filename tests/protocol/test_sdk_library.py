"""The official Python package ``api.video``, as it is published: what stands beside videos."""

from __future__ import annotations

import io
from collections.abc import Iterator

import apivideo
import pytest
from apivideo.api.captions_api import CaptionsApi
from apivideo.api.chapters_api import ChaptersApi
from apivideo.api.player_themes_api import PlayerThemesApi
from apivideo.api.videos_api import VideosApi
from apivideo.exceptions import ApiException, NotFoundException
from tests.protocol.wire import Wire

from partway.testing.images import png

pytestmark = pytest.mark.sdk

VTT = b"WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n"


@pytest.fixture
def client(plain_wire: Wire) -> Iterator[apivideo.AuthenticatedApiClient]:
    client = apivideo.AuthenticatedApiClient(plain_wire.server.api_key)
    client.configuration.host = plain_wire.server.url
    client.connect()
    yield client
    client.close()


@pytest.fixture
def video_id(client: apivideo.AuthenticatedApiClient) -> str:
    return str(VideosApi(client).create({"title": "by the package"})["video_id"])


def file(content: bytes, name: str) -> io.BytesIO:
    stream = io.BytesIO(content)
    stream.name = name
    return stream


def test_captions(client: apivideo.AuthenticatedApiClient, video_id: str) -> None:
    captions = CaptionsApi(client)
    made = captions.upload(video_id, "de", file(VTT, "en.vtt"))
    assert (made["srclang"], made["language_name"], made["default"]) == ("de", "Deutsch", False)
    assert made["src"].endswith(f"/vod/{video_id}/captions/de.vtt")
    assert captions.update(video_id, "de", {"default": True})["default"]
    assert captions.get(video_id, "de")["uri"] == f"/videos/{video_id}/captions/de"
    assert [one["srclang"] for one in captions.list(video_id, current_page=1, page_size=30)["data"]] == ["de"]
    with pytest.raises(ApiException) as refused:
        captions.upload(video_id, "de", file(b"no captions", "en.vtt"))
    assert refused.value.status == 400
    captions.delete(video_id, "de")
    with pytest.raises(NotFoundException):
        captions.get(video_id, "de")


def test_chapters(client: apivideo.AuthenticatedApiClient, video_id: str) -> None:
    chapters = ChaptersApi(client)
    made = chapters.upload(video_id, "en", file(VTT, "chapters.vtt"))
    assert made["src"].endswith(f"/vod/{video_id}/chapters/en.vtt")
    assert chapters.get(video_id, "en")["language"] == "en"
    assert len(chapters.list(video_id)["data"]) == 1
    chapters.delete(video_id, "en")
    assert chapters.list(video_id)["data"] == []


def test_players(client: apivideo.AuthenticatedApiClient, video_id: str) -> None:
    players = PlayerThemesApi(client)
    made = players.create({"name": "by the package", "track_played": "rgba(88, 131, 255, .95)", "force_loop": True})
    player_id = made["player_id"]
    assert (made["name"], made["track_played"], made["force_loop"]) == (
        "by the package",
        "rgba(88, 131, 255, .95)",
        True,
    )
    changed = players.update(player_id, {"hide_title": True})
    assert (changed["hide_title"], changed["force_loop"]) == (True, True)
    logo = players.upload_logo(player_id, file(png(100, 50), "logo.png"), link="https://example.org")
    assert logo["assets"]["link"] == "https://example.org"
    assert "/logo" in logo["assets"]["logo"]
    videos = VideosApi(client)
    assert videos.update(video_id, {"player_id": player_id})["player_id"] == player_id
    players.delete_logo(player_id)
    assert player_id in [
        one["player_id"] for one in players.list(sort_by="createdAt", sort_order="desc", page_size=100)["data"]
    ]
    players.delete(player_id)
    with pytest.raises(NotFoundException):
        players.get(player_id)
