"""A server that dies in the middle of telling goes on telling: nothing is lost, nothing overtakes."""

from __future__ import annotations

import itertools

import pytest
import requests

from partway.testing.receiver import receiver
from partway.testing.server import RunningServer, running_server
from partway.testing.waiting import wait_until

pytestmark = [pytest.mark.crash, pytest.mark.crash_long]

VIDEOS = 6
OPEN = {"PARTWAY_ALLOW_PRIVATE_ADDRESSES": "true", "PARTWAY_LEASE_SECONDS": "2"}
DYING = {**OPEN, "PARTWAY_FAULT": "delivery-made:kill:3"}
"""Dies when the third delivery has been made and not been written down."""
SILENT = {**OPEN, "PARTWAY_WORKERS": "0"}


def upload(server: RunningServer) -> str:
    auth = (server.api_key, "")
    made = requests.post(f"{server.url}/videos", json={"title": "told"}, auth=auth, timeout=30)
    video_id: str = made.json()["videoId"]
    files = {"file": b"x" * 1000}
    sent = requests.post(f"{server.url}/videos/{video_id}/source", files=files, auth=auth, timeout=30)
    assert sent.status_code == 201, sent.text
    return video_id


def test_deliveries_survive_a_kill_and_keep_their_order() -> None:
    with receiver() as peer, running_server(environment=SILENT) as server:
        body = {"url": peer.url, "events": ["partway.upload.completed"]}
        auth = (server.api_key, "")
        webhook = requests.post(f"{server.url}/webhooks", json=body, auth=auth, timeout=30).json()
        videos = [upload(server) for _ in range(VIDEOS)]
        server.restart(DYING)
        server.wait_for_end()
        assert [told.json["videoId"] for told in peer.told] == videos[:3]
        server.restart(OPEN)
        wait_until(lambda: len(peer.told) >= VIDEOS + 1, "the rest is told", seconds=60)
        # The one whose outcome was lost with the process is told once more, under the same id.
        assert [video for video, _ in itertools.groupby(told.json["videoId"] for told in peer.told)] == videos
        ids = [told.headers["x-partway-delivery"] for told in peer.told]
        assert len(set(ids)) == VIDEOS
        assert ids.count(ids[2]) == 2

        def outcomes() -> list[str]:
            path = f"{server.url}/-/webhooks/{webhook['webhookId']}/deliveries"
            return [line["status"] for line in requests.get(path, auth=auth, timeout=30).json()["data"]]

        wait_until(lambda: outcomes() == ["delivered"] * VIDEOS, "all is written down")
        assert len(peer.told) == VIDEOS + 1


def test_a_fact_that_was_not_committed_is_not_told() -> None:
    """Killed after the event's row was written and before its transaction ended; then the same part again."""
    with receiver() as peer, running_server(environment=OPEN) as server:
        auth = (server.api_key, "")
        body = {"url": peer.url, "events": ["partway.upload.completed"]}
        requests.post(f"{server.url}/webhooks", json=body, auth=auth, timeout=30)
        made = requests.post(f"{server.url}/videos", json={"title": "told"}, auth=auth, timeout=30)
        video_id = made.json()["videoId"]
        server.restart({**OPEN, "PARTWAY_FAULT": "accept-written:kill"})
        files = {"file": b"x" * 1000}
        with pytest.raises(requests.ConnectionError):
            requests.post(f"{server.url}/videos/{video_id}/source", files=files, auth=auth, timeout=30)
        server.restart(OPEN)
        assert upload(server) != video_id
        wait_until(lambda: peer.told, "the other video is told")
        assert video_id not in [told.json["videoId"] for told in peer.told]
        sent = requests.post(f"{server.url}/videos/{video_id}/source", files=files, auth=auth, timeout=30)
        assert sent.status_code == 201
        wait_until(lambda: video_id in [told.json["videoId"] for told in peer.told], "now it is true, and told")
