"""What ffmpeg and ffprobe are told: argument lists as pure functions, with the reason beside each.

The first element is the program. Nothing here ever lets ffmpeg guess what a file is, or open anything it was not given:
a playlist or a list of files that poses as a video is then only noise. A ``container`` is one of ``READABLE``, as
``container.sniff`` found it in the file's first bytes.
"""

from __future__ import annotations

from typing import TypeAlias

Arguments: TypeAlias = tuple[str, ...]

MAX_PIXELS = 8192 * 4320
"""Of one picture. A frame of 15000 x 15000 fits into 1.3 MB of file, and takes 400 MB to decode."""
MAX_STREAMS = 128
POSTER_WIDTH = 1280
PROBED_BYTES = 5 << 20
"""How much ffprobe reads to find out what a file's streams are."""

STDIN, STDOUT = "pipe:0", "pipe:1"
PROGRESS = "pipe:3"
"""Where ffmpeg writes how far it is: ``transcode/process.py`` opens it."""

_DEMUXERS = {
    "mp4": "mov",
    "mov": "mov",
    "matroska": "matroska",
    "webm": "matroska",
    "mpegts": "mpegts",
    "mpegps": "mpeg",
    "avi": "avi",
    "flv": "flv",
    "asf": "asf",
    "ogg": "ogg",
    "mxf": "mxf",
}
"""What ``container.sniff`` answers -> ffmpeg's demuxer."""

READABLE = frozenset(_DEMUXERS)
"""The kinds of file that these functions know; no other is ever given to ffmpeg."""

# At least a tenth of the picture is brighter than nearly black (16 is black).
_NOT_BLACK = "signalstats,metadata=mode=select:key=lavfi.signalstats.YHIGH:value=40:function=greater"


def probe(program: str, container: str, source: str = STDIN) -> Arguments:
    """The streams of a file, or of standard input, as JSON that ``probing`` reads."""
    return (
        program,
        *quiet(),
        *one_input(container, source),
        # Ends the reading of files whose streams never show, before anything but the head and the tail is touched.
        *("-probesize", str(PROBED_BYTES)),
        # Only what is used, so that a million chapters or tags are not printed.
        *("-show_entries", ":".join(_ENTRIES)),
        *("-of", "json=compact=1"),
    )


_ENTRIES = (
    "stream=index,codec_type,codec_name,width,height,sample_aspect_ratio,avg_frame_rate,sample_rate,channels,bit_rate"
    ",duration",
    "stream_disposition=default,attached_pic",
    # Older writers' rotation, and the only place for the length of a Matroska track.
    "stream_tags=rotate,DURATION",
    "stream_side_data=rotation",
    "format=duration",
)


def poster(
    program: str,
    container: str,
    source: str = STDIN,
    *,
    after_seconds: float = 0,
    any_frame: bool = False,
    may_be_black: bool = False,
) -> Arguments:
    """One JPEG on standard output: the first keyframe that is not black, or that may be.

    ``after_seconds`` passes over the beginning. ``any_frame`` takes the first frame that can be decoded, black or not:
    the last resort.
    """
    wanted = [] if any_frame else [f"select=gte(t\\,{after_seconds:.3f})"] if after_seconds else []
    # The displayed shape, as square pixels. Frames were turned upright before they come here (autorotate).
    shape = [f"scale=w=2*round(min({POSTER_WIDTH}\\,iw*sar)/2):h=max(2\\,2*round(ow/dar/2))", "setsar=1"]
    # Eight bits and no transparency, whatever it was: what signalstats' numbers and the encoder are about.
    shape.append("format=yuv420p")
    return (
        program,
        *quiet(),
        # Else ffmpeg takes its own input for keys that somebody presses.
        "-nostdin",
        # Decoding the frames between would cost ten times as much.
        *(() if any_frame else ("-skip_frame", "nokey")),
        *one_input(container, source),
        # The first video that is not a cover picture; no sound, subtitles or data, whose decoders stay out of it.
        *("-map", "0:V:0", "-an", "-sn", "-dn"),
        *("-filter_threads", "1"),
        *("-vf", ",".join(wanted + shape + ([] if any_frame or may_be_black else [_NOT_BLACK]))),
        *("-frames:v", "1"),
        *("-c:v", "mjpeg", "-q:v", "3", "-threads", "1"),
        # Nothing in the picture about who made it, neither from the source nor from the encoder.
        *("-map_metadata", "-1", "-flags:v", "+bitexact"),
        *("-f", "image2pipe", STDOUT),
    )


def version(program: str) -> Arguments:
    """The version, in the first line of the output."""
    return (program, "-version")


def quiet() -> Arguments:
    """No more than warnings."""
    # Too many streams, and some other bounds, are told as warnings.
    return ("-hide_banner", "-v", "warning")


def one_input(container: str, source: str) -> Arguments:
    """One input, of one kind, and nothing that it refers to."""
    kind = _DEMUXERS[container]
    return (
        # ffmpeg may open this input and nothing else, whatever the file refers to.
        *("-protocol_whitelist", "pipe" if source == STDIN else "file"),
        # Not even inside the file does it choose another demuxer than ours.
        *("-format_whitelist", kind),
        *("-f", kind),
        *("-max_pixels", str(MAX_PIXELS)),
        *("-max_streams", str(MAX_STREAMS)),
        # One frame at a time: threads would decode frames nobody asked for, and count against the memory limit.
        *("-threads", "1"),
        # References of a MOV to other files stay unread; so it is by default, and so it stays.
        *(("-enable_drefs", "0", "-use_absolute_path", "0") if kind == "mov" else ()),
        *("-i", source if source == STDIN else f"file:{source}"),
    )
