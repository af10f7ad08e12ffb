"""Playlists: text, and a pure function of index and count (RFC 8216; 8216bis section 6.2.1).

Every earlier answer is a prefix of every later one. So the type is EVENT throughout: the tag may not change when the
end comes, and VOD would promise that nothing is added. Players treat an EVENT playlist with an ENDLIST as they treat
VOD, but without one they would start at the live edge: hence EXT-X-START.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from partway.media.index import Index, Kind
    from partway.media.track import Track

CONTENT_TYPE = "application/vnd.apple.mpegurl"

_USUAL_TARGET = 6
_LONG_TARGET = 11
"""Keyframes that pass through are at most 10.5 s apart."""


def master_playlist(index: Index, *, video_uri: str, audio_uri: str | None = None) -> str:
    """The master playlist of a source that passes through: one variant, its sound as a rendition of its own.

    ``audio_uri`` is of use only if there is sound. URIs are written as they come and must hold no quote or line break.
    """
    facts = index.facts
    # hls.js takes "mp4a.40.34" for MP3 in MP4, which it could not play, and drops the rendition; unnamed, it plays it.
    codecs = facts.codecs[:1] if index.is_packed("audio") else facts.codecs
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    stream = [
        f"BANDWIDTH={facts.peak_bandwidth}",
        f"AVERAGE-BANDWIDTH={facts.average_bandwidth}",
        f'CODECS="{",".join(codecs)}"',
        f"RESOLUTION={facts.width}x{facts.height}",
        f"FRAME-RATE={facts.framerate:.3f}",
    ]
    if index.sound is not None and audio_uri is not None:
        lines.append(
            '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Audio",DEFAULT=YES,AUTOSELECT=YES,'
            f'CHANNELS="{index.sound.channels}",URI="{audio_uri}"'
        )
        stream.append('AUDIO="audio"')
    return "\n".join([*lines, "#EXT-X-STREAM-INF:" + ",".join(stream), video_uri]) + "\n"


def media_playlist(
    index: Index, kind: Kind, *, init_uri: str, segment_uri: Callable[[int], str], count: int, ended: bool
) -> str:
    """The playlist of one kind, with its first ``count`` segments.

    ``ended`` appends the end and changes nothing else. ``init_uri`` is left out where there is no init segment
    (``Index.is_packed``). Raises ValueError for a count beyond the index's, LookupError if there is no sound.
    """
    track = index.track(kind)
    if not 0 <= count <= track.count:
        raise ValueError(f"{count} segments of {track.count}")
    lasting = _durations(track)
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{_target(index, lasting)}",
        "#EXT-X-PLAYLIST-TYPE:EVENT",
        "#EXT-X-START:TIME-OFFSET=0",
        "#EXT-X-INDEPENDENT-SEGMENTS",
    ]
    if not index.is_packed(kind):
        lines.append(f'#EXT-X-MAP:URI="{init_uri}"')
    for number, length in enumerate(lasting[:count]):
        lines.append(f"#EXTINF:{length // 1_000_000}.{length % 1_000_000:06d},")
        lines.append(segment_uri(number))
    if ended:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"


def steady_count(index: Index, kind: Kind) -> int:
    """How many segments, from the first on, are no longer than the playlist has promised: all, but for fragments."""
    lasting = _durations(index.track(kind))
    if not index.is_fragmented:
        return len(lasting)
    most = _promised(lasting)
    return next((number for number, length in enumerate(lasting) if _rounded(length) > most), len(lasting))


def _durations(track: Track) -> list[int]:
    """How long each segment lasts, in microseconds.

    Rounding the borders instead of the durations keeps the sum exact: no drift, however many segments.
    """
    micros = [(time * 1_000_000 + track.timescale // 2) // track.timescale for time in track.times.tolist()]
    return [end - start for start, end in pairwise(micros)]


def _target(index: Index, lasting: list[int]) -> int:
    """The longest segment in whole seconds, listed or not: it may not change while the playlist grows.

    Fragments tell nothing of what follows. So their playlist promises a length by its first segment, and stops growing
    before one that breaks the promise, until the source is complete.
    """
    longest = max(1, _rounded(max(lasting)))
    if not index.is_fragmented:
        return longest
    return max(longest, _promised(lasting)) if index.is_whole else _promised(lasting)


def _promised(lasting: list[int]) -> int:
    return _USUAL_TARGET if _rounded(lasting[0]) <= _USUAL_TARGET else _LONG_TARGET


def _rounded(length: int) -> int:
    return (length + 500_000) // 1_000_000
