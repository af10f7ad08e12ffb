"""The edge: how far a source that is still arriving can be watched.

It only ever moves forward. Picture and sound end within one segment of each other, so that no player waits for the one
while the other is listed far ahead.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from partway.media.playlists import steady_count
from partway.media.segments import edge

if TYPE_CHECKING:
    from partway.media.index import Index, Kind


@dataclass(frozen=True, slots=True)
class Edge:
    """How many segments of each kind a playlist may list, from the first on."""

    video: int = 0
    audio: int = 0
    """0 without sound."""
    seconds: float = 0.0
    """Where the picture ends."""

    def count(self, kind: str) -> int:
        """Of one kind."""
        return self.video if kind == "video" else self.audio


def edge_of(index: Index, covered: Callable[[int, int], bool], before: Edge | None = None) -> Edge:
    """The edge of a source that holds what ``covered(low, high)`` says; it goes on from ``before``, an earlier answer.

    Nothing is listed as long as there is nothing to see and, where there is sound, to hear.
    """
    before = before or Edge()
    video = _steady(index, "video", edge(index, "video", covered, before.video))
    if index.audio is None:
        return Edge(video, 0, _seconds(index, video))
    audio = _steady(index, "audio", edge(index, "audio", covered, before.audio))
    heard, seen = _end(index, "audio", audio), _end(index, "video", video)
    while video and _end(index, "video", video - 1) >= heard:
        video -= 1
    while audio and _end(index, "audio", audio - 1) >= seen:
        audio -= 1
    video, audio = max(video, before.video), max(audio, before.audio)
    if not video or not audio:
        return before
    return Edge(video, audio, _seconds(index, video))


def _seconds(index: Index, count: int) -> float:
    return int(index.video.times[count]) / index.video.timescale


def _steady(index: Index, kind: Kind, count: int) -> int:
    return count if index.is_whole else min(count, steady_count(index, kind))


def _end(index: Index, kind: Kind, count: int) -> float:
    """When the first ``count`` segments of one kind end, in seconds; never, where they are all there will be."""
    track = index.track(kind)
    if count == track.count and index.is_whole:
        return math.inf
    return int(track.times[count]) / track.timescale
