"""Movie fragments as they stand in a file (ISO/IEC 14496-12 clause 8.8): ``moof`` boxes, read within bounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from partway.errors import MediaMalformed, MediaTooLarge, MediaUnsupported
from partway.media.boxes import children, fields, first_of_each, required

if TYPE_CHECKING:
    from partway.media.tables import I32, U32

MAX_MOOF_BYTES = 16 << 20
MAX_MOOF_CHILDREN = 1000
_NOT_SYNC = 0x00010000


@dataclass(frozen=True, slots=True)
class Defaults:
    """What the samples of a track are like where no fragment says otherwise (``trex``)."""

    description: int = 1
    duration: int = 0
    size: int = 0
    flags: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Samples that lie in one unbroken run of bytes, in decoding order."""

    track_id: int
    offset: int
    """Of the first one, in the file."""
    decode_time: int | None
    """Of the first one, in ticks, where the fragment says so; else it follows the run before."""
    sizes: U32
    durations: U32
    compositions: I32 | None
    is_sync: np.ndarray[tuple[int], np.dtype[np.bool_]]

    @property
    def end(self) -> int:
        """One past the last byte."""
        return self.offset + int(self.sizes.sum(dtype=np.int64))


def read_defaults(mvex: memoryview) -> dict[int, Defaults]:
    """The ``trex`` boxes of a movie, by track."""
    found = {}
    for child in children(mvex, limit=MAX_MOOF_CHILDREN):
        if child.kind == b"trex":
            track_id, *defaults = fields(">5I", child.body, 4)
            found[track_id] = Defaults(*defaults)
    return found


def read_moof(body: memoryview, start: int, defaults: Mapping[int, Defaults], *, most: int) -> list[Run]:
    """The runs of a ``moof`` that begins at byte ``start`` of the file; tracks without defaults are left out.

    Raises MediaMalformed, MediaUnsupported, or MediaTooLarge for more than ``most`` samples.
    """
    runs: list[Run] = []
    after, left = start, most
    for child in children(body, limit=MAX_MOOF_CHILDREN):
        if child.kind != b"traf":
            continue
        for run in _read_traf(child.body, start, after, defaults, left):
            after = run.end
            left -= len(run.sizes)
            if run.track_id in defaults:
                runs.append(run)
    return runs


def _read_traf(body: memoryview, start: int, after: int, defaults: Mapping[int, Defaults], most: int) -> Iterator[Run]:
    """The runs of a track fragment; ``after`` is where the bytes of the one before it end."""
    boxes = first_of_each(body)
    head = required(boxes, b"tfhd")
    flags, track_id = fields(">II", head)
    known = defaults.get(track_id, Defaults())
    position, base = 8, start if flags & 0x020000 else after
    if flags & 0x000001:
        (base,) = fields(">Q", head, position)
        position += 8
    values = [known.description, known.duration, known.size, known.flags]
    for number, flag in enumerate((0x000002, 0x000008, 0x000010, 0x000020)):
        if flags & flag:
            (values[number],) = fields(">I", head, position)
            position += 4
    if values[0] != known.description:
        raise MediaUnsupported("The file changes its format midway, which needs transcoding.")
    usual = Defaults(*values)
    decode_time = None
    if b"tfdt" in boxes:
        (version,) = fields(">B", boxes[b"tfdt"])
        (decode_time,) = fields(">Q" if version == 1 else ">I", boxes[b"tfdt"], 4)
        if decode_time > 1 << 62:
            raise _damaged("its times are absurd")
    at = base
    for child in children(body, limit=MAX_MOOF_CHILDREN):
        if child.kind == b"trun":
            (count,) = fields(">I", child.body, 4)
            most -= count
            if most < 0:
                raise MediaTooLarge("A fragment of the file has more samples than this server takes.")
            if count:
                run = _read_trun(child.body, base, at, track_id, decode_time, usual)
                yield run
                at, decode_time = run.end, None


def _read_trun(body: memoryview, base: int, at: int, track_id: int, decode_time: int | None, usual: Defaults) -> Run:
    flags, count = fields(">II", body)
    position = 8
    if flags & 0x001:
        at = base + fields(">i", body, position)[0]
        position += 4
    first_flags = None
    if flags & 0x004:
        (first_flags,) = fields(">I", body, position)
        position += 4
    columns = [flag for flag in (0x100, 0x200, 0x400, 0x800) if flags & flag]
    width = len(columns)
    if count * width * 4 > len(body) - position:
        raise _damaged("a fragment claims more samples than it lists")
    if at < 0 or at > 1 << 62:
        raise _damaged("samples lie outside the file")
    table = np.frombuffer(body, ">u4", count * width, position).reshape(count, width).astype(np.uint32)
    found = {flag: table[:, number] for number, flag in enumerate(columns)}

    def column(flag: int, default: int) -> U32:
        return found[flag] if flag in found else np.full(count, default, np.uint32)

    sizes, durations = column(0x200, usual.size), column(0x100, usual.duration)
    if not sizes.all():
        raise MediaUnsupported("The file has empty samples, so it needs transcoding.")
    if (durations >= 1 << 31).any():
        raise _damaged("its times run backwards")
    sample_flags = column(0x400, usual.flags)
    if first_flags is not None:
        sample_flags = sample_flags.copy()
        sample_flags[0] = first_flags
    # Signed even in version 0, which calls them unsigned: as in ctts, writers did not wait.
    compositions = found[0x800].view(np.int32) if 0x800 in found else None
    is_sync = (sample_flags & np.uint32(_NOT_SYNC)) == 0
    return Run(track_id, at, decode_time, sizes, durations, compositions, is_sync)


def _damaged(what: str) -> MediaMalformed:
    return MediaMalformed(f"The file is damaged: {what}.")
