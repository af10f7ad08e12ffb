"""A video is watched while it arrives: playlists grow at their end, and every listed segment can be fetched."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.protocol.wire import Serve, Wire, wait_for

from partway.testing.media import ffmpeg, probe, run, sample

PACKETS = ("-show_packets", "-show_data_hash", "md5", "-show_entries", "packet=data_hash")


@dataclass
class Viewer:
    """Somebody who watches, and remembers everything that was ever said."""

    wire: Wire
    video_id: str
    playlists: dict[str, str] = field(default_factory=dict)
    segments: dict[str, bytes] = field(default_factory=dict)

    def get(self, path: str) -> tuple[int, bytes]:
        answer = self.wire.get(f"/vod/{self.video_id}/hls/{path}", key=None)
        return answer.status, answer.body

    def look(self) -> int:
        """Fetch everything there is; how many segments of the picture are listed."""
        status, master = self.get("manifest.m3u8")
        if status == 202:
            assert master == b""
            assert not self.playlists, "what could be watched stays so"
            return 0
        assert status == 200
        for name in [line for line in master.decode().replace('"', "\n").splitlines() if line.endswith(".m3u8")]:
            status, body = self.get(name)
            assert status == 200
            text = body.decode()
            assert text.startswith(self.playlists.get(name, "")), "an earlier answer is a prefix of a later one"
            self.playlists[name] = text
            folder = name.rpartition("/")[0]
            for line in text.replace('"', "\n").splitlines():
                if line.endswith((".m4s", ".mp4", ".mp3")) and f"{folder}/{line}" not in self.segments:
                    status, body = self.get(f"{folder}/{line}")
                    assert status == 200, "a listed segment is there"
                    self.segments[f"{folder}/{line}"] = body
        return next(text for name, text in self.playlists.items() if "video" in name).count("#EXTINF")

    def file(self, kind: str, folder: Path) -> Path:
        path = folder / f"{kind}.mp4"
        names = [name for name in self.segments if f"/{kind}-" in name]
        names.sort(key=lambda name: -1 if "init" in name else int(name.rpartition("-")[2].partition(".")[0]))
        path.write_bytes(b"".join(self.segments[name] for name in names))
        return path

    @property
    def is_ended(self) -> bool:
        return bool(self.playlists) and all(text.endswith("#EXT-X-ENDLIST\n") for text in self.playlists.values())


def by_bytes(blob: bytes, pieces: int) -> Iterator[tuple[str, bytes]]:
    size = -(-len(blob) // pieces)
    for start in range(0, len(blob), size):
        end = min(len(blob), start + size)
        yield f"bytes {start}-{end - 1}/{len(blob)}", blob[start:end]


def by_parts(blob: bytes, pieces: int) -> Iterator[tuple[str, bytes]]:
    size = -(-len(blob) // pieces)
    count = -(-len(blob) // size)
    for number in range(count):
        total = count if number == count - 1 else "*"
        yield f"part {number + 1}/{total}", blob[number * size : (number + 1) * size]


def in_order(pieces: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    return pieces


def head_tail_middle(pieces: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """As our client does, the middle in any order."""
    middle = pieces[1:-1]
    random.Random(5).shuffle(middle)
    return [pieces[0], pieces[-1], *middle]


def head_tail_rest(pieces: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """As somebody may who sends numbered parts and knows where the index is."""
    return [pieces[0], pieces[-1], *pieces[1:-1]]


@pytest.mark.parametrize(
    ("name", "cut", "order"),
    [
        ("faststart", by_bytes, in_order),
        pytest.param("faststart", by_parts, in_order, marks=pytest.mark.slow),
        ("plain", by_bytes, head_tail_middle),
        pytest.param("mov", by_bytes, head_tail_middle, marks=pytest.mark.slow),
        pytest.param("silent", by_bytes, head_tail_middle, marks=pytest.mark.slow),
        ("plain", by_parts, head_tail_rest),
        pytest.param("fragmented", by_bytes, in_order, marks=pytest.mark.slow),
        ("fragmented-finely", by_parts, in_order),
    ],
)
def test_it_grows_and_ends(wire: Wire, media_dir: Path, tmp_path: Path, name: str, cut: object, order: object) -> None:
    source = sample(media_dir, name)
    blob = source.read_bytes()
    video_id = wire.create(name)
    viewer = Viewer(wire, video_id)
    assert viewer.look() == 0
    seen = []
    sent = order(list(cut(blob, 12)))  # type: ignore[operator]
    for number, (content_range, body) in enumerate(sent, 1):
        assert wire.send(video_id, content_range, body).status == 201
        count = viewer.look()
        status = wire.status(video_id)
        assert status["encoding"]["playable"] == (count > 0)
        assert status["ingest"]["status"] == ("uploaded" if number == len(sent) else "uploading")
        if number < len(sent):
            seen.append(count)
            assert not viewer.is_ended
            assert (status["partway"]["edgeSeconds"] is not None) == (count > 0)
    assert seen[-1] > 0, "it could be watched before its end"
    assert viewer.is_ended
    for kind in {"video", "audio"} if "silent" not in name else {"video"}:
        path = viewer.file(kind, tmp_path)
        run(ffmpeg(), "-i", path, "-f", "null", "-")
        packets = probe(source, "-select_streams", f"{kind[0]}:0", *PACKETS, "-show_entries", "packet=flags,data_hash")
        expected = [one["data_hash"] for one in packets["packets"] if "D" not in one["flags"]]
        assert [one["data_hash"] for one in probe(path, *PACKETS)["packets"]] == expected


def test_what_was_assumed_is_dropped_when_it_was_wrong(wire: Wire, media_dir: Path) -> None:
    """Numbered parts whose places can't be told: nothing is listed before the gaps are filled; then all is right."""
    blob = sample(media_dir, "plain").read_bytes()
    cuts = [0, 60_000, 120_000, 170_000, 230_000, len(blob)]
    parts = [blob[start:end] for start, end in itertools.pairwise(cuts)]
    video_id = wire.create()
    viewer = Viewer(wire, video_id)
    for number in (1, 5, 2, 3):
        total = 5 if number == 5 else "*"
        assert wire.send(video_id, f"part {number}/{total}", parts[number - 1]).status == 201
        assert viewer.look() == 0
    assert wire.send(video_id, "part 4/*", parts[3]).status == 201
    assert viewer.look() > 0
    assert viewer.is_ended
    assert wire.source(video_id) == blob


def test_a_growing_playlist_is_never_kept(wire: Wire, media_dir: Path) -> None:
    blob = sample(media_dir, "faststart").read_bytes()
    video_id = wire.create()
    pieces = list(by_bytes(blob, 4))
    for content_range, body in pieces[:-1]:
        wire.send(video_id, content_range, body)
    path = f"/vod/{video_id}/hls/manifest.m3u8"
    assert wire.get(path, key=None).headers["cache-control"] == "no-store"
    wire.send(video_id, *pieces[-1])
    assert "max-age" in wire.get(path, key=None).headers["cache-control"]


def test_behind_a_hole_it_is_served_but_not_listed(wire: Wire, media_dir: Path) -> None:
    blob = sample(media_dir, "faststart").read_bytes()
    video_id = wire.create()
    pieces = list(by_bytes(blob, 12))
    for content_range, body in pieces[:6] + pieces[7:]:
        wire.send(video_id, content_range, body)
    viewer = Viewer(wire, video_id)
    assert viewer.look() == 1
    folder = next(name for name in viewer.playlists if "video" in name).rpartition("/")[0]
    assert viewer.get(f"{folder}/video-1.m4s") == (202, b"")
    assert viewer.get(f"{folder}/video-2.m4s")[0] == 200
    assert viewer.get(f"{folder}/video-9.m4s") == (404, b"")


def test_what_is_deleted_is_gone_for_viewers(wire: Wire, media_dir: Path) -> None:
    video_id = wire.create()
    for content_range, body in list(by_bytes(sample(media_dir, "faststart").read_bytes(), 4))[:3]:
        wire.send(video_id, content_range, body)
    viewer = Viewer(wire, video_id)
    assert viewer.look() > 0
    assert wire.ask("DELETE", f"/videos/{video_id}").status == 204
    for name in ["manifest.m3u8", *viewer.playlists, *viewer.segments]:
        assert viewer.get(name) == (404, b"")


def test_the_poster_is_there_before_the_end(wire: Wire, media_dir: Path) -> None:
    video_id = wire.create()
    for content_range, body in head_tail_middle(list(by_bytes(sample(media_dir, "plain").read_bytes(), 12)))[:8]:
        wire.send(video_id, content_range, body)
    path = f"/vod/{video_id}/thumbnail.jpg"
    wait_for(lambda: wire.get(path, key=None).status == 200, seconds=60)
    assert wire.get(path, key=None).body.startswith(b"\xff\xd8\xff")
    assert wire.status(video_id)["ingest"]["status"] == "uploading"


@pytest.mark.slow
def test_early_playback_can_be_switched_off(serve: Serve, media_dir: Path) -> None:
    wire = serve("granian", "late")
    video_id = wire.create()
    pieces = list(by_bytes(sample(media_dir, "faststart").read_bytes(), 4))
    for content_range, body in pieces[:-1]:
        wire.send(video_id, content_range, body)
    assert Viewer(wire, video_id).look() == 0
    assert wire.status(video_id)["encoding"]["playable"] is False
    wire.send(video_id, *pieces[-1])
    assert Viewer(wire, video_id).look() > 0


@pytest.mark.slow
def test_a_video_may_say_itself_whether_it_is_seen_early(serve: Serve, wire: Wire, media_dir: Path) -> None:
    pieces = list(by_bytes(sample(media_dir, "faststart").read_bytes(), 4))
    for place, says in ((wire, False), (serve("granian", "late"), True)):
        video_id = place.create(earlyPlayback=says)
        assert place.get(f"/videos/{video_id}").json["earlyPlayback"] is says
        for content_range, body in pieces[:-1]:
            place.send(video_id, content_range, body)
        assert (Viewer(place, video_id).look() > 0) == says
        assert place.status(video_id)["encoding"]["playable"] is says
        changed = place.ask("PATCH", f"/videos/{video_id}", json_body={"earlyPlayback": not says})
        assert changed.json["earlyPlayback"] is not says
        assert place.status(video_id)["encoding"]["playable"] is not says
        place.send(video_id, *pieces[-1])
        assert Viewer(place, video_id).look() > 0
