"""The index of a video: everything that segments and playlists are made of, read from ``moov`` alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from partway.errors import MediaMalformed, MediaTooLarge, MediaUnsupported
from partway.media.boxes import Box
from partway.media.container import HEAD_BYTES, locate_moov, refuse_container, sniff
from partway.media.edits import read_edit
from partway.media.facts import Facts, aspect_ratio, facts_from_headers
from partway.media.grid import Grid
from partway.media.movie import Movie, TrackHeader, check_local, read_movie
from partway.media.picture import Picture, read_picture
from partway.media.reading import Reading, Wanted
from partway.media.sound import Sound, read_sound, refuse_sound

if TYPE_CHECKING:
    from partway.media.fragmented import Fragments
    from partway.media.track import Track

MAX_MOOV_BYTES = 256 << 20
_ANY_SIZE = 1 << 62
"""Stands for a size that is not known yet: whoever serves segments looks whether their bytes are there."""

Kind: TypeAlias = Literal["video", "audio"]


@dataclass(frozen=True, slots=True)
class Display:
    """What the video's track header says about showing it; copied into the init segment."""

    matrix: tuple[int, ...]
    rotation: int
    """Clockwise, in degrees: 0, 90, 180 or 270."""
    width: int
    """16.16 fixed point, before rotation."""
    height: int


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """All that is needed to play a source: immutable, and built from its ``moov``, or from its fragments so far."""

    video: Track
    audio: Track | None
    picture: Picture
    display: Display
    sound: Sound | None
    grid: Grid
    facts: Facts
    nbytes: int
    """About how much memory this index holds."""
    is_fragmented: bool = False
    """Whether it was made of fragments: then nothing told the length of the segments in advance."""
    is_whole: bool = True
    """Whether no more segments will come; else the last one of each kind is still open."""

    def track(self, kind: Kind) -> Track:
        """The track of this kind; raises LookupError if the video has no sound."""
        track = self.video if kind == "video" else self.audio
        if track is None:
            raise LookupError("this video has no sound")
        return track

    def segment_count(self, kind: Kind) -> int:
        """How many segments there are; raises LookupError if the video has no sound."""
        return self.track(kind).count

    @property
    def end_bytes(self) -> int:
        """One past the last byte of the source that any segment needs."""
        tracks = [self.video] if self.audio is None else [self.video, self.audio]
        return max(int(track.highs.max()) for track in tracks)

    def closed_count(self, kind: Kind) -> int:
        """How many segments there are that nothing will change any more."""
        return self.segment_count(kind) - (0 if self.is_whole else 1)

    def is_packed(self, kind: Kind) -> bool:
        """Whether the segments are bare frames, without an init segment, rather than fragmented MP4.

        So for MP3, which Chromium does not play inside fragmented MP4 (RFC 8216 section 3.4, "Packed Audio").
        """
        return kind == "audio" and self.sound is not None and self.sound.codec == "mp3"

    def media_type(self, kind: Kind) -> str:
        """The content type of the segments."""
        return "audio/mpeg" if self.is_packed(kind) else f"{kind}/mp4"

    def suffix(self, kind: Kind) -> str:
        """How the segments' names should end, without the dot: some players look at it."""
        return "mp3" if self.is_packed(kind) else "m4s"


def read_index(size: int | None) -> Reading[Index | Fragments]:
    """Read the index of an MP4 or MOV of ``size`` bytes, wherever in the file it is; None while the size is unknown.

    A fragmented file has no index of its own: what comes back reads on, and ``index_of`` tells what there is.

    Raises MediaMalformed, MediaTooLarge or MediaUnsupported, each with a sentence for people; MediaUnsupported carries
    what is known of the file all the same (``facts_of``).
    """
    container = sniff((yield Wanted(0, HEAD_BYTES if size is None else min(size, HEAD_BYTES))))
    refuse_container(container)
    place = yield from locate_moov(size)
    if place.length > MAX_MOOV_BYTES:
        raise MediaTooLarge(f"The file's index is larger than {MAX_MOOV_BYTES >> 20} MiB.")
    moov = memoryview((yield Wanted(place.offset, place.length)))
    if len(moov) < place.length:
        raise MediaMalformed("The file is cut off: it ends inside its index.")
    movie = read_movie(moov[place.header :])
    facts = facts_from_headers(movie, size or 0, "mov" if container == "mov" else "mp4")
    try:
        if movie.mvex is not None:
            return _fragments(movie, facts, place.offset + place.length)
        return _build(movie, facts, _ANY_SIZE if size is None else size)
    except MediaUnsupported as refusal:
        refusal.facts = facts
        raise


def _fragments(movie: Movie, facts: Facts, position: int) -> Fragments:
    from partway.media.fragmented import Fragments
    from partway.media.runs import read_defaults

    assert movie.mvex is not None
    headers_of(movie)  # what can't be played is said before the first fragment
    return Fragments(movie, facts, read_defaults(movie.mvex), position)


@dataclass(frozen=True, slots=True)
class Headers:
    """What the headers of a playable file say."""

    picture: Picture
    display: Display
    sound: Sound | None


def headers_of(movie: Movie) -> Headers:
    """Read the headers of the tracks to play; raises as ``read_index``."""
    if movie.video is None:
        raise MediaUnsupported("The file has no video track.")
    return Headers(
        read_picture(_entry_in_use(movie.video)),
        _display(movie, movie.video),
        _sound(movie.audio) if movie.audio else None,
    )


def _build(movie: Movie, known: Facts, size: int) -> Index:
    from partway.media.silence import fill
    from partway.media.tables import expand
    from partway.media.track import lay_audio, lay_video

    seen = headers_of(movie)
    assert movie.video is not None
    samples = expand(movie.video.tables, size)
    video, grid = lay_video(samples, movie.video.timescale, read_edit(movie.video.elst), movie.timescale)
    audio, sound = None, seen.sound
    if movie.audio and sound:
        samples = expand(movie.audio.tables, size)
        edit = read_edit(movie.audio.elst)
        whole = sound.codec == "mp3"
        audio = lay_audio(samples, movie.audio.timescale, edit, movie.timescale, grid, whole_frames=whole)
        audio = fill(audio, sound, grid)
    return assemble(known, seen, video, audio, grid)


def assemble(known: Facts, seen: Headers, video: Track, audio: Track | None, grid: Grid) -> Index:
    """Put an index together."""
    sound = seen.sound if audio else None
    return Index(
        video=video,
        audio=audio,
        picture=seen.picture,
        display=seen.display,
        sound=sound,
        grid=grid,
        facts=_facts(known, seen.picture, seen.display, sound, video, audio),
        nbytes=4096 + video.nbytes + (audio.nbytes if audio else 0) + 32 * grid.count,
    )


def _entry_in_use(track: TrackHeader) -> Box:
    from partway.media.tables import description_in_use

    # A fragmented file's table of chunks is empty, or not there.
    used = description_in_use(track.tables, len(track.entries)) if b"stsc" in track.tables else 0
    entry = track.entries[used]
    check_local(track, entry)
    return entry


def _display(movie: Movie, track: TrackHeader) -> Display:
    if movie.turned or track.rotation is None:
        raise MediaUnsupported("The video is mirrored, scaled or turned by an odd angle, which needs transcoding.")
    return Display(track.matrix, track.rotation, track.shown_width, track.shown_height)


def _sound(track: TrackHeader) -> Sound:
    sound = read_sound(_entry_in_use(track), quicktime=not track.sound_descriptions_are_iso)
    refuse_sound(sound)
    return sound


def _facts(
    known: Facts, picture: Picture, display: Display, sound: Sound | None, video: Track, audio: Track | None
) -> Facts:
    """The facts of a playable file, from its tables and decoder configurations instead of its headers' claims."""
    from partway.media.bandwidth import bandwidths

    turned = display.rotation in (90, 270)
    width, height = picture.sps.width, picture.sps.height
    if turned:
        width, height = height, width
    peak, average = bandwidths(video, audio)
    ticks = int(video.durations.sum(dtype="int64"))
    return Facts(
        container=known.container,
        width=width,
        height=height,
        aspect_ratio=aspect_ratio(width, height, picture.pixel_shape, turned=turned),
        duration_seconds=max(video.end_seconds, audio.end_seconds if audio else 0),
        framerate=round(len(video.sizes) * video.timescale / max(1, ticks), 3),
        bitrate_kbps=round(average / 1000),
        sample_rate=sound.sample_rate if sound else None,
        video_codec="h264",
        audio_codec=sound.codec if sound else None,
        codecs=(picture.sps.rfc6381, sound.rfc6381) if sound else (picture.sps.rfc6381,),
        audio_channels=sound.channels if sound else None,
        peak_bandwidth=peak,
        average_bandwidth=average,
    )
