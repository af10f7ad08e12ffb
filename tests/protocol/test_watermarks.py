"""Watermarks (contract.md 1.7)."""

from __future__ import annotations

import re
from uuid import uuid4

from tests.protocol.problems import assert_problem, check_shape
from tests.protocol.wire import Answer, Wire, file_part

from partway.testing.images import jpeg, png

IMAGE = png(64, 32)


def put(wire: Wire, content: bytes = IMAGE, filename: str = "mark.png", *, name: str = "file", key: str = "") -> Answer:
    headers = [("Idempotency-Key", key)] if key else []
    return wire.post_form("/watermarks", None, file_part(content, name=name, filename=filename), headers=headers)


def listed(wire: Wire, query: str = "") -> list[str]:
    answer = wire.get(f"/watermarks?pageSize=100{query}")
    assert answer.status == 200, answer
    return [one["watermarkId"] for one in answer.json["data"]]


def test_upload_list_delete(wire: Wire) -> None:
    made = []
    for content, filename in ((IMAGE, "mark.png"), (jpeg(640, 480), "mark.jpg"), (IMAGE, "no-extension")):
        answer = put(wire, content, filename, name=filename)
        assert answer.status == 200, "not 201"
        assert set(answer.json) == {"watermarkId", "createdAt"}
        assert re.fullmatch("watermark_[A-Za-z0-9]{22}", answer.json["watermarkId"])
        made.append(answer.json["watermarkId"])
    assert listed(wire)[:3] == made[::-1], "the newest first"
    assert listed(wire, "&sortBy=createdAt&sortOrder=asc")[-3:] == made
    deleted = wire.ask("DELETE", f"/watermarks/{made[0]}")
    assert (deleted.status, deleted.body) == (204, b"")
    assert made[0] not in listed(wire)
    for gone in (made[0], "watermark_x"):
        assert_problem(wire.ask("DELETE", f"/watermarks/{gone}"), "resource-not-found", name="watermarkId")
    assert_problem(wire.get("/watermarks?sortBy=name"), "request-invalid-query-parameter", name="sortBy")


def test_asked_twice_made_once(wire: Wire) -> None:
    key = uuid4().hex
    first, second = put(wire, key=key), put(wire, key=key)
    assert (first.status, first.json) == (second.status, second.json)
    assert listed(wire).count(first.json["watermarkId"]) == 1
    assert_problem(put(wire, png(1, 1), key=key), "invalid-attribute", name="Idempotency-Key")
    assert put(wire).json["watermarkId"] != first.json["watermarkId"]
    wire.ask("DELETE", f"/watermarks/{first.json['watermarkId']}")
    assert_problem(put(wire, key=key), "resource-not-found", name="watermarkId")


def test_what_is_no_watermark(wire: Wire) -> None:
    before = listed(wire)
    invalid, extension = "uploaded-file-invalid-file", "uploaded-file-extension-invalid"
    for content, filename, slug in (
        (png(8193, 1), "mark.png", invalid),
        (jpeg(1, 8193), "mark.jpeg", invalid),
        (b"no image", "mark.PNG", invalid),
        (b"no image", "mark.txt", extension),
        (b"RIFF0000WEBPVP8X" + bytes(14), "mark.webp", extension),
        (b"", "mark.png", "uploaded-file-empty"),
        (IMAGE + bytes(8 * 2**20), "mark.png", "uploaded-file-too-large"),
    ):
        assert_problem(put(wire, content, filename), slug, name="file")
    two = wire.post_form("/watermarks", None, file_part(IMAGE), file_part(IMAGE))
    assert_problem(two, "uploaded-file-multiple-files", name="file")
    for answer in (wire.post_form("/watermarks", None), wire.ask("POST", "/watermarks", body=IMAGE)):
        assert_problem(answer, "uploaded-file-no-file", name="file")
    assert listed(wire) == before


def test_strangers(wire: Wire) -> None:
    for method, path in (("GET", "/watermarks"), ("POST", "/watermarks"), ("DELETE", "/watermarks/x")):
        assert check_shape(wire.ask(method, path, key=None))["status"] == 401
