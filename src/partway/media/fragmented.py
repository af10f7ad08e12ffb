"""Fragmented MP4 (ISO/IEC 14496-12 clause 8.8), indexed fragment by fragment while it grows.

A fragment's runs are sample tables by another name, so what comes of them is the same ``Index`` as a plain file's, and
everything behind it is the same code. It is made anew from all runs whenever somebody asks and there are new ones; what
was closed in an earlier index is the same in every later one, because a border depends on nothing behind it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from partway.errors import MediaMalformed, MediaTooLarge, MediaUnsupported
from partway.media.edits import Edit, read_edit
from partway.media.index import assemble, headers_of
from partway.media.reading import Reading, Wanted
from partway.media.runs import MAX_MOOF_BYTES, Defaults, Run, read_moof
from partway.media.silence import fill
from partway.media.tables import MAX_SAMPLES, Samples
from partway.media.track import lay_audio, lay_video

if TYPE_CHECKING:
    from partway.media.facts import Facts
    from partway.media.index import Index
    from partway.media.movie import Movie, TrackHeader

MAX_RUNS = 200_000
"""Two tracks of fragments that last half a second each, for a day."""
_GLANCE = 4096
"""Read at once at a box's start: most ``moof`` boxes are shorter, and with the header behind them."""


@dataclass(slots=True, eq=False)
class Fragments:
    """A fragmented MP4 whose fragments are being read; grows, unlike everything else here.

    Args:
        position: where the next top-level box begins.
    """

    movie: Movie
    facts: Facts
    """By the headers alone."""
    defaults: dict[int, Defaults]
    position: int
    runs: list[Run] = field(default_factory=list)
    samples: int = 0
    bytes: int = 0

    def reading(self, size: int | None) -> Reading[None]:
        """Read on, fragment by fragment, up to the end of a file of ``size`` bytes (None while it is unknown).

        It can be dropped at any wish and begun anew: what has been read is kept, a fragment at a time. The last
        fragment of a file that was cut off is left out. Raises MediaMalformed, MediaTooLarge or MediaUnsupported.
        """
        while size is None or self.position + 8 <= size:
            head = yield Wanted(self.position, _GLANCE, least=16)
            if len(head) < 8:
                return
            length, kind = struct.unpack_from(">I4s", head)
            header = 8
            if length == 1:
                if len(head) < 16:
                    return
                (length,) = struct.unpack_from(">Q", head, 8)
                header = 16
            elif length == 0:
                return
            if length < header:
                raise MediaMalformed("The file is damaged: one of its boxes is shorter than its own header.")
            if size is not None and self.position + length > size:
                if kind == b"mdat":
                    self._forget_beyond(size)
                return
            if kind == b"moof":
                if length > MAX_MOOF_BYTES:
                    raise MediaTooLarge(f"A fragment's index is larger than {MAX_MOOF_BYTES >> 20} MiB.")
                moof = head[:length] if length <= len(head) else (yield Wanted(self.position, length))
                if len(moof) < length:
                    return
                body = memoryview(moof)[header:length]
                self._add(read_moof(body, self.position, self.defaults, most=MAX_SAMPLES - self.samples))
            self.position += length

    def _add(self, runs: list[Run]) -> None:
        self.samples += sum(len(run.sizes) for run in runs)
        self.bytes += sum(run.end - run.offset for run in runs)
        self.runs += runs
        if len(self.runs) > MAX_RUNS:
            raise MediaUnsupported(f"The file has more than {MAX_RUNS} fragments, which needs transcoding.")
        # Else a few bytes could be served again and again.
        if runs and self.bytes > max(run.end for run in runs):
            raise MediaMalformed("The file is damaged: its fragments claim more bytes than there are.")

    def _forget_beyond(self, size: int) -> None:
        self.runs = [run for run in self.runs if run.end <= size]


def samples_of(runs: list[Run]) -> Samples:
    """The runs of one track, at least one, as sample tables that decode from 0 on.

    Where a fragment says when it begins, the sample before it lasts until then. Raises MediaUnsupported where fragments
    overlap in time.
    """
    sizes = np.concatenate([run.sizes for run in runs])
    durations = np.concatenate([run.durations for run in runs])
    counts = np.array([len(run.sizes) for run in runs], np.int64)
    firsts = np.cumsum(counts) - counts
    lasting = np.add.reduceat(durations, firsts, dtype=np.int64)
    at = runs[0].decode_time or 0
    for number, run in enumerate(runs):
        if number and run.decode_time is not None and run.decode_time != at:
            before = int(firsts[number]) - 1
            stretched = int(durations[before]) + run.decode_time - at
            if not 0 <= stretched < 1 << 31:
                raise MediaUnsupported("The file's fragments overlap in time, which needs transcoding.")
            durations[before] = stretched
            at = run.decode_time
        at += int(lasting[number])
    compositions = None
    if any(run.compositions is not None and run.compositions.any() for run in runs):
        compositions = np.concatenate(
            [np.zeros(len(run.sizes), np.int32) if run.compositions is None else run.compositions for run in runs]
        )
    sync = np.concatenate([run.is_sync for run in runs])
    byte_ends = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, dtype=np.int64, out=byte_ends[1:])
    return Samples(
        sizes=sizes,
        durations=durations,
        compositions=compositions,
        keyframes=None if sync.all() else np.flatnonzero(sync).astype(np.int64),
        chunk_firsts=firsts,
        chunk_offsets=np.array([run.offset for run in runs], np.int64),
        byte_ends=byte_ends,
    )


def index_of(fragments: Fragments, *, is_whole: bool) -> Index | None:
    """The index of the fragments read so far; None as long as there is nothing to play.

    Args:
        is_whole: no more will come; else the last segment of each kind is still open, and not counted as closed.

    Raises MediaMalformed, MediaTooLarge or MediaUnsupported, the last with what is known of the file (``facts_of``).
    """
    try:
        index = _lay(fragments, is_whole=is_whole)
    except MediaUnsupported as refusal:
        refusal.facts = fragments.facts
        raise
    if index is None:
        return None
    facts = index.facts if is_whole else replace(index.facts, duration_seconds=None)
    return replace(index, facts=facts, is_fragmented=True, is_whole=is_whole)


def _lay(fragments: Fragments, *, is_whole: bool) -> Index | None:
    video, sound = fragments.movie.video, fragments.movie.audio
    assert video is not None
    pictures = [run for run in fragments.runs if run.track_id == video.track_id]
    sounds = [run for run in fragments.runs if sound is not None and run.track_id == sound.track_id]
    if not pictures or (sound is not None and not sounds and not is_whole):
        return None
    seen = headers_of(fragments.movie)
    begin = min(_begin(runs[0], track) for runs, track in ((pictures, video), (sounds, sound)) if runs and track)

    def edit(runs: list[Run], track: TrackHeader) -> Edit:
        given = read_edit(track.elst)
        late = _begin(runs[0], track) - begin + given.delay / fragments.movie.timescale
        # Its length is that of an initial movie, which is empty.
        return Edit(round(late * track.timescale), given.media_time)

    scale = video.timescale
    laid, grid = lay_video(samples_of(pictures), scale, edit(pictures, video), scale)
    heard = None
    if sounds and sound is not None and seen.sound is not None:
        scale, whole = sound.timescale, seen.sound.codec == "mp3"
        heard = lay_audio(samples_of(sounds), scale, edit(sounds, sound), scale, grid, whole_frames=whole)
        heard = fill(heard, seen.sound, grid, is_whole=is_whole)
    return assemble(fragments.facts, seen, laid, heard, grid)


def _begin(run: Run, track: TrackHeader) -> float:
    return (run.decode_time or 0) / track.timescale
