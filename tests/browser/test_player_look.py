"""The player's captions, chapters and theme, and the page that frames and steers it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Locator, expect
from tests.browser.playing import VIDEO, state_of, tracks_of, wait_until

from partway.testing.images import png

if TYPE_CHECKING:
    from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser

ENGLISH = b"WEBVTT\n\n00:00.000 --> 01:00.000\nHello from the captions\n"
GERMAN = "WEBVTT\n\n00:00.000 --> 01:00.000\nGruß aus den Untertiteln\n".encode()
CHAPTERS = b"""WEBVTT

00:00.000 --> 00:10.000
The beginning

00:10.000 --> 00:40.000
The middle

00:40.000 --> 01:00.000
The end
"""


@pytest.fixture
def subtitled(visit: Visit, clip: Path) -> str:
    """The clip with captions in two languages and chapters."""
    video_id = visit.put(clip, "With words")
    visit.post_form(f"/videos/{video_id}/captions/en", ENGLISH, "en.vtt")
    visit.post_form(f"/videos/{video_id}/captions/de", GERMAN, "de.vtt")
    visit.post_form(f"/videos/{video_id}/chapters/en", CHAPTERS, "chapters.vtt")
    return video_id


def colour_of(where: Locator, name: str = "color") -> str:
    return str(where.evaluate("(element, name) => getComputedStyle(element).getPropertyValue(name)", name))


def test_captions_are_chosen_from_a_menu_by_keyboard(visit: Visit, subtitled: str) -> None:
    visit.open(f"/vod/{subtitled}#autoplay")
    wait_until(visit, currentTime=0.5)
    assert "showing" not in [mode for _, _, mode, _ in tracks_of(visit)]
    button = visit.page.get_by_role("button", name="closed captions")
    button.focus()
    visit.page.keyboard.press("Enter")
    items = visit.page.locator("media-captions-menu").get_by_role("menuitemradio")
    expect(items).to_have_text(["Off", "Deutsch", "English"])
    expect(items.first).to_be_focused()
    visit.page.keyboard.press("ArrowDown")
    visit.page.keyboard.press("ArrowDown")
    visit.page.keyboard.press("Enter")
    shown = ("captions", "English", "showing", 1)
    visit.until(lambda: shown in tracks_of(visit))
    assert [label for _, label, mode, _ in tracks_of(visit) if mode == "showing"] == ["English"]
    expect(visit.page.get_by_role("button", name="closed captions")).to_be_focused()


@pytest.mark.parametrize("is_default", [True, False])
def test_captions_show_by_default_or_by_the_address(visit: Visit, subtitled: str, is_default: bool) -> None:
    """The viewer's language is English; a default of the owner's goes first."""
    if is_default:
        visit.ask_json("PATCH", f"/videos/{subtitled}/captions/de", default=True)
    visit.open(f"/vod/{subtitled}#autoplay" + ("" if is_default else ";show-subtitles"))
    wait_until(visit, currentTime=0.5)
    shown = ("captions", "Deutsch" if is_default else "English", "showing", 1)
    visit.until(lambda: shown in tracks_of(visit))
    assert [mode for kind, _, mode, _ in tracks_of(visit) if kind == "captions"].count("showing") == 1


def test_captions_outlive_a_recovery(visit: Visit, subtitled: str) -> None:
    """hls.js empties every text track when it takes the element anew."""
    visit.open(f"/vod/{subtitled}#autoplay;show-subtitles")
    wait_until(visit, currentTime=0.5)
    visit.page.evaluate("() => partway.hls.recoverMediaError()")
    wait_until(visit, currentTime=1.5)
    wanted = [("captions", "Deutsch", "hidden", 1), ("captions", "English", "showing", 1)]
    visit.until(lambda: tracks_of(visit)[:2] == wanted)


def test_chapters_are_told_and_can_be_jumped_to(visit: Visit, subtitled: str) -> None:
    visit.open(f"/vod/{subtitled}#autoplay;t=12")
    wait_until(visit, currentTime=12.2)
    expect(visit.page.locator("#chapter")).to_have_text("The middle")
    visit.page.get_by_role("button", name="Chapters").click()
    items = visit.page.get_by_role("menu", name="Chapters").get_by_role("menuitemradio")
    expect(items).to_have_text(["The beginning", "The middle", "The end"])
    expect(items.nth(1)).to_be_checked()
    items.nth(2).click()
    wait_until(visit, currentTime=40)
    expect(visit.page.locator("#chapter")).to_have_text("The end")


def test_without_captions_and_chapters_there_are_no_menus(visit: Visit, clip: Path) -> None:
    visit.open(f"/vod/{visit.put(clip, 'Bare')}")
    wait_until(visit, duration=50)
    expect(visit.page.locator("media-captions-menu-button")).to_be_hidden()
    expect(visit.page.locator("#chapters-button")).to_be_hidden()


def themed(visit: Visit, clip: Path, **look: Any) -> str:
    player_id = visit.ask_json("POST", "/players", name="ours", **look)["playerId"]
    link = '--cut\r\nContent-Disposition: form-data; name="link"\r\n\r\nhttps://example.com/home\r\n'
    visit.post_form(f"/players/{player_id}/logo", png(120, 40), "logo.png", fields=link)
    return visit.put(clip, "In our colours", playerId=player_id)


def test_a_theme_s_colours_and_logo_are_worn(visit: Visit, clip: Path) -> None:
    colours = {"link": "#ff7828", "text": "rgba(255, 200, 0, 1)", "backgroundText": "rgb(120, 255, 180)"}
    video_id = themed(visit, clip, **colours, trackPlayed="rgba(255, 0, 80, .5)", backgroundBottom="#003c50")
    visit.open(f"/vod/{video_id}")
    wait_until(visit, duration=50)
    page = visit.page
    assert colour_of(page.get_by_role("heading")) == "rgb(120, 255, 180)"
    assert colour_of(page.locator("media-time-display"), "--media-text-color") == "rgba(255, 200, 0, 1)"
    assert colour_of(page.locator("media-time-range"), "--media-range-bar-color") == "rgba(255, 0, 80, .5)"
    assert colour_of(page.locator("media-fullscreen-button"), "--media-icon-color") == "#ff7828"
    assert "rgb(0, 60, 80)" in colour_of(page.locator("#foot"), "background-image")
    logo = page.get_by_role("link", name="example.com")
    expect(logo).to_be_visible()
    assert logo.evaluate("one => [one.href, one.target, one.rel, one.querySelector('img').naturalWidth]") == [
        "https://example.com/home",
        "_blank",
        "noopener noreferrer",
        120,
    ]


def test_a_theme_s_wishes_are_obeyed(visit: Visit, clip: Path) -> None:
    video_id = themed(visit, clip, forceAutoplay=True, forceLoop=True, hideTitle=True, enableControls=False)
    visit.open(f"/vod/{video_id}#t=58")
    wait_until(visit, currentTime=58.5)
    expect(visit.page.get_by_role("heading")).to_have_count(0)
    expect(visit.page.get_by_role("button")).to_have_count(0)
    visit.until(f"() => {VIDEO}.currentTime < 58.4")
    assert not state_of(visit)["paused"]


FRAMING = """
    globalThis.said = [];
    addEventListener("message", ({ data }) => said.push(data));
    const frame = document.createElement("iframe");
    frame.allow = "autoplay";
    Object.assign(frame, { src: address, width: 640, height: 360 });
    document.body.append(frame);
    globalThis.tell = (command, value) => frame.contentWindow.postMessage({ to: "partway", command, value }, "*");
"""


def frame(visit: Visit, path: str) -> None:
    """A page of ours that frames the player and keeps what it says."""
    visit.open("/healthz")
    visit.page.evaluate(f"(address) => {{ {FRAMING} }}", path)


def test_the_page_that_frames_it_may_steer_it(visit: Visit, clip: Path) -> None:
    video_id = visit.put(clip, "Steered")
    frame(visit, f"/vod/{video_id}#api")
    visit.until("() => said.some(one => one.event === 'loadedmetadata')")
    first = visit.page.evaluate("() => said[0]")
    assert (first["from"], first["event"], first["videoId"], first["paused"]) == ("partway", "ready", video_id, True)
    for nonsense in ("tell('seek', 'far')", "tell('seek', NaN)", "tell('constructor')", "tell()"):
        visit.page.evaluate(f"() => {nonsense}")
    visit.page.evaluate("() => { tell('mute'); tell('seek', 30); tell('rate', 2); tell('play'); }")
    visit.until("() => said.at(-1).event === 'timeupdate' && said.at(-1).currentTime > 30.5")
    last = visit.page.evaluate("() => said.at(-1)")
    assert (last["muted"], last["rate"], last["paused"]) == (True, 2, False)
    visit.page.evaluate("() => tell('pause')")
    visit.until("() => said.some(one => one.event === 'pause' && one.paused)")


@pytest.mark.parametrize("enable_api", [True, False])
def test_it_is_steered_only_where_that_was_asked_for(visit: Visit, clip: Path, enable_api: bool) -> None:
    """Without the word in the address, or where the theme forbids it, it says and does nothing."""
    video_id = themed(visit, clip, enableApi=enable_api)
    frame(visit, f"/vod/{video_id}" + ("" if enable_api else "#api"))
    inside = visit.page.frames[1]
    visit.until(lambda: inside.evaluate(f"() => ({VIDEO}?.duration ?? 0) > 50"))
    visit.page.evaluate("() => { tell('seek', 30); tell('state'); }")
    # What was posted has been heard by the time a later message is answered.
    inside.evaluate(
        "() => new Promise(go => { addEventListener('message', go, { once: true }); postMessage(1, '*'); })"
    )
    assert inside.evaluate(f"() => {VIDEO}.currentTime") == 0
    assert visit.page.evaluate("() => said") == []


def test_another_frame_may_not_steer_it(visit: Visit, clip: Path) -> None:
    video_id = visit.put(clip, "Mine")
    frame(visit, f"/vod/{video_id}#api")
    visit.until("() => said.some(one => one.event === 'loadedmetadata')")
    stranger = """() => new Promise(go => {
        const other = document.createElement("iframe");
        other.srcdoc = "";
        other.onload = () => go(other.contentWindow.eval(
            "parent.frames[0].postMessage({ to: 'partway', command: 'seek', value: 30 }, '*')"));
        document.body.append(other);
    })"""
    visit.page.evaluate(stranger)
    visit.page.evaluate("() => tell('state')")
    visit.until("() => said.some(one => one.event === 'state')")
    assert visit.page.evaluate("() => said.find(one => one.event === 'state').currentTime") == 0


@pytest.mark.parametrize("width", [320, 360])
def test_everything_can_be_reached_on_a_telephone(visit: Visit, subtitled: str, width: int) -> None:
    visit.page.set_viewport_size({"width": width, "height": 640})
    visit.open(f"/vod/{subtitled}")
    wait_until(visit, duration=50)
    for name in ("play", "mute", "Chapters", "closed captions", "enter fullscreen mode"):
        box = visit.page.locator("#foot").get_by_role("button", name=name, exact=True).bounding_box()
        assert box is not None, name
        assert box["width"] >= 24, name
        assert box["height"] >= 24, name
        assert box["x"] >= 0, name
        assert box["x"] + box["width"] <= width, name
