"""The contract's own limits (contract.md 2.2), with pieces as large as clients really send."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest
from tests.protocol.problems import BYTES, PART, assert_problem
from tests.protocol.wire import BOUNDARY, Wire, file_part, film, form, pieces_of

MIN = 5_242_880
MAX_TOTAL = 52_428_800_000
BUFFER = film(13_000_000)


def test_smallest_piece(plain_wire: Wire) -> None:
    parts, spans = plain_wire.create(), plain_wire.create()
    assert_problem(plain_wire.send(parts, "part 1/*", BUFFER[: MIN - 1]), PART + "uploaded-file-too-small")
    assert plain_wire.send(parts, "part 1/*", BUFFER[:MIN]).json == {"videoId": parts}
    assert_problem(plain_wire.send(spans, f"bytes 0-{MIN - 2}/{MIN}", BUFFER[: MIN - 1]), BYTES + "range-too-small")
    assert plain_wire.send(spans, f"bytes 0-{MIN - 1}/{MIN + 1}", BUFFER[:MIN]).json == {"videoId": spans}
    assert plain_wire.send(spans, f"bytes {MIN}-{MIN}/{MIN + 1}", b"x").is_complete
    assert plain_wire.source(spans) == BUFFER[:MIN] + b"x"


def test_most_parts(plain_wire: Wire) -> None:
    video_id = plain_wire.create()
    assert plain_wire.send(video_id, "part 10000/10000", b"end").json == {"videoId": video_id}
    assert_problem(plain_wire.send(video_id, "part 10001/*", b""), PART + "part-too-high-allowed")
    assert plain_wire.status(video_id)["ingest"]["receivedParts"] == {"parts": [10_000], "total": 10_000}


def test_longest_video(plain_wire: Wire) -> None:
    video_id = plain_wire.create()
    last = f"bytes {MAX_TOTAL - 3}-{MAX_TOTAL - 1}/{MAX_TOTAL}"
    assert plain_wire.send(video_id, last, b"end").json == {"videoId": video_id}
    assert plain_wire.status(video_id)["ingest"]["filesize"] == MAX_TOTAL
    beyond = f"bytes {MAX_TOTAL - 2}-{MAX_TOTAL}/*"
    assert_problem(plain_wire.send(video_id, beyond, b"end"), BYTES + "to-byte-too-high-allowed")


def test_the_blogs_script(plain_wire: Wire) -> None:
    """6,000,000-byte pieces, the file part without a content type, the last one below 5 MiB (contract.md 3.2)."""
    login = plain_wire.ask("POST", "/auth/api-key", json_body={"apiKey": plain_wire.server.api_key}, key=None).json
    bearer = f"Bearer {login['access_token']}"
    body = {"title": "Demo Vid from my Computer", "description": "Video upload test."}
    video_id = plain_wire.ask("POST", "/videos", json_body=body, key=bearer).video_id
    answers = []
    for number, piece in enumerate(pieces_of(BUFFER, 6_000_000), 1):
        total = number if len(piece) < MIN else "*"
        file = file_part(piece, filename="file", kind=None)
        answers.append(plain_wire.post_form(f"/videos/{video_id}/source", f"part {number}/{total}", file, key=bearer))
    assert [answer.is_complete for answer in answers] == [False, False, True]
    assert plain_wire.source(video_id) == BUFFER


@pytest.mark.slow
def test_sixteen_real_parts_at_once(plain_wire: Wire) -> None:
    source = film(16 * MIN - 1000)
    sent = [(f"part {number}/16", piece) for number, piece in enumerate(pieces_of(source, MIN), 1)]
    for seed in range(2):
        Random(seed).shuffle(sent)
        video_id = plain_wire.create()
        with ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda one, video_id=video_id: plain_wire.send(video_id, *one), sent))
        assert sum(answer.is_complete for answer in answers) == 1
        assert plain_wire.source(video_id) == source


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_thousands_of_parts(hasty_wire: Wire) -> None:
    """Nothing but the number grows: the last one is answered as any other."""
    source = film(2_500_000)
    video_id = hasty_wire.create()
    kind = ("Content-Type", f"multipart/form-data; boundary={BOUNDARY}")

    def send(numbers: range) -> list[bool]:
        answers = []
        with hasty_wire.connect() as connection:
            for number in numbers:
                body = form(file_part(source[(number - 1) * 1000 : number * 1000]))
                ranged = ("Content-Range", f"part {number}/2500")
                headers = [("Authorization", hasty_wire.key), kind, ranged, ("Content-Length", str(len(body)))]
                connection.send(hasty_wire.head("POST", f"/videos/{video_id}/source", headers) + body)
                answers.append(connection.answer().is_complete)
        return answers

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(send, [range(start, 2_500, 4) for start in (1, 2, 3, 4)]))
    assert sum(map(len, answers)) == 2_499
    assert not any(map(any, answers))
    assert send(range(2_500, 2_501)) == [True]
    received = hasty_wire.status(video_id)["ingest"]["receivedParts"]
    assert received == {"parts": list(range(1, 2_501)), "total": 2_500}
    assert hasty_wire.source(video_id) == source
