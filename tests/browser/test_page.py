"""The page at ``/``: the key, the list of videos, the terminal lines."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Locator, expect

from partway.testing.media import sample

if TYPE_CHECKING:
    from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser


def video(visit: Visit, title: str) -> Locator:
    """The row of the list with this title."""
    return visit.page.locator(".video").filter(has=visit.page.get_by_role("heading", name=title, exact=True))


def test_a_wrong_key_says_so_and_the_right_one_opens(visit: Visit) -> None:
    visit.open()
    key = visit.page.get_by_label("API key", exact=True)
    expect(key).to_be_focused()
    for wrong, words in (("not-the-key", "This key is wrong."), ("schlüssel", "only letters")):
        key.fill(wrong)
        key.press("Enter")
        expect(visit.page.get_by_role("alert").first).to_contain_text(words)
    key.fill(f"  {visit.server.api_key} ")
    key.press("Enter")
    expect(visit.page.get_by_role("heading", name="Videos")).to_be_visible()
    expect(visit.page.get_by_label("API key", exact=True)).to_be_hidden()


def test_the_key_lasts_for_the_session_or_on_the_device_until_forgotten(visit: Visit) -> None:
    visit.enter()
    visit.page.reload()
    expect(visit.page.get_by_role("heading", name="Videos")).to_be_visible()
    other = visit.page.context.new_page()
    other.goto(visit.server.url)
    other.get_by_label("API key", exact=True).fill(visit.server.api_key)
    other.get_by_label("Remember on this device").check()
    other.get_by_role("button", name="Open").click()
    expect(other.get_by_role("heading", name="Videos")).to_be_visible()
    third = visit.page.context.new_page()
    third.goto(visit.server.url)
    expect(third.get_by_role("heading", name="Videos")).to_be_visible()
    third.get_by_role("button", name="Forget key").click()
    expect(third.get_by_label("API key", exact=True)).to_be_focused()
    third.reload()
    expect(third.get_by_label("API key", exact=True)).to_be_visible()
    assert third.evaluate("() => Object.keys(localStorage)") == []


def test_each_state_is_told(visit: Visit, clip: Path, media_dir: Path) -> None:
    visit.create("Empty one")
    half = visit.create("Half there")
    data = clip.read_bytes().ljust(12 * 2**20, b"\0")
    visit.send(half, data[: 6 * 2**20], Content_Range=f"bytes 0-{6 * 2**20 - 1}/{len(data)}")
    visit.put(clip, "All there")
    visit.put(sample(media_dir, "sound-only"), "Nothing to see")
    visit.enter()
    expect(video(visit, "Empty one")).to_contain_text("Empty")
    expect(video(visit, "Half there")).to_contain_text("Arriving")
    expect(video(visit, "Half there")).to_contain_text("6.3 MB of 13 MB")
    expect(video(visit, "All there")).to_contain_text(
        re.compile(r"Ready.*just now · [\d.]+ MB · 1:00 · 320\u00a0×\u00a0180")
    )
    expect(video(visit, "Nothing to see")).to_contain_text("Not playable")
    expect(video(visit, "Nothing to see").locator(".reason")).to_contain_text("no video")
    for title in ("Empty one", "All there"):
        expect(video(visit, title).locator(".poster svg")).to_be_visible()


def test_a_change_on_the_server_shows_by_itself(visit: Visit, clip: Path) -> None:
    video_id = visit.create("Comes later")
    visit.enter()
    expect(video(visit, "Comes later")).to_contain_text("Empty")
    visit.send(video_id, clip.read_bytes())
    expect(video(visit, "Comes later")).to_contain_text("Ready")


def test_the_title_leads_to_the_player_and_its_link_can_be_copied(visit: Visit, clip: Path) -> None:
    video_id = visit.put(clip, "To be watched")
    visit.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visit.enter()
    visit.page.get_by_role("button", name="Copy link to To be watched").click()
    expect(visit.page.get_by_role("status")).to_have_text("Copied.")
    assert visit.page.evaluate("() => navigator.clipboard.readText()") == f"{visit.server.url}/vod/{video_id}"
    visit.page.get_by_role("link", name="To be watched").click()
    expect(visit.page).to_have_title("To be watched")


def test_deleting_asks_first(visit: Visit) -> None:
    video_id = visit.create("Not wanted")
    visit.enter()
    delete = visit.page.get_by_role("button", name="Delete Not wanted")
    delete.click()
    expect(visit.page.get_by_role("button", name="Keep")).to_be_focused()
    visit.page.keyboard.press("Escape")
    expect(delete).to_be_focused()
    delete.click()
    visit.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(video(visit, "Not wanted")).to_have_count(0)
    found = visit.ask("GET", "/videos?title=Not+wanted")
    assert video_id not in {one["videoId"] for one in found["data"]}


def test_an_upload_that_never_said_its_end_can_be_finished(visit: Visit, clip: Path) -> None:
    video_id = visit.create("Open ended")
    data = clip.read_bytes().ljust(6 * 2**20, b"\0")
    visit.send(video_id, data, Content_Range="part 1/*")
    visit.enter()
    expect(video(visit, "Open ended")).to_contain_text("Arriving")
    visit.page.get_by_role("button", name="Finish the upload of Open ended").click()
    expect(video(visit, "Open ended")).not_to_contain_text("Arriving")
    expect(visit.page.get_by_role("button", name="Finish the upload of Open ended")).to_be_hidden()
    assert visit.ask("GET", f"/videos/{video_id}/status")["ingest"]["status"] == "uploaded"


def test_searching_and_turning_pages(visit: Visit) -> None:
    for number in range(23):
        visit.create(f"Lecture {number:02}")
    visit.create("Something else")
    visit.enter()
    search = visit.page.get_by_role("searchbox", name="Search by title")
    search.fill("lecture")
    expect(visit.page.locator("#count")).to_have_text("23")
    expect(visit.page.locator(".video")).to_have_count(20)
    expect(visit.page.locator("#page-words")).to_have_text("1 to 20 of 23")
    expect(visit.page.get_by_role("button", name="Newer")).to_be_disabled()
    visit.page.get_by_role("button", name="Older").click()
    expect(visit.page.locator("#page-words")).to_have_text("21 to 23 of 23")
    expect(visit.page.locator(".video")).to_have_count(3)
    expect(video(visit, "Lecture 00")).to_be_visible()
    search.fill("no such title")
    expect(visit.page.locator("#none")).to_have_text("No title contains “no such title”.")


def test_a_server_that_is_gone_is_said_and_comes_back(visit: Visit) -> None:
    visit.create("Still here")
    visit.enter()
    expect(video(visit, "Still here")).to_be_visible()
    visit.page.route("**/videos**", lambda route: route.abort())
    visit.page.get_by_role("searchbox").fill("Still")
    expect(visit.page.get_by_role("alert")).to_contain_text("The server can't be reached. Trying again.")
    visit.page.unroute_all()
    expect(visit.page.get_by_role("alert")).to_be_hidden()
    expect(video(visit, "Still here")).to_be_visible()


def test_the_curl_lines_upload_a_file(visit: Visit, clip: Path, tmp_path: Path) -> None:
    visit.enter()
    lines = visit.page.locator("#line-curl").text_content() or ""
    (tmp_path / "video.mp4").write_bytes(clip.read_bytes())
    script = lines.replace("YOUR_API_KEY", visit.server.api_key)
    subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=tmp_path, check=True, capture_output=True)
    expect(video(visit, "My video")).to_have_count(0)
    visit.page.reload()
    expect(video(visit, "My video")).to_contain_text("Ready")


def test_the_partway_lines_upload_a_file(visit: Visit, clip: Path, tmp_path: Path) -> None:
    visit.enter()
    lines = visit.page.locator("#line-partway").text_content() or ""
    (tmp_path / "video.mp4").write_bytes(clip.read_bytes())
    script = lines.replace("YOUR_API_KEY", visit.server.api_key).replace("partway upload", "python -m partway upload")
    home = {**os.environ, "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    home["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(["bash", "-euc", script], cwd=tmp_path, env=home, check=True, capture_output=True, text=True)
    video_id = done.stdout.split()[-1]
    assert visit.ask("GET", f"/videos/{video_id}/status")["encoding"]["playable"]


def test_titles_are_text_and_nothing_else(visit: Visit) -> None:
    visit.create("<img src=x onerror=alert(1)> & “co”")
    visit.enter()
    expect(video(visit, "<img src=x onerror=alert(1)> & “co”")).to_be_visible()
    expect(video(visit, "<img src=x onerror=alert(1)> & “co”").locator("img")).to_have_count(0)


CONTRASTS = """() => {
    const channels = colour => colour.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => {
        const [x, y, z] = [r, g, b].map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    const behind = element => {
        for (let one = element; one; one = one.parentElement) {
            const colour = channels(getComputedStyle(one).backgroundColor);
            if (colour.length < 4 || colour[3] > 0) return colour;
        }
        return [255, 255, 255];
    };
    const found = [];
    for (const element of document.body.querySelectorAll("*")) {
        const words = [...element.childNodes].map(node => node.nodeType === 3 ? node.data.trim() : "").join("");
        if (!words || !element.checkVisibility() || element.closest(".unseen, :disabled, noscript")) continue;
        const [text, ground] = [light(channels(getComputedStyle(element).color)), light(behind(element))];
        const ratio = (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05);
        found.push([ratio, words]);
    }
    return found;
}"""


def assert_readable(visit: Visit, least: int) -> None:
    """WCAG 2.2, 1.4.3 (AA), for at least so many texts."""
    contrasts = visit.page.evaluate(CONTRASTS)
    assert len(contrasts) >= least
    assert [words for ratio, words in contrasts if ratio < 4.5] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 320, 1200])
def test_it_fits_and_can_be_read(visit: Visit, clip: Path, media_dir: Path, scheme: str, width: int) -> None:
    visit.put(sample(media_dir, "sound-only"), f"A title that fits no line of a telephone, {'x' * 60}")
    visit.page.emulate_media(color_scheme=scheme)
    visit.page.set_viewport_size({"width": width, "height": 800})
    visit.open()
    assert_readable(visit, 5)
    visit.enter()
    visit.choose(clip)
    expect(visit.page.locator(".upload")).to_contain_text("Ready to watch")
    expect(visit.page.locator(".video").nth(1)).to_contain_text("Not playable")
    assert visit.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert_readable(visit, 20)
