"""The connection itself: who is heard out, who waits for a word, who is slow, and what every answer wears."""

from __future__ import annotations

import socket

import pytest
from tests.protocol.problems import PART, assert_problem
from tests.protocol.wire import BOUNDARY, SERVERS, Answer, Connection, Serve, Wire, file_part, film, form, wait_for

MIB = 2**20
PIECE = film(2000)
KIND = ("Content-Type", f"multipart/form-data; boundary={BOUNDARY}")
ZEROS = bytes(MIB)
FRAME = form(file_part(b"<>")).split(b"<>")


@pytest.fixture(scope="module", params=SERVERS)
def wire(request: pytest.FixtureRequest, serve: Serve) -> Wire:
    return serve(request.param, "small")


def source_head(wire: Wire, video_id: str, length: int, *more: tuple[str, str], key: str = "") -> bytes:
    headers = [("Authorization", key or wire.key), KIND, ("Content-Length", str(length)), *more]
    return wire.head("POST", f"/videos/{video_id}/source", headers)


def send_large(wire: Wire, connection: Connection, video_id: str, mebibytes: int, *more: tuple[str, str]) -> Answer:
    """Send a whole request of that size, to the last byte, and only then listen."""
    length = mebibytes * MIB + sum(map(len, FRAME))
    connection.send(source_head(wire, video_id, length, *more), FRAME[0])
    for _ in range(mebibytes):
        connection.send(ZEROS)
    connection.send(FRAME[1])
    return connection.answer()


# Refusals while the client is still sending (contract.md 2.4).


@pytest.mark.slow
def test_an_authenticated_sender_is_heard_out(plain_wire: Wire) -> None:
    """The refusal comes after the last byte, on a connection that goes on."""
    complete = plain_wire.create()
    assert plain_wire.send(complete, None, PIECE).is_complete
    empty = plain_wire.create()
    with plain_wire.connect() as connection:
        for video_id, headers, slug in (
            ("viDoesNotExist0000000000", (), "resource-not-found"),
            (complete, (), "video-source-already-uploaded"),
            (empty, (("Content-Range", "part 0/2"),), PART + "part-zero"),
            (empty, (("Content-Range", "nonsense"),), "video-content-range-malformed"),
            (empty, (("Content-Range", "bytes 0-9/10"),), "video-content-range-by-bytes-range-mismatch"),
        ):
            assert_problem(send_large(plain_wire, connection, video_id, 50, *headers), slug)
        connection.send(plain_wire.head("GET", f"/videos/{empty}", [("Authorization", plain_wire.key)]))
        assert connection.answer("GET").json["videoId"] == empty
    assert plain_wire.held(empty)["pieces"] == []


@pytest.mark.slow
def test_by_token_the_sender_is_heard_out(plain_wire: Wire) -> None:
    token = plain_wire.token()
    length = 50 * MIB + sum(map(len, FRAME))
    with plain_wire.connect() as connection:
        headers = [KIND, ("Content-Length", str(length)), ("Content-Range", "part 2/3")]
        connection.send(plain_wire.head("POST", f"/upload?token={token}", headers), FRAME[0])
        for _ in range(50):
            connection.send(ZEROS)
        connection.send(FRAME[1])
        assert_problem(connection.answer(), "attribute-required", name="videoId")
        connection.send(plain_wire.head("GET", "/healthz"))
        assert connection.answer("GET").status == 200


@pytest.mark.parametrize("path", ["/videos/viX/source", "/upload", "/upload?token=nobody", "/videos", "/nope"])
def test_a_stranger_is_not(plain_wire: Wire, path: str) -> None:
    """About a megabyte is read, then comes the answer and the end, however much is announced."""
    sent = 0
    with plain_wire.connect() as connection:
        connection.send(plain_wire.head("POST", path, [KIND, ("Content-Length", str(500 * MIB))]), FRAME[0])
        try:
            for _ in range(500):
                connection.send(ZEROS)
                sent += 1
        except OSError:
            pass
        answer = connection.answer()
        assert answer.status in (401, 404)
        assert answer.json["status"] == answer.status
        assert answer.headers["connection"] == "close"
        assert connection.is_closed()
    assert sent < 32, "what is sent beyond a megabyte is in the sockets' buffers"


def test_a_stranger_with_little_is_heard_out(plain_wire: Wire) -> None:
    """Up to a megabyte the answer comes after the last byte, and the connection goes on."""
    with plain_wire.connect() as connection:
        for path, slug in (
            ("/videos", "authentication-missing-authorization-header"),
            ("/videos/viX/source", "authentication-missing-authorization-header"),
            ("/upload", "authentication-missing-upload-token"),
            ("/nope", "unrecognized-request-url"),
            ("/auth/api-key", "invalid-payload"),
        ):
            connection.send(plain_wire.head("POST", path, [("Content-Length", "1000000")]))
            for _ in range(10):
                connection.send(ZEROS[:100_000])
            assert_problem(connection.answer(), slug)


@pytest.mark.slow
def test_more_than_200_mib(plain_wire: Wire) -> None:
    """The limit as it comes: refused, drained, and the connection goes on."""
    video_id = plain_wire.create()
    with plain_wire.connect() as connection:
        for headers in ((), (("Content-Range", "part 1/2"),)):
            answer = send_large(plain_wire, connection, video_id, 201, *headers)
            assert_problem(answer, "uploaded-file-too-large", name="file", detail="209715200")
        span = ("Content-Range", f"bytes 0-{201 * MIB - 1}/{400 * MIB}")
        answer = send_large(plain_wire, connection, video_id, 201, span)
        assert_problem(answer, "video-content-range-by-bytes-range-too-large")
        assert plain_wire.held(video_id)["pieces"] == []
        answer = send_large(plain_wire, connection, video_id, 200, ("Content-Range", "part 1/2"))
        assert (answer.status, answer.json) == (201, {"videoId": video_id})


# Expect: 100-continue.

EXPECT = ("Expect", "100-continue")


def test_refused_before_a_byte_is_asked_for(wire: Wire) -> None:
    complete = wire.create()
    wire.send(complete, None, PIECE)
    for video_id, key, headers, slug in (
        ("viX", wire.key, [], "resource-not-found"),
        (complete, wire.key, [("Content-Range", "part 1/2")], "video-source-already-uploaded"),
        (wire.create(), wire.key, [("Content-Range", "part 3/2")], PART + "part-too-high-total"),
        (wire.create(), "Basic bm9ib2R5Og==", [], "authentication-invalid-api-key"),
    ):
        with wire.connect() as connection:
            connection.send(source_head(wire, video_id, 150 * MIB, EXPECT, *headers, key=key))
            answer = connection.answer(continues=False)
            assert_problem(answer, slug)
            assert answer.headers["connection"] == "close"
            assert connection.is_closed()


def test_asked_to_continue(wire: Wire) -> None:
    """No byte of the body before the word, and only one word."""
    video_id, body = wire.create(), form(file_part(PIECE))
    with wire.connect() as connection:
        connection.send(source_head(wire, video_id, len(body), EXPECT))
        assert connection.head() == (100, {})
        connection.send(body)
        status, _ = connection.head()
        assert status == 201
    assert wire.source(video_id) == PIECE


def test_who_expects_but_does_not_wait(wire: Wire) -> None:
    video_id, body = wire.create(), form(file_part(PIECE))
    with wire.connect() as connection:
        connection.send(source_head(wire, video_id, len(body), EXPECT) + body)
        assert connection.answer().is_complete


# Slow, cut off, one after the other.


def test_slow_senders_do_not_hold_up_others(wire: Wire) -> None:
    slow, body = wire.create(), form(file_part(PIECE))
    half = len(body) // 2
    with wire.connect() as waiting:
        waiting.send(source_head(wire, slow, len(body)), body[:half])
        for at in range(half, half + 40):
            waiting.send(body[at : at + 1])
            assert wire.held(slow)["pieces"] == []
        for _ in range(5):
            assert wire.send(wire.create(), None, PIECE).is_complete
        waiting.send(body[half + 40 :])
        assert waiting.answer().is_complete
    assert wire.source(slow) == PIECE


@pytest.mark.slow
@pytest.mark.parametrize("kind", SERVERS)
def test_a_request_has_a_deadline(serve: Serve, kind: str) -> None:
    """Whoever is slower is told so and let go; nothing of it counts."""
    wire = serve(kind, "brief")
    video_id, body = wire.create(), form(file_part(PIECE))
    with wire.connect() as connection:
        connection.send(source_head(wire, video_id, len(body)), body[:1000])
        answer = connection.answer()
        assert (answer.status, answer.slug) == (408, "request-timeout")
        assert connection.is_closed()
    assert wire.held(video_id)["pieces"] == []
    assert wire.send(video_id, None, PIECE).is_complete


@pytest.mark.slow
def test_a_stranger_who_says_nothing_is_answered_all_the_same(wire: Wire) -> None:
    with wire.connect() as connection:
        connection.send(wire.head("POST", "/videos", [("Content-Length", "100")]))
        assert_problem(connection.answer(), "authentication-missing-authorization-header")
        assert connection.is_closed()


def parts_in_flight(wire: Wire) -> float:
    lines = wire.get("/metrics", key=None).body.decode().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("partway_parts_in_flight "))


@pytest.mark.parametrize("end", ["closed", "reset", "half closed"])
def test_a_part_cut_off_never_counts(wire: Wire, end: str) -> None:
    """And may be sent again (contract.md 2.3)."""
    video_id, body = wire.create(), form(file_part(PIECE))
    for cut in (0, 60, len(body) // 2, len(body) - 3):
        with wire.connect() as connection:
            connection.send(source_head(wire, video_id, len(body), ("Content-Range", "part 1/2")), body[:cut])
            wait_for(lambda: parts_in_flight(wire) == 1)
            if end == "reset":
                connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            if end == "half closed":
                connection.socket.shutdown(socket.SHUT_WR)
        wait_for(lambda: parts_in_flight(wire) == 0)
    assert wire.held(video_id)["pieces"] == []
    assert wire.status(video_id)["ingest"] is None
    assert wire.send(video_id, "part 1/1", PIECE).is_complete


def test_one_connection_for_everything(wire: Wire) -> None:
    """Answers and refusals in turn; none leaves a byte behind that the next one would trip over."""
    video_id, body = wire.create(), form(file_part(PIECE))
    with wire.connect() as connection:
        for number in range(1, 4):
            connection.send(source_head(wire, video_id, len(body), ("Content-Range", f"part {number}/3")) + body)
            assert connection.answer().is_complete is (number == 3)
            connection.send(source_head(wire, video_id, len(body), ("Content-Range", "part 0/3")) + body)
            assert_problem(connection.answer(), PART + "part-zero")
            connection.send(wire.head("HEAD", "/videos", [("Authorization", wire.key)]))
            assert connection.answer("HEAD").status == 405
            connection.send(wire.head("HEAD", f"/vod/{video_id}/hls/manifest.m3u8"))
            assert connection.answer("HEAD").status in (202, 404)
            connection.send(wire.head("OPTIONS", "/upload"))
            assert connection.answer("OPTIONS").status == 204


# What every answer wears.


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ("av-origin-client,content-range", "/upload?token=to1"),
        ("authorization,av-origin-client,content-range", "/videos/viABC/source"),
        ("av-origin-app,av-origin-client,av-origin-sdk,content-range", "/upload?token=to1"),
        ("av-origin-client", "/auth/refresh"),
        ("range", "/vod/viABC/mp4/source.mp4"),
        ("x-something-new", "/nowhere"),
    ],
)
def test_preflight(wire: Wire, asked: str, path: str) -> None:
    """The preflights that were seen (contract.md 3.1); they need no key."""
    headers = [
        ("Origin", "https://example.org"),
        ("Access-Control-Request-Method", "POST"),
        ("Access-Control-Request-Headers", asked),
        ("Access-Control-Request-Private-Network", "true"),
    ]
    answer = wire.ask("OPTIONS", path, headers=headers, key=None)
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == "*"
    methods = set(answer.headers["access-control-allow-methods"].split(", "))
    assert {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} <= methods
    allowed = {name.strip().lower() for name in answer.headers["access-control-allow-headers"].split(",")}
    assert {"authorization", "content-type", "content-range", "accept", *asked.split(",")} <= allowed
    assert {"av-origin-client", "av-origin-app", "av-origin-sdk"} <= allowed
    assert int(answer.headers["access-control-max-age"]) >= 600
    assert answer.headers["access-control-allow-private-network"] == "true"


def test_preflight_echoes_names_alone(wire: Wire) -> None:
    asked = 'x-fine, bad name, <script>, "q", ' + "y" * 5000
    answer = wire.ask("OPTIONS", "/upload", headers=[("Access-Control-Request-Headers", asked)], key=None)
    assert "x-fine" in answer.headers["access-control-allow-headers"]
    assert not set('<>"') & set(answer.headers["access-control-allow-headers"])
    assert len(answer.headers["access-control-allow-headers"]) < 1500
    assert "access-control-allow-private-network" not in answer.headers


def test_every_answer_can_be_read_from_another_origin(wire: Wire) -> None:
    video_id = wire.create()
    for method, path, limit in (
        ("GET", "/videos", 500),
        ("POST", "/videos", 200),
        ("PATCH", f"/videos/{video_id}", 200),
        ("POST", f"/videos/{video_id}/source", 100),
        ("POST", "/upload", 100),
        ("GET", f"/videos/{video_id}/status", 500),
        ("GET", f"/vod/{video_id}/hls/manifest.m3u8", 500),
        ("HEAD", f"/vod/{video_id}/mp4/source.mp4", 500),
        ("GET", "/nope", 500),
        ("OPTIONS", "/upload", 500),
        ("DELETE", f"/videos/{video_id}", 200),
    ):
        answer = wire.ask(method, path)
        assert answer.headers["access-control-allow-origin"] == "*"
        exposed = {name.strip().lower() for name in answer.headers["access-control-expose-headers"].split(",")}
        assert {"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-retry-after"} <= exposed
        told = [int(answer.headers[f"x-ratelimit-{name}"]) for name in ("limit", "remaining", "retry-after")]
        assert told == [limit, limit, 0], "told, not enforced"
