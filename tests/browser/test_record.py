"""Recording on the page at ``/``: Chromium's camera is a file of noise, its screen a real one."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, expect, sync_playwright
from tests.browser.conftest import FLAGS, Visit

from partway.testing.media import ffmpeg, run
from partway.testing.server import RunningServer

if TYPE_CHECKING:
    from playwright.sync_api import Request

pytestmark = pytest.mark.browser

MIB = 2**20


@pytest.fixture(scope="module")
def camera(media_dir: Path) -> Path:
    """What no encoder makes small, so that a part is full after some seconds."""
    path = media_dir / "camera.y4m"
    if not path.exists():
        media_dir.mkdir(parents=True, exist_ok=True)
        noise = "testsrc2=size=640x360:rate=30,noise=alls=80:allf=t"
        run(ffmpeg(), "-f", "lavfi", "-i", noise, "-t", "1", "-pix_fmt", "yuv420p", "-y", path)
    return path


@pytest.fixture(scope="module")
def browser(camera: Path) -> Iterator[Browser]:
    devices = [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={camera}",
        "--auto-select-desktop-capture-source=Entire screen",
    ]
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or "/usr/bin/chromium"
        browser = playwright.chromium.launch(executable_path=chromium, args=[*FLAGS, *devices])
        yield browser
        browser.close()


def panel(visit: Visit) -> Locator:
    return visit.page.locator("#record")


def prepare(visit: Visit, source: str, title: str) -> None:
    """Open the panel and the device; everything is ready to record."""
    visit.page.get_by_role("button", name="Record", exact=True).click()
    visit.page.get_by_role("button", name=source, exact=True).click()
    expect(visit.page.get_by_role("button", name="Start recording")).to_be_focused()
    panel(visit).get_by_label("Title").fill(title)


def start(visit: Visit) -> None:
    visit.page.get_by_role("button", name="Start recording").click()
    expect(visit.page.get_by_role("button", name="Stop")).to_be_focused()


def stop(visit: Visit) -> None:
    visit.page.get_by_role("button", name="Stop").click()
    expect(visit.page.get_by_role("button", name="Stop")).to_be_hidden()


def video_id(visit: Visit, title: str) -> str:
    visit.until(lambda: visit.ask("GET", f"/videos?title={title}")["data"])
    return str(visit.ask("GET", f"/videos?title={title}")["data"][0]["videoId"])


def held(visit: Visit, title: str) -> list[int]:
    """The sizes of the parts the server holds, in order."""
    listing = visit.ask("GET", f"/-/videos/{video_id(visit, title)}/parts")
    assert [piece["part"] for piece in listing["pieces"]] == list(range(1, len(listing["pieces"]) + 1))
    return [piece["size"] for piece in listing["pieces"]]


def await_complete(visit: Visit, title: str) -> dict[str, object]:
    """The status of a recording of which all has arrived."""
    expect(panel(visit)).not_to_contain_text("Sending the rest")
    status = visit.ask("GET", f"/videos/{video_id(visit, title)}/status")
    assert status["ingest"]["status"] == "uploaded"
    return dict(status)


def parts_begun(requests: list[Request]) -> list[str]:
    return [one.headers["content-range"] for one in requests if one.url.endswith("/source")]


def test_a_camera_is_sent_part_by_part_while_it_records(visit: Visit) -> None:
    visit.enter()
    prepare(visit, "Camera", "Camera live")
    seen = "() => { const video = document.querySelector('#record-preview'); return video.currentTime > 0.2; }"
    visit.until(seen)
    expect(panel(visit).get_by_label("Microphone")).not_to_have_value("none")
    start(visit)
    visit.until(lambda: len(held(visit, "Camera%20live")) >= 2)
    expect(visit.page.get_by_role("button", name="Stop")).to_be_visible()
    expect(panel(visit)).to_contain_text(re.compile(r"Recording.*\d:\d\d · [\d.]+ MB of [\d.]+ MB sent"))
    row = visit.page.locator(".video").filter(has_text="Camera live")
    expect(row).to_contain_text("Arriving")
    stop(visit)
    status = await_complete(visit, "Camera%20live")
    sizes = held(visit, "Camera%20live")
    assert all(size >= 5 * MIB for size in sizes[:-1])
    count = len(sizes)
    assert parts_begun(visit.requests) == [f"part {n}/{n if n == count else '*'}" for n in range(1, count + 1)]
    metadata = status["encoding"]["metadata"]  # type: ignore[index]
    assert (metadata["width"], metadata["height"]) == (640, 360)
    assert metadata["audioCodec"]
    expect(panel(visit).locator("#record-figures")).to_have_text(re.compile(r"^\d:\d\d · [\d.]+ MB$"))
    assert visit.page.evaluate("() => document.querySelector('#record-preview').srcObject") is None


def test_a_screen_is_recorded_and_a_voice_only_on_wish(visit: Visit) -> None:
    visit.enter()
    prepare(visit, "Screen, window or tab", "Screen")
    microphone = panel(visit).get_by_label("Microphone")
    expect(microphone).to_have_value("none")
    microphone.select_option(index=1)
    expect(panel(visit)).to_contain_text("Ready to record the screen")
    visit.until("() => document.querySelector('#record-microphones').value !== 'none'")
    expect(visit.page.get_by_role("button", name="Start recording")).to_be_visible()
    start(visit)
    visit.until("() => / of [\\d.]+ (kB|MB) sent/.test(document.querySelector('#record-figures').textContent)")
    stop(visit)
    status = await_complete(visit, "Screen")
    assert status["encoding"]["metadata"]["width"] > 0  # type: ignore[index]
    assert status["encoding"]["metadata"]["audioCodec"]  # type: ignore[index]


def test_without_a_microphone_there_is_no_sound(visit: Visit) -> None:
    visit.enter()
    prepare(visit, "Camera", "Mute")
    panel(visit).get_by_label("Microphone").select_option("none")
    visit.until("() => !document.querySelector('#record-preview').srcObject?.getAudioTracks().length")
    expect(visit.page.get_by_role("button", name="Start recording")).to_be_visible()
    start(visit)
    visit.until("() => / of [\\d.]+ (kB|MB) sent/.test(document.querySelector('#record-figures').textContent)")
    stop(visit)
    assert await_complete(visit, "Mute")["encoding"]["metadata"]["audioCodec"] is None  # type: ignore[index]


def test_a_recording_is_watched_from_another_window_while_it_runs(visit: Visit, context: BrowserContext) -> None:
    visit.enter()
    prepare(visit, "Camera", "Watched")
    panel(visit).get_by_label("Microphone").select_option("none")
    visit.until("() => document.querySelector('#record-preview').srcObject?.getAudioTracks().length === 0")
    start(visit)
    expect(panel(visit)).to_contain_text("Recording, and can be watched already")
    expect(panel(visit).get_by_role("button", name="Copy link")).to_be_visible()
    row = visit.page.locator(".video").filter(has_text="Watched")
    expect(row).to_contain_text(re.compile(r"Arriving, watch now.*\d:\d\d so far"))
    expect(row).to_have_attribute("data-state", "live")
    with context.expect_page() as opened:
        panel(visit).get_by_role("link", name="Watch").click()
    viewer = opened.value
    viewer.wait_for_function("() => document.querySelector('video')?.readyState >= 2")
    viewer.evaluate("() => document.querySelector('video').play()")
    viewer.wait_for_function("() => document.querySelector('video').currentTime > 1")
    visit.page.bring_to_front()
    expect(visit.page.get_by_role("button", name="Stop")).to_be_visible()
    stop(visit)
    expect(panel(visit)).to_contain_text("Ready to watch")
    expect(row).to_have_attribute("data-state", "good", timeout=60_000)


def test_a_killed_server_costs_no_recorded_byte(visit: Visit) -> None:
    visit.enter()
    prepare(visit, "Camera", "Killed")
    start(visit)
    visit.until(lambda: len(held(visit, "Killed")) >= 1)
    visit.server.kill()
    expect(panel(visit)).to_contain_text("Recording, and waiting for the server. Nothing is lost")
    expect(panel(visit).get_by_role("button", name="Try now")).to_be_visible()
    stop(visit)
    expect(panel(visit)).to_contain_text("Sending the rest, and waiting for the server")
    visit.server.start()
    figures = panel(visit).locator("#record-figures")
    added = re.search(r"of ([\d.]+ MB) sent", figures.text_content() or "")
    assert added is not None
    await_complete(visit, "Killed")
    expect(figures).to_contain_text(f"· {added[1]}")
    assert all(size >= 5 * MIB for size in held(visit, "Killed")[:-1])


def test_a_refusal_keeps_what_was_recorded_and_can_be_tried_again(visit: Visit) -> None:
    visit.enter()
    prepare(visit, "Camera", "Refused")
    problem = {"title": "The API key is invalid.", "status": 401, "type": "x/authentication-invalid-api-key"}
    visit.page.route("**/source", lambda route: route.fulfill(status=401, json=problem))
    start(visit)
    expect(panel(visit)).to_contain_text("The server refuses it: The API key is invalid.")
    stop(visit)
    visit.page.unroute_all()
    panel(visit).get_by_role("button", name="Try now").click()
    await_complete(visit, "Refused")
    assert held(visit, "Refused")[0] >= 5 * MIB


def test_leaving_the_page_asks_first(visit: Visit) -> None:
    visit.enter()
    prepare(visit, "Camera", "Leaving")
    start(visit)
    asked = []
    visit.page.once("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    visit.page.evaluate("() => void (location.href = '/healthz')")
    visit.until(lambda: asked)
    assert asked == ["beforeunload"]
    expect(visit.page.get_by_role("button", name="Stop")).to_be_visible()
    stop(visit)
    await_complete(visit, "Leaving")


def test_sharing_that_ends_in_the_browsers_own_bar_ends_the_recording(visit: Visit) -> None:
    visit.enter()
    prepare(visit, "Screen, window or tab", "Unshared")
    start(visit)
    visit.until("() => / of [\\d.]+ (kB|MB) sent/.test(document.querySelector('#record-figures').textContent)")
    # What the bar's button does to the page: the track ends, and says so.
    visit.page.evaluate(
        "() => { const [track] = document.querySelector('#record-preview').srcObject.getVideoTracks();"
        " track.stop(); track.dispatchEvent(new Event('ended')); }"
    )
    expect(visit.page.get_by_role("button", name="Stop")).to_be_hidden()
    await_complete(visit, "Unshared")


def test_the_keyboard_is_enough(visit: Visit) -> None:
    visit.enter()
    page = visit.page
    page.get_by_role("button", name="Record", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Camera", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Start recording")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Stop")).to_be_focused()
    visit.until("() => / of [\\d.]+ (kB|MB) sent/.test(document.querySelector('#record-figures').textContent)")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text(re.compile("All of the recording is there|can be watched"))
    page.get_by_role("button", name="Close").press("Enter")
    expect(page.get_by_role("button", name="Record", exact=True)).to_be_focused()
    expect(panel(visit)).to_be_hidden()


def test_forgetting_the_key_lets_go_of_the_camera(visit: Visit) -> None:
    visit.enter()
    prepare(visit, "Camera", "Forgotten")
    track = visit.page.evaluate_handle("() => document.querySelector('#record-preview').srcObject.getVideoTracks()[0]")
    visit.page.get_by_role("button", name="Forget key").click()
    assert track.evaluate("track => track.readyState") == "ended"


@pytest.mark.parametrize(
    ("error", "words"), [("NotAllowedError", "did not allow it"), ("NotFoundError", "no such device")]
)
def test_a_device_that_is_refused_or_missing_is_told(visit: Visit, error: str, words: str) -> None:
    visit.enter()
    visit.page.evaluate(
        "name => { navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', name); }; }", error
    )
    visit.page.get_by_role("button", name="Record", exact=True).click()
    visit.page.get_by_role("button", name="Camera", exact=True).click()
    expect(panel(visit)).to_contain_text(words)
    expect(visit.page.get_by_role("button", name="Camera", exact=True)).to_be_enabled()


def test_plain_http_elsewhere_than_here_is_told_before_it_is_tried(
    context: BrowserContext, server: RunningServer, visit: Visit
) -> None:
    page = context.new_page()
    page.route("http://camera.test/**", lambda route: route.fulfill(response=route.fetch(url=_here(route, server))))
    page.goto("http://camera.test/")
    page.get_by_label("API key", exact=True).fill(server.api_key)
    page.get_by_role("button", name="Open").click()
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.locator("#record")).to_contain_text("Recording needs https")
    expect(page.get_by_role("button", name="Camera", exact=True)).to_be_disabled()


def _here(route, server: RunningServer) -> str:
    return route.request.url.replace("http://camera.test", server.url)
