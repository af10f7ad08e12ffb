"""The checks of a catalog's locks: two connections meet, and one stands still between its lock and its write."""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import TypeVar

from partway.catalog import idempotency, uploads, videos
from partway.catalog.database import Database
from partway.catalog.videos import Video
from partway.errors import InvalidAttribute, NotFound, PartAlreadySent
from partway.ledger import Content, Decision, PartNumber, State
from partway.testing.catalog_ground import Check, Opener, add_video, enter, enter_locked, expect_missing, opened

T = TypeVar("T")

_DEADLINE = 60.0
_ROUND_TRIPS = 50
"""How many reads somebody who ought to wait is given to show that he doesn't."""


async def _while_it_waits(database: Database, waiting: asyncio.Task[T]) -> None:
    """Give a task that ought to wait for a lock enough time to show that it doesn't."""
    for _ in range(_ROUND_TRIPS):
        async with database.read() as tx:
            await videos.tombstones(tx)
        assert not waiting.done(), f"it did not wait for the lock: {waiting}"


async def takes_two_last_parts_at_once(opener: Opener) -> None:
    """The barrier: the second locks while the first is between lock and write, waits, and sees the first's part.

    Exactly one of the two completes the set, and nothing is lost.
    """
    async with opened(opener, 3) as (one, other, watcher):
        for total_known in (True, False):
            video_id = f"vi{int(total_known)}"
            total = 3 if total_known else None
            await add_video(one, video_id)
            async with one.write() as tx:
                await enter(tx, video_id, PartNumber(1, total), Content(5, "d1"), f"{video_id} b1")

            async def second(video_id: str = video_id) -> Decision:
                async with other.write() as tx:
                    return await enter(tx, video_id, PartNumber(3, 3), Content(5, "d3"), f"{video_id} b3")

            async with one.write() as tx:
                upload = await uploads.lock(tx, video_id)
                waiting = asyncio.create_task(second())
                await _while_it_waits(watcher, waiting)
                first = await enter_locked(tx, upload, PartNumber(2, total), Content(5, "d2"), f"{video_id} b2")
            last = await asyncio.wait_for(waiting, _DEADLINE)
            assert first.summary.state is State.RECEIVING
            assert last.summary.state is State.COMPLETE
            async with watcher.read() as tx:
                assert (await uploads.get(tx, video_id)).summary == last.summary
                assert [part.position for part in await uploads.all_parts(tx, video_id)] == [1, 2, 3]


async def takes_many_parts_at_once(opener: Opener) -> None:
    """All parts of a source at once, by three connections, in random orders: exactly one completes it."""
    shuffled = random.Random(5)
    async with opened(opener, 3) as databases:
        for attempt in range(5):
            video_id = f"vi{attempt}"
            await add_video(databases[0], video_id)
            numbers = list(range(1, 13))
            shuffled.shuffle(numbers)

            async def one_part(number: int, video_id: str = video_id) -> Decision:
                total = 12 if number % 3 == 0 else None
                async with databases[number % 3].write() as tx:
                    return await enter(
                        tx, video_id, PartNumber(number, total), Content(number, f"d{number}"), f"{video_id} b{number}"
                    )

            decisions = await asyncio.gather(*map(one_part, numbers))
            states = [decision.summary.state for decision in decisions]
            assert states.count(State.COMPLETE) == 1, f"{states.count(State.COMPLETE)} parts say that they complete it"
            assert {decision.summary.pieces for decision in decisions} == set(range(1, 13)), "an update was lost"
            async with databases[0].read() as tx:
                assert (await uploads.get(tx, video_id)).summary.received_bytes == sum(numbers)
                assert len(await uploads.all_parts(tx, video_id)) == 12


async def takes_one_part_twice_at_once(opener: Opener) -> None:
    """The same number twice at once: the second is judged by the first, as a repeat or as already sent."""
    async with opened(opener, 3) as (one, other, watcher):
        for digest in ("same", "different"):
            await add_video(one, digest)

            async def second(digest: str = digest) -> Decision | None:
                try:
                    async with other.write() as tx:
                        return await enter(tx, digest, PartNumber(1), Content(5, digest), f"{digest} second")
                except PartAlreadySent:
                    return None

            async with one.write() as tx:
                upload = await uploads.lock(tx, digest)
                waiting = asyncio.create_task(second())
                await _while_it_waits(watcher, waiting)
                await enter_locked(tx, upload, PartNumber(1), Content(5, "same"), f"{digest} first")
            decision = await asyncio.wait_for(waiting, _DEADLINE)
            assert (decision is not None and not decision.is_new) if digest == "same" else decision is None
            async with watcher.read() as tx:
                assert [part.blob_key for part in await uploads.all_parts(tx, digest)] == [f"{digest} first"]
                assert (await uploads.get(tx, digest)).summary.pieces == 1


async def keeps_parts_off_tombstones(opener: Opener) -> None:
    """A part that waits for the lock while its video is deleted finds no video; the other way round it is buried."""
    async with opened(opener, 3) as (one, other, watcher):
        await add_video(one)

        async def part() -> Decision | None:
            try:
                async with other.write() as tx:
                    return await enter(tx, "vi1", PartNumber(1), Content(5, "d"), "b1")
            except NotFound:
                return None

        async with one.write() as tx:
            await uploads.lock(tx, "vi1")
            waiting = asyncio.create_task(part())
            await _while_it_waits(watcher, waiting)
            await videos.entomb(tx, "vi1", at=30)
        assert await asyncio.wait_for(waiting, _DEADLINE) is None, "a part was accepted on a tombstone"
        async with watcher.read() as tx:
            assert await uploads.all_parts(tx, "vi1") == []

        await add_video(one, "vi2")

        async def delete() -> None:
            async with other.write() as tx:
                await uploads.lock(tx, "vi2")
                await videos.entomb(tx, "vi2", at=31)

        async with one.write() as tx:
            upload = await uploads.lock(tx, "vi2")
            deleting = asyncio.create_task(delete())
            await _while_it_waits(watcher, deleting)
            await enter_locked(tx, upload, PartNumber(1), Content(5, "d"), "b2")
        await asyncio.wait_for(deleting, _DEADLINE)
        async with watcher.read() as tx:
            assert await videos.tombstones(tx) == ["vi1", "vi2"]
            assert [part.blob_key for part in await uploads.all_parts(tx, "vi2")] == ["b2"]


async def keeps_what_copies_share(opener: Opener) -> None:
    """A copy and the deletion of its source, whoever has the lock first; then two deletions of what is shared."""
    async with opened(opener, 3) as (one, other, watcher):

        async def complete(video_id: str, key: str) -> None:
            await add_video(one, video_id)
            async with one.write() as tx:
                await enter(tx, video_id, PartNumber(1, 1), Content(5, "d"), key)

        async def copy(database: Database, source: str, video_id: str) -> bool:
            try:
                async with database.write() as tx:
                    await videos.add(tx, Video(video_id, "a copy", created_at=10, updated_at=10))
                    await uploads.copy(tx, await uploads.lock(tx, source), video_id, at=20)
            except NotFound:
                return False
            return True

        async def delete(database: Database, video_id: str) -> None:
            async with database.write() as tx:
                await uploads.lock(tx, video_id)
                await videos.entomb(tx, video_id, at=30)

        async def keys_of(video_id: str) -> list[str]:
            async with watcher.read() as tx:
                return [part.blob_key for part in await uploads.all_parts(tx, video_id)]

        # The deletion is first: there is nothing to copy any more, and no trace of a copy.
        await complete("vi1", "b1")
        async with one.write() as tx:
            await uploads.lock(tx, "vi1")
            copying = asyncio.create_task(copy(other, "vi1", "vi1 copy"))
            await _while_it_waits(watcher, copying)
            await videos.entomb(tx, "vi1", at=30)
        assert not await asyncio.wait_for(copying, _DEADLINE), "a tombstone was copied"
        async with one.write() as tx:
            await uploads.release_shared(tx, "vi1")
        assert await keys_of("vi1") == ["b1"]
        async with watcher.read() as tx:
            await expect_missing(videos.get(tx, "vi1 copy"))

        # The copy is first: the deletion waits, and its bytes are another's then.
        await complete("vi2", "b2")
        async with one.write() as tx:
            source = await uploads.lock(tx, "vi2")
            await videos.add(tx, Video("vi2 copy", "a copy", created_at=10, updated_at=10))
            deleting = asyncio.create_task(delete(other, "vi2"))
            await _while_it_waits(watcher, deleting)
            await uploads.copy(tx, source, "vi2 copy", at=20)
        await asyncio.wait_for(deleting, _DEADLINE)
        async with other.write() as tx:
            await uploads.release_shared(tx, "vi2")
        assert (await keys_of("vi2"), await keys_of("vi2 copy")) == ([], ["b2"])
        async with watcher.read() as tx:
            assert (await uploads.get(tx, "vi2 copy")).summary == source.summary
            assert (await uploads.get(tx, "vi2 copy")).origin is uploads.Origin.COPIED

        # Both are deleted at once: the second waits for the first, and the blob is its alone.
        await complete("vi3", "b3")
        assert await copy(one, "vi3", "vi3 copy")
        for video_id in ("vi3", "vi3 copy"):
            await delete(one, video_id)

        async def release() -> None:
            async with other.write() as tx:
                await uploads.release_shared(tx, "vi3 copy")

        async with one.write() as tx:
            await uploads.release_shared(tx, "vi3")
            releasing = asyncio.create_task(release())
            await _while_it_waits(watcher, releasing)
        await asyncio.wait_for(releasing, _DEADLINE)
        assert (await keys_of("vi3"), await keys_of("vi3 copy")) == ([], ["b3"])


async def remembers_what_was_asked(opener: Opener) -> None:
    """One idempotency key makes one thing, also when two ask at once; another request under it is refused."""
    async with opened(opener, 3) as (one, other, watcher):

        async def claim(database: Database, resource: str) -> str | None:
            async with database.write() as tx:
                return await idempotency.claim(tx, "scope", "key", "print", resource, at=1)

        async with one.write() as tx:
            assert await idempotency.claim(tx, "scope", "key", "print", "first", at=1) is None
            waiting = asyncio.create_task(claim(other, "second"))
            await _while_it_waits(watcher, waiting)
        assert await asyncio.wait_for(waiting, _DEADLINE) == "first"
        assert await claim(one, "third") == "first"
        async with other.write() as tx:
            assert await idempotency.claim(tx, "other scope", "key", "other", "fourth", at=1) is None
            assert await idempotency.claim(tx, "scope", None, "print", "fifth", at=1) is None
            try:
                await idempotency.claim(tx, "scope", "key", "another print", "sixth", at=1)
            except InvalidAttribute:
                pass
            else:
                raise AssertionError("one key was good for two different requests")
        # A claim that is undone was none.
        with contextlib.suppress(ValueError):
            async with one.write() as tx:
                await idempotency.claim(tx, "scope", "undone", "print", "first", at=1)
                raise ValueError
        async with other.write() as tx:
            assert await idempotency.claim(tx, "scope", "undone", "print", "second", at=1) is None


BARRIERS: tuple[Check, ...] = (
    takes_two_last_parts_at_once,
    takes_many_parts_at_once,
    takes_one_part_twice_at_once,
    keeps_parts_off_tombstones,
    keeps_what_copies_share,
    remembers_what_was_asked,
)
"""Every check."""
