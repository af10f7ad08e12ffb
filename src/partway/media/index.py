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
    from partway.media.track import Track

MAX_MOOV_BYTES = 256 << 20

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
    """All that is needed to play a source: immutable, and built from its ``moov`` alone."""

    size: int
    """Of the source, in bytes."""
    video: Track
    audio: Track | None
    picture: Picture
    display: Display
    sound: Sound | None
    grid: Grid
    facts: Facts
    nbytes: int
    """About how much memory this index holds."""

    def track(self, kind: Kind) -> Track:
        """The track of this kind; raises LookupError if the video has no sound."""
        track = self.video if kind == "video" else self.audio
        if track is None:
            raise LookupError("this video has no sound")
        return track

    def segment_count(self, kind: Kind) -> int:
        """How many segments there are; raises LookupError if the video has no sound."""
        return self.track(kind).count

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


def read_index(size: int) -> Reading[Index]:
    """Read the index of an MP4 or MOV of ``size`` bytes, wherever in the file it is.

    Raises MediaMalformed, MediaTooLarge or MediaUnsupported, each with a sentence for people; MediaUnsupported carries
    what is known of the file all the same (``facts_of``).
    """
    container = sniff((yield Wanted(0, min(size, HEAD_BYTES))))
    refuse_container(container)
    place = yield from locate_moov(size)
    if place.length > MAX_MOOV_BYTES:
        raise MediaTooLarge(f"The file's index is larger than {MAX_MOOV_BYTES >> 20} MiB.")
    moov = memoryview((yield Wanted(place.offset, place.length)))
    if len(moov) < place.length:
        raise MediaMalformed("The file is cut off: it ends inside its index.")
    movie = read_movie(moov[place.header :])
    facts = facts_from_headers(movie, size, "mov" if container == "mov" else "mp4")
    try:
        return _build(movie, facts, size)
    except MediaUnsupported as refusal:
        refusal.facts = facts
        raise


def _build(movie: Movie, known: Facts, size: int) -> Index:
    from partway.media.silence import fill
    from partway.media.tables import expand
    from partway.media.track import lay_audio, lay_video

    if movie.fragmented:
        raise MediaUnsupported("This is a fragmented MP4, which partway does not play yet.")
    if movie.video is None:
        raise MediaUnsupported("The file has no video track.")
    picture = read_picture(_entry_in_use(movie.video))
    display = _display(movie, movie.video)
    sound = _sound(movie.audio) if movie.audio else None

    samples = expand(movie.video.tables, size)
    video, grid = lay_video(samples, movie.video.timescale, read_edit(movie.video.elst), movie.timescale)
    audio = None
    if movie.audio and sound:
        samples = expand(movie.audio.tables, size)
        edit = read_edit(movie.audio.elst)
        whole = sound.codec == "mp3"
        audio = lay_audio(samples, movie.audio.timescale, edit, movie.timescale, grid, whole_frames=whole)
        audio = fill(audio, sound, grid)
    return Index(
        size=size,
        video=video,
        audio=audio,
        picture=picture,
        display=display,
        sound=sound,
        grid=grid,
        facts=_facts(known, picture, display, sound, video, audio),
        nbytes=4096 + video.nbytes + (audio.nbytes if audio else 0) + 32 * grid.count,
    )


def _entry_in_use(track: TrackHeader) -> Box:
    from partway.media.tables import description_in_use

    entry = track.entries[description_in_use(track.tables, len(track.entries))]
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
