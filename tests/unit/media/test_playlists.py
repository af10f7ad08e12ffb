"""Playlists say what is there, and take nothing back."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import m3u8
import pytest
from hypothesis import given
from hypothesis import strategies as st

from partway.media.index import Index, Kind, read_index
from partway.media.playlists import master_playlist, media_playlist
from partway.media.reading import read_from_bytes
from partway.testing.media import PLAYED
from partway.testing.sparse import FTYP, moov, sparse_tracks, trak


def text(index: Index, kind: Kind, count: int, *, ended: bool) -> str:
    return media_playlist(
        index, kind, init_uri="init.mp4", segment_uri=lambda number: f"{number}.m4s", count=count, ended=ended
    )


def synthetic(seconds: int) -> Index:
    front = FTYP + moov(*map(trak, sparse_tracks(seconds, 20 << 20, 0)))
    return read_from_bytes(read_index(21 << 20), front)


LONG = synthetic(600)


@given(st.data(), st.sampled_from(["video", "audio"]))
def test_every_earlier_answer_is_a_prefix_of_every_later_one(data: st.DataObject, kind: Kind) -> None:
    count = LONG.segment_count(kind)
    early = data.draw(st.integers(0, count))
    late = data.draw(st.integers(early, count))
    before = text(LONG, kind, early, ended=False)
    after = text(LONG, kind, late, ended=False)
    assert after.startswith(before)
    assert text(LONG, kind, late, ended=True) == after + "#EXT-X-ENDLIST\n"


@pytest.mark.parametrize("name", PLAYED)
def test_durations_add_up_without_drift(read: Callable[[str], Index], name: str) -> None:
    index = read(name)
    for kind in (kind for kind in ("video", "audio") if kind == "video" or index.audio):
        listed = text(index, kind, index.segment_count(kind), ended=True)
        lengths = [Decimal(line[8:-1]) for line in listed.splitlines() if line.startswith("#EXTINF:")]
        track = index.track(kind)
        assert abs(sum(lengths) - Decimal(int(track.times[-1])) / track.timescale) <= Decimal("0.000001")
        assert all(length > 0 for length in lengths)
        playlist: Any = m3u8.loads(listed)
        promised = 6 if index.is_fragmented else 1
        assert playlist.target_duration == max(promised, max(int(length + Decimal("0.5")) for length in lengths))


def test_a_media_playlist_is_one(read: Callable[[str], Index]) -> None:
    index = read("plain")
    playlist: Any = m3u8.loads(text(index, "video", 3, ended=True))
    assert playlist.version == 7
    assert playlist.playlist_type == "event"
    assert playlist.is_independent_segments
    assert playlist.is_endlist
    assert playlist.start.time_offset == 0
    assert [part.uri for part in playlist.segments] == ["0.m4s", "1.m4s", "2.m4s"]
    assert all(part.init_section.uri == "init.mp4" for part in playlist.segments)


def test_bare_mp3_has_no_map(read: Callable[[str], Index]) -> None:
    index = read("mp3")
    assert "EXT-X-MAP" not in text(index, "audio", 3, ended=True)
    assert "EXT-X-MAP" in text(index, "video", 3, ended=True)
    master: Any = m3u8.loads(master_playlist(index, video_uri="v.m3u8", audio_uri="a.m3u8"))
    assert master.playlists[0].stream_info.codecs == "avc1.4D400D", "hls.js drops what it is told is MP3"
    assert (index.media_type("audio"), index.suffix("audio")) == ("audio/mpeg", "mp3")
    assert (index.media_type("video"), index.suffix("video")) == ("video/mp4", "m4s")
    assert (read("plain").media_type("audio"), read("plain").suffix("audio")) == ("audio/mp4", "m4s")


def test_a_master_playlist_is_one(read: Callable[[str], Index]) -> None:
    master: Any = m3u8.loads(master_playlist(read("turned"), video_uri="v.m3u8?avh=1", audio_uri="a.m3u8?avh=1"))
    (variant,) = master.playlists
    assert variant.uri == "v.m3u8?avh=1"
    assert variant.stream_info.resolution == (180, 320)
    assert variant.stream_info.codecs == "avc1.4D400D,mp4a.40.2"
    assert variant.stream_info.frame_rate == 30
    assert variant.stream_info.bandwidth >= variant.stream_info.average_bandwidth > 100_000
    (sound,) = variant.media
    assert (sound.type, sound.uri, sound.channels) == ("AUDIO", "a.m3u8?avh=1", "1")
    assert master.is_independent_segments


def test_without_sound_there_is_no_rendition(read: Callable[[str], Index]) -> None:
    index = read("silent")
    master: Any = m3u8.loads(master_playlist(index, video_uri="v.m3u8", audio_uri="a.m3u8"))
    assert master.media == []
    assert master.playlists[0].stream_info.codecs == "avc1.4D400D"
    with pytest.raises(LookupError):
        text(index, "audio", 0, ended=False)


def test_a_count_beyond_the_index_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="segments of"):
        text(LONG, "video", LONG.segment_count("video") + 1, ended=False)


def test_the_peak_covers_every_segment(read: Callable[[str], Index]) -> None:
    for name in ("plain", "film", "vfr", "intra"):
        index = read(name)
        video = index.video
        for number in range(video.count):
            lasts = int(video.times[number + 1] - video.times[number]) / video.timescale
            held = int(video.run_lengths[video.run_cuts[number] : video.run_cuts[number + 1]].sum())
            if lasts >= 2.5:
                assert index.facts.peak_bandwidth >= held * 8 / lasts
