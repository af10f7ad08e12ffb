"""``Idempotency-Key`` on what creates (design.md, promise 4): a lost answer can be asked for again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from tests.protocol.problems import assert_problem
from tests.protocol.wire import Answer, Wire, basic, file_part, film

ONE, OTHER = film(1000), film(1000, 1)


def create(wire: Wire, idempotency_key: str, key: str = "", **fields: object) -> Answer:
    return wire.ask("POST", "/videos", json_body=fields, headers=[("Idempotency-Key", idempotency_key)], key=key)


def upload(wire: Wire, token: str, idempotency_key: str, content_range: str | None, body: bytes) -> Answer:
    headers = [("Idempotency-Key", idempotency_key)]
    return wire.post_form(f"/upload?token={token}", content_range, file_part(body), headers=headers, key=None)


def test_create_video(wire: Wire) -> None:
    key = uuid4().hex
    first = create(wire, key, title="once", tags=["a"])
    assert create(wire, key, tags=["a"], title="once").json == first.json, "the order of keys says nothing"
    assert_problem(create(wire, key, title="twice"), "invalid-attribute", name="Idempotency-Key")
    assert create(wire, uuid4().hex, title="once", tags=["a"]).video_id != first.video_id
    assert wire.create("once") != wire.create("once"), "without a key every request creates"


def test_create_video_at_once(wire: Wire) -> None:
    key = uuid4().hex
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: create(wire, key, title="at once"), range(8)))
    assert {answer.status for answer in answers} == {201}
    assert len({answer.video_id for answer in answers}) == 1


def test_a_repeat_tells_of_the_video_as_it_is_now(wire: Wire) -> None:
    key = uuid4().hex
    video_id = create(wire, key, title="before").video_id
    wire.ask("PATCH", f"/videos/{video_id}", json_body={"title": "after"})
    assert create(wire, key, title="before").json["title"] == "after"
    wire.ask("DELETE", f"/videos/{video_id}")
    assert_problem(create(wire, key, title="before"), "resource-not-found", name="videoId")


def test_a_refused_request_uses_no_key_up(wire: Wire) -> None:
    key = uuid4().hex
    assert_problem(create(wire, key), "attribute-required", name="title")
    assert create(wire, key, title="now").status == 201


def test_create_upload_token(wire: Wire) -> None:
    headers = [("Idempotency-Key", uuid4().hex)]
    made = [wire.ask("POST", "/upload-tokens", json_body={"ttl": 9}, headers=headers).json for _ in range(2)]
    assert made[0] == made[1]
    answer = wire.ask("POST", "/upload-tokens", json_body={"ttl": 8}, headers=headers)
    assert_problem(answer, "invalid-attribute", name="Idempotency-Key")


def test_keys_of_different_kinds_are_apart(wire: Wire, upload_token: str) -> None:
    key = uuid4().hex
    headers = [("Idempotency-Key", key)]
    assert create(wire, key, title="x").status == 201
    assert wire.ask("POST", "/upload-tokens", headers=headers).status == 200
    assert upload(wire, upload_token, key, None, ONE).status == 201
    assert upload(wire, wire.token(), key, None, ONE).status == 201


def test_first_upload(wire: Wire, upload_token: str) -> None:
    """The answer that got lost had the id in it: asked again, there is one video and not two."""
    for content_range, complete in (("part 1/2", False), (None, True), ("bytes 0-999/2000", False)):
        key = uuid4().hex
        first = upload(wire, upload_token, key, content_range, ONE)
        again = upload(wire, upload_token, key, content_range, ONE)
        assert (first.json, first.is_complete) == (again.json, complete)
        refused = upload(wire, upload_token, key, content_range, OTHER)
        assert refused.status == 400
        assert len(wire.held(first.video_id)["pieces"]) == 1
        answer = upload(wire, upload_token, key, "part 1/9", ONE)
        assert_problem(answer, "invalid-attribute", name="Idempotency-Key")


def test_first_upload_at_once(wire: Wire, upload_token: str) -> None:
    key = uuid4().hex
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: upload(wire, upload_token, key, "part 1/2", ONE), range(4)))
    assert {answer.status for answer in answers} == {201}
    (video_id,) = {answer.video_id for answer in answers}
    assert len(wire.held(video_id)["pieces"]) == 1


def test_overlong_key(wire: Wire) -> None:
    assert create(wire, "k" * 255, title="x").status == 201
    assert_problem(create(wire, "k" * 256, title="x"), "invalid-attribute", name="Idempotency-Key")
    assert create(wire, "", title="x").video_id != create(wire, "", title="x").video_id


def test_strangers_learn_nothing(wire: Wire) -> None:
    key = uuid4().hex
    create(wire, key, title="x")
    assert_problem(create(wire, key, basic("nobody"), title="x"), "authentication-invalid-api-key")
