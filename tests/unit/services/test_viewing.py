"""Viewing: what an answer costs, when a token is used up, and what is written into addresses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, func, select
from tests.unit.services.conftest import Place

from partway.catalog import tables
from partway.catalog.videos import Video
from partway.errors import NotFound
from partway.services.viewing import Viewer, Viewing, shared_secret

pytestmark = pytest.mark.anyio


def viewing_of(place: Place, **changes: float) -> Viewing:
    return Viewing(place.database, b"secret", **{"token_life": 60, "token_grace": 60, "session_life": 60, **changes})


async def private(place: Place) -> Video:
    wanted = Video("", "title", created_at=0, updated_at=0, public=False)
    return await place.videos.create(wanted, asked_by="test")


async def used(place: Place) -> int:
    async with place.database.read() as tx:
        return (await tx.execute(select(func.count()).select_from(tables.used_tokens))).scalar_one()


async def enter(viewing: Viewing, video: Video, token: str | None) -> str | None:
    viewer = await viewing.admit(video.video_id, token=token, session=None)
    viewer.uri("x")
    await viewing.redeem(viewer)
    return viewer.session


async def test_making_tokens_writes_nothing_and_using_one_writes_a_row(place: Place) -> None:
    viewing, video = viewing_of(place), await private(place)
    tokens = [viewing.token(video) for _ in range(100)]
    assert await used(place) == 0
    await enter(viewing, video, tokens[0])
    await enter(viewing, video, tokens[0])
    assert await used(place) == 1


async def test_a_public_video_costs_what_its_row_costs(place: Place) -> None:
    viewing = viewing_of(place)
    video_id = await place.video()
    asked: list[str] = []

    def note(_c: Any, _cursor: Any, text: str, *_: Any) -> None:
        asked.append(text)

    engine = place.database._reader.sync_engine  # type: ignore[attr-defined]
    event.listen(engine, "before_cursor_execute", note)
    await place.videos.get(video_id)
    before, asked[:] = list(asked), []
    viewer = await viewing.admit(video_id, token="t" * 48, session="s" * 48)
    assert asked == before
    assert viewer.uri("a.m3u8") == "a.m3u8"
    assert viewer.session is None
    assert viewing.token(viewer.video) is None


@pytest.mark.parametrize(
    ("uri", "written"),
    [
        ("a.m3u8", "a.m3u8?avh=S"),
        ("a/b.m4s?v=1", "a/b.m4s?v=1&avh=S"),
        ("sprite.jpg#xywh=0,0,160,90", "sprite.jpg?avh=S#xywh=0,0,160,90"),
        ("https://x/vod/vi?dl=1#t=1;api", "https://x/vod/vi?dl=1&avh=S#t=1;api"),
    ],
)
def test_where_the_session_stands_in_an_address(uri: str, written: str) -> None:
    video = Video("vi", "t", created_at=0, updated_at=0, public=False)
    assert Viewer(video, 60, avh="S").uri(uri) == written


async def test_a_session_is_made_when_it_is_first_written(place: Place) -> None:
    viewing, video = viewing_of(place, token_grace=0), await private(place)
    token = viewing.token(video)
    looker = await viewing.admit(video.video_id, token=token, session=None)
    await viewing.redeem(looker)
    assert await used(place) == 0
    assert await enter(viewing, video, token)
    with pytest.raises(NotFound):
        await viewing.admit(video.video_id, token=token, session=None)


async def test_of_two_who_were_let_in_at_once_one_redeems(place: Place) -> None:
    viewing, video = viewing_of(place, token_grace=0), await private(place)
    token = viewing.token(video)
    viewers = [await viewing.admit(video.video_id, token=token, session=None) for _ in range(2)]
    assert all(viewer.session for viewer in viewers)
    await viewing.redeem(viewers[0])
    with pytest.raises(NotFound):
        await viewing.redeem(viewers[1])


async def test_a_session_ends_with_its_time_and_with_its_generation(place: Place) -> None:
    viewing, video = viewing_of(place), await private(place)
    session = await enter(viewing, video, viewing.token(video))
    assert (await viewing.admit(video.video_id, token=None, session=session)).session == session
    hasty = viewing_of(place, session_life=0, token_life=0)
    ended = hasty.token(video)
    with pytest.raises(NotFound):
        await viewing.admit(video.video_id, token=ended, session=None)
    over = await enter(hasty, video, viewing.token(video))
    with pytest.raises(NotFound):
        await viewing.admit(video.video_id, token=None, session=over)
    await place.videos.change(video.video_id, {"public": False, "title": "new"})
    await viewing.admit(video.video_id, token=None, session=session)
    for public in (True, False):
        await place.videos.change(video.video_id, {"public": public})
    with pytest.raises(NotFound):
        await viewing.admit(video.video_id, token=None, session=session)


async def test_used_tokens_are_forgotten_when_they_would_have_ended(place: Place) -> None:
    viewing, video = viewing_of(place), await private(place)
    await enter(viewing, video, viewing.token(video))
    brief = viewing_of(place, token_life=0.2)
    await enter(brief, video, brief.token(video))
    assert await used(place) == 2
    while await used(place) == 2:
        await viewing.forget()
    assert await used(place) == 1
    assert await viewing.forget() == 0


async def test_the_secret_is_made_once(place: Place) -> None:
    secret = await shared_secret(place.database)
    assert len(secret) > 40
    assert await shared_secret(place.database) == secret


async def test_tokens_of_other_videos_and_secrets_open_nothing(place: Place) -> None:
    viewing, video, other = viewing_of(place), await private(place), await private(place)
    stranger = Viewing(place.database, b"other", token_life=60, token_grace=60, session_life=60)
    raised = replace(video, generation=video.generation + 1)
    for token in (viewing.token(other), stranger.token(video), viewing.token(raised), "", None, "x"):
        with pytest.raises(NotFound):
            await viewing.admit(video.video_id, token=token, session=token)
