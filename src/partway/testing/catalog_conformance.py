"""The catalog's promise as checks that every database beneath it has to pass.

A check takes an opener, which gives another ``Database`` on the same catalog each time it is called; the catalog
is empty and its schema current. It raises AssertionError, with words, where the promise is broken.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import Any

from partway.catalog import access, upload_tokens, uploads, videos
from partway.catalog.access import ApiKey
from partway.catalog.database import Database
from partway.catalog.paging import Order
from partway.catalog.upload_tokens import UploadToken
from partway.catalog.videos import VideoFilter
from partway.ledger import Address, ByteSpan, Content, PartNumber, State, Whole
from partway.testing.catalog_barriers import BARRIERS
from partway.testing.catalog_ground import (
    Check,
    Opener,
    add_video,
    enter,
    enter_locked,
    expect_missing,
    in_own_transaction,
    opened,
)


async def keeps_videos(opener: Opener) -> None:
    """What was added is given back, field by field, by another connection."""
    whole = {
        "title": "Ein Bär, 熊, \U0001f43b",
        "description": "line\nand 'quotes' \"and\" \\ % _",
        "public": False,
        "panoramic": True,
        "mp4_support": False,
        "player_id": "pl1",
        "language": "de",
        "tags": ("a", "ä b", "a", ""),
        "metadata": (("k", "v"), ("k", "w"), ("", "")),
        "published_at": None,
        "created_at": 2**53,
        "updated_at": 2**53 + 1,
    }
    async with opened(opener, 2) as (one, other):
        plain = await add_video(one, "vi1")
        full = await add_video(one, "vi2", **whole)
        async with other.read() as tx:
            assert await videos.get(tx, "vi1") == plain
            assert await videos.get(tx, "vi2") == full
            await expect_missing(videos.get(tx, "vi3"))
            upload = await uploads.get(tx, "vi1")
        assert upload.summary.state is State.EMPTY
        assert upload.summary.mode is None


async def changes_what_is_named(opener: Opener) -> None:
    """A change touches the named fields and no other; visibility has its generation."""
    async with opened(opener, 2) as (one, other):
        before = await add_video(one, tags=("a",), metadata=(("k", "v"),), description="old", player_id="pl1")
        await add_video(one, "vi2")
        steps: list[tuple[dict[str, Any], dict[str, Any]]] = [
            ({"title": "New"}, {"title": "New"}),
            ({"player_id": None, "description": ""}, {"player_id": None, "description": ""}),
            ({"tags": ("x", "y")}, {"tags": ("x", "y")}),
            ({"tags": ()}, {"tags": ()}),
            ({"metadata": (("a", "b"), ("c", "d"))}, {"metadata": (("a", "b"), ("c", "d"))}),
            ({"public": False}, {"public": False, "generation": 1}),
            ({"public": True}, {"public": True, "generation": 2}),
        ]
        expected = before
        for at, (changes, effect) in enumerate(steps, 100):
            async with one.write() as tx:
                await videos.change(tx, "vi1", changes, at=at)
            expected = replace(expected, updated_at=at, **effect)
            async with other.read() as tx:
                assert await videos.get(tx, "vi1") == expected
        async with other.read() as tx:
            assert (await videos.get(tx, "vi2")).title == "A title"
        async with one.write() as tx:
            await expect_missing(videos.change(tx, "vi3", {"title": "x"}, at=1))


async def buries_videos(opener: Opener) -> None:
    """A tombstone is gone for everybody but the undertaker, and goes with everything that hangs on it."""
    async with opened(opener, 2) as (one, other):
        await add_video(one, tags=("a",), metadata=(("k", "v"),))
        await add_video(one, "vi2")
        await in_own_transaction(one, lambda tx: enter(tx, "vi1", PartNumber(1), Content(5, "d1"), "b1"))
        async with one.write() as tx:
            await uploads.lock(tx, "vi1")
            await videos.entomb(tx, "vi1", at=30)
        async with other.write() as tx:
            await expect_missing(videos.get(tx, "vi1"))
            await expect_missing(uploads.get(tx, "vi1"))
            await expect_missing(uploads.lock(tx, "vi1"))
            await expect_missing(videos.change(tx, "vi1", {"title": "x"}, at=1))
            await expect_missing(videos.entomb(tx, "vi1", at=31))
            assert (await videos.find(tx, VideoFilter(tags=("a",)), Order(), page=1, page_size=9)).total == 0
            assert await videos.tombstones(tx) == ["vi1"]
            assert [part.blob_key for part in await uploads.all_parts(tx, "vi1")] == ["b1"]
            await videos.remove_tombstone(tx, "vi2")
            await videos.remove_tombstone(tx, "vi1")
        async with one.read() as tx:
            assert await videos.tombstones(tx) == []
            assert await uploads.all_parts(tx, "vi1") == []
            assert (await videos.get(tx, "vi2")).video_id == "vi2"
        # Nothing was left that would stand in the way of the same names.
        await add_video(one, tags=("a",), metadata=(("k", "v"),))
        await in_own_transaction(one, lambda tx: enter(tx, "vi1", PartNumber(1), Content(5, "d1"), "b1"))


async def filters_lists(opener: Opener) -> None:
    """Texts match anywhere whatever their case, in every script; tags and metadata must all match; all is literal."""
    made: dict[str, dict[str, Any]] = {
        "vi1": {"title": "Ärger im BÄRENGRABEN", "description": "Ein Film", "tags": ("rot", "blau")},
        "vi2": {"title": "медведь И Лиса", "tags": ("rot",), "metadata": (("jahr", "1999"), ("ort", "Bern"))},
        "vi3": {"title": "100% _Plain_ \\ text", "description": None, "metadata": (("jahr", "1999"),)},
        "vi4": {"title": "100 plain text", "tags": ("Rot",), "metadata": (("jahr", "2000"), ("ort", "1999"))},
        "vi5": {"title": "ΟΔΟΣ", "description": "FILM noir", "tags": ("rot", "rot", "blau")},
    }
    asked = [
        (VideoFilter(), "vi1 vi2 vi3 vi4 vi5"),
        (VideoFilter(title="bärengraben"), "vi1"),
        (VideoFilter(title="ÄRGER"), "vi1"),
        (VideoFilter(title="МЕДВЕДЬ и"), "vi2"),
        (VideoFilter(title="οδο"), "vi5"),
        (VideoFilter(title="plain"), "vi3 vi4"),
        (VideoFilter(title="100%"), "vi3"),
        (VideoFilter(title="_plain_"), "vi3"),
        (VideoFilter(title="\\"), "vi3"),
        (VideoFilter(title="1%t"), ""),
        (VideoFilter(title="'; --"), ""),
        (VideoFilter(description="film"), "vi1 vi5"),
        (VideoFilter(title="ο", description="film"), "vi5"),
        (VideoFilter(tags=("rot",)), "vi1 vi2 vi5"),
        (VideoFilter(tags=("rot", "blau")), "vi1 vi5"),
        (VideoFilter(tags=("ro",)), ""),
        (VideoFilter(metadata=(("jahr", "1999"),)), "vi2 vi3"),
        (VideoFilter(metadata=(("jahr", "1999"), ("ort", "Bern"))), "vi2"),
        (VideoFilter(metadata=(("ort", "1999"),)), "vi4"),
        (VideoFilter(tags=("rot",), metadata=(("ort", "Bern"),), title="лиса"), "vi2"),
    ]
    async with opened(opener) as (database,):
        for video_id, values in made.items():
            await add_video(database, video_id, **values)
        async with database.read() as tx:
            for wanted, expected in asked:
                page = await videos.find(tx, wanted, Order(), page=1, page_size=100)
                found = " ".join(sorted(video.video_id for video in page.items))
                assert found == expected, f"{wanted} finds {found or 'nothing'}"
                assert page.total == len(page.items)


async def sorts_lists(opener: Opener) -> None:
    """By every key, both ways; equal ones in a stable order; the newest first when nothing is said."""
    rows = [
        # id, title, created, published, updated
        ("vi1", "b", 3, None, 9),
        ("vi2", "a", 1, 5, 7),
        ("vi3", "c", 2, 4, 7),
        ("vi4", "b", 3, 6, 8),
    ]
    orders = [
        (Order(), "4 1 3 2"),
        (Order("title"), "2 1 4 3"),
        (Order("title", descending=True), "3 4 1 2"),
        (Order("createdAt"), "2 3 1 4"),
        (Order("createdAt", descending=True), "4 1 3 2"),
        (Order("publishedAt"), "1 3 2 4"),
        (Order("publishedAt", descending=True), "4 2 3 1"),
        (Order("updatedAt"), "2 3 4 1"),
        (Order("updatedAt", descending=True), "1 4 3 2"),
    ]
    assert {order.key for order, _ in orders} == {None, *videos.SORT_KEYS}
    async with opened(opener) as (database,):
        for video_id, title, created, published, updated in rows:
            await add_video(
                database, video_id, title=title, created_at=created, published_at=published, updated_at=updated
            )
        async with database.read() as tx:
            for order, expected in orders:
                page = await videos.find(tx, VideoFilter(), order, page=1, page_size=100)
                assert " ".join(video.video_id[2:] for video in page.items) == expected, f"{order}"


async def pages_lists(opener: Opener) -> None:
    """Every item is on exactly one page; totals count all pages; beyond the last page there is nothing."""
    async with opened(opener) as (database,):
        for number in range(11):
            await add_video(database, f"vi{number:02}", title="same", created_at=5, tags=(f"t{number % 2}",))
        async with database.read() as tx:
            for size in (1, 3, 11, 100):
                seen = []
                for page in range(1, 11 // size + 3):
                    found = await videos.find(tx, VideoFilter(), Order("title"), page=page, page_size=size)
                    assert found.total == 11
                    seen += [video.video_id for video in found.items]
                assert seen == [f"vi{number:02}" for number in range(11)]
            found = await videos.find(tx, VideoFilter(tags=("t1",)), Order(), page=2, page_size=3)
            assert found.total == 5
            assert [video.tags for video in found.items] == [("t1",)] * 2


async def keeps_parts(opener: Opener) -> None:
    """Parts and summaries come back exactly, also far beyond 2^32; neighbours are those of the ledger."""
    far = 50_000 * 1024 * 1024
    spans = [ByteSpan(far - 9, far - 5), ByteSpan(10, 19), ByteSpan(30, 39), ByteSpan(20, 24), ByteSpan(0, 9, far)]
    async with opened(opener, 2) as (one, other):
        await add_video(one)
        await add_video(one, "vi2")
        await in_own_transaction(one, lambda tx: enter(tx, "vi2", PartNumber(7), Content(3, "z"), "other"))
        for index, span in enumerate(spans):
            content = Content(span.length, f"digest {index}")
            async with one.write() as tx:
                decision = await enter(tx, "vi1", span, content, f"key {index}")
            async with other.read() as tx:
                assert (await uploads.get(tx, "vi1")).summary == decision.summary
        async with other.read() as tx:
            found = await uploads.all_parts(tx, "vi1")
            assert [(part.position, part.content.digest, part.blob_key, part.total) for part in found] == [
                (span.first, f"digest {spans.index(span)}", f"key {spans.index(span)}", span.total)
                for span in sorted(spans, key=lambda span: span.first)
            ]
            for position, same, before, after in (
                (0, 0, None, 10),
                (5, None, 0, 10),
                (10, 10, 0, 20),
                (25, None, 20, 30),
                (39, None, 30, far - 9),
                (far - 9, far - 9, 30, None),
                (far - 1, None, far - 9, None),
            ):
                beside = await uploads.neighbours(tx, "vi1", ByteSpan(position, position))
                held = [None if one is None else one.position for one in (beside.same, beside.before, beside.after)]
                assert held == [same, before, after], f"beside {position}"
            assert (await uploads.neighbours(tx, "vi2", PartNumber(7))).same is not None
            assert (await uploads.neighbours(tx, "vi2", PartNumber(6))).same is None
            assert (await uploads.neighbours(tx, "vi2", Whole())).same is None


async def finds_idle_uploads(opener: Opener) -> None:
    """Those receiving, silent since, without a gap and without a total; the longest silent first."""
    held: dict[str, tuple[int, Address]] = {
        "part": (50, PartNumber(1)),
        "bytes": (40, ByteSpan(0, 4)),
        "too recent": (60, PartNumber(1)),
        "complete": (30, PartNumber(1, 1)),
        "total known": (30, PartNumber(1, 2)),
        "gap in parts": (30, PartNumber(2)),
        "gap in bytes": (30, ByteSpan(5, 9)),
    }
    async with opened(opener) as (database,):
        await add_video(database, "empty")
        for name, (at, address) in held.items():
            await add_video(database, name)
            async with database.write() as tx:
                upload = await uploads.lock(tx, name)
                decision = await enter_locked(tx, upload, address, Content(5, "d"), name)
                await uploads.save(tx, upload, decision.summary, at=at)
        async with database.read() as tx:
            assert await uploads.idle(tx, before=60) == ["bytes", "part"]
            assert await uploads.idle(tx, before=60, limit=1) == ["bytes"]


async def undoes_what_fails(opener: Opener) -> None:
    """A transaction that ends by an error or a cancellation has never been."""
    async with opened(opener, 2) as (one, other):
        await add_video(one)

        async def break_off(error: BaseException) -> None:
            async with one.write() as tx:
                await videos.change(tx, "vi1", {"title": "lost", "tags": ("lost",)}, at=99)
                await enter(tx, "vi1", PartNumber(1), Content(5, "d"), "lost")
                raise error

        for error in (ValueError("broken"), asyncio.CancelledError()):
            with contextlib.suppress(ValueError, asyncio.CancelledError):
                await break_off(error)
            async with other.read() as tx:
                found = await videos.get(tx, "vi1")
                assert (found.title, found.tags) == ("A title", ())
                assert await uploads.all_parts(tx, "vi1") == []
                assert (await uploads.get(tx, "vi1")).summary.state is State.EMPTY
        # And the connection is good for more.
        await in_own_transaction(one, lambda tx: enter(tx, "vi1", PartNumber(1), Content(5, "d"), "kept"))


async def reads_one_state(opener: Opener) -> None:
    """A reading transaction sees one state throughout; the next one sees what was committed meanwhile."""
    async with opened(opener, 2) as (one, other):
        await add_video(one)
        async with other.read() as tx:
            before = await uploads.get(tx, "vi1")
            await in_own_transaction(one, lambda tx: enter(tx, "vi1", PartNumber(1), Content(5, "d"), "b1"))
            assert await uploads.get(tx, "vi1") == before
            assert await uploads.all_parts(tx, "vi1") == [], "a part without its summary was seen"
        async with other.read() as tx:
            assert (await uploads.get(tx, "vi1")).summary.pieces == 1
            assert len(await uploads.all_parts(tx, "vi1")) == 1


async def keeps_tokens(opener: Opener) -> None:
    """Upload tokens: deleted ones are gone, expired ones are not listed but can be read."""
    made = [UploadToken(f"to{n}", ttl, n, None if ttl == 0 else n + ttl) for n, ttl in ((1, 0), (2, 5), (3, 9), (4, 0))]
    async with opened(opener, 2) as (one, other):
        async with one.write() as tx:
            for token in made:
                await upload_tokens.add(tx, token)
            await upload_tokens.delete(tx, "to4", at=5)
            await expect_missing(upload_tokens.delete(tx, "to4", at=6))
        async with other.read() as tx:
            assert await upload_tokens.get(tx, "to2") == made[1]
            await expect_missing(upload_tokens.get(tx, "to4"))
            for order, expected in (
                (Order(), "to3 to1"),
                (Order("createdAt"), "to1 to3"),
                (Order("ttl"), "to1 to3"),
                (Order("ttl", descending=True), "to3 to1"),
            ):
                page = await upload_tokens.find(tx, order, at=7, page=1, page_size=9)
                assert " ".join(token.token for token in page.items) == expected
                assert page.total == 2


async def keeps_keys(opener: Opener) -> None:
    """API keys and sessions: a refresh token is good once, revocation ends everything made from a key."""
    async with opened(opener, 2) as (one, other):
        async with one.write() as tx:
            for number in (1, 2):
                await access.add_key(tx, ApiKey(f"ak{number}", "name", number, None), f"hash{number}")
                await access.add_session(tx, "access", f"access{number}", f"ak{number}", expires_at=100)
                await access.add_session(tx, "refresh", f"refresh{number}", f"ak{number}", expires_at=200)
        async with other.read() as tx:
            assert [key.key_id for key in await access.keys(tx)] == ["ak1", "ak2"]
            assert await access.key_with_hash(tx, "hash1") == "ak1"
            assert await access.key_with_hash(tx, "hash3") is None
            assert await access.session_with_hash(tx, "access", "access1", at=99) == "ak1"
            assert await access.session_with_hash(tx, "access", "access1", at=100) is None
            assert await access.session_with_hash(tx, "refresh", "access1", at=1) is None

        async def use(database: Database) -> bool:
            async with database.write() as tx:
                return await access.remove_session(tx, "refresh1")

        assert sorted(await asyncio.gather(use(one), use(other))) == [False, True]
        async with one.write() as tx:
            await access.revoke_key(tx, "ak2", at=50)
            await expect_missing(access.revoke_key(tx, "ak2", at=51))
            await access.remove_expired_sessions(tx, at=100)
        async with other.read() as tx:
            assert await access.key_with_hash(tx, "hash2") is None
            assert await access.session_with_hash(tx, "refresh", "refresh2", at=1) is None
            assert await access.session_with_hash(tx, "access", "access1", at=1) is None


CHECKS: tuple[Check, ...] = (
    keeps_videos,
    changes_what_is_named,
    buries_videos,
    filters_lists,
    sorts_lists,
    pages_lists,
    keeps_parts,
    finds_idle_uploads,
    undoes_what_fails,
    reads_one_state,
    keeps_tokens,
    keeps_keys,
    *BARRIERS,
)
"""Every check."""
