"""The player page follows a video that is still arriving, and it becomes an ordinary one at its end."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import BrowserContext, expect
from tests.browser.conftest import Visit as Page
from tests.browser.test_player import VIDEO, state_of, wait_until

from partway.testing.media import sample
from partway.testing.server import RunningServer, running_server

if TYPE_CHECKING:
    from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser

PIECES = 24


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Takes small pieces, so that a small film has many."""
    folder = tmp_path_factory.mktemp("server") / "data"
    with running_server(folder, {"PARTWAY_PIECE_BYTES_MIN": "1000"}) as server:
        yield server


def pieces_of(blob: bytes, order: str) -> list[tuple[str, bytes]]:
    size = -(-len(blob) // PIECES)
    pieces = [
        (f"bytes {at}-{min(at + size, len(blob)) - 1}/{len(blob)}", blob[at : at + size])
        for at in range(0, len(blob), size)
    ]
    if order == "shuffled":
        middle = pieces[1:-1]
        # Near enough to their places that the beginning is whole before the end.
        random.Random(3).shuffle(middle[:4])
        middle = [piece for at in range(0, len(middle), 3) for piece in reversed(middle[at : at + 3])]
        pieces = [pieces[0], pieces[-1], *middle]
    return pieces


@pytest.mark.parametrize(
    ("name", "order"),
    [("minute", "shuffled"), ("fragmented", "in order"), ("turned", "shuffled"), ("silent", "shuffled")],
)
def test_it_plays_from_before_it_is_complete_to_its_end(visit: Visit, media_dir: Path, name: str, order: str) -> None:
    waiting = pieces_of(sample(media_dir, name).read_bytes(), order)
    video_id = visit.create(name)

    def send(count: int) -> None:
        for content_range, body in [waiting.pop(0) for _ in range(min(count, len(waiting)))]:
            visit.send(video_id, body, Content_Range=content_range)

    visit.open(f"/vod/{video_id}")
    expect(visit.page.locator("#words")).to_be_visible()
    send(PIECES // 2 if name != "minute" else PIECES // 4)
    visit.page.get_by_role("button", name="play").first.click(timeout=60_000)
    wait_until(visit, currentTime=0.3)
    expect(visit.page.locator("#arriving")).to_be_visible()
    early = state_of(visit)
    assert early["duration"] < (40 if name == "minute" else 9)
    assert early["complaints"] == []
    visit.page.evaluate(f"() => {{ {VIDEO}.playbackRate = 4 }}")
    if name == "minute":
        # The others have three segments, and the second needs nearly all their bytes.
        send(3)
        wait_until(visit, duration=early["duration"] + 0.1)
    send(len(waiting))
    expect(visit.page.locator("#arriving")).to_be_hidden()
    whole = 60 if name == "minute" else 9
    wait_until(visit, duration=whole - 0.2)
    visit.until(f"() => {VIDEO}.ended")
    state = state_of(visit)
    assert state["currentTime"] == pytest.approx(whole, abs=0.3)
    assert state["complaints"] == []
    assert state["error"] is None
    # It is an ordinary video now: somewhere in its middle it goes on.
    visit.page.evaluate(f"() => {{ {VIDEO}.currentTime = {whole / 2}; {VIDEO}.playbackRate = 1; {VIDEO}.play() }}")
    wait_until(visit, currentTime=whole / 2 + 0.5)
    assert state_of(visit)["complaints"] == []


RECORD = """() => new Promise(done => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [320, 180];
    const brush = canvas.getContext("2d");
    let count = 0;
    setInterval(() => {
        brush.fillStyle = `hsl(${count++ % 360} 80% 50%)`;
        brush.fillRect(0, 0, 320, 180);
        brush.fillStyle = "black";
        brush.fillText(String(count), 20, 90);
    }, 33);
    const tone = new AudioContext();
    const heard = tone.createMediaStreamDestination();
    const source = tone.createOscillator();
    source.connect(heard);
    source.start();
    const stream = new MediaStream([...canvas.captureStream(30).getTracks(), ...heard.stream.getTracks()]);
    const recorder = new MediaRecorder(stream, { mimeType: "video/webm;codecs=vp8,opus", videoBitsPerSecond: 800_000 });
    const chunks = [];
    recorder.ondataavailable = event => chunks.push(event.data);
    recorder.onstop = async () => {
        const bytes = new Uint8Array(await new Blob(chunks).arrayBuffer());
        done([...bytes].map(byte => String.fromCharCode(byte)).join(""));
    };
    recorder.start(500);
    setTimeout(() => recorder.stop(), 12_000);
})"""


@pytest.mark.parametrize("name", ["a MediaRecorder's WebM", "minute-mpegts"])
def test_what_browsers_cannot_play_plays_while_it_arrives(visit: Visit, media_dir: Path, name: str) -> None:
    visit.open("/healthz")
    is_recorded = "MediaRecorder" in name
    blob = visit.page.evaluate(RECORD).encode("latin-1") if is_recorded else sample(media_dir, name).read_bytes()
    video_id = visit.create(name)
    size = -(-len(blob) // PIECES)
    parts = [blob[at : at + size] for at in range(0, len(blob), size)]
    for number, body in enumerate(parts[: 2 * len(parts) // 3], 1):
        visit.send(video_id, body, Content_Range=f"part {number}/*")
    visit.open(f"/vod/{video_id}")
    visit.page.get_by_role("button", name="play").first.click(timeout=60_000)
    wait_until(visit, currentTime=0.3)
    assert visit.ask("GET", f"/videos/{video_id}/status")["ingest"]["status"] == "uploading"
    expect(visit.page.locator("#arriving")).to_be_visible()
    visit.page.evaluate(f"() => {{ {VIDEO}.playbackRate = 4 }}")
    for number, body in enumerate(parts[2 * len(parts) // 3 :], 2 * len(parts) // 3 + 1):
        visit.send(video_id, body, Content_Range=f"part {number}/{len(parts) if number == len(parts) else '*'}")
    visit.until(f"() => {VIDEO}.ended")
    state = state_of(visit)
    assert state["currentTime"] == pytest.approx(12 if is_recorded else 60, abs=1)
    assert state["complaints"] == []
    assert state["error"] is None
    expect(visit.page.locator("#arriving")).to_be_hidden()


def test_somebody_who_comes_later_begins_at_the_beginning(
    visit: Visit, context: BrowserContext, server: RunningServer, media_dir: Path
) -> None:
    waiting = pieces_of(sample(media_dir, "minute").read_bytes(), "shuffled")
    video_id = visit.create("late")
    for content_range, body in waiting[: 3 * PIECES // 4]:
        visit.send(video_id, body, Content_Range=content_range)
    late = Page(context.new_page(), server)
    late.follow(late.page)
    late.open(f"/vod/{video_id}#autoplay")
    wait_until(late, currentTime=0.2)
    assert state_of(late)["currentTime"] < 15
    assert state_of(late)["complaints"] == []
