"""Samples, played out: what a player would fetch, and a reader of fragments that shares nothing with their writer."""

from __future__ import annotations

import hashlib
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import pytest

from partway.media.fragmented import Fragments, index_of
from partway.media.index import Index, Kind, read_index
from partway.media.playlists import master_playlist, media_playlist
from partway.media.reading import read_from_bytes
from partway.media.segments import init_segment, segment
from partway.testing.media import probe, sample

PACKETS = ("-show_packets", "-show_data_hash", "md5", "-show_entries", "packet=pts,duration,flags,data_hash,size")


@dataclass(frozen=True)
class Fragmented:
    """One sample, as a segment tells it."""

    pts: int
    duration: int
    size: int
    is_sync: bool


@dataclass(frozen=True)
class Played:
    """A source, its index, and everything a player can fetch of it."""

    source: Path
    index: Index
    folder: Path

    @cached_property
    def blob(self) -> bytes:
        return self.source.read_bytes()

    @property
    def kinds(self) -> list[Kind]:
        return ["video", "audio"] if self.index.audio else ["video"]

    def file(self, kind: Kind) -> Path:
        """Init segment and all segments, one after the other."""
        return self.folder / f"{kind}.{'mp3' if self.index.is_packed(kind) else 'mp4'}"

    def segment_bytes(self, kind: Kind, number: int) -> bytes:
        made = segment(self.index, kind, number)
        whole = made.head + b"".join(self.blob[run.offset : run.offset + run.length] for run in made.ranges)
        assert len(whole) == made.size
        return whole

    def samples(self, kind: Kind, number: int) -> list[Fragmented]:
        return list(read_fragment(self.segment_bytes(kind, number)))

    def all_samples(self, kind: Kind) -> list[Fragmented]:
        """The samples that come from the source."""
        count = self.index.segment_count(kind)
        return [one for number in range(count) if self.is_real(kind, number) for one in self.samples(kind, number)]

    def is_real(self, kind: Kind, number: int) -> bool:
        """Whether a segment is made of the source, rather than of silence."""
        return bool(segment(self.index, kind, number).ranges)

    @cache  # noqa: B019 - lives as long as the session
    def source_packets(self, kind: Kind) -> list[dict[str, Any]]:
        """What ffmpeg presents of the source: packets that an edit list hides are left out."""
        packets = probe(self.source, "-select_streams", f"{kind[0]}:0", *PACKETS)["packets"]
        return [packet for packet in packets if "D" not in packet["flags"]]

    def hashes(self, kind: Kind) -> list[str]:
        """The packets of what we serve, by ffmpeg's hash."""
        path = self.folder / f"{kind}.m3u8" if self.index.is_packed(kind) else self.file(kind)
        silence = self.index.track(kind).silence or (b"", 0)
        silent = f"MD5:{hashlib.md5(silence[0]).hexdigest()}"
        hashes = (packet["data_hash"] for packet in probe(path, *PACKETS)["packets"])
        return [one for one in hashes if one != silent]


def read_fragment(blob: bytes) -> Iterator[Fragmented]:
    """The samples of a segment: ``moof`` and ``mdat``, checked to fit each other."""
    (moof_size, kind), mdat_at = struct.unpack_from(">I4s", blob), struct.unpack_from(">I", blob)[0]
    assert kind == b"moof"
    assert blob[mdat_at + 4 : mdat_at + 8] == b"mdat"
    assert mdat_at + struct.unpack_from(">I", blob, mdat_at)[0] == len(blob)
    moof = blob[:moof_size]
    at = moof.index(b"tfhd")
    flags, _, duration, sample_flags = struct.unpack_from(">4I", moof, at + 4)
    assert flags == 0x020028
    at = moof.index(b"tfdt")
    version, dts = struct.unpack_from(">B3xQ", moof, at + 4)
    assert version == 1
    at = moof.index(b"trun") + 4
    version, flags, count, data_at = struct.unpack_from(">I", moof, at)[0] >> 24, *struct.unpack_from(">IIi", moof, at)
    flags &= 0xFFFFFF
    assert version == 1
    assert data_at == mdat_at + 8
    at += 12
    first_flags = sample_flags
    if flags & 0x4:
        (first_flags,) = struct.unpack_from(">I", moof, at)
        at += 4
    used = 0
    for number in range(count):
        lasts, its_flags, offset = duration, first_flags if number == 0 else sample_flags, 0
        if flags & 0x100:
            (lasts,), at = struct.unpack_from(">I", moof, at), at + 4
        (size,), at = struct.unpack_from(">I", moof, at), at + 4
        if flags & 0x400:
            (its_flags,), at = struct.unpack_from(">I", moof, at), at + 4
        if flags & 0x800:
            (offset,), at = struct.unpack_from(">i", moof, at), at + 4
        yield Fragmented(dts + offset, lasts, size, not its_flags & 0x10000)
        dts, used = dts + lasts, used + size
    assert at == moof_size
    assert used == len(blob) - mdat_at - 8


@pytest.fixture(scope="session")
def read(media_dir: Path) -> Callable[[str], Index]:
    """Reads the index of a sample."""

    def read(name: str) -> Index:
        blob = sample(media_dir, name).read_bytes()
        found = read_from_bytes(read_index(len(blob)), blob)
        if isinstance(found, Fragments):
            read_from_bytes(found.reading(len(blob)), blob)
            whole = index_of(found, is_whole=True)
            assert whole is not None
            return whole
        return found

    return read


@pytest.fixture(scope="session")
def play(read: Callable[[str], Index], media_dir: Path) -> Callable[[str], Played]:
    """Writes everything a player can fetch of a sample into a folder."""

    @cache
    def play(name: str) -> Played:
        folder = media_dir / "played" / name
        folder.mkdir(parents=True)
        played = Played(sample(media_dir, name), read(name), folder)
        index = played.index
        master = master_playlist(index, video_uri="video.m3u8", audio_uri="audio.m3u8")
        (folder / "master.m3u8").write_text(master)
        for kind in played.kinds:
            count, suffix = index.segment_count(kind), index.suffix(kind)

            def uri(number: int, kind: str = kind, suffix: str = suffix) -> str:
                return f"{kind}-{number}.{suffix}"

            listed = media_playlist(index, kind, init_uri=f"{kind}-init.mp4", segment_uri=uri, count=count, ended=True)
            (folder / f"{kind}.m3u8").write_text(listed)
            whole = init_segment(index, kind)
            if whole:
                (folder / f"{kind}-init.mp4").write_bytes(whole)
            for number in range(count):
                one = played.segment_bytes(kind, number)
                (folder / uri(number)).write_bytes(one)
                whole += one
            played.file(kind).write_bytes(whole)
        return played

    return play


@pytest.fixture(scope="session")
def samples_of() -> Callable[[Index, Kind, int], list[Fragmented]]:
    """Reads the samples of a segment whose media bytes are not there."""

    def samples_of(index: Index, kind: Kind, number: int) -> list[Fragmented]:
        made = segment(index, kind, number)
        return list(read_fragment(made.head + bytes(made.size - len(made.head))))

    return samples_of


@pytest.fixture
def run_python() -> Callable[[str], str]:
    """Runs a line of Python in a process of its own and returns what it prints."""

    def run_python(line: str) -> str:
        return subprocess.run([sys.executable, "-c", line], check=True, capture_output=True, text=True).stdout

    return run_python
