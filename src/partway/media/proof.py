"""Proof that an index and bytes belong together, where the place of the index was only assumed.

A sample of H.264 is a chain of NAL units, each behind its length, that add up to the sample's size (ISO/IEC 14496-15
clause 5.3). Bytes at a wrong offset fail at the first one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from partway.media.index import Index

_MAX_UNITS = 4096


def is_proven(index: Index, number: int, media: bytes) -> bool:
    """Whether the ``media`` bytes of a segment of the picture are samples of the sizes that the index says."""
    video = index.video
    width = (index.picture.avcc[4] & 3) + 1
    at = 0
    for size in video.sizes[int(video.cuts[number]) : int(video.cuts[number + 1])].tolist():
        end = at + size
        if end > len(media) or not _is_chain(media, at, end, width):
            return False
        at = end
    return at == len(media)


def _is_chain(media: bytes, at: int, end: int, width: int) -> bool:
    for _ in range(_MAX_UNITS):
        if at == end:
            return True
        if at + width > end:
            return False
        length = int.from_bytes(media[at : at + width])
        at += width + length
        if length == 0 or at > end:
            return False
    return False
