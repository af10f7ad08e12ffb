"""Uploading on the page at ``/``: pieces, progress, pause, resume, retry, refusal."""

from __future__ import annotations

import hashlib
import re
import urllib.request
from base64 import b64encode
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Locator, expect

if TYPE_CHECKING:
    from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser

MIB = 2**20
SLOW = 6 * MIB


def row(visit: Visit, path: Path) -> Locator:
    """The upload's row on the page."""
    return visit.page.locator(".upload").filter(has=visit.page.get_by_role("heading", name=path.name, exact=True))


def percent(row: Locator) -> int:
    return int(row.get_by_role("progressbar").get_attribute("aria-valuenow") or 0)


def assert_same_bytes(visit: Visit, row: Locator, path: Path) -> None:
    player = row.get_by_role("link", name="Watch").get_attribute("href")
    with urllib.request.urlopen(f"{visit.server.url}{player}/mp4/source.mp4") as answer:
        assert hashlib.sha256(answer.read()).digest() == hashlib.sha256(path.read_bytes()).digest()


def spans(visit: Visit) -> list[tuple[int, int]]:
    """Every piece begun, as half-open spans, in order of beginning."""
    found = [re.fullmatch(r"bytes (\d+)-(\d+)/\d+", header) for header in visit.sent_ranges()]
    return [(int(one[1]), int(one[2]) + 1) for one in found if one]


def test_a_file_goes_up_and_is_the_same_afterwards(visit: Visit, film: Path) -> None:
    visit.enter()
    visit.choose(film)
    expect(row(visit, film)).to_contain_text("Ready to watch")
    assert_same_bytes(visit, row(visit, film), film)
    expect(visit.page.locator(".video").first).to_contain_text("long film")
    expect(visit.page.locator(".video").first).to_contain_text("Ready")


def test_the_head_goes_first_then_the_index_then_the_rest_in_order(visit: Visit, film: Path) -> None:
    visit.enter()
    visit.choose(film)
    expect(row(visit, film)).to_contain_text("Ready to watch")
    first, second, *rest = spans(visit)
    opening = [one for one in visit.requests if one.url.endswith("/source")][:3]
    ends = [one.timing["startTime"] + one.timing["responseEnd"] for one in opening]
    assert all(later.timing["startTime"] >= end - 1 for end, later in zip(ends, opening[1:], strict=False)), "alone"
    data = film.read_bytes()
    assert first == (0, 5 * MIB)
    assert second == (data.rindex(b"moov") - 4, len(data))
    assert rest[0][0] == first[1]
    assert all(here[1] == there[0] for here, there in pairwise(rest))
    assert rest[-1][1] == second[0]
    assert all(to - start >= 5 * MIB for start, to in [first, *rest])


def test_what_has_arrived_can_be_watched_while_the_rest_is_on_its_way(visit: Visit, film: Path) -> None:
    visit.enter()
    visit.throttle(SLOW)
    visit.choose(film)
    upload = row(visit, film)
    watch = upload.get_by_role("link", name="Watch")
    expect(watch).to_be_visible()
    expect(upload.get_by_role("button", name="Pause")).to_be_visible()
    assert percent(upload) < 100
    video = visit.page.locator(".video").first
    expect(video).to_have_attribute("data-state", "live")
    expect(video).to_contain_text("Arriving, watch now")
    player = watch.get_attribute("href")
    with urllib.request.urlopen(f"{visit.server.url}{player}/hls/manifest.m3u8") as answer:
        assert answer.status == 200
    visit.throttle(-1)
    expect(upload).to_contain_text("Ready to watch")
    expect(video).to_have_attribute("data-state", "good")


def test_progress_is_told_in_figures_and_to_screen_readers(visit: Visit, film: Path) -> None:
    visit.enter()
    visit.throttle(SLOW)
    visit.choose(film)
    upload = row(visit, film)
    figures = r"[\d.]+ MB of \d+ MB · [\d.]+ MB/s · \d+ s left · 3 pieces in flight"
    expect(upload).to_contain_text(re.compile(figures))
    expect(visit.page.get_by_role("status")).to_have_text(re.compile(r"long film\.mp4: (25|50|75) percent\."))
    assert 0 < percent(upload) < 100
    visit.throttle(-1)
    expect(upload).to_contain_text("Ready to watch")
    assert percent(upload) == 100
    expect(visit.page.get_by_role("status")).to_have_text("long film.mp4: uploaded.")


def test_pause_stops_and_resume_goes_on(visit: Visit, film: Path) -> None:
    visit.enter()
    visit.throttle(SLOW)
    visit.choose(film)
    upload = row(visit, film)
    visit.until(lambda: percent(upload) > 15)
    upload.get_by_role("button", name="Pause").click()
    expect(upload).to_contain_text("Paused")
    expect(upload).not_to_contain_text("in flight")
    begun = len(spans(visit))
    for _ in range(5):
        assert visit.page.evaluate("async () => (await fetch('healthz')).status") == 200
    assert len(spans(visit)) == begun
    visit.throttle(-1)
    upload.get_by_role("button", name="Resume").click()
    expect(upload).to_contain_text("Ready to watch")
    assert_same_bytes(visit, upload, film)


def test_after_a_reload_the_same_file_goes_on_where_it_was(visit: Visit, film: Path, clip: Path) -> None:
    visit.enter()
    visit.throttle(SLOW)
    visit.choose(film)
    visit.until(lambda: percent(row(visit, film)) > 35)
    visit.page.once("dialog", lambda dialog: dialog.accept())
    visit.page.reload()
    upload = row(visit, film)
    expect(upload).to_contain_text("Choose the file again to go on")
    expect(upload).to_contain_text(re.compile(r"\d+ MB of \d+ MB has arrived"))
    visit.throttle(-1)
    upload.locator("input[type=file]").set_input_files(clip)
    expect(upload).to_contain_text("is not the file that was started")
    before = len(spans(visit))
    upload.locator("input[type=file]").set_input_files(film)
    expect(upload).to_contain_text("Ready to watch")
    assert (0, 5 * MIB) not in spans(visit)[before:]
    assert sum(one.url.endswith("/videos") for one in visit.requests if one.method == "POST") == 1
    assert_same_bytes(visit, upload, film)
    visit.page.reload()
    expect(visit.page.locator(".video").first).to_contain_text("Ready")
    expect(visit.page.locator(".upload")).to_have_count(0)


def test_a_dropped_file_is_recognised_after_a_reload(visit: Visit, film: Path) -> None:
    visit.enter()
    visit.throttle(SLOW)
    visit.choose(film)
    visit.until(lambda: percent(row(visit, film)) > 20)
    visit.page.once("dialog", lambda dialog: dialog.accept())
    visit.page.reload()
    expect(row(visit, film)).to_contain_text("Choose the file again")
    visit.throttle(-1)
    visit.choose(film)
    expect(row(visit, film)).to_contain_text("Ready to watch")
    expect(visit.page.locator(".upload")).to_have_count(1)
    assert sum(one.url.endswith("/videos") for one in visit.requests if one.method == "POST") == 1


def test_a_killed_server_is_waited_for(visit: Visit, film: Path) -> None:
    visit.enter()
    visit.throttle(SLOW)
    visit.choose(film)
    upload = row(visit, film)
    visit.until(lambda: percent(upload) > 30)
    visit.server.kill()
    expect(upload).to_contain_text(re.compile(r"Waiting for the server, trying again in \d+ s"))
    visit.server.start()
    visit.throttle(-1)
    expect(upload).to_contain_text("Ready to watch")
    assert_same_bytes(visit, upload, film)


def test_a_wait_can_be_paused_and_cut_short(visit: Visit, film: Path) -> None:
    visit.enter()
    visit.page.route("**/source", lambda route: route.abort())
    visit.choose(film)
    upload = row(visit, film)
    expect(upload).to_contain_text("Waiting for the server")
    upload.get_by_role("button", name="Pause").click()
    expect(upload).to_contain_text("Paused")
    visit.page.unroute_all()
    upload.get_by_role("button", name="Resume").click()
    expect(upload).to_contain_text("Ready to watch")


def test_a_server_error_is_tried_again_and_a_lost_answer_is_harmless(visit: Visit, film: Path) -> None:
    visit.enter()
    lost = []

    def lose(route) -> None:
        if len(lost) < 3:
            lost.append(route.fetch().status)
            route.fulfill(status=502, body="<html>")
        else:
            route.continue_()

    visit.page.route("**/source", lose)
    visit.choose(film)
    expect(row(visit, film)).to_contain_text("The server has a problem (502), trying again")
    row(visit, film).get_by_role("button", name="Try now").click()
    expect(row(visit, film)).to_contain_text("Ready to watch", timeout=60_000)
    assert lost == [201, 201, 201]
    assert_same_bytes(visit, row(visit, film), film)


def test_creating_twice_with_a_lost_answer_makes_one_video(visit: Visit, clip: Path) -> None:
    visit.enter()
    keys = []

    def lose(route) -> None:
        if route.request.method != "POST":
            route.continue_()
            return
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) == 1:
            assert route.fetch().status == 201
            route.abort()
        else:
            route.continue_()

    count = visit.page.locator("#count")
    before = int(count.text_content() or 0)
    visit.page.route("**/videos", lose)
    visit.choose(clip)
    expect(row(visit, clip)).to_contain_text("Ready to watch")
    expect(count).to_have_text(str(before + 1))
    assert len(keys) == 2
    assert keys[0] == keys[1]


def test_cancel_asks_and_deletes(visit: Visit, film: Path) -> None:
    visit.enter()
    visit.throttle(SLOW)
    count = visit.page.locator("#count")
    visit.choose(film)
    upload = row(visit, film)
    visit.until(lambda: percent(upload) > 5)
    during = int(count.text_content() or 0)
    upload.get_by_role("button", name="Cancel").click()
    visit.page.get_by_role("button", name="Keep").click()
    expect(upload).to_be_visible()
    upload.get_by_role("button", name="Cancel").click()
    visit.page.get_by_role("button", name="Cancel the upload").click()
    expect(upload).to_have_count(0)
    expect(count).to_have_text(str(during - 1) if during > 1 else "")
    visit.page.reload()
    expect(visit.page.get_by_role("heading", name="Videos")).to_be_visible()
    expect(visit.page.locator(".upload")).to_have_count(0)


def test_several_files_go_one_after_the_other(visit: Visit, film: Path, clip: Path, media_dir: Path) -> None:
    empty = media_dir / "empty.mp4"
    empty.write_bytes(b"")
    visit.enter()
    visit.throttle(SLOW)
    visit.choose(film, empty, clip)
    expect(row(visit, clip)).to_contain_text("Waiting its turn")
    visit.throttle(-1)
    expect(row(visit, film)).to_contain_text("Ready to watch")
    expect(row(visit, empty)).to_contain_text("This file is empty.")
    expect(row(visit, clip)).to_contain_text("Ready to watch")


def test_a_refusal_is_told_in_words_and_can_be_tried_again(visit: Visit, clip: Path) -> None:
    visit.enter()
    title = "The uploaded file is too large."
    visit.page.route("**/source", lambda route: route.fulfill(status=400, json={"title": title, "status": 400}))
    visit.choose(clip)
    expect(row(visit, clip)).to_contain_text(title)
    visit.page.unroute_all()
    row(visit, clip).get_by_role("button", name="Try again").click()
    expect(row(visit, clip)).to_contain_text("Ready to watch")


def test_a_video_deleted_meanwhile_is_begun_anew(visit: Visit, film: Path) -> None:
    visit.enter()
    visit.throttle(SLOW)
    visit.choose(film)
    visit.until(lambda: percent(row(visit, film)) > 5)
    visit.page.locator(".video").first.get_by_role("button", name="Delete").click()
    visit.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    visit.throttle(-1)
    expect(row(visit, film)).to_contain_text("Ready to watch", timeout=60_000)
    assert_same_bytes(visit, row(visit, film), film)


def test_what_is_no_video_is_uploaded_and_the_reason_told(visit: Visit, media_dir: Path) -> None:
    note = media_dir / "note.mp4"
    note.write_bytes(b"only words " * 1000)
    visit.enter()
    visit.choose(note)
    expect(row(visit, note)).to_have_attribute("data-tone", "bad")
    video = visit.page.locator(".video").first
    expect(video).to_contain_text("Not playable")
    reason = video.locator(".reason").text_content() or ""
    assert len(reason) > 10
    expect(row(visit, note)).to_contain_text(reason)


def test_a_file_can_be_dropped_anywhere(visit: Visit, clip: Path) -> None:
    visit.enter()
    files = visit.page.evaluate_handle(
        """base64 => {
            const data = Uint8Array.from(atob(base64), letter => letter.charCodeAt(0));
            const transfer = new DataTransfer();
            transfer.items.add(new File([data], "dropped.mp4", { type: "video/mp4", lastModified: 1 }));
            return transfer;
        }""",
        b64encode(clip.read_bytes()).decode(),
    )
    visit.page.dispatch_event("body", "dragover", {"dataTransfer": files})
    expect(visit.page.locator("#drop")).to_have_class(re.compile("over"))
    visit.page.dispatch_event("body", "drop", {"dataTransfer": files})
    expect(row(visit, Path("dropped.mp4"))).to_contain_text("Ready to watch")


def test_the_keyboard_is_enough(visit: Visit, film: Path) -> None:
    page = visit.page
    page.on("filechooser", lambda chooser: chooser.set_files(film))
    visit.open()
    page.keyboard.type(visit.server.api_key)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Videos")).to_be_visible()
    visit.throttle(SLOW)
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    upload = row(visit, film)
    expect(upload.get_by_role("button", name="Pause")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Record", exact=True)).to_be_focused()
    expect(upload.get_by_role("link", name="Watch")).to_be_visible()
    page.keyboard.press("Tab")
    expect(upload.get_by_role("link", name="Watch")).to_be_focused()
    page.keyboard.press("Tab")
    expect(upload.get_by_role("button", name="Pause")).to_be_focused()
    page.keyboard.press("Enter")
    expect(upload).to_contain_text("Paused")
    expect(upload.get_by_role("button", name="Resume")).to_be_focused()
    visit.throttle(-1)
    page.keyboard.press("Enter")
    watch = upload.get_by_role("link", name="Watch")
    expect(watch).to_be_visible()
    expect(upload.get_by_role("button", name="Dismiss")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(watch).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#video")).to_be_attached()
