"""The DASH manifest of a video that is complete: the same segments as HLS, listed once more (ISO/IEC 23009-1).

Times are exact, in each track's own ticks, so picture and sound can't drift.
"""

from __future__ import annotations

from itertools import groupby, pairwise
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

from partway.errors import MediaUnsupported

if TYPE_CHECKING:
    from collections.abc import Callable

    from partway.media.index import Index, Kind
    from partway.media.track import Track

_STEREO = "urn:mpeg:dash:23003:3:audio_channel_configuration:2011"


def dash_manifest(index: Index, *, uri: Callable[[str], str]) -> str:
    """The MPD of a whole source that passes through.

    ``uri`` makes an address of a name: ``video-init.mp4``, or ``video-$Number$.m4s``, where the dollars stay.
    Raises MediaUnsupported where the sound is bare MP3, which DASH can't carry.
    """
    if index.is_packed("audio"):
        raise MediaUnsupported("The audio is MP3, which DASH can't carry here: use HLS.")
    facts, video, audio = index.facts, index.video, index.audio
    length = max(_seconds(track) for track in (video, audio) if track is not None)
    share = _rates(index)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011" type="static" '
        f'mediaPresentationDuration="PT{length:.6f}S" minBufferTime="PT4S">',
        "<Period>",
        '<AdaptationSet contentType="video" segmentAlignment="true" startWithSAP="1">',
        *_template(index, "video", uri),
        f'<Representation id="video" mimeType="video/mp4" codecs="{facts.codecs[0]}" bandwidth="{share["video"]}" '
        f'width="{facts.width}" height="{facts.height}" frameRate="{len(video.sizes) * video.timescale}/'
        f'{max(1, int(video.durations.sum(dtype="int64")))}"/>',
        "</AdaptationSet>",
    ]
    if audio is not None and index.sound is not None:
        lines += [
            '<AdaptationSet contentType="audio" segmentAlignment="true" startWithSAP="1">',
            *_template(index, "audio", uri),
            f'<Representation id="audio" mimeType="audio/mp4" codecs="{facts.codecs[1]}" '
            f'bandwidth="{share["audio"]}" audioSamplingRate="{index.sound.sample_rate}">',
            f'<AudioChannelConfiguration schemeIdUri="{_STEREO}" value="{index.sound.channels}"/>',
            "</Representation>",
            "</AdaptationSet>",
        ]
    return "\n".join([*lines, "</Period>", "</MPD>"]) + "\n"


def _template(index: Index, kind: Kind, uri: Callable[[str], str]) -> list[str]:
    track = index.track(kind)
    borders = track.times.tolist()
    lasting = [end - start for start, end in pairwise(borders)]
    lines = [
        f'<SegmentTemplate timescale="{track.timescale}" startNumber="0" '
        f"initialization={quoteattr(uri(f'{kind}-init.mp4'))} media={quoteattr(uri(f'{kind}-$Number$.m4s'))}>",
        "<SegmentTimeline>",
    ]
    for number, (length, same) in enumerate(groupby(lasting)):
        start = f't="{borders[0]}" ' if number == 0 else ""
        lines.append(f'<S {start}d="{length}" r="{len(list(same)) - 1}"/>')
    return [*lines, "</SegmentTimeline>", "</SegmentTemplate>"]


def _rates(index: Index) -> dict[str, int]:
    """The busiest segment of each kind, in bits a second."""
    kinds: list[Kind] = ["video", "audio"] if index.audio else ["video"]
    rates: dict[str, int] = {}
    for kind in kinds:
        track = index.track(kind)
        lasting = (track.times[1:] - track.times[:-1]) / track.timescale
        rates[kind] = max(1, round(float((track.segment_bytes * 8 / lasting.clip(1)).max())))
    return rates


def _seconds(track: Track) -> float:
    return int(track.times[-1]) / track.timescale
