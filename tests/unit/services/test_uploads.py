"""Accepting a part: what is asked when, what is stored when, and what a refusal leaves behind."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.unit.services.conftest import Place

from partway.catalog import uploads as rows
from partway.catalog import videos as video_rows
from partway.catalog.clock import SECOND, now
from partway.catalog.paging import Order
from partway.catalog.upload_tokens import UploadToken, add
from partway.catalog.videos import VideoFilter
from partway.dialects.apivideo import parse
from partway.errors import (
    AlreadyInitiated,
    AlreadyUploaded,
    BlobError,
    BodyBroken,
    ClientGone,
    FileMissing,
    FileTooLarge,
    InvalidAttribute,
    InvalidUploadToken,
    MissingAttribute,
    NotFound,
    PartAlreadySent,
    PartsTotalDiffers,
    PartTooSmall,
    PartwayError,
    PartZero,
    RangeMismatch,
    RangeTooLarge,
    SeveralFiles,
    UploadHasGaps,
)
from partway.ledger import PartNumber, State
from partway.services.uploads import AcceptedPart, TokenBearer
from partway.testing.blob_conformance import keys_of, sample
from partway.testing.forms import SentFile, SentForm
from partway.testing.waiting import wait_until

pytestmark = pytest.mark.anyio

BODY, OTHER = sample(1000, 1), sample(1000, 2)
BEARER = TokenBearer("to1", is_expired=False)


async def send(place: Place, video_id: str, header: str | None, body: bytes = BODY) -> AcceptedPart:
    return await place.uploads.accept_part(video_id, parse(header), SentForm(SentFile(body)))


async def breaks_off(error: Exception) -> AsyncIterator[bytes]:
    yield BODY
    raise error


async def test_parts_are_stored_once_and_found_again(place: Place) -> None:
    video_id = await place.video()
    assert await send(place, video_id, "part 2/2", OTHER) == AcceptedPart(video_id, False)
    assert await send(place, video_id, "part 1/*") == AcceptedPart(video_id, True)
    summary, parts, keys = await place.state(video_id)
    assert (summary.state, summary.total, summary.received_bytes) == (State.COMPLETE, 2, 2000)
    assert [place.blobs._blobs[part.blob_key][0] for part in parts] == [BODY, OTHER]
    assert keys == sorted(part.blob_key for part in parts)


async def test_a_repeat_is_digested_and_not_stored(place: Place) -> None:
    video_id = await place.video()
    await send(place, video_id, "part 1/2")
    before = await place.state(video_id)
    assert await send(place, video_id, "part 1/2") == AcceptedPart(video_id, False)
    assert await place.state(video_id) == before
    assert place.blobs.puts == 1
    with pytest.raises(PartAlreadySent):
        await send(place, video_id, "part 1/2", OTHER)
    assert await place.state(video_id) == before
    assert place.blobs.puts == 1
    await send(place, video_id, "part 2/2", OTHER)
    assert await send(place, video_id, "part 1/*") == AcceptedPart(video_id, True)
    assert place.blobs.puts == 2


REFUSED: list[tuple[str | None, list[Any], type[PartwayError], int]] = [
    # header, form, error, how often something was stored on the way
    ("part 0/2", [SentFile(BODY)], PartZero, 0),
    (None, [SentFile(BODY)], AlreadyInitiated, 0),
    ("part 2/3", [SentFile(BODY)], PartsTotalDiffers, 0),
    ("part 1/2", [SentFile(OTHER)], PartAlreadySent, 0),
    ("part 2/2", [], FileMissing, 0),
    ("part 2/2", [("field", "x")], FileMissing, 0),
    ("part 2/2", [SentFile(BODY), SentFile(OTHER)], SeveralFiles, 1),
    ("part 2/2", [SentFile(BODY), ("a", "b"), SentFile(b""), SentFile(OTHER)], SeveralFiles, 1),
    ("part 2/2", [SentFile(sample(200_001))], FileTooLarge, 1),
    ("part 2/2", [SentFile(BODY), ("videoId", "another")], InvalidAttribute, 1),
    ("part 2/2", [SentFile(source=breaks_off(ClientGone()))], ClientGone, 1),
    ("part 2/2", [SentFile(source=breaks_off(BodyBroken()))], BodyBroken, 1),
]


@pytest.mark.parametrize("row", range(len(REFUSED)))
async def test_a_refusal_leaves_everything_as_it_was(place: Place, row: int) -> None:
    header, items, error, puts = REFUSED[row]
    video_id = await place.video()
    await send(place, video_id, "part 1/2")
    before = await place.state(video_id)
    with pytest.raises(error):
        await place.uploads.accept_part(video_id, parse(header), SentForm(*items))
    assert await place.state(video_id) == before
    assert place.blobs.puts == 1 + puts
    # And nothing stands in the way of the right request.
    assert await send(place, video_id, "part 2/2", OTHER) == AcceptedPart(video_id, True)


async def test_lengths_are_refused_after_storing_and_dropped(place: Place) -> None:
    video_id = await place.video()
    for header, body, error in (
        ("part 1/*", sample(99), PartTooSmall),
        ("bytes 0-999/5000", sample(999), RangeMismatch),
        ("bytes 0-999/5000", sample(1001), RangeMismatch),
        ("bytes 0-999/5000", sample(200_001), RangeMismatch),
        ("bytes 0-200000/500000", sample(200_001), RangeTooLarge),
    ):
        with pytest.raises(error):
            await send(place, video_id, header, body)
        assert (await place.state(video_id))[1:] == ([], [])


async def test_too_large_a_file_is_not_read_to_its_end(place: Place) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1000
            yield BODY

    with pytest.raises(FileTooLarge):
        await place.uploads.accept_part(await place.video(), PartNumber(1), SentForm(SentFile(source=endless())))
    assert read == 201_000


async def test_a_complete_video_says_one_thing(place: Place) -> None:
    video_id = await place.video()
    await send(place, video_id, None)
    for items in ([], [SentFile(OTHER)], [SentFile(BODY), SentFile(OTHER)]):
        with pytest.raises(AlreadyUploaded):
            await place.uploads.accept_part(video_id, parse(None), SentForm(*items))
    assert await send(place, video_id, None) == AcceptedPart(video_id, True)


async def test_an_unknown_video_is_refused_before_anything_is_stored(place: Place) -> None:
    with pytest.raises(NotFound):
        await send(place, "vi404", "part 1/*")
    assert place.blobs.puts == 0


async def test_a_store_without_room_refuses_and_can_be_asked_again(place: Place) -> None:
    video_id = await place.video()
    place.blobs.is_full = True
    with pytest.raises(BlobError):
        await send(place, video_id, "part 1/1")
    assert (await place.state(video_id))[1:] == ([], [])
    place.blobs.is_full = False
    assert await send(place, video_id, "part 1/1") == AcceptedPart(video_id, True)


async def test_a_blob_that_can_not_be_dropped_changes_no_answer(place: Place) -> None:
    video_id = await place.video()
    await send(place, video_id, "part 1/2")
    place.blobs.can_delete = False
    with pytest.raises(SeveralFiles):
        await place.uploads.accept_part(video_id, parse("part 2/2"), SentForm(SentFile(BODY), SentFile(BODY)))
    # By token, with the video named after the file: the repeat is stored before it is known to be one.
    with pytest.raises(NotFound):
        await place.uploads.accept_part_by_token(
            BEARER, parse("part 1/2"), SentForm(SentFile(BODY), ("videoId", video_id)), None
        )


async def test_the_deadline_ends_a_request_that_trickles(place: Place) -> None:
    video_id = await place.video()

    async def trickle() -> AsyncIterator[bytes]:
        yield BODY
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await place.slow(0.05).accept_part(video_id, PartNumber(1), SentForm(SentFile(source=trickle())))
    assert (await place.state(video_id))[1:] == ([], [])


@pytest.mark.parametrize("is_refused", [False, True])
async def test_a_request_cancelled_in_its_commit_is_settled_all_the_same(place: Place, is_refused: bool) -> None:
    """From the blob on, the accept goes to its end: a row with its blob, or neither."""
    video_id = await place.video()
    async with place.database.write() as tx:
        upload = await rows.lock(tx, video_id)
        sending = asyncio.create_task(send(place, video_id, "part 1/2"))
        await asyncio.to_thread(wait_until, lambda: place.uploads._shielded, "the commit begins")
        # It waits for the lock; the request's own task sees the cancellation at once.
        sending.cancel()
        await asyncio.wait({sending})
        assert sending.cancelled()
        if is_refused:
            await video_rows.entomb(tx, upload.video_id, at=1)
    await asyncio.gather(*place.uploads._shielded, return_exceptions=True)
    async with place.database.read() as tx:
        parts = await rows.all_parts(tx, video_id)
    assert len(parts) == (0 if is_refused else 1)
    assert await keys_of(place.blobs) == [part.blob_key for part in parts]


async def test_finish_closes_what_has_no_gap(place: Place) -> None:
    video_id = await place.video()
    with pytest.raises(UploadHasGaps):
        await place.uploads.finish(video_id)
    await send(place, video_id, "part 2/*")
    with pytest.raises(UploadHasGaps):
        await place.uploads.finish(video_id)
    await send(place, video_id, "part 1/*", OTHER)
    await place.uploads.finish(video_id)
    await place.uploads.finish(video_id)
    summary, _, _ = await place.state(video_id)
    assert (summary.state, summary.total) == (State.COMPLETE, 2)
    with pytest.raises(NotFound):
        await place.uploads.finish("vi404")


async def test_idle_uploads_are_finished_whatever_waits_beside_them(place: Place) -> None:
    await send(place, await place.video(), "part 2/*")
    whole = await place.video()
    await send(place, whole, "part 1/*")
    told = await place.video()
    await send(place, told, "part 1/2")
    assert await place.uploads.finish_idle(3600) == []
    assert await place.uploads.finish_idle(-1) == [whole]
    assert (await place.state(told))[0].state is State.RECEIVING
    assert await place.uploads.finish_idle(-1) == []


async def by_token(place: Place, header: str | None, *items: Any, bearer: TokenBearer = BEARER) -> AcceptedPart:
    return await place.uploads.accept_part_by_token(bearer, parse(header), SentForm(*items), None)


async def test_a_token_makes_a_video_titled_like_its_file(place: Place) -> None:
    first = await by_token(place, "part 1/2", SentFile(BODY, "10m.mp4.part.a"))
    assert (await place.videos.get(first.video_id)).title == "10m.mp4.part.a"
    assert await by_token(place, "part 2/2", SentFile(OTHER), ("videoId", first.video_id)) == AcceptedPart(
        first.video_id, True
    )
    nameless = await by_token(place, None, SentFile(BODY, ""))
    assert (await place.videos.get(nameless.video_id)).title == "Untitled"


@pytest.mark.parametrize("header", ["part 2/3", "part 2/*", "part 3/3", "bytes 1000-1999/5000"])
async def test_a_later_piece_has_to_name_its_video(place: Place, header: str) -> None:
    with pytest.raises(MissingAttribute) as caught:
        await by_token(place, header, SentFile(BODY))
    assert caught.value.name == "videoId"
    assert await keys_of(place.blobs) == []
    assert (await place.videos.find(VideoFilter(), Order(), page=1, page_size=1)).total == 0


@pytest.mark.parametrize("is_before", [True, False], ids=["before-the-file", "after-the-file"])
async def test_where_the_video_is_named_does_not_matter(place: Place, is_before: bool) -> None:
    video_id = await place.video()
    named = ("videoId", video_id)

    async def piece(header: str, body: bytes, bearer: TokenBearer = BEARER) -> AcceptedPart:
        items = (named, SentFile(body)) if is_before else (SentFile(body), named)
        return await by_token(place, header, *items, bearer=bearer)

    assert await piece("part 1/2", BODY) == AcceptedPart(video_id, False)
    assert await piece("part 1/2", BODY) == AcceptedPart(video_id, False)
    with pytest.raises(PartAlreadySent):
        await piece("part 1/2", OTHER)
    with pytest.raises(NotFound):
        await piece("part 2/2", OTHER, TokenBearer("stranger", is_expired=False))
    # An account may go on with what a token has started; the title stays.
    assert await send(place, video_id, "part 2/2", OTHER) == AcceptedPart(video_id, True)
    assert (await place.videos.get(video_id)).title == "title"
    assert len(await keys_of(place.blobs)) == 2


async def test_a_token_does_not_fill_what_an_account_has_started(place: Place) -> None:
    video_id = await place.video()
    await send(place, video_id, "part 1/2")
    with pytest.raises(NotFound):
        await by_token(place, "part 2/2", ("videoId", video_id), SentFile(OTHER))
    with pytest.raises(NotFound):
        await by_token(place, "part 1/1", ("videoId", "vi404"), SentFile(OTHER))


async def test_an_expired_token_goes_on_for_a_while_and_starts_nothing(place: Place) -> None:
    expired = TokenBearer(BEARER.token, is_expired=True)
    started = (await by_token(place, "part 1/3", SentFile(BODY))).video_id
    later = await by_token(place, "part 2/3", ("videoId", started), SentFile(OTHER), bearer=expired)
    assert later == AcceptedPart(started, False)
    with pytest.raises(InvalidUploadToken):
        await by_token(place, "part 1/3", SentFile(BODY), bearer=expired)
    with pytest.raises(InvalidUploadToken):
        await by_token(place, "part 1/3", ("videoId", await place.video()), SentFile(BODY), bearer=expired)
    assert len(await keys_of(place.blobs)) == 2
    at = now()
    ages = {"fresh": 60, "grace": -60, "dead": -7200}
    async with place.database.write() as tx:
        for name, left in ages.items():
            await add(tx, UploadToken(name, 1, at, at + left * SECOND))
    assert await place.uploads.bearer_of("fresh") == TokenBearer("fresh", False)
    assert await place.uploads.bearer_of("grace") == TokenBearer("grace", True)
    await place.tokens.delete("fresh")
    for name in ("fresh", "dead", "never"):
        with pytest.raises(InvalidUploadToken):
            await place.uploads.bearer_of(name)


async def test_an_idempotency_key_finds_what_it_has_made(place: Place) -> None:
    async def start(header: str, body: bytes, key: str | None) -> AcceptedPart:
        return await place.uploads.accept_part_by_token(BEARER, parse(header), SentForm(SentFile(body)), key)

    first = await start("part 1/2", BODY, "k1")
    assert await start("part 1/2", BODY, "k1") == first
    assert (await start("part 1/2", BODY, "k2")).video_id != first.video_id
    assert (await start("part 1/2", BODY, None)).video_id != first.video_id
    with pytest.raises(InvalidAttribute):
        await start("part 1/3", BODY, "k1")
    with pytest.raises(PartAlreadySent):
        await start("part 1/2", OTHER, "k1")
    # One blob for each of the three videos.
    assert len(await keys_of(place.blobs)) == 3


async def test_a_start_that_is_refused_makes_no_video(place: Place) -> None:
    for items in ([SentFile(sample(99))], [], [SentFile(BODY), SentFile(BODY)]):
        with pytest.raises(PartwayError):
            await place.uploads.accept_part_by_token(BEARER, parse("part 1/2"), SentForm(*items), "key")
    assert (await place.videos.find(VideoFilter(), Order(), page=1, page_size=1)).total == 0
    assert await keys_of(place.blobs) == []
    # The key is as good as new.
    assert (
        await place.uploads.accept_part_by_token(BEARER, parse("part 1/1"), SentForm(SentFile(BODY)), "key")
    ).is_complete


async def test_burial_goes_on_where_it_was_broken_off(place: Place) -> None:
    video_id = await place.video()
    await send(place, video_id, "part 1/*")
    await send(place, video_id, "part 2/*", OTHER)
    await place.videos.delete(video_id)
    for ask in (place.videos.get(video_id), place.uploads.held(video_id), place.videos.delete(video_id)):
        with pytest.raises(NotFound):
            await ask
    place.blobs.can_delete = False
    with pytest.raises(BlobError):
        await place.videos.bury()
    assert len(await keys_of(place.blobs)) == 2
    place.blobs.can_delete = True
    assert await place.videos.bury() == 1
    assert await place.videos.bury() == 0
    assert await keys_of(place.blobs) == []


async def test_one_blob_that_can_not_be_removed_keeps_nobody_else_from_the_grave(place: Place) -> None:
    ids = [await place.video() for _ in range(3)]
    for video_id in ids:
        await send(place, video_id, "part 1/*", video_id.encode() * 10)
    async with place.database.read() as tx:
        place.blobs.stuck = (await rows.all_parts(tx, ids[0]))[0].blob_key
    for video_id in ids:
        await place.videos.delete(video_id)
    with pytest.raises(BlobError):
        await place.videos.bury()
    assert await keys_of(place.blobs) == [place.blobs.stuck]
    place.blobs.stuck = ""
    assert await place.videos.bury() == 1


async def test_times_are_told_in_order(place: Place) -> None:
    before = time.time_ns() // 1000
    video = await place.videos.get(await place.video())
    assert before <= video.created_at <= time.time_ns() // 1000
    assert video.created_at == video.updated_at == video.published_at
    changed = await place.videos.change(video.video_id, {"title": "new"})
    assert changed.updated_at > video.updated_at
    assert changed.created_at == video.created_at
