"""A real Chromium in front of a real server."""

from __future__ import annotations

import json
import os
import shutil
import struct
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, Request, expect, sync_playwright

from partway.testing.media import sample
from partway.testing.server import RunningServer, running_server

MIB = 2**20
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]
PADDING = 44 * MIB

expect.set_options(timeout=30_000)


@dataclass
class Visit:
    """One page, its server, and what it asked for and complained about."""

    page: Page
    server: RunningServer
    requests: list[Request] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    session: CDPSession | None = None

    def follow(self, page: Page) -> None:
        page.on("request", lambda request: self.requests.append(request))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self.complaints.append(said.text) if "Content Security" in said.text else None)

    def open(self, path: str = "/") -> None:
        self.page.goto(self.server.url + path)

    def enter(self) -> None:
        """Open the page and give the key."""
        self.open()
        self.page.get_by_label("API key", exact=True).fill(self.server.api_key)
        self.page.get_by_role("button", name="Open").click()
        expect(self.page.locator(".video, #none").first).to_be_visible()

    def choose(self, *files: Path) -> None:
        self.page.locator("#files").set_input_files(list(files))

    def throttle(self, bytes_per_second: int) -> None:
        """Bound what the page can send; -1 lifts it."""
        if self.session is None:
            self.session = self.page.context.new_cdp_session(self.page)
            self.session.send("Network.enable")
        limits = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_per_second}
        self.session.send("Network.emulateNetworkConditions", limits)

    def until(self, condition: str | Callable[[], object]) -> None:
        """Wait for a condition of Python, or of JavaScript in the page, which goes on meanwhile."""
        for _ in range(600):
            if self.page.evaluate(condition) if isinstance(condition, str) else condition():
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"not within 30 s: {condition}")

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Any:
        """Ask the server without the page."""
        key = b64encode(f"{self.server.api_key}:".encode()).decode()
        wanted = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.server.url + path, body, {"Authorization": f"Basic {key}", **wanted})
        request.method = method
        with urllib.request.urlopen(request) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def ask_json(self, method: str, path: str, **fields: Any) -> Any:
        """Ask with a JSON body."""
        return self.ask(method, path, json.dumps(fields).encode(), Content_Type="application/json")

    def create(self, title: str, **fields: Any) -> str:
        """The id of a new, empty video."""
        return str(self.ask_json("POST", "/videos", title=title, **fields)["videoId"])

    def post_form(self, path: str, content: bytes, filename: str, *, fields: str = "", **headers: str) -> Any:
        """Post a form with one file, after ``fields`` as they are."""
        head = f'{fields}--cut\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n\r\n'
        body = head.encode() + content + b"\r\n--cut--\r\n"
        return self.ask("POST", path, body, Content_Type="multipart/form-data; boundary=cut", **headers)

    def send(self, video_id: str, content: bytes, **headers: str) -> None:
        """Send a file, or with a Content_Range a piece of one."""
        self.post_form(f"/videos/{video_id}/source", content, "a.mp4", **headers)

    def put(self, path: Path, title: str, **fields: Any) -> str:
        """The id of a new video with this source."""
        video_id = self.create(title, **fields)
        self.send(video_id, path.read_bytes())
        return video_id

    def sent_ranges(self) -> list[str]:
        """The Content-Range of every piece the page began to send, in order."""
        return [one.headers["content-range"] for one in self.requests if one.url.endswith("/source")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Not for the whole session: while Playwright is open its event loop runs in this thread, and no other test's can.
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or "/usr/bin/chromium"
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("server") / "data") as server:
        yield server


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1200, "height": 800})
    yield context
    context.close()


@pytest.fixture
def visit(context: BrowserContext, server: RunningServer) -> Iterator[Visit]:
    """A page whose every request must go to its server, and which must not break its own policy."""
    visit = Visit(context.new_page(), server)
    visit.follow(visit.page)
    yield visit
    strangers = {one.url for one in visit.requests if urlsplit(one.url).netloc != urlsplit(server.url).netloc}
    assert {url for url in strangers if not url.startswith(("blob:", "data:"))} == set()
    assert visit.complaints == []


@pytest.fixture(scope="session")
def clip(media_dir: Path) -> Path:
    """A minute that browsers play, index at the end."""
    return sample(media_dir, "minute")


@pytest.fixture(scope="session")
def film(clip: Path, media_dir: Path) -> Path:
    """The clip as a large file: its media box is filled up with random bytes."""
    path = media_dir / "long film.mp4"
    data = clip.read_bytes()
    moov, mdat = data.rindex(b"moov") - 4, data.index(b"mdat") - 4
    length = struct.pack(">I", moov - mdat + PADDING)
    path.write_bytes(data[:mdat] + length + data[mdat + 4 : moov] + os.urandom(PADDING) + data[moov:])
    return path
