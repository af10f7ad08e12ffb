"""The official Python package ``api.video``, as it is published: what stands beside videos."""

from __future__ import annotations

import io
from collections.abc import Iterator

import apivideo
import pytest
from apivideo.api.analytics_api import AnalyticsApi
from apivideo.api.captions_api import CaptionsApi
from apivideo.api.chapters_api import ChaptersApi
from apivideo.api.live_streams_api import LiveStreamsApi
from apivideo.api.player_themes_api import PlayerThemesApi
from apivideo.api.summaries_api import SummariesApi
from apivideo.api.tags_api import TagsApi
from apivideo.api.videos_api import VideosApi
from apivideo.api.watermarks_api import WatermarksApi
from apivideo.exceptions import ApiException, NotFoundException
from apivideo.model.filter_by2 import FilterBy2
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


def test_watermarks(client: apivideo.AuthenticatedApiClient) -> None:
    watermarks = WatermarksApi(client)
    watermark_id = watermarks.upload(file(png(100, 50), "mark.png"))["watermark_id"]
    assert watermarks.list(sort_by="createdAt", sort_order="desc")["data"][0]["watermark_id"] == watermark_id
    watermarks.delete(watermark_id)
    with pytest.raises(NotFoundException):
        watermarks.delete(watermark_id)


def test_tags(client: apivideo.AuthenticatedApiClient) -> None:
    VideosApi(client).create({"title": "tagged", "tags": ["by the Package"]})
    found = TagsApi(client).list(value="the pack", sort_by="videoCount", sort_order="desc", page_size=100)
    assert ("by the Package", 1) in [(tag["value"], tag["video_count"]) for tag in found["data"]]


def test_summaries(client: apivideo.AuthenticatedApiClient, video_id: str) -> None:
    summaries = SummariesApi(client)
    made = summaries.create({"video_id": video_id})
    assert (made["origin"], made["source_status"]) == ("api", "missing")
    with pytest.raises(ApiException) as refused:
        summaries.create({"video_id": video_id, "origin": "auto"})
    assert refused.value.status == 409
    text = {"abstract": "About a bear.", "takeaways": ["bears"]}
    assert summaries.update(made["summary_id"], text)["abstract"] == "About a bear."
    assert summaries.get_summary_source(made["summary_id"])["takeaways"] == ["bears"]
    listed = summaries.list(video_id=video_id, origin="api", source_status="completed", sort_by="updatedAt")
    assert [one["summary_id"] for one in listed["data"]] == [made["summary_id"]]
    summaries.delete(made["summary_id"])
    assert summaries.create({"video_id": video_id, "origin": "auto"})["source_status"] == "unprocessable"


def test_what_there_is_none_of(client: apivideo.AuthenticatedApiClient) -> None:
    """The package's models take the empty answers."""
    streams = LiveStreamsApi(client)
    assert streams.list(name="x", sort_by="name", sort_order="asc")["data"] == []
    with pytest.raises(ApiException) as refused:
        streams.create({"name": "x"})
    assert refused.value.status == 400
    for call in (streams.get, streams.delete, streams.complete, streams.delete_thumbnail):
        with pytest.raises(NotFoundException):
            call("li400mYKSgQ6xs7taUeSaEKr")
    analytics = AnalyticsApi(client)
    for metric, aggregation in (("play", "count"), ("view", "count"), ("ccv", "peak"), ("watch-time", "sum")):
        figure = analytics.get_aggregated_metrics(metric, aggregation, filter_by=FilterBy2(media_id=["vi1"]))
        assert figure["data"] == 0
    for metric, breakdown in (("play", "country"), ("play-total", "media-id"), ("view", "referrer")):
        assert analytics.get_metrics_breakdown(metric, breakdown)["data"] == []
    for metric in ("play-rate", "view", "ccv-peak"):
        assert analytics.get_metrics_over_time(metric, interval="day", unique=True)["data"] == []
