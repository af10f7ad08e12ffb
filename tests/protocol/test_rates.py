"""Rate limits: told always, enforced where that is switched on, and polite when they are (contract.md 6)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.protocol.problems import assert_problem
from tests.protocol.wire import SERVERS, Answer, Wire, film

from partway.testing.server import running_server

FEW = {
    "PARTWAY_PIECE_BYTES_MIN": "1000",
    "PARTWAY_RATE_LIMIT_ENFORCED": "true",
    "PARTWAY_RATE_LIMIT_UPLOADS": "2",
    "PARTWAY_RATE_LIMIT_WRITES": "4",
    "PARTWAY_RATE_LIMIT_READS": "3",
}


@pytest.fixture(params=SERVERS)
def strict(request: pytest.FixtureRequest) -> Iterator[Wire]:
    with running_server(environment={**FEW, "PARTWAY_HTTP_SERVER": request.param}) as server:
        yield Wire(server)


def told(answer: Answer) -> tuple[int, int, int]:
    """Limit, remaining, and seconds to wait."""
    limit, remaining, wait = (answer.headers[f"x-ratelimit-{name}"] for name in ("limit", "remaining", "retry-after"))
    return int(limit), int(remaining), int(wait)


@pytest.mark.slow
def test_reads_are_refused_when_they_are_used_up(strict: Wire) -> None:
    assert [told(strict.get("/videos")) for _ in range(3)] == [(3, 2, 0), (3, 1, 0), (3, 0, 0)]
    refused = strict.get("/videos")
    assert_problem(refused, "too-many-requests")
    limit, remaining, wait = told(refused)
    assert (limit, remaining) == (3, 0)
    assert 1 <= wait <= 20
    assert refused.headers["retry-after"] == str(wait)
    # Others, other kinds, and what needs no key are not concerned.
    assert strict.ask("POST", "/videos", json_body={"title": "a write"}).status == 201
    assert strict.get("/healthz", key=None).status == 200
    assert_problem(strict.get("/videos", key=None), "authentication-missing-authorization-header")


@pytest.mark.slow
def test_an_upload_is_heard_out_and_changes_nothing(strict: Wire) -> None:
    video_id = strict.create()
    for number in (1, 2):
        assert strict.send(video_id, f"part {number}/*", film(2000)).status == 201
    with strict.connect() as connection:
        for _ in range(2):
            body = film(5_000_000)
            head = [("Authorization", strict.key), ("Content-Length", str(len(body)))]
            connection.send(strict.head("POST", f"/videos/{video_id}/source", head), body)
            assert_problem(connection.answer(), "too-many-requests")
    assert len(strict.held(video_id)["pieces"]) == 2


@pytest.mark.slow
def test_an_upload_token_has_its_own(strict: Wire) -> None:
    tokens = [strict.token(), strict.token()]
    for token in tokens:
        assert [strict.upload(token, None, film(2000)).status for _ in range(3)] == [201, 201, 429]


def test_nothing_is_refused_unasked(plain_wire: Wire) -> None:
    video_id = plain_wire.create()
    answers = [plain_wire.send(video_id, "part 0/1", film(10)) for _ in range(120)]
    assert {answer.status for answer in answers} == {400}
    assert {told(answer) for answer in answers} == {(100, 100, 0)}
