"""What is copied and what is encoded, and that nothing in the arguments depends on the day."""

from __future__ import annotations

import json
from typing import Any

import pytest

from partway.errors import MediaMalformed, MediaUnsupported
from partway.media.deriving import Plan, derive, plan_from_report, read_plan, streams, write_plan

H264: dict[str, Any] = {
    "codec_type": "video",
    "codec_name": "h264",
    "profile": "High",
    "level": 40,
    "pix_fmt": "yuv420p",
    "field_order": "progressive",
    "width": 1920,
    "height": 1080,
}
AAC: dict[str, Any] = {
    "codec_type": "audio",
    "codec_name": "aac",
    "profile": "LC",
    "sample_rate": "44100",
    "channels": 2,
}


def planned(*given: dict[str, Any], container: str = "matroska") -> Plan:
    return plan_from_report(json.dumps({"streams": given}).encode(), container)


def test_what_plays_is_copied() -> None:
    plan = planned(H264, AAC)
    assert plan.copies_video
    assert plan.copies_audio
    words = derive("/ffmpeg", "mpegts", plan)
    assert words[words.index("-c:v") + 1] == "copy"
    assert "aac_adtstoasc" in words
    assert "aac_adtstoasc" not in derive("/ffmpeg", "matroska", plan)


@pytest.mark.parametrize(
    "other",
    [
        {"codec_name": "vp8"},
        {"codec_name": "hevc"},
        {"pix_fmt": "yuv420p10le"},
        {"profile": "High 4:2:2"},
        {"level": 60},
        {"level": None},
        {"field_order": "tt"},
    ],
)
def test_what_does_not_play_is_encoded(other: dict[str, Any]) -> None:
    plan = planned(H264 | other, AAC)
    assert not plan.copies_video
    assert plan.copies_audio
    assert (plan.width, plan.height) == (640, 360)
    words = derive("/ffmpeg", "matroska", plan)
    # One thread: its output does not depend on the machine's mood.
    assert words[words.index("libx264") :].count("-threads") == 1
    assert ("yadif" in " ".join(words)) == (other == {"field_order": "tt"})


@pytest.mark.parametrize("codec", ["opus", "vorbis", "ac3", "pcm_s16le", "mp3"])
def test_odd_sound_is_encoded_beside_a_copied_picture(codec: str) -> None:
    plan = planned(H264, AAC | {"codec_name": codec, "profile": None, "sample_rate": "96000", "channels": 6})
    assert plan.copies_video
    assert not plan.copies_audio
    assert (plan.channels, plan.sample_rate) == (2, 48000)


def test_an_mp4_with_a_picture_that_plays_has_an_odd_index() -> None:
    assert not planned(H264, AAC, container="mp4").copies_video
    assert not planned(H264, container="mov").copies_video
    assert planned(H264, AAC | {"codec_name": "ac3"}, container="mp4").copies_video


@pytest.mark.parametrize(
    ("width", "height", "pixel", "rotation", "expected"),
    [
        (1920, 1080, "1:1", 0, (640, 360)),
        (1920, 1080, "1:1", -90, (360, 640)),
        (321, 181, "1:1", 0, (320, 180)),
        (720, 576, "64:45", 0, (640, 360)),
        (2, 1000, "1:1", 0, (62, 1000)),
    ],
)
def test_the_shape_is_kept(width: int, height: int, pixel: str, rotation: int, expected: tuple[int, int]) -> None:
    turned = {"side_data_list": [{"rotation": rotation}]} if rotation else {}
    plan = planned(H264 | {"width": width, "height": height, "sample_aspect_ratio": pixel} | turned)
    assert abs(plan.width - expected[0]) <= 2
    assert abs(plan.height - expected[1]) <= 2
    assert plan.width % 2 == plan.height % 2 == 0


def test_covers_and_sounds_are_no_videos() -> None:
    with pytest.raises(MediaUnsupported):
        planned(H264 | {"disposition": {"attached_pic": 1}}, AAC)
    with pytest.raises(MediaMalformed):
        plan_from_report(b"nonsense", "webm")


def test_a_plan_is_kept() -> None:
    plan = planned(H264, AAC)
    assert read_plan(write_plan(plan)) == plan


def test_nothing_is_guessed_or_opened() -> None:
    for words in (streams("/ffprobe", "webm"), derive("/ffmpeg", "webm", planned(H264, AAC))):
        assert words[words.index("-protocol_whitelist") + 1] == "pipe"
        assert words[words.index("-format_whitelist") + 1] == "matroska"
        assert words[words.index("-i") + 1] == "pipe:0"
