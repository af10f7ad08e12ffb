"""The uploader module by itself: how it cuts files, and its use from somebody else's page."""

from __future__ import annotations

import hashlib
import re
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import BrowserContext, expect

from partway.testing.server import RunningServer

if TYPE_CHECKING:
    from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser

MIB = 2**20
GUIDE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "browser-upload.md"

PLANS = """async () => {
    const { LEAST, MOST, MiB, holesIn, plan } = await import("/-/static/pieces.js");
    let seed = 20261123;
    const upTo = n => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) % n;
    const wrong = [];
    for (let round = 0; round < 3000; round += 1) {
        const total = 1 + upTo(90 * MiB) * (1 + upTo(20));
        const sizes = () => (8 << upTo(3)) * MiB;
        const index = [null, upTo(total), Math.max(0, total - upTo(30 * MiB) - 1)][upTo(3)];
        // Held is any part of another plan: what an interrupted upload leaves, perhaps one of another client.
        const other = [...plan(total, [], [index, null][upTo(2)], sizes)];
        const held = other.filter(() => upTo(3) === 0);
        const pieces = [...plan(total, held, index, sizes)];
        const all = [...held, ...pieces].sort((a, b) => a[0] - b[0]);
        const joins = all.every(([from], at) => from === (at ? all[at - 1][1] : 0)) && all.at(-1)[1] === total;
        const fits = pieces.every(([a, b]) => (b - a >= LEAST || b === total) && b - a <= MOST && b > a);
        const head = held.some(([from]) => from === 0) || pieces[0][0] === 0;
        const left = holesIn(total, [...held, ...pieces]).length === 0;
        if (!joins || !fits || !head || !left) wrong.push({ total, held, index, pieces });
    }
    return wrong;
}"""

INDEXES = """async () => {
    const { indexAtEnd } = await import("/-/static/pieces.js");
    const box = (type, size, ...payload) => {
        const head = new DataView(new ArrayBuffer(8));
        head.setUint32(0, size);
        [...type].forEach((letter, at) => head.setUint8(4 + at, letter.charCodeAt(0)));
        return new Blob([head, ...payload]);
    };
    const zeros = n => new Uint8Array(n);
    const large = new DataView(new ArrayBuffer(8));
    large.setBigUint64(0, 116n);
    const ftyp = box("ftyp", 16, zeros(8)), moov = box("moov", 28, zeros(20)), mdat = box("mdat", 108, zeros(100));
    return Promise.all([
        [ftyp, mdat, moov],
        [ftyp, mdat, box("free", 8), moov, box("free", 8)],
        [ftyp, box("mdat", 1, large, zeros(100)), moov],
        [ftyp, moov, mdat],
        [ftyp, box("mdat", 0, zeros(100))],
        [ftyp, box("mdat", 4, zeros(100)), moov],
        [ftyp, mdat],
        ["no box at all, only words"],
        [zeros(4)],
        [],
    ].map(parts => indexAtEnd(new Blob(parts))));
}"""

RECORDED = """async (apiKey) => {
    const { PartSender } = await import("/-/static/part-sender.js");
    const MiB = 2 ** 20;
    const results = [];
    for (const sizes of [[1], [5 * MiB], [3 * MiB, 3 * MiB, 7], [40 * MiB, 1], Array(30).fill(2 * MiB)]) {
        const sender = new PartSender({ apiKey, title: "recorded" });
        const sent = sender.start();
        for (const size of sizes) {
            sender.add(new Blob([new Uint8Array(size).fill(size % 251)]));
            // An exact part is sent before the end is known: then the last part is empty.
            if (sizes.length === 1 && size > 1)
                await new Promise(go => sender.addEventListener("progress", () => sender.heldBytes && go()));
        }
        sender.finish();
        await sent;
        const status = await (await fetch(`videos/${sender.video.videoId}/status`, {
            headers: { Authorization: `Basic ${btoa(`${apiKey}:`)}` },
        })).json();
        results.push([sender.state, status.ingest.status, status.ingest.filesize, sender.waitingBytes]);
    }
    return results;
}"""

FROM_A_STRANGERS_PAGE = """async ([server, token, base64]) => {
    const { Upload } = await import(`${server}/-/static/uploader.js`);
    const data = Uint8Array.from(atob(base64), letter => letter.charCodeAt(0));
    const file = new File([data, new Uint8Array(7 * 2 ** 20)], "from outside.mp4");
    const upload = new Upload(file, { server, token });
    const seen = new Set();
    for (const kind of ["created", "state", "progress"]) upload.addEventListener(kind, () => seen.add(kind));
    const video = await upload.start();
    const mistakes = [];
    for (const options of [{ server, token: "to0" }, { server, apiKey: "wrong" }]) {
        await new Upload(file, options).start().catch(error => mistakes.push([error.name, error.status, error.slug]));
    }
    return { video, seen: [...seen].sort(), state: upload.state, videoId: upload.videoId, mistakes };
}"""


def test_any_plan_covers_the_file_with_pieces_the_contract_allows(visit: Visit) -> None:
    visit.open()
    assert visit.page.evaluate(PLANS) == []


def test_the_index_is_found_where_it_stands(visit: Visit) -> None:
    visit.open()
    nothing = [None] * 7
    assert visit.page.evaluate(INDEXES) == [124, 132, 132, *nothing]


def test_what_is_recorded_goes_out_in_legal_parts_to_its_end(visit: Visit) -> None:
    visit.open()
    sizes = [1, 5 * MIB, 6 * MIB + 7, 40 * MIB + 1, 60 * MIB]
    assert visit.page.evaluate(RECORDED, visit.server.api_key) == [["done", "uploaded", size, 0] for size in sizes]
    lasts = [header for header in visit.sent_ranges() if "*" not in header]
    assert len(lasts) == len(sizes)
    assert lasts[:2] == ["part 1/1", "part 2/2"]


def test_a_page_of_another_origin_uploads_with_a_token(
    context: BrowserContext, server: RunningServer, visit: Visit, clip: Path
) -> None:
    token = visit.ask("POST", "/upload-tokens", b"{}", Content_Type="application/json")["token"]
    page = context.new_page()
    page.goto(f"http://localhost:{server.port}/healthz")
    content = clip.read_bytes()
    result = page.evaluate(FROM_A_STRANGERS_PAGE, [server.url, token, b64encode(content).decode()])
    assert result["state"] == "done"
    assert result["seen"] == ["created", "progress", "state"]
    assert result["video"]["title"] == "from outside.mp4"
    assert result["video"]["videoId"] == result["videoId"]
    assert result["mistakes"] == [
        ["UploadError", 401, "authentication-invalid-upload-token"],
        ["UploadError", 401, "authentication-invalid-api-key"],
    ]
    with urllib.request.urlopen(result["video"]["assets"]["mp4"]) as answer:
        stored = hashlib.sha256(answer.read()).digest()
    assert stored == hashlib.sha256(content + bytes(7 * 2**20)).digest()


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Somebody else's web server; its address."""
    handler = partial(QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("localhost", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing: pytest shows what matters."""


def test_the_page_in_the_guide_works(
    context: BrowserContext, server: RunningServer, visit: Visit, clip: Path, tmp_path: Path
) -> None:
    example = re.search(r"^```html\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert example is not None
    token = visit.ask("POST", "/upload-tokens", b"{}", Content_Type="application/json")["token"]
    html = example[1].replace("https://videos.example.com", server.url).replace("YOUR_UPLOAD_TOKEN", token)
    (tmp_path / "index.html").write_text(html)
    with serving(tmp_path) as address:
        page = context.new_page()
        page.goto(address)
        page.locator("#file").set_input_files(clip)
        expect(page.locator("#words")).to_have_text(re.compile(rf"done: {server.url}/vod/vi\w{{22}}"))
        assert page.evaluate("() => document.querySelector('#bar').value") == 1
