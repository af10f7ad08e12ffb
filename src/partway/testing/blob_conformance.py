"""The blob store's promise (``partway.blobs.base``) as checks that every store has to pass.

A store's test file is a few lines, whatever the test runner::

    @pytest.mark.anyio
    @pytest.mark.parametrize("check", blob_conformance.CHECKS, ids=blob_conformance.name_of)
    async def test_promise(check: Check, tmp_path: Path) -> None:
        await check(LocalBlobs(tmp_path))

A check takes a store that is empty. It raises AssertionError, with words, where the store breaks its promise.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import google_crc32c
import xxhash

from partway.blobs.base import BlobStore, StoredBlob
from partway.errors import BlobExists, BlobMissing

Check = Callable[[BlobStore], Awaitable[None]]

_MIB = 1024 * 1024
_BUFFER_MOST = 4 * _MIB
"""The largest buffer a read may yield: memory per request is bounded."""


class SourceBroke(Exception):
    """What a broken source raises in these checks; no error of partway's."""


def name_of(check: Check) -> str:
    """A check's name, for test ids."""
    return getattr(check, "__name__", repr(check))


def sample(length: int, seed: int = 0) -> bytes:
    """Bytes that no other seed gives."""
    return random.Random(seed).randbytes(length)


async def buffers_of(body: bytes, size: int) -> AsyncIterator[bytes]:
    """A source that yields ``body`` in buffers of ``size`` bytes."""
    for start in range(0, len(body), size):
        yield body[start : start + size]


async def read_all(blobs: BlobStore, key: str, offset: int = 0, length: int = 2**62) -> bytes:
    """Read a range and check that no buffer is too large to hold."""
    found = bytearray()
    async for buffer in blobs.read(key, offset, length):
        assert 0 < len(buffer) <= _BUFFER_MOST, f"a read yielded a buffer of {len(buffer)} bytes"
        found += buffer
    return bytes(found)


async def keys_of(blobs: BlobStore) -> list[str]:
    """Every key in a listing, sorted."""
    return sorted([found.key async for found in blobs.list()])


async def is_readable(blobs: BlobStore, key: str) -> bool:
    """Whether a read of ``key`` finds a blob."""
    try:
        async for _ in blobs.read(key, 0, 1):
            pass
    except BlobMissing:
        return False
    return True


async def _error_of(work: Awaitable[object]) -> Exception | None:
    try:
        await work
    except Exception as error:
        return error
    return None


async def _expect_nothing(blobs: BlobStore, key: str) -> None:
    assert not await is_readable(blobs, key), f"{key} can be read, though its put failed"
    assert await keys_of(blobs) == [], "a failed put left something behind"


async def gives_back_what_was_put(blobs: BlobStore) -> None:
    """Bytes, length and both digests are right."""
    body = sample(100_001)
    stored = await blobs.put("one", buffers_of(body, 4096))
    assert stored == StoredBlob("one", len(body), xxhash.xxh3_128_hexdigest(body), google_crc32c.value(body))
    assert await read_all(blobs, "one") == body
    assert await read_all(blobs, "one") == body, "a blob can be read only once"


async def reads_ranges(blobs: BlobStore) -> None:
    """Every range is exact; what is beyond the end is left out."""
    body = sample(3 * _MIB + 7)
    await blobs.put("one", buffers_of(body, 64 * 1024))
    end = len(body)
    for offset, length in (
        (0, 1),
        (0, end),
        (0, end + 1),
        (1, 1),
        (4095, 4098),
        (_MIB - 1, 2 * _MIB),
        (end - 1, 1),
        (end - 1, 100),
        (end, 1),
        (end + 100, 100),
        (5, 0),
    ):
        found = await read_all(blobs, "one", offset, length)
        assert found == body[offset : offset + length], f"the range {offset}+{length} came back wrong"


async def says_that_a_blob_is_missing(blobs: BlobStore) -> None:
    """Reading what isn't there is BlobMissing, also where nothing would be read."""
    for offset, length in ((0, 10), (10, 10)):
        try:
            async for _ in blobs.read("absent", offset, length):
                raise AssertionError("bytes came from a blob that was never put")
        except BlobMissing:
            continue
        raise AssertionError("a missing blob was read as an empty one")
    assert await keys_of(blobs) == []


async def never_overwrites(blobs: BlobStore) -> None:
    """A taken key is refused and the older blob is untouched; also by an empty blob, also an empty one."""
    first = await blobs.put("one", buffers_of(b"first", 5))
    await blobs.put("none", buffers_of(b"", 1))
    for key, body in (("one", b"second"), ("one", b"first"), ("one", b""), ("none", b"more")):
        try:
            await blobs.put(key, buffers_of(body, 2))
        except BlobExists:
            continue
        raise AssertionError(f"{key} was written twice")
    assert await read_all(blobs, "one") == b"first"
    assert await read_all(blobs, "none") == b""
    assert first.length == 5
    assert await keys_of(blobs) == ["none", "one"]


async def lets_one_of_two_puts_win(blobs: BlobStore) -> None:
    """Two puts of one key, one within the other: exactly one is stored, whole, and the other is BlobExists."""
    bodies = {"outer": sample(2 * _MIB, 1), "inner": sample(2 * _MIB, 2)}
    is_begun, may_end = asyncio.Event(), asyncio.Event()

    async def outer_source() -> AsyncIterator[bytes]:
        yield bodies["outer"][:_MIB]
        is_begun.set()
        await may_end.wait()
        yield bodies["outer"][_MIB:]

    async def attempt(name: str, source: AsyncIterator[bytes]) -> str | None:
        try:
            await blobs.put("one", source)
        except BlobExists:
            return None
        return name

    outer = asyncio.ensure_future(attempt("outer", outer_source()))
    await _either(is_begun, outer)
    winners = [await attempt("inner", buffers_of(bodies["inner"], 64 * 1024))]
    may_end.set()
    winners.append(await outer)
    won = [name for name in winners if name is not None]
    assert len(won) == 1, f"{len(won)} of two puts of one key were acknowledged"
    assert await read_all(blobs, "one") == bodies[won[0]], "the blob is not the winner's"
    assert await keys_of(blobs) == ["one"]


async def lets_one_of_many_puts_win(blobs: BlobStore) -> None:
    """The same with eight at once."""
    bodies = [sample(200_000, seed) for seed in range(8)]

    async def attempt(index: int) -> int | None:
        try:
            await blobs.put("one", buffers_of(bodies[index], 50_000))
        except BlobExists:
            return None
        return index

    won = [index for index in await asyncio.gather(*map(attempt, range(8))) if index is not None]
    assert len(won) == 1, f"{len(won)} of eight puts of one key were acknowledged"
    assert await read_all(blobs, "one") == bodies[won[0]], "the blob is not the winner's"
    assert await keys_of(blobs) == ["one"]


async def forgets_a_broken_source(blobs: BlobStore) -> None:
    """An error of the source passes through as it is and leaves nothing; the key can be used afterwards."""
    for before in (0, 1, 300_000, 3 * _MIB):

        async def broken(length: int = before) -> AsyncIterator[bytes]:
            async for buffer in buffers_of(sample(length), 100_000):
                yield buffer
            raise SourceBroke(f"after {length} bytes")

        error = await _error_of(blobs.put("one", broken()))
        assert isinstance(error, SourceBroke), f"the source's error became {error!r}"
        assert str(error) == f"after {before} bytes"
        await _expect_nothing(blobs, "one")
    await blobs.put("one", buffers_of(b"whole", 5))
    assert await read_all(blobs, "one") == b"whole"


async def forgets_an_os_error_of_the_source(blobs: BlobStore) -> None:
    """Also when the source's error looks like one of the store's."""

    async def broken() -> AsyncIterator[bytes]:
        yield sample(_MIB)
        raise ConnectionResetError("the sender is gone")

    error = await _error_of(blobs.put("one", broken()))
    assert isinstance(error, ConnectionResetError), f"the source's error became {error!r}"
    await _expect_nothing(blobs, "one")


async def forgets_a_cancelled_put(blobs: BlobStore) -> None:
    """A put cancelled while its source waits leaves nothing that can be read."""
    for before in (0, 1, 3 * _MIB):
        is_waiting = asyncio.Event()

        async def endless(length: int = before, waiting: asyncio.Event = is_waiting) -> AsyncIterator[bytes]:
            async for buffer in buffers_of(sample(length), 100_000):
                yield buffer
            waiting.set()
            await asyncio.Event().wait()

        putting = asyncio.ensure_future(blobs.put("one", endless()))
        await _either(is_waiting, putting)
        putting.cancel()
        await asyncio.wait({putting})
        assert putting.cancelled(), "a cancelled put did not end as cancelled"
        await _expect_nothing(blobs, "one")


async def _either(event: asyncio.Event, task: asyncio.Future[Any]) -> None:
    """Wait for an event of a task, or for the task's own early end, which is then its check's failure."""
    waiting = asyncio.ensure_future(event.wait())
    await asyncio.wait({waiting, task}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()


async def survives_cancellation_at_any_moment(blobs: BlobStore) -> None:
    """Cancelled at some step or other, a put ends as stored and whole, or as cancelled and absent."""
    body = sample(50_000)
    for steps in range(40):
        key = f"key-{steps}"
        putting = asyncio.ensure_future(blobs.put(key, buffers_of(body, 10_000)))
        for _ in range(steps):
            await asyncio.sleep(0)
        putting.cancel()
        await asyncio.wait({putting})
        if putting.cancelled():
            assert not await is_readable(blobs, key), "a cancelled put left a blob"
        else:
            putting.result()
            assert await read_all(blobs, key) == body
            await blobs.delete(key)
    assert await keys_of(blobs) == []


async def keeps_an_empty_blob(blobs: BlobStore) -> None:
    """No bytes are bytes too: an empty last part is normal traffic."""
    for key, source in (("none", buffers_of(b"", 1)), ("blank", _blanks())):
        stored = await blobs.put(key, source)
        assert stored == StoredBlob(key, 0, xxhash.xxh3_128_hexdigest(b""), 0)
        assert await read_all(blobs, key) == b""
    assert await keys_of(blobs) == ["blank", "none"]


async def _blanks() -> AsyncIterator[bytes]:
    yield b""
    yield b""


async def takes_buffers_of_any_size(blobs: BlobStore) -> None:
    """Many small buffers, few large ones, and all sizes mixed give the same blob."""
    body = sample(9 * _MIB + 13)
    digest = xxhash.xxh3_128_hexdigest(body)

    async def mixed() -> AsyncIterator[bytes]:
        at, sizes = 0, random.Random(7)
        while at < len(body):
            size = sizes.choice((0, 1, 17, 1000, 65536, _MIB + 1))
            yield body[at : at + size]
            at += size

    sources = {
        "small": buffers_of(body, 100),
        "large": buffers_of(body, 4 * _MIB),
        "single": buffers_of(body, len(body)),
        "mixed": mixed(),
    }
    for key, source in sources.items():
        stored = await blobs.put(key, source)
        assert (stored.length, stored.digest) == (len(body), digest), f"{key} buffers were stored wrong"
        assert await read_all(blobs, key) == body, f"{key} buffers came back wrong"


async def lists_keys_and_ages(blobs: BlobStore) -> None:
    """Every blob once, at once, older ones with higher ages, by one clock."""
    names = ["a", "0", "-", "_", "z" * 64, "0123456789abcdef0123456789abcdef"]
    for name in names:
        await blobs.put(name, buffers_of(b"x", 1))
    ages = {found.key: found.age_seconds async for found in blobs.list()}
    assert sorted(ages) == sorted(names)
    assert all(-1 <= age < 600 for age in ages.values()), f"ages of new blobs: {ages}"
    assert ages["a"] >= ages[names[-1]] - 1, "the first blob is younger than the last"


async def deletes_for_good(blobs: BlobStore) -> None:
    """A deleted blob is gone from reads and lists; deleting it again, or what never was, is fine."""
    await blobs.put("one", buffers_of(b"one", 3))
    await blobs.put("two", buffers_of(b"two", 3))
    await blobs.delete("one")
    await blobs.delete("one")
    await blobs.delete("never-was")
    assert not await is_readable(blobs, "one")
    assert await read_all(blobs, "two") == b"two"
    assert await keys_of(blobs) == ["two"]


async def bears_a_reader_that_leaves(blobs: BlobStore) -> None:
    """A read may be given up anywhere; a delete under a reader gives it the right bytes or an error, never others."""
    body = sample(6 * _MIB)
    await blobs.put("one", buffers_of(body, _MIB))
    reading = blobs.read("one", 0, len(body))
    await anext(reading)
    await _closed(reading)
    reading = blobs.read("one", 0, len(body))
    found = bytearray(await anext(reading))
    await blobs.delete("one")
    with contextlib.suppress(BlobMissing):
        async for buffer in reading:
            found += buffer
    await _closed(reading)
    assert body.startswith(found), "a reader got other bytes than the blob's"
    assert not await is_readable(blobs, "one")


async def _closed(reading: AsyncIterator[bytes]) -> None:
    close = getattr(reading, "aclose", None)
    if close is not None:
        await close()


async def serves_many_at_once(blobs: BlobStore) -> None:
    """Puts, reads and deletes of different keys don't disturb each other."""

    async def whole_life(index: int) -> None:
        body = sample(300_000 + index, index)
        await blobs.put(f"key-{index}", buffers_of(body, 7_000 + index))
        assert await read_all(blobs, f"key-{index}") == body
        if index % 2:
            await blobs.delete(f"key-{index}")

    await asyncio.gather(*map(whole_life, range(16)))
    assert await keys_of(blobs) == sorted(f"key-{index}" for index in range(0, 16, 2))


CHECKS: tuple[Check, ...] = (
    gives_back_what_was_put,
    reads_ranges,
    says_that_a_blob_is_missing,
    never_overwrites,
    lets_one_of_two_puts_win,
    lets_one_of_many_puts_win,
    forgets_a_broken_source,
    forgets_an_os_error_of_the_source,
    forgets_a_cancelled_put,
    survives_cancellation_at_any_moment,
    keeps_an_empty_blob,
    takes_buffers_of_any_size,
    lists_keys_and_ages,
    deletes_for_good,
    bears_a_reader_that_leaves,
    serves_many_at_once,
)
"""Every check."""
