"""What passes through is served whole, unchanged and in time: every sample, packet by packet, against its source."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from partway.media.segments import needed, segment
from partway.media.silence import silent_frame
from partway.media.sound import Sound
from partway.testing.media import PLAYED, ffmpeg, ffprobe, probe, run

Play = Callable[[str], Any]

NAMES = [name for name in PLAYED if name != "minute"]
"""The minute is as "plain", for tests of other things."""
WITH_SOUND = [name for name in NAMES if "silent" not in name]
WITHOUT_EDIT = ("no-edit-list", "fragmented", "fragmented-finely", "fragmented-mov")


@pytest.mark.parametrize("name", NAMES)
def test_decodes_without_a_message(play: Play, name: str) -> None:
    played = play(name)
    # Bare MP3 is meant to be fetched segment by segment.
    files = [
        played.folder / "audio.m3u8" if played.index.is_packed(kind) else played.file(kind) for kind in played.kinds
    ]
    inputs = [word for path in files for word in ("-i", path)]
    run(ffmpeg(), *inputs, *[word for n in range(len(files)) for word in ("-map", str(n))], "-f", "null", "-")


@pytest.mark.parametrize("name", ["plain", "silent", "mov", "mp3"])
def test_plays_from_the_master_playlist(play: Play, name: str) -> None:
    run(ffmpeg(), "-i", play(name).folder / "master.m3u8", "-f", "null", "-")


@pytest.mark.parametrize("name", NAMES)
def test_init_segments_are_clean(play: Play, name: str) -> None:
    played = play(name)
    for kind in played.kinds:
        if played.index.is_packed(kind):
            assert not (played.folder / "audio-init.mp4").exists()
            continue
        init = played.folder / f"{kind}-init.mp4"
        shown = run(ffprobe(), "-show_streams", init)
        assert f"codec_name={'h264' if kind == 'video' else 'aac'}" in shown
        assert b"elst" not in init.read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_every_presented_packet_is_the_sources(play: Play, name: str) -> None:
    played = play(name)
    for kind in played.kinds:
        expected = [packet["data_hash"] for packet in played.source_packets(kind)]
        if played.index.is_packed(kind):
            # The first frame begins before the edit does, and a bare frame can't be shortened.
            assert played.source_packets(kind)[0]["pts"] < 0
            expected = expected[1:]
        assert played.hashes(kind) == expected


@pytest.mark.parametrize("name", NAMES)
def test_every_frame_is_shown_when_the_source_shows_it(play: Play, name: str) -> None:
    played = play(name)
    ours, source = played.all_samples("video"), played.source_packets("video")
    theirs = [packet["pts"] for packet in source]
    if name in WITHOUT_EDIT:
        # Nothing in the file covers the composition delay, so its first frame would come late: it is shown from 0.
        assert theirs[0] > 0
        theirs[0] = 0
    assert [one.pts for one in ours] == theirs
    assert [one.size for one in ours] == [int(packet["size"]) for packet in source]
    assert name == "late-video" or min(theirs) == 0
    assert all(one.is_sync for one in ours) == (name == "intra")
    assert [one.is_sync for one in ours] == ["K" in packet["flags"] for packet in source]


@pytest.mark.parametrize("name", WITH_SOUND)
def test_every_sound_is_heard_when_the_source_plays_it(play: Play, name: str) -> None:
    played = play(name)
    if played.index.is_packed("audio"):
        expected = iter(played.source_packets("audio")[1:])
        for number in range(played.index.segment_count("audio")):
            tag = segment(played.index, "audio", number).head
            assert tag.startswith(b"ID3")
            left = len(played.segment_bytes("audio", number)) - len(tag)
            ticks = int.from_bytes(tag[-8:])
            packet = next(expected)
            assert ticks == pytest.approx(packet["pts"] * 90_000 / played.index.audio.timescale, abs=1)
            left -= int(packet["size"])
            while left > 0:
                left -= int(next(expected)["size"])
            assert left == 0
        assert next(expected, None) is None
        return
    ours, source = played.all_samples("audio"), played.source_packets("audio")
    cut = max(0, -source[0]["pts"])
    assert [one.pts for one in ours] == [source[0]["pts"] + cut] + [packet["pts"] for packet in source[1:]]
    assert ours[0].duration == source[0]["duration"] - cut
    # Of the last one, versions of ffprobe think differently.
    assert [one.duration for one in ours[1:-1]] == [packet["duration"] for packet in source[1:-1]]
    assert (cut > 0) == (name == "primed")


@pytest.mark.parametrize("name", ["plain", "turned", "main", "vfr", "film"])
def test_pictures_are_the_sources(play: Play, name: str) -> None:
    def pictures(path: Any) -> list[str]:
        output = run(ffmpeg(), "-i", path, "-map", "0:v:0", "-fps_mode", "passthrough", "-f", "framemd5", "-")
        return [line.rsplit(",", 1)[1] for line in output.splitlines() if not line.startswith("#")]

    played = play(name)
    assert pictures(played.file("video")) == pictures(played.source)


@pytest.mark.parametrize("name", NAMES)
def test_every_segment_stands_alone(play: Play, name: str) -> None:
    """It begins with a keyframe, and shows nothing that belongs to another segment."""
    played = play(name)
    video = played.index.video
    for number in range(video.count):
        samples = played.samples("video", number)
        low, high = int(video.times[number]), int(video.times[number + 1])
        assert samples[0].is_sync
        assert samples[0].pts == min(one.pts for one in samples)
        assert all(low <= one.pts < high for one in samples)


@pytest.mark.parametrize("name", ["plain", "main", "film", "vfr", "cropped"])
def test_every_segment_decodes_alone(play: Play, name: str, tmp_path: Path) -> None:
    """As after a seek, and without ffmpeg's leniency."""
    played = play(name)
    for number in range(played.index.video.count):
        alone = tmp_path / f"{number}.mp4"
        alone.write_bytes(
            (played.folder / "video-init.mp4").read_bytes() + (played.folder / f"video-{number}.m4s").read_bytes()
        )
        run(ffmpeg(), "-xerror", "-i", alone, "-f", "null", "-")


def test_rotation_reaches_the_player(play: Play) -> None:
    played = play("turned")
    stream = probe(played.file("video"), "-show_streams")["streams"][0]
    assert [side["rotation"] for side in stream["side_data_list"] if "rotation" in side] == [-90]
    assert (played.index.facts.width, played.index.facts.height) == (180, 320)


@pytest.mark.parametrize("name", NAMES)
def test_segments_need_what_they_say_and_nothing_else(play: Play, name: str) -> None:
    played = play(name)
    for kind in played.kinds:
        used = []
        for number in range(played.index.segment_count(kind)):
            ranges = segment(played.index, kind, number).ranges
            low, high = needed(played.index, kind, number)
            assert low == min((run.offset for run in ranges), default=0)
            assert high == max((run.offset + run.length for run in ranges), default=0)
            for before, after in pairwise(ranges):
                assert before.offset + before.length != after.offset, "neighbours are one range"
            used += ranges
        used.sort()
        for before, after in pairwise(used):
            assert before.offset + before.length <= after.offset, "no byte is served twice"


@pytest.mark.parametrize(
    ("name", "video", "audio"), [("short-audio", 3, 2), ("long-audio", 3, 3), ("late-audio", 3, 3), ("gap", 3, 2)]
)
def test_sound_may_be_shorter_or_longer(play: Play, name: str, video: int, audio: int) -> None:
    index = play(name).index
    assert (index.segment_count("video"), index.segment_count("audio")) == (video, audio)
    for number in range(audio):
        assert segment(index, "audio", number).ranges, "an empty segment is never listed"


@pytest.mark.parametrize(("name", "silent"), [("very-late-audio", [0]), ("very-short-audio", [2, 3, 4])])
def test_silence_takes_the_place_of_sound_that_players_would_wait_for(play: Play, name: str, silent: list[int]) -> None:
    played = play(name)
    index = played.index
    count = index.segment_count("audio")
    assert [number for number in range(count) if not played.is_real("audio", number)] == silent
    for number in silent:
        assert needed(index, "audio", number) == (0, 0)
        assert segment(index, "audio", number).size < 3000
    at = 0
    for number in range(count):
        for one in played.samples("audio", number):
            assert (one.pts, one.is_sync) == (at, True)
            at += one.duration
    assert at / index.audio.timescale == pytest.approx(index.video.end_seconds, abs=0.03)
    heard = subprocess.run(
        [ffmpeg(), "-i", played.file("audio"), "-af", "silencedetect=n=-90dB:d=1", "-f", "null", "-"],
        check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL,
    ).stderr  # fmt: skip
    start, end = (float(re.findall(rf"silence_{edge}: ([\d.]+)", heard)[0]) for edge in ("start", "end"))
    assert (start, end) == pytest.approx((0, 4) if name == "very-late-audio" else (4, 16), abs=0.05)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 6, 8])
def test_silence_is_silent_in_every_layout(tmp_path: Path, channels: int) -> None:
    """As an ADTS stream, which says nothing but the layout."""
    frame = silent_frame(Sound("aac", channels, 48000))
    layout = 7 if channels == 8 else channels
    header = 0xFFF << 44 | 1 << 40 | 1 << 38 | 3 << 34 | layout << 30 | (len(frame) + 7) << 13 | 0x7FF << 2
    path = tmp_path / "silence.aac"
    path.write_bytes((header.to_bytes(7) + frame) * 50)
    shown = probe(path, "-show_streams")["streams"][0]
    assert shown["channels"] == channels
    samples = subprocess.run(
        [ffmpeg(), "-v", "error", "-i", path, "-f", "s16le", "-"],
        check=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
    )
    assert not samples.stderr
    assert samples.stdout == bytes(50 * 1024 * channels * 2)


def test_facts_are_those_of_ffprobe(play: Play) -> None:
    for name in WITH_SOUND:
        played = play(name)
        facts = played.index.facts
        shown = probe(played.source, "-show_streams", "-show_format")
        video, audio = shown["streams"][0], next(s for s in shown["streams"] if s["codec_type"] == "audio")
        size = (video["width"], video["height"])
        assert (facts.width, facts.height) == (size[::-1] if name == "turned" else size)
        assert (facts.video_codec, facts.audio_codec) == (video["codec_name"], audio["codec_name"])
        assert facts.sample_rate == int(audio["sample_rate"])
        # Only the frames of MP3 themselves know; the container often says two.
        assert facts.audio_channels == audio["channels"] or facts.audio_codec == "mp3"
        assert facts.duration_seconds == pytest.approx(float(shown["format"]["duration"]), abs=0.06)
        if name != "turned":
            assert facts.aspect_ratio == video["display_aspect_ratio"].replace(":", "/")
        numerator, denominator = map(int, video["avg_frame_rate"].split("/"))
        assert facts.framerate == pytest.approx(numerator / denominator, rel=0.02)
        whole = played.source.stat().st_size * 8 / facts.duration_seconds
        assert facts.average_bandwidth == pytest.approx(whole, rel=0.05)
        assert facts.peak_bandwidth >= facts.average_bandwidth
        assert facts.container == ("mov" if played.source.suffix == ".mov" else "mp4")
