"""Parts in any order and all at once; the result is the file, or the refusal of the contract."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from random import Random

import pytest
from tests.protocol.problems import BYTES, PART, assert_problem
from tests.protocol.wire import Answer, Wire, film, pieces_of

SOURCE = film(4000)
PIECES = list(pieces_of(SOURCE, 1000))
LONG = film(15_500)


def send_at_once(wire: Wire, video_id: str, sent: Sequence[tuple[str | None, bytes]]) -> list[Answer]:
    """Send every piece in a thread of its own; the answers in the order of ``sent``."""
    with ThreadPoolExecutor(len(sent)) as pool:
        return [running.result() for running in [pool.submit(wire.send, video_id, *piece) for piece in sent]]


ORDERS = [
    pytest.param(order, marks=pytest.mark.slow if number % 4 else ())
    for number, order in enumerate(permutations((1, 2, 3, 4)))
]


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_every_order_of_four(wire: Wire, order: tuple[int, ...]) -> None:
    """Whoever brings the set to its full number is the completing one, whichever part told the total."""
    for told_with in (order[0], order[2], order[3]):
        video_id = wire.create()
        answers = [
            wire.send(video_id, f"part {number}/{4 if number == told_with else '*'}", PIECES[number - 1])
            for number in order
        ]
        assert [answer.is_complete for answer in answers] == [False, False, False, True]
        assert wire.source(video_id) == SOURCE


@pytest.mark.parametrize("told", ["always", "once", "last"])
def test_sixteen_at_once(wire: Wire, told: str) -> None:
    pieces = list(pieces_of(LONG, 1000))
    numbers = list(range(1, 17))
    Random(told).shuffle(numbers)
    knowing = {"always": set(numbers), "once": {16, numbers[0]}, "last": {16}}[told]
    sent = [(f"part {number}/{16 if number in knowing else '*'}", pieces[number - 1]) for number in numbers]
    video_id = wire.create()
    answers = send_at_once(wire, video_id, sent)
    assert [answer.status for answer in answers] == [201] * 16
    assert sum(answer.is_complete for answer in answers) == 1
    assert wire.status(video_id)["ingest"]["receivedParts"] == {"parts": list(range(1, 17)), "total": 16}
    assert wire.source(video_id) == LONG


def test_sixteen_ranges_at_once(wire: Wire) -> None:
    spans = [(at, min(at + 999, 15_499)) for at in range(15_000, -1, -1000)]
    video_id = wire.create()
    sent = [(f"bytes {first}-{last}/15500", LONG[first : last + 1]) for first, last in spans]
    assert sum(answer.is_complete for answer in send_at_once(wire, video_id, sent)) == 1
    assert wire.source(video_id) == LONG


def test_one_part_twice_at_once(wire: Wire) -> None:
    """The same bytes: everybody is welcome, one is stored."""
    for _ in range(5):
        video_id = wire.create()
        answers = send_at_once(wire, video_id, [("part 1/2", PIECES[0])] * 4)
        assert [answer.json for answer in answers] == [{"videoId": video_id}] * 4
        assert [piece["part"] for piece in wire.held(video_id)["pieces"]] == [1]
        assert wire.send(video_id, "part 2/2", PIECES[3]).is_complete
        assert wire.source(video_id) == PIECES[0] + PIECES[3]


def test_two_bodies_for_one_part_at_once(wire: Wire) -> None:
    """Other bytes: the first to finish wins, everybody else is refused."""
    bodies = [film(1000, salt) for salt in range(4)]
    for _ in range(5):
        video_id = wire.create()
        answers = send_at_once(wire, video_id, [("part 1/2", body) for body in bodies])
        (winner,) = [at for at, answer in enumerate(answers) if answer.status == 201]
        for at, answer in enumerate(answers):
            if at != winner:
                assert_problem(answer, PART + "part-already-sent", detail="The part number 1 has already been sent.")
        wire.send(video_id, "part 2/2", b"end")
        assert wire.source(video_id) == bodies[winner] + b"end"


def test_overlapping_ranges_at_once(wire: Wire) -> None:
    spans = [(0, 1999), (1000, 2999), (500, 1600), (0, 999)]
    video_id = wire.create()
    sent = [(f"bytes {first}-{last}/4000", SOURCE[first : last + 1]) for first, last in spans]
    answers = dict(zip(spans, send_at_once(wire, video_id, sent), strict=True))
    won = {span for span, answer in answers.items() if answer.status == 201}
    for span in set(spans) - won:
        assert_problem(answers[span], BYTES + "range-overlap")
    assert won in ({spans[0]}, {spans[1]}, {spans[2]}, {spans[3]}, {spans[3], spans[1]})
    assert {(piece["from"], piece["to"]) for piece in wire.held(video_id)["pieces"]} == won


def test_two_last_parts_at_once(wire: Wire) -> None:
    """Both are the last one missing when they start; one of them completes."""
    for _ in range(5):
        video_id = wire.create()
        assert not wire.send(video_id, "part 1/3", PIECES[0]).is_complete
        answers = send_at_once(wire, video_id, [("part 2/3", PIECES[1]), ("part 3/3", PIECES[2])])
        assert sorted(answer.is_complete for answer in answers) == [False, True]
        assert wire.source(video_id) == SOURCE[:3000]


def test_whole_files_at_once(wire: Wire) -> None:
    video_id = wire.create()
    answers = send_at_once(wire, video_id, [(None, film(1000, salt)) for salt in range(3)])
    assert sorted(answer.status for answer in answers) == [201, 400, 400]
    for answer in answers:
        if answer.status == 400:
            assert_problem(answer, "video-source-already-uploaded", name="file")


def test_deleted_while_parts_arrive(wire: Wire) -> None:
    """Each part is either taken before the deletion or told that there is no such video."""
    video_id = wire.create()
    with ThreadPoolExecutor(9) as pool:
        running = [pool.submit(wire.send, video_id, f"part {number}/*", PIECES[0]) for number in range(1, 5)]
        deleting = pool.submit(wire.ask, "DELETE", f"/videos/{video_id}")
        running += [pool.submit(wire.send, video_id, f"part {number}/*", PIECES[0]) for number in range(5, 9)]
    assert deleting.result().status == 204
    for answer in (one.result() for one in running):
        if answer.status != 201:
            assert_problem(answer, "resource-not-found", name="videoId")
    assert_problem(wire.get(f"/-/videos/{video_id}/parts"), "resource-not-found", name="videoId")
