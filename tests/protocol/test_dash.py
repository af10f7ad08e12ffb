"""The DASH manifest lists the very segments that the HLS playlists list."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from tests.protocol.wire import Wire

from partway.testing.media import ffmpeg, probe, run, sample

MPD = "{urn:mpeg:dash:schema:mpd:2011}"


@pytest.mark.parametrize("name", ["plain", "silent", "turned", "fragmented", "late-audio", "very-late-audio"])
def test_every_listed_segment_is_there_and_lasts_as_long_as_it_says(
    wire: Wire, media_dir: Path, tmp_path: Path, name: str
) -> None:
    path = sample(media_dir, name)
    video_id = wire.create(name)
    manifest = f"/vod/{video_id}/dash/manifest.mpd"
    assert (wire.get(manifest, key=None).status, wire.get(manifest, key=None).body) == (202, b"")
    wire.send(video_id, None, path.read_bytes())
    answer = wire.get(manifest, key=None)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/dash+xml"
    mpd = ET.fromstring(answer.body)
    assert mpd.get("type") == "static"
    sets = mpd.findall(f".//{MPD}AdaptationSet")
    assert [one.get("contentType") for one in sets] == ["video"] + (["audio"] if name != "silent" else [])
    for one in sets:
        template = one.find(f"{MPD}SegmentTemplate")
        shown = one.find(f"{MPD}Representation")
        assert template is not None
        assert shown is not None
        scale = int(template.attrib["timescale"])

        def fetch(address: str, video_id: str = video_id) -> bytes:
            found = wire.get(f"/vod/{video_id}/dash/{address}".replace("/dash/../", "/"), key=None)
            assert found.status == 200
            return found.body

        whole, number, at = fetch(template.attrib["initialization"]), 0, 0
        for line in template.iter(f"{MPD}S"):
            assert int(line.get("t", at)) == at
            for _ in range(1 + int(line.get("r", 0))):
                whole += fetch(template.attrib["media"].replace("$Number$", str(number)))
                number, at = number + 1, at + int(line.attrib["d"])
        kind = one.attrib["contentType"]
        played = tmp_path / f"{kind}.mp4"
        played.write_bytes(whole)
        run(ffmpeg(), "-i", played, "-f", "null", "-")
        listed = wire.get(f"/vod/{video_id}/hls/manifest.m3u8", key=None).body.decode()
        folder = next(word for word in listed.replace('"', "\n").splitlines() if word.endswith(f"{kind}.m3u8"))
        assert wire.get(f"/vod/{video_id}/hls/{folder}", key=None).body.decode().count("#EXTINF") == number
        stream = probe(played, "-show_streams")["streams"][0]
        assert at / scale == pytest.approx(float(stream["duration"]), abs=0.11)
        if kind == "video":
            assert shown.attrib["codecs"].startswith("avc1.")
            sides = int(shown.attrib["width"]), int(shown.attrib["height"])
            assert sides == ((180, 320) if name == "turned" else (320, 180))


def test_bare_mp3_is_for_hls_alone(wire: Wire, media_dir: Path) -> None:
    video_id = wire.create()
    wire.send(video_id, None, sample(media_dir, "mp3").read_bytes())
    assert wire.get(f"/vod/{video_id}/hls/manifest.m3u8", key=None).status == 200
    assert wire.get(f"/vod/{video_id}/dash/manifest.mpd", key=None).status == 404
