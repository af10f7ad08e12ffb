"""The Python package beyond uploading: what a video is given, what is made beside it, and what tells of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from apivideo.exceptions import ApiException, NotFoundException
from apivideo.model.live_stream_creation_payload import LiveStreamCreationPayload
from apivideo.model.player_theme_creation_payload import PlayerThemeCreationPayload
from apivideo.model.player_theme_update_payload import PlayerThemeUpdatePayload
from apivideo.model.summary_creation_payload import SummaryCreationPayload
from apivideo.model.summary_update_payload import SummaryUpdatePayload
from apivideo.model.video_clip import VideoClip
from apivideo.model.video_creation_payload import VideoCreationPayload
from apivideo.model.video_update_payload import VideoUpdatePayload
from apivideo.model.video_watermark import VideoWatermark
from apivideo.model.webhooks_creation_payload import WebhooksCreationPayload
from tests.protocol.sdks.python_sdk import Sdk, logged_in
from tests.protocol.wire import Wire

from partway.testing.waiting import wait_until

pytestmark = pytest.mark.sdk


@pytest.fixture
def sdk(friendly_wire: Wire) -> Iterator[Sdk]:
    with logged_in(friendly_wire) as sdk:
        yield sdk


@pytest.fixture
def video_id(sdk: Sdk) -> str:
    return str(sdk.videos.create({"title": "to be described"})["video_id"])


def ids(listed: Any, name: str) -> list[str]:
    """The ids in a list's answer, which has its pagination too."""
    assert listed["pagination"]["current_page"] == 1
    assert {"self", "first", "last"} <= {link["rel"] for link in listed["pagination"]["links"]}
    return [one[name] for one in listed["data"]]


def assert_problem(refused: pytest.ExceptionInfo[ApiException], status: int, slug: str) -> None:
    assert refused.value.status == status
    assert json.loads(refused.value.body)["type"].endswith(f"/{slug}")


def test_every_field_of_a_video(sdk: Sdk) -> None:
    wanted = VideoCreationPayload(
        title="all of it",
        description="a description",
        public=True,
        panoramic=True,
        mp4_support=False,
        tags=["one two", "three"],
        language="de",
        clip=VideoClip(start_timecode="00:00:01", end_timecode="00:00:05"),
        transcript=False,
        transcript_summary=False,
    )
    video = sdk.videos.create(wanted)
    assert (video["description"], video["panoramic"], video["mp4_support"]) == ("a description", True, False)
    assert (video["tags"], video["language"], video["language_origin"]) == (["one two", "three"], "de", "api")
    assert not hasattr(video["assets"], "mp4")
    assert video["source"]["uri"] == f"/videos/{video['video_id']}/source"
    changed = sdk.videos.update(video["video_id"], VideoUpdatePayload(mp4_support=True, panoramic=False))
    assert (changed["mp4_support"], changed["panoramic"], changed["description"]) == (True, False, "a description")
    assert changed["assets"]["mp4"].endswith("/mp4/source.mp4")


def test_thumbnails_of_an_empty_container(friendly_wire: Wire, sdk: Sdk, video_id: str, jpeg: Path) -> None:
    with jpeg.open("rb") as file:
        video = sdk.videos.upload_thumbnail(video_id, file)
    assert video["video_id"] == video_id
    assert video["assets"]["thumbnail"].endswith("thumbnail.jpg")
    shown = friendly_wire.get(f"/vod/{video_id}/thumbnail.jpg", key=None)
    assert (shown.status, shown.headers["content-type"], shown.body[:2]) == (200, "image/jpeg", b"\xff\xd8")
    picked = sdk.videos.pick_thumbnail(video_id, {"timecode": "00:15:22.05"})
    assert picked["assets"]["thumbnail"].endswith("thumbnail.jpg")


def test_trash(sdk: Sdk) -> None:
    video_id = sdk.videos.create({"title": "thrown away", "tags": ["trash"]})["video_id"]
    sdk.videos.delete(video_id)
    with pytest.raises(NotFoundException):
        sdk.videos.get(video_id)
    listed = sdk.videos.list_discarded(title="thrown", tags=["trash"], sort_by="createdAt", sort_order="desc")
    assert ids(listed, "video_id") == [video_id]
    discarded = sdk.videos.get_discarded(video_id)
    assert (discarded["title"], discarded["discarded"]) == ("thrown away", True)
    assert discarded["deletes_at"] > discarded["discarded_at"]
    assert not sdk.videos.update_discarded(video_id, {"discarded": False})["discarded"]
    assert sdk.videos.get(video_id)["title"] == "thrown away"
    with pytest.raises(NotFoundException) as missing:
        sdk.videos.get_discarded(video_id)
    assert_problem(missing, 404, "resource-not-found")


def is_playable(sdk: Sdk, video_id: str) -> bool:
    return bool(sdk.videos.get_status(video_id)["encoding"]["playable"])


def test_a_source_from_an_address_and_its_clone(friendly_wire: Wire, sdk: Sdk, address: str, small: Path) -> None:
    fetched = sdk.videos.create({"title": "fetched", "source": address})["video_id"]
    wait_until(lambda: is_playable(sdk, fetched), "the film was fetched", seconds=60)
    assert sdk.videos.get_status(fetched)["ingest"]["status"] == "ingested"
    assert friendly_wire.source(fetched) == small.read_bytes()
    cloned = sdk.videos.create({"title": "cloned", "source": fetched})["video_id"]
    wait_until(lambda: is_playable(sdk, cloned), "the film was cloned", seconds=60)
    assert friendly_wire.source(cloned) == small.read_bytes()
    for video_id, slug in ((fetched, "video-source-already-downloaded"), (cloned, "video-source-already-copied")):
        with small.open("rb") as file, pytest.raises(ApiException) as refused:
            sdk.videos.upload(video_id, file)
        assert_problem(refused, 400, slug)


def test_captions(friendly_wire: Wire, sdk: Sdk, video_id: str, vtt: Path) -> None:
    with vtt.open("rb") as file:
        made = sdk.captions.upload(video_id, "en", file)
    assert (made["uri"], made["srclang"]) == (f"/videos/{video_id}/captions/en", "en")
    assert (made["language_name"], made["default"]) == ("English", False)
    shown = friendly_wire.get(made["src"].removeprefix(friendly_wire.server.url), key=None)
    assert (shown.status, shown.body) == (200, vtt.read_bytes())
    assert sdk.captions.get(video_id, "en")["src"] == made["src"]
    assert sdk.captions.update(video_id, "en", {"default": True})["default"]
    assert ids(sdk.captions.list(video_id, current_page=1, page_size=10), "srclang") == ["en"]
    sdk.captions.delete(video_id, "en")
    with pytest.raises(NotFoundException):
        sdk.captions.get(video_id, "en")


def test_chapters(friendly_wire: Wire, sdk: Sdk, video_id: str, vtt: Path) -> None:
    with vtt.open("rb") as file:
        made = sdk.chapters.upload(video_id, "fr", file)
    assert (made["uri"], made["language"]) == (f"/videos/{video_id}/chapters/fr", "fr")
    shown = friendly_wire.get(made["src"].removeprefix(friendly_wire.server.url), key=None)
    assert (shown.status, shown.body) == (200, vtt.read_bytes())
    assert sdk.chapters.get(video_id, "fr")["src"] == made["src"]
    assert ids(sdk.chapters.list(video_id), "language") == ["fr"]
    sdk.chapters.delete(video_id, "fr")
    with pytest.raises(NotFoundException):
        sdk.chapters.get(video_id, "fr")


def test_watermarks(sdk: Sdk, png: Path) -> None:
    with png.open("rb") as file:
        made = sdk.watermarks.upload(file)["watermark_id"]
    assert made.startswith("watermark_")
    assert made in ids(sdk.watermarks.list(sort_by="createdAt", sort_order="desc"), "watermark_id")
    mark = VideoWatermark(id=made, top="10px", right="5%", width="initial", opacity="80%")
    assert sdk.videos.create(VideoCreationPayload(title="marked", watermark=mark))["title"] == "marked"
    sdk.watermarks.delete(made)
    assert made not in ids(sdk.watermarks.list(), "watermark_id")
    with pytest.raises(NotFoundException):
        sdk.watermarks.delete(made)


def test_tags(sdk: Sdk) -> None:
    for tags in (["Été 2026", "rare"], ["Été 2026"]):
        sdk.videos.create({"title": "tagged", "tags": tags})
    found = sdk.tags.list(value="ete", sort_by="videoCount", sort_order="desc", current_page=1, page_size=10)
    assert [(one["value"], one["video_count"]) for one in found["data"]] == [("Été 2026", 2)]


def test_player_themes(friendly_wire: Wire, sdk: Sdk, png: Path) -> None:
    made = sdk.player_themes.create(PlayerThemeCreationPayload(name="ours", link="rgba(1, 2, 3, 1)", hide_title=True))
    player_id = made["player_id"]
    assert player_id.startswith("pl")
    assert (made["link"], made["hide_title"], made["enable_controls"]) == ("rgba(1, 2, 3, 1)", True, True)
    changed = sdk.player_themes.update(player_id, PlayerThemeUpdatePayload(name="mine", enable_controls=False))
    assert (changed["name"], changed["enable_controls"], changed["link"]) == ("mine", False, "rgba(1, 2, 3, 1)")
    assert sdk.player_themes.get(player_id)["name"] == "mine"
    assert player_id in ids(sdk.player_themes.list(sort_by="name", sort_order="asc", page_size=100), "player_id")
    with png.open("rb") as file:
        themed = sdk.player_themes.upload_logo(player_id, file, link="https://example.com/")
    assert themed["assets"]["link"] == "https://example.com/"
    logo = friendly_wire.get(themed["assets"]["logo"].removeprefix(friendly_wire.server.url), key=None)
    assert (logo.status, logo.body) == (200, png.read_bytes())
    sdk.player_themes.delete_logo(player_id)
    video = sdk.videos.create(VideoCreationPayload(title="themed", player_id=player_id))
    assert video["player_id"] == player_id
    assert sdk.videos.update(video["video_id"], VideoUpdatePayload(player_id=None))["title"] == "themed"
    sdk.player_themes.delete(player_id)
    with pytest.raises(NotFoundException):
        sdk.player_themes.get(player_id)


def test_summaries(sdk: Sdk, video_id: str) -> None:
    made = sdk.summaries.create(SummaryCreationPayload(video_id=video_id))
    summary_id = made["summary_id"]
    assert summary_id.startswith("summary_")
    assert (made["video_id"], made["source_status"]) == (video_id, "missing")
    with pytest.raises(ApiException) as refused:
        sdk.summaries.create(SummaryCreationPayload(video_id=video_id))
    assert_problem(refused, 409, "summary-already-exists")
    text = {"abstract": "what it says", "takeaways": ["one", "two", "three"]}
    assert sdk.summaries.update(summary_id, SummaryUpdatePayload(**text)).to_dict() == text
    assert sdk.summaries.get_summary_source(summary_id).to_dict() == text
    assert ids(sdk.summaries.list(video_id=video_id, source_status="completed"), "summary_id") == [summary_id]
    sdk.summaries.delete(summary_id)
    with pytest.raises(NotFoundException):
        sdk.summaries.get_summary_source(summary_id)


def test_automatic_summaries_need_a_model_that_is_not_here(sdk: Sdk, video_id: str) -> None:
    made = sdk.summaries.create(SummaryCreationPayload(video_id=video_id, origin="auto", attributes=["abstract"]))
    assert (made["origin"], made["source_status"]) == ("auto", "unprocessable")


def test_webhooks(sdk: Sdk) -> None:
    event = "video.encoding.quality.completed"
    made = sdk.webhooks.create(WebhooksCreationPayload(events=[event], url="https://example.com/hook"))
    webhook_id = made["webhook_id"]
    assert webhook_id.startswith("webhook_")
    assert made["signature_secret"].startswith("sig_sec_")
    assert sdk.webhooks.get(webhook_id).to_dict() == made.to_dict()
    assert webhook_id in ids(sdk.webhooks.list(events=event, current_page=1, page_size=100), "webhook_id")
    assert webhook_id not in ids(sdk.webhooks.list(events="live-stream.broadcast.started"), "webhook_id")
    sdk.webhooks.delete(webhook_id)
    with pytest.raises(NotFoundException):
        sdk.webhooks.get(webhook_id)


def test_analytics_are_there_and_empty(sdk: Sdk) -> None:
    total = sdk.analytics.get_aggregated_metrics("play", "count")
    assert (total["context"]["metric"], total["context"]["aggregation"], total["data"]) == ("play", "count", 0)
    by_country = sdk.analytics.get_metrics_breakdown("play", "country", sort_by="metricValue", sort_order="desc")
    assert (by_country["context"]["breakdown"], by_country["data"]) == ("country", [])
    by_hour = sdk.analytics.get_metrics_over_time("play", interval="hour", current_page=1, page_size=10)
    assert (by_hour["context"]["interval"], by_hour["data"]) == ("hour", [])
    assert by_hour["pagination"]["items_total"] == 0


def test_live_streams_are_refused_cleanly(sdk: Sdk, jpeg: Path) -> None:
    """There are none: lists are empty, what names one is a 404, and to make one is a refusal that says why."""
    assert ids(sdk.live_streams.list(stream_key="x", name="x", sort_by="createdAt"), "live_stream_id") == []
    with pytest.raises(ApiException) as refused:
        sdk.live_streams.create(LiveStreamCreationPayload(name="live"))
    assert 400 <= refused.value.status < 500
    assert json.loads(refused.value.body)["title"]
    with jpeg.open("rb") as file:
        for call in (
            lambda: sdk.live_streams.get("li0"),
            lambda: sdk.live_streams.update("li0", {"name": "x"}),
            lambda: sdk.live_streams.delete("li0"),
            lambda: sdk.live_streams.complete("li0"),
            lambda: sdk.live_streams.upload_thumbnail("li0", file),
            lambda: sdk.live_streams.delete_thumbnail("li0"),
        ):
            with pytest.raises(NotFoundException) as missing:
                call()
            assert_problem(missing, 404, "resource-not-found")
