"""Edit lists (ISO/IEC 14496-12 clause 8.6.6): the two shapes that pass through.

At most one empty edit, which delays the track, and then at most one edit at normal speed. Anything else cuts or repeats
media, which a playlist of the source's own frames can't show.
"""

from __future__ import annotations

from dataclasses import dataclass

from partway.errors import MediaMalformed, MediaUnsupported
from partway.media.boxes import fields


@dataclass(frozen=True, slots=True)
class Edit:
    """Which part of a track's media is presented, and when that begins."""

    delay: int = 0
    """In ticks of the movie."""
    media_time: int = 0
    """The first presented instant, in ticks of the track."""
    duration: int = 0
    """In ticks of the movie; 0 means up to the end."""


def read_edit(elst: memoryview | None) -> Edit:
    """Read an ``elst`` box, None where there is none.

    Raises MediaUnsupported for a list that does not pass through, MediaMalformed for one that makes no sense.
    """
    if elst is None:
        return Edit()
    version, count = fields(">B3xI", elst)
    layout, width = (">QqI", 20) if version == 1 else (">IiI", 12)
    if count * width > len(elst) - 8:
        raise MediaMalformed("The file's index is damaged: an edit list claims more entries than it has.")
    if count > 2:
        raise MediaUnsupported(f"An edit list cuts the file together from {count} pieces, which needs transcoding.")
    entries = [fields(layout, elst, 8 + width * number) for number in range(count)]
    delay = 0
    if entries and entries[0][1] == -1:
        delay = entries.pop(0)[0]
        if not entries:
            raise MediaUnsupported("An edit list hides a whole track of the file, which needs transcoding.")
    if len(entries) > 1:
        raise MediaUnsupported("An edit list cuts the file together from pieces, which needs transcoding.")
    if not entries:
        return Edit()
    duration, media_time, rate = entries[0]
    if media_time < 0:
        raise MediaMalformed("The file's index is damaged: an edit begins before its track does.")
    if rate != 0x10000:
        raise MediaUnsupported("An edit list changes the speed of the file, which needs transcoding.")
    return Edit(delay, media_time, duration)
