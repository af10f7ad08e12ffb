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

CONTENT_TYPE = "application/vnd.apple.mpegurl"


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
    # Rounding the borders instead of the durations keeps the sum exact: no drift, however many segments.
    micros = [(time * 1_000_000 + track.timescale // 2) // track.timescale for time in track.times.tolist()]
    lasting = [end - start for start, end in pairwise(micros)]
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        # Of the whole index, listed or not: it may not change while the playlist grows.
        f"#EXT-X-TARGETDURATION:{max(1, (max(lasting) + 500_000) // 1_000_000)}",
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
