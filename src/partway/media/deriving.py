"""How a source that browsers can't play becomes a stream that they can: copied where the codecs allow it, else encoded.

The output is one fragmented MP4, H.264 and AAC-LC, and the same bytes for the same source whenever it is made: that is
how a crash is survived (``services.deriving``). So there is one encoder thread, and no date or version in it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from partway.media.commands import PROGRESS, STDIN, STDOUT, Arguments, one_input, quiet
from partway.media.probing import facts_from_report

SHORTER_SIDE = 360
KEYFRAME_EVERY_SECONDS = 2
MAX_SECONDS = 100 * 3600
_PROBED_BYTES = 5 << 20
_COPIED_PROFILES = ("Constrained Baseline", "Baseline", "Main", "High")
_COPIED_LEVEL = 51
_FASTEST_SECONDS = 0.0158
"""Between two frames: 60 a second, where a container counts in milliseconds."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How one derived stream is made; kept, so that every try at the same stream makes the same."""

    copies_video: bool
    copies_audio: bool
    channels: int
    """0 where there is no sound."""
    sample_rate: int
    """Of the sound that is encoded."""
    width: int
    """Of the encoded picture: square pixels, upright."""
    height: int
    is_interlaced: bool = False


def write_plan(plan: Plan) -> str:
    """As JSON."""
    return json.dumps(asdict(plan))


def read_plan(text: str) -> Plan:
    """What ``write_plan`` wrote."""
    return Plan(**json.loads(text))


def streams(program: str, container: str) -> Arguments:
    """The arguments of ffprobe for a source's beginning on standard input; ``plan_from_report`` reads its JSON."""
    return (
        program,
        *quiet(),
        *one_input(container, STDIN),
        *("-probesize", str(_PROBED_BYTES)),
        *("-show_entries", ":".join(_ENTRIES)),
        *("-of", "json=compact=1"),
    )


_ENTRIES = (
    "stream=index,codec_type,codec_name,profile,level,pix_fmt,field_order,width,height,sample_aspect_ratio"
    ",sample_rate,channels",
    "stream_disposition=default,attached_pic",
    "stream_tags=rotate",
    "stream_side_data=rotation",
)


def plan_from_report(report: bytes, container: str) -> Plan:
    """How to make a stream of what ffprobe has reported (``streams``); raises as ``facts_from_report``."""
    facts = facts_from_report(report, container, None)
    read = [one for one in json.loads(report)["streams"] if isinstance(one, dict)]
    # Those that ffmpeg takes for "V:0" and "a:0".
    pictures = [one for one in read if one.get("codec_type") == "video" and not _is_cover(one)]
    sounds = [one for one in read if one.get("codec_type") == "audio" and one.get("codec_name")]
    wide, _, high = (facts.aspect_ratio or "16/9").partition("/")
    width, height = _shrunk(int(wide) / int(high), facts.height or SHORTER_SIDE)
    channels = rate = 0
    if sounds:
        channels = 1 if sounds[0].get("channels") == 1 else 2
        # 44,100 a second and its half stay what they are; everything else becomes 48,000.
        rate = 44100 if str(sounds[0].get("sample_rate")) in ("44100", "22050", "11025") else 48000
    # An MP4 that has come here with a picture that plays has an odd sound, or else an odd index.
    is_odd = container in ("mp4", "mov") and (not sounds or sounds[0].get("codec_name") in ("aac", "mp3"))
    return Plan(
        copies_video=_plays(pictures[0]) and not is_odd,
        copies_audio=bool(sounds) and sounds[0].get("codec_name") == "aac" and sounds[0].get("profile") == "LC",
        channels=channels,
        sample_rate=rate,
        width=width,
        height=height,
        is_interlaced=pictures[0].get("field_order") in ("tt", "bb", "tb", "bt"),
    )


def derive(program: str, container: str, plan: Plan) -> Arguments:
    """The arguments of ffmpeg: the source on standard input, the fragmented MP4 on standard output."""
    sound = ("-map", "0:a:0") if plan.channels else ("-an",)
    return (
        program,
        *quiet(),
        "-nostdin",
        *("-progress", PROGRESS),
        *("-probesize", str(_PROBED_BYTES)),
        # Transport streams leave some frames without a time.
        *("-fflags", "+genpts"),
        *one_input(container, STDIN),
        *("-map", "0:V:0", *sound, "-sn", "-dn"),
        *(("-c:v", "copy") if plan.copies_video else _encoded_picture(plan)),
        *(() if not plan.channels else _copied_sound(container) if plan.copies_audio else _encoded_sound(plan)),
        *("-t", str(MAX_SECONDS)),
        *("-map_metadata", "-1", "-map_chapters", "-1"),
        *("-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact"),
        *("-max_muxing_queue_size", "4096"),
        *_fragmented(),
    )


def _encoded_picture(plan: Plan) -> Arguments:
    wide, high = plan.width, plan.height
    # Inside the plan's frame, centred: a recording may change its shape, an encoder's picture may not.
    fitted_width = f"2*round(min({wide}\\,{high}*iw*sar/ih)/2)"
    fitted_height = f"2*round(min({high}\\,{wide}*ih/iw/sar)/2)"
    shape = f"scale=w=max(2\\,{fitted_width}):h=max(2\\,{fitted_height})"
    filters = [
        *(["yadif=deint=interlaced"] if plan.is_interlaced else []),
        f"select=isnan(prev_selected_t)+gte(t-prev_selected_t\\,{_FASTEST_SECONDS})",
        shape,
        f"pad={wide}:{high}:(ow-iw)/2:(oh-ih)/2",
        *("setsar=1", "format=yuv420p"),
    ]
    return (
        *("-filter_threads", "1", "-vf", ",".join(filters)),
        *("-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high", "-threads", "1"),
        *("-crf", "25", "-maxrate", "900k", "-bufsize", "1800k"),
        *("-force_key_frames", f"expr:gte(t,n_forced*{KEYFRAME_EVERY_SECONDS})"),
        *("-g", "600", "-x264-params", "scenecut=0:open-gop=0"),
        # The frames' own times, however uneven.
        *("-fps_mode", "vfr", "-enc_time_base", "1:90000", "-video_track_timescale", "90000"),
    )


def _encoded_sound(plan: Plan) -> Arguments:
    return (
        *("-c:a", "aac", "-profile:a", "aac_low", "-b:a", "64k" if plan.channels == 1 else "128k"),
        *("-ac", str(plan.channels), "-ar", str(plan.sample_rate)),
        # Gaps are filled with silence, so that the sound stays with the picture.
        *("-af", "aresample=async=1000:first_pts=0"),
    )


def _copied_sound(container: str) -> Arguments:
    # A transport stream's sound carries headers that an MP4 has elsewhere.
    return ("-c:a", "copy", *(("-bsf:a", "aac_adtstoasc") if container == "mpegts" else ()))


def _fragmented() -> Arguments:
    return (
        *("-f", "mp4"),
        # The header waits for the first packets, which alone tell where sound and picture begin.
        *("-movflags", "+frag_keyframe+delay_moov+default_base_moof+skip_trailer"),
        # Microseconds: not one for each frame of a file of keyframes, and no endless one where there are none.
        *("-min_frag_duration", "1000000", "-frag_duration", "10000000"),
        *("-flush_packets", "1"),
        STDOUT,
    )


def _shrunk(shape: float, height: int) -> tuple[int, int]:
    """An even width and height of this shape, whose shorter side is not above ``SHORTER_SIDE``."""
    shape = min(16.0, max(1 / 16, shape))
    width = height * shape
    factor = min(1.0, SHORTER_SIDE / min(width, height))
    return max(16, 2 * round(width * factor / 2)), max(16, 2 * round(height * factor / 2))


def _plays(picture: dict[str, Any]) -> bool:
    level = picture.get("level")
    return (
        picture.get("codec_name") == "h264"
        and picture.get("profile") in _COPIED_PROFILES
        and isinstance(level, int)
        and 0 < level <= _COPIED_LEVEL
        and picture.get("pix_fmt") in ("yuv420p", "yuvj420p")
        and picture.get("field_order", "progressive") in ("progressive", "unknown")
    )


def _is_cover(stream: dict[str, Any]) -> bool:
    disposition = stream.get("disposition")
    return isinstance(disposition, dict) and disposition.get("attached_pic") == 1
