"""``@api.video/video-uploader`` in a real Chromium over TLS, as it is published."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Request, Route
from tests.protocol.sdks import npm
from tests.protocol.sdks.browser import Customer
from tests.protocol.sdks.python_sdk import CHUNK

from partway.testing.proxy import Fault, running_proxy

pytestmark = [pytest.mark.sdk, pytest.mark.browser]

UPLOAD = """async ({ film, playable, ...options }) => {
    const file = new File([await (await fetch(film)).blob()], film);
    const uploader = new VideoUploader({ file, chunkSize: 5 * 2 ** 20, ...options });
    const heard = [], played = new Promise(resolve => uploader.onPlayable(resolve));
    const note = event => [event.currentChunk, event.chunksCount, event.uploadedBytes, event.totalBytes];
    uploader.onProgress(event => heard.push(note(event)));
    const video = await uploader.upload();
    const playing = playable ? (await played).videoId : null;
    return { video, heard, playing, refreshToken: uploader.refreshToken, isDate: video.createdAt instanceof Date };
}"""

PROGRESSIVE = """async ({ film, sizes, ...options }) => {
    const whole = await (await fetch(film)).blob();
    const uploader = new ProgressiveUploader(options);
    const heard = [], played = new Promise(resolve => uploader.onPlayable(resolve));
    uploader.onProgress(event => heard.push(event.part));
    let at = 0;
    for (const size of sizes) uploader.uploadPart(whole.slice(at, at += size));
    const video = await uploader.uploadLastPart(whole.slice(at));
    return { video, parts: [...new Set(heard)], playing: (await played).videoId };
}"""

CANCEL = """async ({ film, ...options }) => {
    const file = new File([await (await fetch(film)).blob()], film);
    const uploader = new VideoUploader({ file, ...options });
    uploader.onProgress(() => uploader.cancel());
    const whole = await uploader.upload().then(() => "done", error => error.reason);
    const progressive = new ProgressiveUploader(options);
    progressive.onProgress(() => progressive.cancel());
    return [whole, await progressive.uploadLastPart(file).then(() => "done", error => error.reason)];
}"""

STATIC = """async ({ film, token, apiKey, ids }) => {
    const whole = await (await fetch(film)).blob();
    const wrapper = UploaderStaticWrapper, heard = [], note = part => heard.push(part);
    wrapper.setApplicationName("tests", "1.0.0");
    wrapper.setSdkName("wrapper", "1.0.0");
    wrapper.setChunkSize(5);
    const videos = [
        await wrapper.uploadWithUploadToken(whole, token, "static.mp4", note, ids[0]),
        await wrapper.uploadWithApiKey(whole, apiKey, note, ids[1]),
    ];
    wrapper.createProgressiveUploadWithUploadTokenSession("by token", token, ids[2]);
    wrapper.createProgressiveUploadWithApiKeySession("by key", apiKey, ids[3]);
    for (const session of ["by token", "by key"]) {
        await wrapper.uploadPart(session, whole.slice(0, 6_000_000), note);
        videos.push(await wrapper.uploadLastPart(session, whole.slice(6_000_000), note));
        wrapper.disposeProgressiveUploadSession(session);
    }
    const late = wrapper.uploadWithUploadToken(whole, token, "late", () => wrapper.cancelAll());
    return { videos: videos.map(video => JSON.parse(video)), heard, late: await late.then(() => "done", String) };
}"""

# What a page may well do by hand: the packages call it by themselves on a 401.
REFRESH = """async ({ film, ...options }) => {
    const file = new File([await (await fetch(film)).blob()], film);
    const uploader = new VideoUploader({ file, ...options });
    await uploader.doRefreshToken();
    return { video: await uploader.upload() };
}"""


def logged_in(customer: Customer) -> dict[str, str]:
    return customer.ask("POST", "/auth/api-key", {"apiKey": customer.server.api_key})


def test_a_big_file_by_upload_token(customer: Customer, big: Path) -> None:
    told = customer.run(UPLOAD, film=big.name, uploadToken=customer.token(), videoName="named.mp4", playable=True)
    video, size = told["video"], big.stat().st_size
    assert (video["title"], video["_public"], told["isDate"]) == ("named.mp4", True, True)
    assert told["playing"] == video["videoId"]
    assert customer.ranges() == ["part 1/3", "part 2/3", "part 3/3"]
    assert all(before[2] <= after[2] for before, after in pairwise(told["heard"]))
    # What is counted is the form, a little longer than the file in it.
    assert told["heard"][-1][:2] == [3, 3]
    assert told["heard"][-1][2] >= told["heard"][-1][3] == size
    assert customer.ask("GET", f"/videos/{video['videoId']}/status")["ingest"]["receivedParts"]["total"] == 3
    assert customer.source(video["videoId"]) == big.read_bytes()


def test_a_token_fills_a_container_that_is_there(customer: Customer, small: Path) -> None:
    video_id = customer.create("kept title")
    told = customer.run(UPLOAD, film=small.name, uploadToken=customer.token(), videoId=video_id, playable=True)
    assert (told["video"]["videoId"], told["video"]["title"]) == (video_id, "kept title")
    assert (customer.ranges(), told["playing"]) == (["part 1/1"], video_id)
    assert customer.source(video_id) == small.read_bytes()


def test_an_api_key(customer: Customer, big: Path) -> None:
    video_id = customer.create("by key")
    told = customer.run(UPLOAD, film=big.name, apiKey=customer.server.api_key, videoId=video_id)
    assert (told["video"]["videoId"], told["video"]["title"]) == (video_id, "by key")
    assert customer.source(video_id) == big.read_bytes()


def test_an_access_token(customer: Customer, small: Path) -> None:
    login, video_id = logged_in(customer), customer.create("by access token")
    told = customer.run(UPLOAD, film=small.name, accessToken=login["access_token"], videoId=video_id)
    assert told["video"]["videoId"] == video_id


@pytest.mark.parametrize("script", [UPLOAD, REFRESH], ids=["by itself", "by hand"])
def test_an_access_token_that_has_expired_is_renewed(customer: Customer, small: Path, script: str) -> None:
    refresh_token, video_id = logged_in(customer)["refresh_token"], customer.create("renewed")
    options = {"accessToken": "expired", "refreshToken": refresh_token, "videoId": video_id}
    told = customer.run(script, film=small.name, **options)
    assert told["video"]["videoId"] == video_id
    renewals = [one for one in customer.requests if one.url.endswith("/auth/refresh") and one.method == "POST"]
    assert [one.headers["content-type"] for one in renewals] == ["text/plain;charset=UTF-8"]
    assert told.get("refreshToken") != refresh_token
    assert customer.source(video_id) == small.read_bytes()


def test_a_refresh_token_that_is_no_good(customer: Customer, small: Path) -> None:
    options = {"accessToken": "expired", "refreshToken": "expired", "videoId": customer.create("never filled")}
    told = customer.run(UPLOAD, film=small.name, **options)
    assert (told["thrown"]["status"], told["thrown"]["title"]) == (400, "The user credentials were incorrect.")


def test_a_refusal_is_final_and_says_why(customer: Customer, small: Path) -> None:
    told = customer.run(UPLOAD, film=small.name, uploadToken="to0")
    assert (told["thrown"]["status"], told["thrown"]["title"]) == (401, "The upload token is invalid or expired.")
    assert told["thrown"]["type"].endswith("/authentication-invalid-upload-token")
    assert json.loads(told["thrown"]["raw"])["status"] == 401
    assert customer.ranges() == ["part 1/1"]


@pytest.mark.parametrize(
    ("sizes", "sent"),
    [
        ([6_000_000, 20_000_000], ["part 1/*", "part 2/*", "part 3/3"]),
        ([2_000_000, 2_000_000, 2_000_000], ["part 1/*", "part 2/2"]),
        ([], ["part 1/1"]),
    ],
    ids=["an empty last part", "small parts are put together", "one part"],
)
def test_progressive(customer: Customer, big: Path, sizes: list[int], sent: list[str]) -> None:
    told = customer.run(PROGRESSIVE, film=big.name, sizes=sizes, uploadToken=customer.token())
    assert customer.ranges() == sent
    assert told["parts"] == list(range(1, len(sent) + 1))
    assert told["playing"] == told["video"]["videoId"]
    assert told["video"]["title"] == "file"
    assert customer.source(told["video"]["videoId"]) == big.read_bytes()


def test_a_server_error_is_tried_again(customer: Customer, big: Path) -> None:
    failed = []

    def once(route: Route) -> None:
        if failed or route.request.method != "POST":
            route.fallback()
        else:
            failed.append(route.request.headers["content-range"])
            route.fulfill(status=500, headers={"Access-Control-Allow-Origin": "*"}, json={"title": "Server error"})

    customer.page.context.route("**/upload?*", once)
    told = customer.run(UPLOAD, film=big.name, uploadToken=customer.token())
    assert failed == ["part 1/3"]
    assert customer.ranges() == ["part 1/3", "part 1/3", "part 2/3", "part 3/3"]
    assert customer.source(told["video"]["videoId"]) == big.read_bytes()


def test_a_broken_connection_is_tried_again(customer: Customer, big: Path) -> None:
    failures = []
    with running_proxy(customer.server.port) as proxy:

        def note(request: Request) -> None:
            failures.append(request.url)
            proxy.mend()

        # A browser opens connections for reasons of its own: all break in the middle of a part, until one has.
        proxy.plan(*[Fault(after_sent=CHUNK // 2)] * 20)
        customer.page.on("requestfailed", note)
        told = customer.run(UPLOAD, film=big.name, uploadToken=customer.token(), apiHost=f"127.0.0.1:{proxy.port}")
    assert failures
    assert len(customer.ranges()) == 3 + len(failures)
    assert customer.source(told["video"]["videoId"]) == big.read_bytes()


def test_cancelled(customer: Customer, big: Path) -> None:
    assert customer.run(CANCEL, film=big.name, uploadToken=customer.token()) == ["ABORTED", "ABORTED"]


def test_the_static_wrapper(customer: Customer, big: Path) -> None:
    """It knows no other host than the original's; Chromium is told that this server is it."""
    ids = [customer.create(f"static {number}") for number in range(4)]
    told = customer.run(STATIC, film=big.name, token=customer.token(), apiKey=customer.server.api_key, ids=ids)
    assert [video["videoId"] for video in told["videos"]] == ids
    assert told["heard"][-1] >= 1
    assert told["late"] == "Error: ABORTED"
    origins = {(one.headers.get("av-origin-app"), one.headers.get("av-origin-sdk")) for one in customer.requests}
    assert ("tests:1.0.0", "wrapper:1.0.0") in origins
    for video_id in ids:
        assert customer.source(video_id) == big.read_bytes()


def methods() -> set[str]:
    """Those that the package's own types call public."""
    declared = npm.package("@api.video/video-uploader") / "dist" / "src"
    found = set()
    for name in ("abstract-uploader", "video-uploader", "progressive-video-uploader", "static-wrapper"):
        text = (declared / f"{name}.d.ts").read_text(encoding="utf-8")
        found |= set(re.findall(r"^    (?:static )?(\w+)\(", text, re.MULTILINE)) - {"constructor"}
    return found


def test_every_method_is_called() -> None:
    scripts = UPLOAD + PROGRESSIVE + CANCEL + STATIC + REFRESH
    assert len(methods()) == 16
    assert {name for name in methods() if f".{name}(" not in scripts} == set()
