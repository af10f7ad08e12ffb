"""ffprobe's reports: what is said, and what a hostile file could make it say."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partway.errors import MediaError, MediaMalformed, MediaTooLarge, MediaUnsupported
from partway.media.facts import Facts
from partway.media.probing import complaint, facts_from_report

VIDEO = {
    "index": 0,
    "codec_type": "video",
    "codec_name": "vp9",
    "width": 1920,
    "height": 1080,
    "sample_aspect_ratio": "1:1",
    "avg_frame_rate": "30000/1001",
    "disposition": {"default": 1, "attached_pic": 0},
}
AUDIO = {
    "index": 1,
    "codec_type": "audio",
    "codec_name": "opus",
    "sample_rate": "48000",
    "channels": 2,
    "avg_frame_rate": "0/0",
    "disposition": {"default": 1, "attached_pic": 0},
}


def read(*streams: object, duration: object = "10.5", size: int | None = 1_000_000) -> Facts:
    report = {"programs": [], "streams": list(streams), "format": {"duration": duration}}
    return facts_from_report(json.dumps(report).encode(), "webm", size)


def test_everything() -> None:
    assert read(VIDEO, AUDIO) == Facts(
        container="webm",
        width=1920,
        height=1080,
        aspect_ratio="16/9",
        duration_seconds=10.5,
        framerate=29.97,
        bitrate_kbps=762,
        sample_rate=48000,
        video_codec="vp9",
        audio_codec="opus",
        audio_channels=2,
    )


def test_video_without_sound() -> None:
    facts = read(VIDEO)
    assert (facts.audio_codec, facts.sample_rate, facts.audio_channels) == (None, None, None)


def test_sound_without_video_is_unsupported_and_keeps_its_facts() -> None:
    with pytest.raises(MediaUnsupported, match="no video track") as caught:
        read(AUDIO)
    assert isinstance(caught.value.facts, Facts)
    assert caught.value.facts.audio_codec == "opus"


def test_a_cover_picture_is_no_video() -> None:
    cover = {**VIDEO, "codec_name": "mjpeg", "disposition": {"default": 1, "attached_pic": 1}}
    with pytest.raises(MediaUnsupported):
        read(cover, AUDIO)
    assert read(cover, VIDEO, AUDIO).video_codec == "vp9"


def test_the_default_streams_count() -> None:
    extra = {**VIDEO, "codec_name": "h264", "disposition": {"default": 0}}
    assert read(extra, VIDEO).video_codec == "vp9"
    assert read(extra, {**extra, "codec_name": "av1"}).video_codec == "h264"


@pytest.mark.parametrize(
    ("turn", "expected"),
    [
        ({"side_data_list": [{"rotation": -90}]}, (1080, 1920, "9/16")),
        ({"side_data_list": [{"rotation": 270}]}, (1080, 1920, "9/16")),
        ({"side_data_list": [{"rotation": 180}]}, (1920, 1080, "16/9")),
        ({"side_data_list": [{}, {"rotation": 90}]}, (1080, 1920, "9/16")),
        ({"tags": {"rotate": "90"}}, (1080, 1920, "9/16")),
        ({"tags": {"rotate": "sideways"}}, (1920, 1080, "16/9")),
    ],
)
def test_rotation(turn: dict[str, Any], expected: tuple[int, int, str]) -> None:
    facts = read({**VIDEO, **turn})
    assert (facts.width, facts.height, facts.aspect_ratio) == expected


def test_pixels_that_are_not_square() -> None:
    narrow = {**VIDEO, "width": 1440, "sample_aspect_ratio": "4:3"}
    assert read(narrow).aspect_ratio == "16/9"
    assert read({**narrow, "side_data_list": [{"rotation": 90}]}).aspect_ratio == "9/16"
    assert read({**VIDEO, "sample_aspect_ratio": "0:1"}).aspect_ratio == "16/9"


def test_the_length_of_a_track_where_the_file_has_none() -> None:
    tagged = {**VIDEO, "tags": {"DURATION": "01:00:02.500000000"}}
    assert read(tagged, duration="N/A").duration_seconds == 3602.5
    assert read({**VIDEO, "duration": "7.25"}, duration=None).duration_seconds == 7.25
    facts = read(VIDEO, duration=None)
    assert (facts.duration_seconds, facts.bitrate_kbps) == (None, None)


def test_the_rate_that_the_tracks_tell_counts_more() -> None:
    told = read({**VIDEO, "bit_rate": "500000"}, {**AUDIO, "bit_rate": "64000"})
    assert told.bitrate_kbps == 564
    assert read({**VIDEO, "bit_rate": "500000"}, AUDIO).bitrate_kbps == 762


def test_a_tick_rate_is_no_frame_rate() -> None:
    assert read({**VIDEO, "avg_frame_rate": "90000/1"}).framerate is None
    assert read({**VIDEO, "avg_frame_rate": "0/0"}).framerate is None


def test_large_pictures_count_together() -> None:
    half = {**VIDEO, "width": 4096, "height": 4320}
    assert read(half, half).width == 4096
    with pytest.raises(MediaTooLarge):
        read(half, half, half)


def test_an_absurd_length() -> None:
    with pytest.raises(MediaTooLarge, match="longer than 100 hours"):
        read(VIDEO, duration="1e9")


@pytest.mark.parametrize("report", [b"", b"{", b"[]", b"null", b'{"streams": 5}', b'{"streams": []}', b"\xff\xfe"])
def test_nothing_understood(report: bytes) -> None:
    with pytest.raises(MediaMalformed):
        facts_from_report(report, "avi", 5)


def test_messages_about_our_bounds() -> None:
    pixels = complaint("[h264] Picture size 15000x15000 exceeds specified max pixel count 35389440, see\n")
    streams = complaint("Number of streams exceeds max_streams parameter (128), see the documentation")
    assert isinstance(pixels, MediaTooLarge)
    assert isinstance(streams, MediaTooLarge)
    assert complaint("Invalid data found when processing input") is None


MORE = ("side_data_list", "tags", "duration", "bit_rate")
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["1:1", "1e999", "-1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)
streams = st.lists(
    st.fixed_dictionaries(
        {"codec_type": st.sampled_from(["video", "audio", "data"])},
        optional=dict.fromkeys({*VIDEO, *AUDIO, *MORE} - {"codec_type"}, anything),
    )
    | anything,
    max_size=4,
)


@pytest.mark.slow
@given(streams, anything, st.none() | st.integers(0, 1 << 50))
def test_whatever_it_says_is_facts_or_an_error_of_ours(streams: list[Any], whole: Any, size: int | None) -> None:
    report = json.dumps({"streams": streams, "format": whole}).encode()
    try:
        facts = facts_from_report(report, "avi", size)
    except MediaError:
        return
    for number in (facts.width, facts.height, facts.duration_seconds, facts.framerate, facts.bitrate_kbps):
        assert number is None or 0 < number < float("inf")
