"""Derived streams, as playback reads them: a growing source like any other, and how it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from partway.blobs.base import BlobStore
from partway.catalog import live
from partway.catalog.database import Transaction
from partway.catalog.live import Course, Derivation, Stretch
from partway.media.source import Extents
from partway.services.source import SourceView


@dataclass(frozen=True, slots=True)
class DerivedStream:
    """A fragmented MP4 made of a source that browsers can't play as it is."""

    attempt: int
    """Part of the viewers' URLs: another number is another stream, whose bytes may differ."""
    view: SourceView
    """What is published of it so far, from its first byte on; never changes but at its end."""
    state: Course
    reason: str | None
    """A sentence for people: why it will not grow now (``later``) or any more (``failed``)."""

    @property
    def has_ended(self) -> bool:
        """Whether nothing will be added to it, and it is the whole video."""
        return self.state is Course.ENDED


async def derived_stream(tx: Transaction, blobs: BlobStore, video_id: str) -> DerivedStream | None:
    """The derived stream of a video that counts; None while nobody has looked, or where none is needed."""
    derivation = await live.get(tx, video_id)
    if derivation is None or derivation.state is Course.NEEDLESS:
        return None
    return stream_of(derivation, await live.stretches(tx, video_id, derivation.attempt), blobs)


def stream_of(derivation: Derivation, published: Sequence[Stretch], blobs: BlobStore) -> DerivedStream:
    """The stream whose stretches are these."""
    extents = Extents.of((one.blob_key, one.position, one.length) for one in published)
    is_whole = derivation.state is Course.ENDED
    view = SourceView(extents, blobs, extents.end, is_whole, extents.end if is_whole else None)
    return DerivedStream(derivation.attempt, view, derivation.state, derivation.reason)
