"""The player page: it plays, says why it does not, and obeys its address."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from tests.browser.playing import VIDEO, state_of, wait_until

from partway.testing.media import sample

if TYPE_CHECKING:
    from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def playing(visit: Visit, clip: Path) -> Visit:
    """The player page of the clip, playing."""
    visit.open(f"/vod/{visit.put(clip, 'A minute')}")
    visit.page.get_by_role("button", name="play").first.click()
    wait_until(visit, currentTime=0.5)
    return visit


def test_frames_advance_without_an_error(playing: Visit) -> None:
    state = wait_until(playing, currentTime=4)
    assert state["duration"] == pytest.approx(60, abs=0.2)
    assert state["width"] == 320
    assert state["complaints"] == []
    assert state["error"] is None
    assert state["source"].startswith("blob:")
    expect(playing.page).to_have_title("A minute")


def test_sixty_frames_in_a_row_are_shown_and_nothing_is_missing_between_segments(playing: Visit) -> None:
    since = state_of(playing)

    # A machine that is busy drops some; one that is given what it needs does not go on dropping.
    def sixty_in_a_row() -> bool:
        nonlocal since
        now = state_of(playing)
        since = now if now["dropped"] > since["dropped"] else since
        return bool(now["frames"] - since["frames"] >= 60)

    playing.until(sixty_in_a_row)
    ranges = playing.page.evaluate(
        f"() => [...Array({VIDEO}.buffered.length).keys()].map(i => {VIDEO}.buffered.start(i))"
    )
    assert ranges == [0]


def test_seeking_goes_on_from_there(playing: Visit) -> None:
    for place in (41.0, 7.5, 58.0):
        playing.page.evaluate(f"() => {{ {VIDEO}.currentTime = {place}; }}")
        wait_until(playing, currentTime=place + 0.4)
    assert state_of(playing)["complaints"] == []


def test_it_plays_to_its_end(playing: Visit) -> None:
    playing.page.evaluate(f"() => {{ {VIDEO}.currentTime = 58.5; }}")
    playing.until(f"() => {VIDEO}.ended")
    state = state_of(playing)
    assert state["currentTime"] == pytest.approx(60, abs=0.2)
    assert state["complaints"] == []


def test_keys_work_wherever_the_focus_is(playing: Visit) -> None:
    page = playing.page
    page.evaluate("() => document.activeElement.blur()")
    page.keyboard.press("k")
    expect(page.locator("media-controller[mediapaused]")).to_be_visible()
    page.keyboard.press("ArrowRight")
    wait_until(playing, currentTime=10)
    page.keyboard.press("m")
    playing.until(f"() => {VIDEO}.muted")
    page.keyboard.press("Space")
    playing.until(f"() => !{VIDEO}.paused")
    page.keyboard.press("f")
    playing.until("() => document.fullscreenElement !== null")


def test_every_control_has_a_name_and_can_be_reached(playing: Visit) -> None:
    page = playing.page
    page.evaluate("() => document.activeElement.blur()")
    named = """() => {
        let active = document.activeElement;
        while (active.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
        return (active.getAttribute("aria-label") ?? "").toLowerCase();
    }"""
    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(named))
    for name in ("seek", "pause", "mute", "volume", "playback rate", "picture in picture", "fullscreen"):
        assert any(name in label for label in reached), (name, reached)


def test_the_address_says_where_to_start_and_stop(visit: Visit, clip: Path) -> None:
    visit.open(f"/vod/{visit.put(clip, 'Part of it')}#autoplay;t=20,22")
    wait_until(visit, currentTime=20.1)
    visit.until(f"() => {VIDEO}.paused")
    assert 21.9 < state_of(visit)["currentTime"] < 24


def test_the_address_hides_title_and_controls_and_loops(visit: Visit, clip: Path) -> None:
    visit.open(f"/vod/{visit.put(clip, 'Bare')}#autoplay;loop;hide-title;hide-controls;t=58")
    wait_until(visit, currentTime=59)
    expect(visit.page.get_by_role("heading", name="Bare")).to_have_count(0)
    expect(visit.page.get_by_role("button")).to_have_count(0)
    visit.until(f"() => {VIDEO}.currentTime < 59")
    wait_until(visit, currentTime=58.2)
    assert not state_of(visit)["paused"]


def test_it_fills_a_frame_on_another_page(visit: Visit, clip: Path) -> None:
    video_id = visit.put(clip, "Framed")
    visit.open("/healthz")
    visit.page.set_content(f'<iframe src="/vod/{video_id}" width="640" height="360" allowfullscreen></iframe>')
    inside = visit.page.frame_locator("iframe")
    box = inside.locator("media-controller").bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (640, 360)
    expect(inside.get_by_role("heading", name="Framed")).to_be_visible()


def test_it_waits_for_what_still_arrives_and_plays_it_by_itself(visit: Visit, clip: Path, film: Path) -> None:
    video_id = visit.create("On its way")
    visit.open(f"/vod/{video_id}#autoplay")
    cover = visit.page.locator("#cover")
    expect(cover).to_contain_text("Nothing has arrived yet")
    data = film.read_bytes()
    half = 30 * 2**20
    visit.send(video_id, data[:half], Content_Range=f"bytes 0-{half - 1}/{len(data)}")
    expect(cover).to_contain_text("Still arriving")
    expect(cover).to_contain_text("31 MB so far")
    visit.send(video_id, data[half:], Content_Range=f"bytes {half}-{len(data) - 1}/{len(data)}")
    state = wait_until(visit, currentTime=1)
    assert state["complaints"] == []
    expect(cover).to_be_hidden()
    expect(visit.page.locator("#arriving")).to_be_hidden()


def test_it_says_why_it_can_not_play(visit: Visit, media_dir: Path) -> None:
    video_id = visit.put(sample(media_dir, "sound-only"), "From a telephone")
    visit.open(f"/vod/{video_id}")
    expect(visit.page.get_by_text("This can't be played")).to_be_visible()
    reason = visit.ask("GET", f"/videos/{video_id}/status")["partway"]["reason"]
    expect(visit.page.locator("#detail")).to_have_text(reason)


def test_it_notices_that_the_video_was_deleted(visit: Visit) -> None:
    video_id = visit.create("Gone soon")
    visit.open(f"/vod/{video_id}")
    expect(visit.page.get_by_text("Nothing has arrived yet")).to_be_visible()
    visit.ask("DELETE", f"/videos/{video_id}")
    expect(visit.page.get_by_text("This video is not here")).to_be_visible()


def test_a_broken_connection_is_said_and_mended(visit: Visit, clip: Path) -> None:
    visit.page.route("**/*.m4s", lambda route: route.abort())
    visit.page.route("**/status.json", lambda route: route.abort())
    visit.open(f"/vod/{visit.put(clip, 'Broken')}")
    expect(visit.page.get_by_text("The server can't be reached")).to_be_visible(timeout=60_000)
    visit.page.unroute_all()
    visit.page.get_by_role("button", name="Try again").click()
    visit.page.get_by_role("button", name="play").first.click()
    wait_until(visit, currentTime=2)


def test_without_its_libraries_it_says_so_and_leaves_playing_to_the_browser(visit: Visit, clip: Path) -> None:
    visit.page.route("**/vendor/**", lambda route: route.fulfill(status=404))
    visit.open(f"/vod/{visit.put(clip, 'Plain')}")
    sentence = "This server was built without its player libraries, so your browser plays the video by itself."
    expect(visit.page.get_by_text(sentence)).to_be_visible()
    assert visit.page.evaluate(f"() => {VIDEO}.controls")
    visit.page.evaluate(f"() => {{ {VIDEO}.muted = true; return {VIDEO}.play(); }}")
    state = wait_until(visit, currentTime=1)
    assert not state["source"].startswith("blob:")
    assert state["frames"] > 10


def test_the_libraries_are_cached_under_their_locked_versions() -> None:
    page = (ROOT / "src/partway/web/static/player.html").read_text(encoding="utf-8")
    asked = dict(re.findall(r"vendor/([\w-]+)\.min\.js\?v=([\d.]+)", page))
    locked = json.loads((ROOT / "web-assets/package.json").read_text(encoding="utf-8"))["dependencies"]
    assert asked == {name.removesuffix(".js"): version for name, version in locked.items()}


def test_a_title_and_a_reason_are_text_and_nothing_else(visit: Visit) -> None:
    title = "</title><script>document.title = 'taken'</script><b>\"'&amp;"
    visit.open(f"/vod/{visit.create(title)}")
    expect(visit.page.get_by_text("Nothing has arrived yet")).to_be_visible()
    expect(visit.page).to_have_title(title)
