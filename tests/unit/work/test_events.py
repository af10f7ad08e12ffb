"""Which facts are told: each once, in the transaction that makes it true."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.work.conftest import Place

from partway.dialects.apivideo import parse
from partway.errors import MediaUnsupported
from partway.media.facts import Facts
from partway.services.events import EVENTS, Event
from partway.services.examination import Examination
from partway.services.probing import Probing
from partway.services.sweeping import Sweeping
from partway.testing.forms import SentFile, SentForm
from partway.testing.media import sample

pytestmark = pytest.mark.anyio


@pytest.fixture
async def hook_id(place: Place) -> str:
    """Somebody who wants to hear of everything."""
    return (await place.house.webhooks.create("https://hooks.example", EVENTS, asked_by="test")).webhook_id


async def told(place: Place, hook_id: str) -> list[dict[str, object]]:
    found = await place.house.webhooks.deliveries(hook_id, page=1, page_size=100)
    bodies = [json.loads(line.body) for line in reversed(found.items)]
    for body in bodies:
        assert body.pop("emittedAt").endswith("+00:00")
    return bodies


async def send(place: Place, video_id: str, header: str | None, content: bytes) -> None:
    await place.house.uploads.accept_part(video_id, parse(header), SentForm(SentFile(content, "film.mp4")))


def unknown(_: Examination) -> Facts:
    raise MediaUnsupported("Nobody knows this kind of file.")


async def probe(place: Place, video_id: str) -> None:
    async def prober(found: Examination) -> Facts:
        return unknown(found)

    await Probing(place.database, place.house.examinations).probe(video_id, prober)


async def test_an_upload_completes_once(place: Place, hook_id: str) -> None:
    video_id = await place.empty()
    await send(place, video_id, "part 1/*", b"x" * 5 * 2**20)
    assert await told(place, hook_id) == []
    await send(place, video_id, "part 2/2", b"y" * 10)
    await send(place, video_id, "part 2/2", b"y" * 10)
    completed = {"type": "partway.upload.completed", "videoId": video_id, "filesize": 5 * 2**20 + 10}
    assert await told(place, hook_id) == [completed]


async def test_finishing_completes_as_well(place: Place, hook_id: str) -> None:
    by_hand, by_clock = await place.empty(), await place.empty()
    for video_id in (by_hand, by_clock):
        await send(place, video_id, "part 1/*", b"x" * 5 * 2**20)
    await place.house.uploads.finish(by_hand)
    await place.house.uploads.finish(by_hand)
    await place.age(by_clock, 1)
    await place.house.uploads.finish_idle(60)
    assert [body["videoId"] for body in await told(place, hook_id)] == [by_hand, by_clock]


async def test_expiry(place: Place, hook_id: str) -> None:
    video_id = await place.empty()
    await place.age(video_id, 8)
    sweeping = Sweeping(place.database, place.blobs, request_deadline=3600, expire_after=7 * 86400)
    assert await sweeping.expire_uploads() == [video_id]
    assert await told(place, hook_id) == [{"type": "partway.upload.expired", "videoId": video_id}]


async def test_a_playable_video_and_its_qualities(place: Place, hook_id: str, media_dir: Path) -> None:
    video_id = await place.complete(sample(media_dir, "main").read_bytes(), "source")
    for _ in range(2):
        await probe(place, video_id)
    status = await place.house.playback.status(video_id)
    assert all(quality.status == "encoded" for quality in status.qualities)
    assert await told(place, hook_id) == [
        {"type": "partway.video.playable", "videoId": video_id},
        *(
            {
                "type": "video.encoding.quality.completed",
                "videoId": video_id,
                "encoding": quality.kind,
                "quality": quality.label,
            }
            for quality in status.qualities
        ),
    ]
    assert {quality.kind for quality in status.qualities} == {"hls", "mp4"}


async def test_a_failed_video(place: Place, hook_id: str) -> None:
    video_id = await place.complete(b"x" * 100, "source")
    await probe(place, video_id)
    reason = (await place.house.playback.status(video_id)).reason
    assert await told(place, hook_id) == [{"type": "partway.video.failed", "videoId": video_id, "reason": reason}]


def test_a_body_is_ascii_whatever_it_says() -> None:
    body = Event("partway.video.failed", "viX", {"reason": "größer \u2028"}).body(1_700_000_000_123_456)
    assert body.isascii()
    assert json.loads(body)["emittedAt"] == "2023-11-14T22:13:20.123+00:00"
