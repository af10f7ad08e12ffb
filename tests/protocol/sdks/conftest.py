"""Other people's published packages in front of real servers, and the small files they send."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from tests.protocol.sdks import browser
from tests.protocol.wire import Wire

from partway.testing.media import ffmpeg, run, sample
from partway.testing.server import RunningServer, running_server

VTT = """WEBVTT

00:00:00.000 --> 00:00:02.000
A first line

00:00:02.000 --> 00:00:04.000
and a second
"""


@pytest.fixture(scope="session")
def friendly_wire() -> Iterator[Wire]:
    """A server as its owner may set it: deleted videos stay in the trash, sources come from this machine too."""
    with running_server(environment={"PARTWAY_TRASH_DAYS": "90", "PARTWAY_ALLOW_PRIVATE_ADDRESSES": "true"}) as server:
        yield Wire(server)


@pytest.fixture(scope="session")
def small(media_dir: Path) -> Path:
    return sample(media_dir, "plain")


@pytest.fixture(scope="session")
def big(small: Path, media_dir: Path) -> Path:
    """A film of a little more than two of the packages' smallest pieces; the rest is in a box that means nothing."""
    path = media_dir / "big.mp4"
    path.write_bytes(small.read_bytes() + struct.pack(">I4s", 11_000_000, b"free") + bytes(11_000_000 - 8))
    return path


@pytest.fixture(scope="session")
def jpeg(media_dir: Path) -> Path:
    """A picture for a thumbnail."""
    path = media_dir / "picture.jpg"
    run(ffmpeg(), "-y", "-f", "lavfi", "-i", "testsrc2=size=320x180", "-frames:v", "1", path)
    return path


@pytest.fixture(scope="session")
def png(media_dir: Path) -> Path:
    """A picture for a logo or a watermark: a red field of 100 by 50 pixels."""
    path = media_dir / "mark.png"
    rows = (b"\x00" + b"\xff\x00\x00" * 100) * 50
    chunks = [(b"IHDR", struct.pack(">2I5B", 100, 50, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    written = [
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    ]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(written))
    return path


@pytest.fixture(scope="session")
def address(small: Path) -> Iterator[str]:
    """Where somebody else's web server has the small film."""
    with browser.serving(small.parent) as url:
        yield f"{url}/{small.name}"


@pytest.fixture(scope="session")
def vtt(media_dir: Path) -> Path:
    path = media_dir / "words.vtt"
    path.write_text(VTT, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def tls_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("server") / "data", tls=True) as server:
        yield server


@pytest.fixture(scope="module")
def chromium(tls_server: RunningServer) -> Iterator[Browser]:
    # Not for the whole session: while Playwright is open its event loop runs in this thread, and no other test's can.
    with browser.chromium(tls_server) as opened:
        yield opened


@pytest.fixture(scope="module")
def customers_site(tmp_path_factory: pytest.TempPathFactory, small: Path, big: Path) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("site")
    browser.furnish(folder, small, big)
    with browser.serving(folder) as url:
        yield url


@pytest.fixture
def customer(chromium: Browser, tls_server: RunningServer, customers_site: str) -> Iterator[browser.Customer]:
    """A page of somebody else's web site, open."""
    context = chromium.new_context(ignore_https_errors=True)
    page = context.new_page()
    page.goto(customers_site)
    customer = browser.Customer(page, tls_server)
    page.on("request", lambda request: customer.requests.append(request))
    yield customer
    context.close()
