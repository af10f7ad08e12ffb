"""Webhooks on the wire (contract.md 1.10 and 5), told by a real server to a real receiver."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.protocol.problems import assert_problem
from tests.protocol.wire import Wire, film

from partway.testing.media import sample
from partway.testing.receiver import Receiver, receiver
from partway.testing.server import running_server
from partway.testing.waiting import wait_until

QUALITY = "video.encoding.quality.completed"
OURS = ["partway.upload.completed", "partway.video.playable", "partway.video.failed", "partway.upload.expired"]
LENIENT = {"PARTWAY_ALLOW_PRIVATE_ADDRESSES": "true", "PARTWAY_WEBHOOKS_MAX": "30"}


@pytest.fixture(scope="module")
def open_wire() -> Iterator[Wire]:
    """A server that may tell its own machine."""
    with running_server(environment=LENIENT) as server:
        yield Wire(server)


@pytest.fixture
def peer() -> Iterator[Receiver]:
    with receiver() as peer:
        yield peer


def register(wire: Wire, url: str, *events: str) -> dict[str, Any]:
    answer = wire.ask("POST", "/webhooks", json_body={"url": url, "events": list(events)})
    assert answer.status == 201, answer
    made: dict[str, Any] = answer.json
    return made


def log_of(wire: Wire, webhook: dict[str, Any]) -> list[dict[str, Any]]:
    """What it was told, the oldest first."""
    answer = wire.get(f"/-/webhooks/{webhook['webhookId']}/deliveries?pageSize=100")
    assert answer.status == 200, answer
    return list(reversed(answer.json["data"]))


def test_a_webhook_from_its_making_to_its_end(wire: Wire) -> None:
    # Nobody is there, and nobody is asked (contract.md 1.10).
    made = register(wire, "https://dead.invalid/hook?x=1", QUALITY, OURS[0])
    assert set(made) == {"webhookId", "createdAt", "events", "url", "signatureSecret"}
    assert made["webhookId"].startswith("webhook_")
    assert made["signatureSecret"].startswith("sig_sec_")
    assert made["events"] == [QUALITY, OURS[0]]
    path = f"/webhooks/{made['webhookId']}"
    assert wire.get(path).json == made
    assert made in wire.get("/webhooks?pageSize=100").json["data"]
    assert wire.get(f"/-{path}/deliveries").json["data"] == []
    assert wire.ask("DELETE", path).status == 204
    for method, gone in (("GET", path), ("DELETE", path), ("GET", f"/-{path}/deliveries")):
        assert_problem(wire.ask(method, gone), "resource-not-found", name="webhookId")
    assert_problem(
        wire.ask("POST", f"/-{path}/deliveries/delivery_1/redeliver"), "resource-not-found", name="webhookId"
    )


def test_the_list_is_filtered_by_events(wire: Wire) -> None:
    both = register(wire, "https://dead.invalid", QUALITY, "live-stream.broadcast.ended")
    one = register(wire, "https://dead.invalid", "live-stream.broadcast.ended")

    def found(query: str) -> list[str]:
        return [each["webhookId"] for each in wire.get(f"/webhooks?{query}").json["data"]]

    assert found("events=live-stream.broadcast.ended") == [one["webhookId"], both["webhookId"]]
    assert found(f"events={QUALITY},live-stream.broadcast.ended") == [both["webhookId"]]
    assert found(f"events[]={QUALITY}&events[]=live-stream.broadcast.ended") == [both["webhookId"]]
    assert found("events=nothing.of.the.kind") == []


def test_an_idempotency_key_makes_one(wire: Wire) -> None:
    headers = [("Idempotency-Key", "webhook-once")]
    body = {"url": "https://dead.invalid", "events": [QUALITY]}
    first, second = (wire.ask("POST", "/webhooks", json_body=body, headers=headers) for _ in range(2))
    assert first.json == second.json


@pytest.mark.parametrize(
    ("body", "slug", "name"),
    [
        ({"url": "https://x.example"}, "attribute-required", "events"),
        ({"events": [QUALITY]}, "attribute-required", "url"),
        ({"url": "https://x.example", "events": []}, "invalid-attribute", "events"),
        ({"url": "https://x.example", "events": QUALITY}, "invalid-attribute", "events"),
        ({"url": "https://x.example", "events": ["no.such.event"]}, "invalid-attribute", "events[0]"),
        ({"url": "ftp://x.example", "events": [QUALITY]}, "invalid-attribute", "url"),
        ({"url": "https://", "events": [QUALITY]}, "invalid-attribute", "url"),
        ({"url": "https://x.example:99999", "events": [QUALITY]}, "invalid-attribute", "url"),
        ({"url": "https://x.example/\r\nHost: y", "events": [QUALITY]}, "invalid-attribute", "url"),
        ({"url": f"https://x.example/{'y' * 2000}", "events": [QUALITY]}, "invalid-attribute", "url"),
        ({"url": 7, "events": [QUALITY]}, "invalid-attribute", "url"),
    ],
)
def test_what_is_refused(wire: Wire, body: Any, slug: str, name: str) -> None:
    assert_problem(wire.ask("POST", "/webhooks", json_body=body), slug, name=name)


def test_several_complaints_come_together(wire: Wire) -> None:
    answer = wire.ask("POST", "/webhooks", json_body={})
    assert answer.status == 400
    assert [one["name"] for one in answer.json["problems"]] == ["events", "url"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/webhooks"),
        ("POST", "/webhooks"),
        ("GET", "/webhooks/x"),
        ("DELETE", "/webhooks/x"),
        ("GET", "/-/webhooks/x/deliveries"),
        ("POST", "/-/webhooks/x/deliveries/y/redeliver"),
    ],
)
def test_strangers_learn_nothing(wire: Wire, method: str, path: str) -> None:
    assert_problem(wire.ask(method, path, key=None), "authentication-missing-authorization-header")


def test_a_playable_upload_is_told_signed_and_in_order(open_wire: Wire, peer: Receiver, media_dir: Path) -> None:
    webhook = register(open_wire, peer.url, QUALITY, *OURS)
    video_id = open_wire.create()
    source = sample(media_dir, "main").read_bytes()
    assert open_wire.send(video_id, None, source).is_complete
    wait_until(lambda: len(peer.told) == 4, "everything is told")
    assert peer.types() == [OURS[0], OURS[1], QUALITY, QUALITY]
    for told in peer.told:
        expected = hmac.new(webhook["signatureSecret"].encode(), told.body, hashlib.sha256).hexdigest()
        assert told.headers["x-api-video-signature"] == expected
        assert told.headers["x-api-video-webhookid"] == webhook["webhookId"]
        assert told.headers["content-type"] == "application/json"
        assert told.json["videoId"] == video_id
    assert peer.told[0].json["filesize"] == len(source)
    encoded = {(one["type"], one["quality"]) for one in open_wire.status(video_id)["encoding"]["qualities"]}
    assert {(told.json["encoding"], told.json["quality"]) for told in peer.told[2:]} == encoded
    wait_until(lambda: {line["status"] for line in log_of(open_wire, webhook)} == {"delivered"}, "all is delivered")
    log = log_of(open_wire, webhook)
    assert [line["body"] for line in log] == [told.json for told in peer.told]
    assert [line["deliveryId"] for line in log] == [told.headers["x-partway-delivery"] for told in peer.told]
    assert {(line["attempts"], line["responseStatus"], line["error"]) for line in log} == {(1, 200, None)}


@pytest.mark.slow
def test_a_failed_delivery_is_tried_again_and_can_be_repeated(open_wire: Wire, peer: Receiver) -> None:
    peer.answers = [500, 302, 404, 503]
    peer.location = f"{peer.url}/elsewhere"
    webhook = register(open_wire, peer.url, OURS[0])
    assert open_wire.send(open_wire.create(), None, film(2000)).is_complete
    wait_until(lambda: [line["status"] for line in log_of(open_wire, webhook)] == ["failed"], "it is given up")
    (line,) = log_of(open_wire, webhook)
    assert (line["attempts"], line["responseStatus"], line["nextAttemptAt"]) == (4, 503, None)
    assert "503" in line["error"]
    assert len(peer.told) == 4, "redirects are not followed"
    gaps = [after.at - before.at for before, after in zip(peer.told, peer.told[1:], strict=False)]
    assert all(gap > 2.9 for gap in gaps), gaps
    again = open_wire.ask("POST", f"/-/webhooks/{webhook['webhookId']}/deliveries/{line['deliveryId']}/redeliver")
    assert (again.status, again.json["redeliveryOf"]) == (201, line["deliveryId"])
    wait_until(
        lambda: [line["status"] for line in log_of(open_wire, webhook)] == ["failed", "delivered"], "it is repeated"
    )
    assert peer.told[-1].body == peer.told[0].body


@pytest.mark.slow
def test_a_private_address_is_refused_in_words(plain_wire: Wire, peer: Receiver) -> None:
    webhook = register(plain_wire, peer.url, OURS[0])
    assert plain_wire.send(plain_wire.create(), None, film(2000)).is_complete
    wait_until(lambda: any(line["attempts"] for line in log_of(plain_wire, webhook)), "it was tried")
    (line,) = log_of(plain_wire, webhook)
    assert line["status"] in ("retrying", "failed")
    assert "allow_private_addresses" in line["error"]
    assert plain_wire.ask("DELETE", f"/webhooks/{webhook['webhookId']}").status == 204
    assert peer.told == []


def test_there_are_only_so_many(open_wire: Wire) -> None:
    """The last of this module: it fills what the setting allows."""
    body = {"url": "https://dead.invalid", "events": [QUALITY]}
    answers = [open_wire.ask("POST", "/webhooks", json_body=body) for _ in range(31)]
    assert_problem(answers[-1], "webhook-limit-reached")
    for each in open_wire.get("/webhooks?pageSize=100").json["data"]:
        assert open_wire.ask("DELETE", f"/webhooks/{each['webhookId']}").status == 204
