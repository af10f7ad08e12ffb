"""Derived streams: one fragmented MP4 that a live ffmpeg makes of a source, row by row, while the source arrives.

A row of ``derived`` is never changed, and never removed before its video: a stream that has to be begun anew gets the
next attempt's number. Functions that write expect the upload's row to have been locked (``uploads.lock``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, exists, insert, select, update

from partway.catalog.database import Transaction
from partway.catalog.tables import derivations, derived, uploads, videos
from partway.catalog.videos import IS_ALIVE, may_be_early
from partway.ledger import State


class Course(StrEnum):
    """How the making of a derived stream stands."""

    NEEDLESS = "needless"  # the source plays as it is
    MAKING = "making"  # its rows are the stream so far; more will come
    LATER = "later"  # stopped until the source is complete; the reason says why
    ENDED = "ended"  # its rows are the whole stream
    FAILED = "failed"  # there will be no more; the reason says why


@dataclass(frozen=True, slots=True)
class Derivation:
    """The row of a video's derived stream."""

    attempt: int
    """Which of its streams counts, from 1; 0 where none was ever begun. Part of the viewers' URLs."""
    state: Course
    reason: str | None = None
    """A sentence for people, where the state is ``later`` or ``failed``."""
    plan: str | None = None
    """JSON; how this attempt is made."""
    fed_bytes: int = 0
    """How much of the source there was when the making was last interrupted."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A run of bytes of a derived stream, in one blob; ``position`` is its first byte's place in the stream."""

    position: int
    length: int
    digest: str
    blob_key: str

    @property
    def end(self) -> int:
        """One past its last byte."""
        return self.position + self.length


async def get(tx: Transaction, video_id: str) -> Derivation | None:
    """How the derived stream of a video stands; None while nobody has looked."""
    row = (await tx.execute(select(derivations).where(derivations.c.video_id == video_id))).one_or_none()
    if row is None:
        return None
    return Derivation(row.attempt, Course(row.state), row.reason, row.plan, row.fed_bytes)


async def stretches(tx: Transaction, video_id: str, attempt: int) -> list[Stretch]:
    """Everything that an attempt has published, in order, without a gap."""
    rows = await tx.execute(
        select(derived.c.position, derived.c.length, derived.c.digest, derived.c.blob_key)
        .where(derived.c.video_id == video_id, derived.c.attempt == attempt)
        .order_by(derived.c.position)
    )
    return [Stretch(**row._mapping) for row in rows]


async def end(tx: Transaction, video_id: str, attempt: int) -> int:
    """How many bytes an attempt has published: reads one row."""
    row = (
        await tx.execute(
            select(derived.c.position, derived.c.length)
            .where(derived.c.video_id == video_id, derived.c.attempt == attempt)
            .order_by(derived.c.position.desc())
            .limit(1)
        )
    ).one_or_none()
    return 0 if row is None else row.position + row.length


async def save(tx: Transaction, video_id: str, derivation: Derivation, *, at: int) -> None:
    """Write how the derived stream of a video stands."""
    values = {
        "attempt": derivation.attempt,
        "state": derivation.state.value,
        "reason": derivation.reason,
        "plan": derivation.plan,
        "fed_bytes": derivation.fed_bytes,
        "changed_at": at,
    }
    if await get(tx, video_id) is None:
        await tx.execute(insert(derivations).values(video_id=video_id, **values))
    else:
        await tx.execute(update(derivations).where(derivations.c.video_id == video_id).values(**values))


async def append(tx: Transaction, video_id: str, attempt: int, stretch: Stretch, *, at: int) -> bool:
    """Publish the next stretch of a stream; say whether it was the next one.

    Not where another has published it, or where the attempt is not the one that counts, or is over.
    """
    now = await get(tx, video_id)
    if now is None or (now.attempt, now.state) != (attempt, Course.MAKING):
        return False
    if await end(tx, video_id, attempt) != stretch.position:
        return False
    await tx.execute(
        insert(derived).values(
            video_id=video_id,
            attempt=attempt,
            position=stretch.position,
            length=stretch.length,
            digest=stretch.digest,
            blob_key=stretch.blob_key,
            made_at=at,
        )
    )
    return True


async def complete(tx: Transaction, *, after: str = "", limit: int = 100) -> list[str]:
    """Complete videos whose derived stream, or the need for it, is not settled, by id."""
    return await _unsettled(tx, State.COMPLETE, _SETTLED, after, limit)


async def arriving(tx: Transaction, *, early: bool = True, after: str = "", limit: int = 100) -> list[str]:
    """The same of videos that are still arriving, but those whose making has been put off.

    Args:
        early: whether those may be watched while they arrive that don't say.
    """
    return await _unsettled(tx, State.RECEIVING, (*_SETTLED, Course.LATER), after, limit, may_be_early(early))


_SETTLED = (Course.NEEDLESS, Course.ENDED, Course.FAILED)


async def _unsettled(
    tx: Transaction, state: State, but: Sequence[Course], after: str, limit: int, *more: ColumnElement[bool]
) -> list[str]:
    mine = derivations.c.video_id == uploads.c.video_id
    settled = exists().where(mine, derivations.c.state.in_(but))
    found = await tx.execute(
        select(uploads.c.video_id)
        .join(videos, videos.c.video_id == uploads.c.video_id)
        .where(uploads.c.state == state, IS_ALIVE, uploads.c.video_id > after, ~settled, *more)
        .order_by(uploads.c.video_id)
        .limit(limit)
    )
    return list(found.scalars())
