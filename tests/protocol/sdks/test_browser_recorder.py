"""``@api.video/media-recorder`` in a real Chromium over TLS, with its fake camera and microphone."""

from __future__ import annotations

import re

import pytest
from tests.protocol.sdks import npm
from tests.protocol.sdks.browser import Customer

from partway.testing.waiting import wait_until

pytestmark = [pytest.mark.sdk, pytest.mark.browser]

RECORD = """async ({ chunks, ...options }) => {
    const camera = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
    const recorder = new ApiVideoMediaRecorder(camera, { generateFileOnStop: true, ...options });
    const said = [], before = recorder.getMediaRecorderState();
    recorder.addEventListener("error", event => said.push(event.data));
    const heard = name => new Promise(resolve => recorder.addEventListener(name, event => resolve(event.data)));
    const stopped = heard("recordingStopped");
    recorder.start({ timeslice: 500 });
    const during = recorder.getMediaRecorderState();
    await new Promise(resolve => {
        let count = 0;
        const note = ({ data }) => data.size && ++count === chunks && resolve();
        window.mediaRecorder.addEventListener("dataavailable", note);
    });
    recorder.pause();
    const paused = recorder.getMediaRecorderState();
    const video = await recorder.stop();
    const { file } = await stopped;
    const after = recorder.getMediaRecorderState();
    const bytes = new Uint8Array(await file.arrayBuffer());
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    const again = await recorder.stop().then(() => "stopped", String);
    camera.getTracks().forEach(track => track.stop());
    return {
        video, said, states: [before, during, paused, after], size: file.size, kind: file.type, again,
        digest: [...digest].map(byte => byte.toString(16).padStart(2, "0")).join(""),
        kinds: ApiVideoMediaRecorder.getSupportedMimeTypes(),
    };
}"""


def test_a_recording_by_upload_token(customer: Customer) -> None:
    token, video_id = customer.token(), customer.create("recorded")
    told = customer.run(RECORD, uploadToken=token, videoId=video_id, chunks=4)
    assert told["said"] == []
    assert told["states"] == ["inactive", "recording", "paused", "inactive"]
    assert told["again"] == "Error: MediaRecorder is already inactive"
    assert told["kind"] in told["kinds"]
    assert (told["video"]["videoId"], told["video"]["title"]) == (video_id, "recorded")
    held = customer.ask("GET", f"/-/videos/{video_id}/parts")
    assert (held["state"], held["receivedBytes"]) == ("complete", told["size"])
    assert {one.headers.get("av-origin-sdk") for one in customer.requests if one.method == "POST"} >= {
        "media-recorder:1.0.11"
    }


def test_what_the_camera_shows_is_understood(customer: Customer) -> None:
    """What a browser records has no index of its own, and still comes out as a video of the camera's size."""
    told = customer.run(RECORD, uploadToken=customer.token(), videoName="camera.webm", chunks=4)
    video_id = told["video"]["videoId"]
    assert told["video"]["title"] == "camera.webm"

    def metadata() -> dict[str, object]:
        found = customer.ask("GET", f"/videos/{video_id}/status")["encoding"]["metadata"]
        return found if found["width"] else {}

    found = wait_until(metadata, "the recording is probed", seconds=60)
    assert (found["width"], found["height"]) == (640, 480)


def methods() -> set[str]:
    """Those that the package's own types call public."""
    declared = next((npm.package("@api.video/media-recorder") / "dist").rglob("index.d.ts"))
    return set(re.findall(r"^    (?:static )?(\w+)\(", declared.read_text(encoding="utf-8"), re.MULTILINE)) - {
        "constructor"
    }


def test_every_method_is_called() -> None:
    assert len(methods()) == 6
    assert {name for name in methods() if f".{name}(" not in RECORD} == set()
