"""The headers of a ``moov``: which tracks there are and what they are made of. Sample tables stay untouched."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from functools import cached_property

from partway.errors import MediaMalformed, MediaTooLarge, MediaUnsupported
from partway.media.boxes import Box, children, fields, first_of_each, required
from partway.media.codecs import audio_codec, video_codec

MAX_TRACKS = 1000
MAX_MOOV_CHILDREN = MAX_TRACKS + 1000

_UNKNOWN_DURATIONS = (0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF)
_IDENTITY = (0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_TURNS = {(1, 0, 0, 1): 0, (0, 1, -1, 0): 90, (-1, 0, 0, -1): 180, (0, -1, 1, 0): 270}


@dataclass(frozen=True)
class TrackHeader:
    """One video or sound track, its sample tables still unread."""

    track_id: int
    enabled: bool
    kind: str
    """``video`` or ``audio``."""
    timescale: int
    """Ticks a second."""
    duration: int
    """In ticks, as the header claims; 0 if it does not say."""
    language: int
    matrix: tuple[int, ...]
    shown_width: int
    """16.16 fixed point, as the track header claims, before rotation."""
    shown_height: int
    elst: memoryview | None = field(repr=False)
    tables: dict[bytes, memoryview] = field(repr=False)
    dref: memoryview | None = field(repr=False)

    @cached_property
    def entries(self) -> list[Box]:
        """The sample descriptions."""
        stsd = required(self.tables, b"stsd")
        (count,) = fields(">I", stsd, 4)
        found = list(children(stsd[8:]))
        if not found or count != len(found):
            raise MediaMalformed("The file's index is damaged: its list of sample descriptions is broken.")
        return found

    @property
    def sound_descriptions_are_iso(self) -> bool:
        """Whether version 1 of a sound entry is ISO's (``stsd`` version 1) rather than QuickTime's."""
        return bool(fields(">B", required(self.tables, b"stsd"))[0])

    @property
    def sample_count(self) -> int:
        """How many samples the size table claims; 0 if there is none."""
        for kind in (b"stsz", b"stz2"):
            if kind in self.tables:
                return int(fields(">I", self.tables[kind], 8)[0])
        return 0

    @property
    def is_cover(self) -> bool:
        """Whether this is a picture attached to the file rather than a video."""
        return self.sample_count <= 1 and video_codec(self.entries[0].kind) in ("mjpeg", "png")

    @property
    def rotation(self) -> int | None:
        """Clockwise turn in degrees: 0, 90, 180 or 270; None for any other matrix."""
        a, b, u, c, d, v, _, _, w = self.matrix
        if (u, v, w) != (0, 0, 0x40000000) or any(number % 0x10000 for number in (a, b, c, d)):
            return None
        return _TURNS.get((a >> 16, b >> 16, c >> 16, d >> 16))


@dataclass(frozen=True, slots=True)
class Movie:
    """A ``moov``."""

    timescale: int
    duration: int
    """In ticks; 0 if it does not say."""
    tracks: tuple[TrackHeader, ...]
    """Video and sound tracks alone, in the file's order."""
    turned: bool
    """Whether the movie as a whole has a matrix, beside those of its tracks."""
    mvex: memoryview | None = field(repr=False)

    @property
    def fragmented(self) -> bool:
        """Whether its samples are in fragments."""
        return self.mvex is not None

    @property
    def video(self) -> TrackHeader | None:
        """The track to show: the first enabled one of H.264, else the first of any codec."""
        shown = [track for track in self._enabled("video") if not track.is_cover]
        return next((track for track in shown if track.entries[0].kind == b"avc1"), shown[0] if shown else None)

    @property
    def audio(self) -> TrackHeader | None:
        """The track to hear: the first enabled one of AAC or MP3, else the first of any codec."""
        heard = self._enabled("audio")
        playable = (track for track in heard if audio_codec(track.entries[0].kind) in ("aac", "mp3"))
        return next(playable, heard[0] if heard else None)

    def _enabled(self, kind: str) -> list[TrackHeader]:
        # Some writers enable nothing; then everything counts. Only fragmented files have tracks without samples.
        everything = not any(track.enabled for track in self.tracks)
        return [
            track
            for track in self.tracks
            if track.kind == kind and (track.enabled or everything) and (track.sample_count or self.fragmented)
        ]


def read_movie(moov: memoryview) -> Movie:
    """Read the headers inside a ``moov`` body. Raises MediaMalformed, MediaTooLarge or MediaUnsupported."""
    header: memoryview | None = None
    mvex: memoryview | None = None
    tracks, count = [], 0
    for child in children(moov, limit=MAX_MOOV_CHILDREN):
        if child.kind == b"cmov":
            raise MediaUnsupported("The file's index is compressed, so it needs transcoding.")
        if child.kind == b"mvhd":
            header = child.body
        elif child.kind == b"mvex":
            mvex = child.body
        elif child.kind == b"trak":
            count += 1
            if count > MAX_TRACKS:
                raise MediaTooLarge(f"The file has more than {MAX_TRACKS} tracks.")
            track = _read_track(child.body)
            if track:
                tracks.append(track)
    if header is None:
        raise MediaMalformed("The file's index is damaged: its mvhd box is missing.")
    timescale, duration, rest = _times(header)
    turned = _matrix(header, rest + 16) != _IDENTITY
    return Movie(timescale, duration, tuple(tracks), turned, mvex)


def _read_track(trak: memoryview) -> TrackHeader | None:
    inside = first_of_each(trak)
    media = first_of_each(inside.get(b"mdia", memoryview(b"")))
    handler = bytes(media.get(b"hdlr", memoryview(b""))[8:12])
    kind = {b"vide": "video", b"soun": "audio"}.get(handler)
    if kind is None:
        return None
    timescale, duration, rest = _times(required(media, b"mdhd"))
    (language,) = fields(">H", media[b"mdhd"], rest)
    head = required(inside, b"tkhd")
    (version, flags) = fields(">B2xB", head)
    after = 36 if version == 1 else 24
    (track_id,) = fields(">I", head, after - 12 if version == 0 else after - 16)
    shown_width, shown_height = fields(">II", head, after + 52)
    info = first_of_each(required(media, b"minf"))
    return TrackHeader(
        track_id=track_id,
        enabled=bool(flags & 1),
        kind=kind,
        timescale=timescale,
        duration=duration,
        language=language,
        matrix=_matrix(head, after + 16),
        shown_width=shown_width,
        shown_height=shown_height,
        elst=first_of_each(inside[b"edts"]).get(b"elst") if b"edts" in inside else None,
        tables=first_of_each(required(info, b"stbl")),
        dref=first_of_each(info[b"dinf"]).get(b"dref") if b"dinf" in info else None,
    )


def _times(header: memoryview) -> tuple[int, int, int]:
    """Timescale and duration of an ``mvhd`` or ``mdhd``, and where its fields go on."""
    (version,) = fields(">B", header)
    timescale, duration = fields(">IQ", header, 20) if version == 1 else fields(">II", header, 12)
    if timescale == 0:
        raise MediaMalformed("The file's index is damaged: a clock of it has zero ticks a second.")
    return timescale, 0 if duration in _UNKNOWN_DURATIONS else duration, 32 if version == 1 else 20


def _matrix(body: memoryview, offset: int) -> tuple[int, ...]:
    # All zeros is what careless writers mean by "none".
    matrix = fields(">9i", body, offset)
    return matrix if any(matrix) else _IDENTITY


def check_local(track: TrackHeader, entry: Box) -> None:
    """Raise MediaUnsupported if the samples of an entry are in another file (``dref``)."""
    if track.dref is None:
        return
    (number,) = fields(">H", entry.body, 6)
    references = list(children(track.dref[8:]))
    if not 1 <= number <= len(references):
        raise MediaMalformed("The file's index is damaged: a track refers to a data source that is not listed.")
    if not fields(">I", references[number - 1].body)[0] & 1:
        raise MediaUnsupported("The file's media are in another file, which partway does not fetch.")


def pack_matrix(matrix: tuple[int, ...]) -> bytes:
    """The matrix as a track header carries it."""
    return struct.pack(">9i", *matrix)
