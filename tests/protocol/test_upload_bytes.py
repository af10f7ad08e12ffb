"""The ``bytes`` form (contract.md 2.3): inclusive ranges, in any order, with the total in any of them."""

from __future__ import annotations

from itertools import permutations

import pytest
from tests.protocol.problems import BYTES, PART, assert_problem
from tests.protocol.wire import Wire, film

SOURCE = film(3500)
SPANS = [(0, 999), (1000, 1999), (2000, 2999), (3000, 3499)]


def send(wire: Wire, video_id: str, first: int, last: int, total: int | str = 3500) -> bool:
    """Send one span; whether it was the completing one."""
    return wire.send(video_id, f"bytes {first}-{last}/{total}", SOURCE[first : last + 1]).is_complete


@pytest.mark.parametrize("order", list(permutations(SPANS))[::5], ids=str)
def test_any_order(wire: Wire, order: tuple[tuple[int, int], ...]) -> None:
    video_id = wire.create()
    assert [send(wire, video_id, *span) for span in order] == [False, False, False, True]
    assert wire.source(video_id) == SOURCE


def test_total_comes_later(wire: Wire) -> None:
    video_id = wire.create()
    for first, last in SPANS[1:3]:
        assert not send(wire, video_id, first, last, "*")
    assert wire.status(video_id)["ingest"]["filesize"] is None
    assert not send(wire, video_id, *SPANS[3])
    assert wire.status(video_id)["ingest"]["filesize"] == 3500
    assert send(wire, video_id, *SPANS[0], "*")
    assert wire.source(video_id) == SOURCE


def test_an_open_upload_is_closed_by_its_last_range_again(wire: Wire) -> None:
    video_id = wire.create()
    for first, last in SPANS[:3]:
        assert not send(wire, video_id, first, last, "*")
    assert not send(wire, video_id, 0, 999, "*")
    assert send(wire, video_id, 2000, 2999, 3000)
    assert wire.source(video_id) == SOURCE[:3000]


def test_an_open_upload_is_closed_by_finish(wire: Wire) -> None:
    video_id = wire.create()
    send(wire, video_id, 1000, 1999, "*")
    assert wire.ask("POST", f"/-/videos/{video_id}/finish").slug == "upload-has-gaps"
    send(wire, video_id, 0, 999, "*")
    assert wire.ask("POST", f"/-/videos/{video_id}/finish").status == 200
    assert wire.source(video_id) == SOURCE[:2000]


def test_one_range_is_everything(wire: Wire) -> None:
    video_id = wire.create()
    assert send(wire, video_id, 0, 3499)
    assert wire.source(video_id) == SOURCE
    small = wire.create()
    assert wire.send(small, "bytes 0-0/1", b"x").is_complete


def test_pieces_of_unequal_sizes(wire: Wire) -> None:
    video_id = wire.create()
    spans = [(1007, 2503), (0, 1006), (2504, 3499)]
    assert [send(wire, video_id, *span) for span in spans] == [False, False, True]
    assert wire.source(video_id) == SOURCE


def test_repeats(wire: Wire) -> None:
    video_id = wire.create()
    for _ in range(2):
        assert not send(wire, video_id, 0, 999)
    held = wire.held(video_id)
    assert_problem(wire.send(video_id, "bytes 0-999/3500", bytes(1000)), BYTES + "range-overlap")
    assert_problem(wire.send(video_id, "bytes 0-1999/3500", SOURCE[:2000]), BYTES + "range-overlap")
    assert wire.held(video_id) == held
    send(wire, video_id, 1000, 2499)
    assert send(wire, video_id, 2500, 3499)
    assert send(wire, video_id, 0, 999), "an identical re-send gets what it would get now"
    assert_problem(wire.send(video_id, "bytes 0-999/3500", bytes(1000)), "video-source-already-uploaded")
    assert wire.source(video_id) == SOURCE


def test_last_range_may_be_small_when_the_total_is_known(wire: Wire) -> None:
    video_id = wire.create()
    send(wire, video_id, 0, 2999, 3500)
    assert send(wire, video_id, 3000, 3499, "*")


def test_status_lists_ranges(wire: Wire) -> None:
    video_id = wire.create()
    send(wire, video_id, 2000, 2999, "*")
    send(wire, video_id, 0, 999, 3500)
    ingest = wire.status(video_id)["ingest"]
    assert ingest["receivedBytes"] == [
        {"from": 0, "to": 999, "total": 3500},
        {"from": 2000, "to": 2999, "total": None},
    ]
    assert ingest["receivedParts"] == {"parts": [], "total": None}
    assert (ingest["status"], ingest["filesize"]) == ("uploading", 3500)
    held = wire.held(video_id)
    assert [(piece["from"], piece["to"], piece["size"]) for piece in held["pieces"]] == [
        (0, 999, 1000),
        (2000, 2999, 1000),
    ]
    assert (held["mode"], held["total"]) == ("bytes", 3500)


def test_by_token(wire: Wire, upload_token: str) -> None:
    first = wire.upload(upload_token, "bytes 0-999/3500", SOURCE[:1000], filename="walk.mov")
    assert not first.is_complete
    video_id = first.video_id
    answer = wire.upload(upload_token, "bytes 1000-3499/3500", SOURCE[1000:])
    assert_problem(answer, "attribute-required", name="videoId")
    done = wire.upload(upload_token, "bytes 1000-3499/3500", SOURCE[1000:], video_id)
    assert (done.is_complete, done.json["title"]) == (True, "walk.mov")
    assert wire.source(video_id) == SOURCE


def test_modes_do_not_mix(wire: Wire) -> None:
    video_id = wire.create()
    send(wire, video_id, 0, 999)
    assert_problem(wire.send(video_id, "part 2/2", bytes(1000)), "video-content-range-started-with-bytes")
    assert_problem(wire.send(video_id, None, bytes(1000)), "video-content-range-already-initiated")
    assert_problem(wire.send(video_id, "part 2/1", bytes(1000)), PART + "part-too-high-total")
