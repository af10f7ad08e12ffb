"""A fetch goes on after its process was killed, at every step, with what had been committed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable

import pytest
from tests.crash.ground import Film, Sender

from partway.testing.remote import running_remote
from partway.testing.waiting import wait_until

pytestmark = [pytest.mark.crash, pytest.mark.crash_long]

PIECES = {
    "PARTWAY_PIECE_BYTES_MAX": "2000000",
    "PARTWAY_ALLOW_PRIVATE_ADDRESSES": "true",
    "PARTWAY_LEASE_SECONDS": "2",
}


def committed(sender: Sender) -> int:
    connection = sqlite3.connect(sender.server.data_dir / "partway.db")
    try:
        return int(connection.execute("SELECT coalesce(sum(length), 0) FROM parts").fetchone()[0])
    finally:
        connection.close()


@pytest.mark.parametrize(("point", "held"), [("ingest-stored", 4_000_000), ("ingest-committed", 6_000_000)])
def test_a_fetch_killed_in_the_middle_goes_on(serve: Callable[..., Sender], film: Film, point: str, held: int) -> None:
    with running_remote(film.body) as remote:
        sender = serve(**PIECES, PARTWAY_FAULT=f"{point}:kill:3")
        wanted = json.dumps({"title": "fetched", "source": f"{remote.url}/film.mp4"}).encode()
        answer = sender.request("POST", "/videos", wanted, {"Content-Type": "application/json"})
        assert answer.status == 202, answer
        sender.server.wait_for_end()
        assert committed(sender) == held
        sender.server.start(PIECES)
        video_id = answer.json["videoId"]

        def is_there() -> bool:
            status = sender.request("GET", f"/videos/{video_id}/status").json
            return bool(status["ingest"]["status"] == "ingested")

        wait_until(is_there, "the rest is fetched", seconds=60)
        assert sender.source(video_id) == film.body
        assert [one.get("range") for one in remote.asked] == [None, f"bytes={held}-"]
