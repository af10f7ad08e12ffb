"""Somebody else's web page with api.video's browser packages, in a real Chromium, in front of a server with TLS."""

from __future__ import annotations

import json
import shutil
import ssl
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from playwright.sync_api import Browser, Page, Request, sync_playwright
from tests.protocol.sdks import npm

from partway.testing.server import RunningServer

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]
PACKAGES = {"uploader.js": "@api.video/video-uploader", "recorder.js": "@api.video/media-recorder"}
HTML = "<!doctype html><title>a customer's page</title>" + "".join(f"<script src={name}></script>" for name in PACKAGES)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing: pytest shows what matters."""


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """A web server for a folder; its address. Browsers think of ``localhost`` as secure."""
    handler = partial(Quiet, directory=str(folder))
    with ThreadingHTTPServer(("localhost", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


def furnish(folder: Path, *films: Path) -> None:
    """Put the page, the packages as they are published, and the films to send into a folder."""
    (folder / "index.html").write_text(HTML, encoding="utf-8")
    for name, package in PACKAGES.items():
        shutil.copyfile(npm.package(package) / "dist" / "index.js", folder / name)
    for film in films:
        shutil.copyfile(film, folder / film.name)


@contextmanager
def chromium(server: RunningServer) -> Iterator[Browser]:
    """A Chromium with a fake camera, for which ``ws.api.video``, the packages' default, is this server."""
    program = shutil.which("chromium") or "/usr/bin/chromium"
    rules = f"--host-resolver-rules=MAP ws.api.video:443 127.0.0.1:{server.port}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*FLAGS, rules])
        yield browser
        browser.close()


@dataclass
class Customer:
    """The page, and what it has sent to the server."""

    page: Page
    server: RunningServer
    requests: list[Request] = field(default_factory=list)

    @property
    def host(self) -> str:
        """What the packages call ``apiHost``."""
        return f"127.0.0.1:{self.server.port}"

    def run(self, script: str, **given: Any) -> Any:
        """Run an async function of the page, with an object of what it is given; its result.

        What it throws that is no Error comes back as ``{"thrown": ...}``.
        """
        wrapped = f"async given => {{ try {{ return await ({script})(given); }} catch (error) {{ return {CAUGHT}; }} }}"
        return self.page.evaluate(wrapped, {"apiHost": self.host, **given})

    def ranges(self) -> list[str]:
        """The Content-Range of every upload request, in the order they were begun."""
        return [one.headers["content-range"] for one in self.requests if "content-range" in one.headers]

    def ask(self, method: str, path: str, payload: Any = None) -> Any:
        """Ask the server without the page."""
        key = b64encode(f"{self.server.api_key}:".encode()).decode()
        body = None if payload is None else json.dumps(payload).encode()
        request = urllib.request.Request(self.server.url + path, body, {"Authorization": f"Basic {key}"})
        request.method = method
        with urllib.request.urlopen(request, context=self.trust()) as answer:
            return json.loads(answer.read())

    def trust(self) -> ssl.SSLContext | None:
        return self.server.trust()

    def token(self) -> str:
        return str(self.ask("POST", "/upload-tokens", {})["token"])

    def create(self, title: str) -> str:
        return str(self.ask("POST", "/videos", {"title": title})["videoId"])

    def source(self, video_id: str) -> bytes:
        """The source's own bytes, as they come back."""
        url = f"{self.server.url}/vod/{video_id}/mp4/source.mp4"
        with urllib.request.urlopen(url, context=self.trust()) as answer:
            return bytes(answer.read())


CAUGHT = "{ thrown: error instanceof Error ? String(error) : error }"
