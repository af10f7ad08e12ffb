"""Captions, logos, watermarks: their blobs live exactly as long as a row names them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.unit.work.conftest import Place

from partway.blobs.local import LocalBlobs
from partway.catalog import findings
from partway.catalog.tables import metadata, parts
from partway.errors import BlobError, BlobMissing, InvalidAttribute, NotFound
from partway.services.attached import read_named
from partway.services.sweeping import Sweeping
from partway.services.text_tracks import TextTracks
from partway.services.values import Look
from partway.testing.forms import SentFile, SentForm
from partway.testing.images import png

pytestmark = pytest.mark.anyio

VTT = b"WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n"
OTHER = VTT.replace(b"Hello", b"Hallo")


def form(content: bytes = VTT, filename: str = "en.vtt") -> SentForm:
    return SentForm(SentFile(content, filename))


async def one_of_each(place: Place) -> tuple[str, str, str]:
    """A video with captions and chapters, a theme with a logo, and a watermark; their ids."""
    video_id = await place.empty()
    await place.house.text_tracks.put(video_id, "captions", "en", form())
    await place.house.text_tracks.put(video_id, "chapters", "en", form())
    player_id = (await place.house.players.create(None, Look(), asked_by="test")).player_id
    await place.house.players.put_logo(player_id, form(png(9, 9), "logo.png"))
    watermark = await place.house.watermarks.create(form(png(9, 9), "mark.png"), asked_by="test")
    return video_id, player_id, watermark.watermark_id


async def test_no_column_that_names_blobs_is_forgotten() -> None:
    """What the sweep doesn't know of, it removes."""
    naming = {column for table in metadata.tables.values() for column in table.c if column.name.endswith("_key")}
    assert naming == {parts.c.blob_key, *findings._OF_VIDEOS, *findings._OF_OTHERS}


async def test_the_sweep_leaves_them_alone(place: Place) -> None:
    await one_of_each(place)
    keys = set(place.files())
    assert len(keys) == 4
    for key in keys:
        place.age_blob(key, 1e9)
    sweeping = Sweeping(place.database, place.blobs, request_deadline=60, expire_after=60)
    assert await sweeping.sweep_orphans() == 0
    assert set(place.files()) == keys


async def test_nothing_is_left_behind(place: Place) -> None:
    video_id, player_id, watermark_id = await one_of_each(place)
    assert await place.house.watermarks.exists(watermark_id)
    assert await place.house.watermarks.image(watermark_id) == png(9, 9)
    await place.house.watermarks.delete(watermark_id)
    assert not await place.house.watermarks.exists(watermark_id)
    await place.house.players.delete(player_id)
    await place.house.text_tracks.delete(video_id, "chapters", "en")
    assert len(place.files()) == 1
    await place.house.videos.delete(video_id)
    assert await place.house.text_tracks.captions_of(video_id) == []
    await place.house.videos.bury()
    assert place.files() == {}
    assert await place.rows("text_tracks") == []


async def test_replacing_leaves_one(place: Place) -> None:
    video_id, player_id, _ = await one_of_each(place)
    await place.house.text_tracks.put(video_id, "captions", "EN", form(OTHER))
    await place.house.players.put_logo(player_id, form(png(8, 8), "logo.png"))
    assert len(place.files()) == 4
    assert await place.house.text_tracks.content(video_id, "captions", "en") == OTHER
    assert await place.house.players.logo(player_id) == ("image/png", png(8, 8))
    await place.house.players.delete_logo(player_id)
    assert len(place.files()) == 3


async def test_many_at_once_leave_one(place: Place) -> None:
    video_id = await place.empty()
    await asyncio.gather(*(place.house.text_tracks.put(video_id, "captions", "en", form()) for _ in range(8)))
    assert len(place.files()) == len(await place.rows("text_tracks")) == 1
    assert await place.house.text_tracks.content(video_id, "captions", "en") == VTT


async def test_of_a_video_that_is_deleted_meanwhile(place: Place) -> None:
    video_id = await place.empty()

    async def last_words() -> AsyncIterator[bytes]:
        yield VTT
        await place.house.videos.delete(video_id)

    with pytest.raises(NotFound):
        await place.house.text_tracks.put(video_id, "captions", "en", SentForm(SentFile(source=last_words())))
    assert place.files() == {}


async def test_of_a_theme_that_is_deleted_meanwhile(place: Place) -> None:
    player_id = (await place.house.players.create(None, Look(), asked_by="test")).player_id

    async def last_words() -> AsyncIterator[bytes]:
        yield png(9, 9)
        await place.house.players.delete(player_id)

    with pytest.raises(NotFound):
        await place.house.players.put_logo(player_id, SentForm(SentFile(filename="l.png", source=last_words())))
    assert place.files() == {}


@pytest.mark.slow
async def test_a_bounded_number_of_languages(place: Place) -> None:
    video_id = await place.empty()
    letters = "abcdefghijklmnopqrst"
    for tag in [first + second for first in letters[:10] for second in letters]:
        await place.house.text_tracks.put(video_id, "captions", tag, form())
    with pytest.raises(InvalidAttribute, match="200 languages"):
        await place.house.text_tracks.put(video_id, "captions", "zz", form())
    await place.house.text_tracks.put(video_id, "captions", "aa", form(OTHER))
    assert len(place.files()) == 200


async def test_asked_twice_one_watermark_is_kept(place: Place) -> None:
    marks = place.house.watermarks
    first, second = [
        await marks.create(form(png(9, 9), "m.png"), asked_by="test", idempotency_key="k") for _ in range(2)
    ]
    assert first == second
    with pytest.raises(InvalidAttribute):
        await marks.create(form(png(8, 8), "m.png"), asked_by="test", idempotency_key="k")
    assert len(place.files()) == 1


class Stuck(LocalBlobs):
    """A store that removes nothing."""

    async def delete(self, key: str) -> None:
        raise BlobError("can't delete")


async def test_what_the_store_can_not_remove_is_left_to_the_sweep(place: Place, tmp_path: Path) -> None:
    tracks = TextTracks(place.database, Stuck(tmp_path / "blobs"))
    video_id = await place.empty()
    await tracks.put(video_id, "captions", "en", form())
    await tracks.put(video_id, "captions", "en", form(OTHER))
    await tracks.delete(video_id, "captions", "en")
    assert await tracks.captions_of(video_id) == []
    assert len(place.files()) == 2
    for key in list(place.files()):
        place.age_blob(key, 1e9)
    assert await Sweeping(place.database, place.blobs, request_deadline=60, expire_after=60).sweep_orphans() == 2


async def test_reading_while_it_is_replaced(place: Place) -> None:
    """The row was read, and its blob is gone: the row is read again."""
    video_id = await place.empty()
    tracks, first = place.house.text_tracks, True
    old = (await tracks.put(video_id, "captions", "en", form())).blob_key

    async def named() -> tuple[str, int]:
        nonlocal first
        track = await tracks.get(video_id, "captions", "en")
        if first:
            first = False
            await tracks.put(video_id, "captions", "en", form(OTHER))
        return track.blob_key, track.length

    assert await read_named(place.blobs, named) == OTHER

    async def lost() -> tuple[str, int]:
        return old, 9

    with pytest.raises(BlobMissing):
        await read_named(place.blobs, lost)
