"""What an accepted piece is answered (contract.md 2.3), what a re-send is, and what ``status`` says meanwhile."""

from __future__ import annotations

import pytest
from tests.protocol.problems import PART, assert_problem
from tests.protocol.wire import Answer, Wire, file_part, film, pieces_of, text_part, wait_for

SOURCE = film(3500)
ONE, TWO, THREE, FOUR = pieces_of(SOURCE, 1000)


def assert_intermediate(answer: Answer, video_id: str) -> None:
    """201 and nothing but the id (contract.md 0, fact 6)."""
    assert (answer.status, answer.json) == (201, {"videoId": video_id})


def assert_completing(wire: Wire, answer: Answer, video_id: str, source: bytes) -> None:
    """201 and the whole Video; and the source is, byte for byte, what was sent."""
    assert answer.status == 201
    assert answer.json == wire.get(f"/videos/{video_id}").json
    assert answer.json["videoId"] == video_id
    assert wire.status(video_id)["ingest"]["status"] == "uploaded"
    assert wire.status(video_id)["ingest"]["filesize"] == len(source)
    assert wire.source(video_id) == source


def test_whole_file_without_a_header(wire: Wire) -> None:
    for size in (20, 999, 1000, 3500):
        video_id = wire.create()
        assert_completing(wire, wire.send(video_id, None, SOURCE[:size]), video_id, SOURCE[:size])


def test_part_one_of_one(wire: Wire) -> None:
    """What Python, PHP and browsers send for every small file."""
    video_id = wire.create()
    assert_completing(wire, wire.send(video_id, "part 1/1", ONE[:700]), video_id, ONE[:700])


def test_known_total(wire: Wire) -> None:
    video_id = wire.create()
    for number, piece in enumerate((ONE, TWO, THREE), 1):
        assert_intermediate(wire.send(video_id, f"part {number}/4", piece), video_id)
    assert_completing(wire, wire.send(video_id, "part 4/4", FOUR), video_id, SOURCE)


def test_total_with_the_last(wire: Wire) -> None:
    video_id = wire.create()
    for number, piece in enumerate((ONE, TWO, THREE), 1):
        assert_intermediate(wire.send(video_id, f"part {number}/*", piece), video_id)
    assert_completing(wire, wire.send(video_id, "part 4/4", FOUR), video_id, SOURCE)


def test_last_part_first_and_an_open_one_completes(wire: Wire) -> None:
    """``part n/*`` that fills the set is the completing one."""
    video_id = wire.create()
    assert_intermediate(wire.send(video_id, "part 4/4", FOUR), video_id)
    assert_intermediate(wire.send(video_id, "part 3/*", THREE), video_id)
    assert_intermediate(wire.send(video_id, "part 1/*", ONE), video_id)
    assert_completing(wire, wire.send(video_id, "part 2/*", TWO), video_id, SOURCE)


def test_small_open_part_is_fine_once_it_is_known_to_be_the_last(wire: Wire) -> None:
    video_id = wire.create()
    assert_problem(wire.send(video_id, "part 2/*", ONE[:10]), PART + "uploaded-file-too-small")
    assert_intermediate(wire.send(video_id, "part 1/2", ONE), video_id)
    assert_completing(wire, wire.send(video_id, "part 2/*", TWO[:10]), video_id, ONE + TWO[:10])


@pytest.mark.parametrize("closing", ["part 4/4", "part 4/*"])
def test_empty_last_part(wire: Wire, closing: str) -> None:
    """Normal traffic of ProgressiveUploader and Swift (contract.md 0, fact 4)."""
    video_id = wire.create()
    total = "4" if closing == "part 4/*" else "*"
    for number, piece in enumerate((ONE, TWO, THREE), 1):
        assert_intermediate(wire.send(video_id, f"part {number}/{total}", piece), video_id)
    assert_completing(wire, wire.send(video_id, closing, b""), video_id, SOURCE[:3000])


@pytest.mark.parametrize(
    "written",
    [
        "PART 1/1",
        "part\t1/1",
        "part   1 / 1",
        "Part 1/ 1 ",
        "part%201%2F1",
        "part 01/1",
        "Bytes 0-999/1000",
        "bytes 0 - 999 / 1000",
        "bytes%200-999%2F1000",
    ],
)
def test_header_as_anybody_may_write_it(wire: Wire, written: str) -> None:
    assert wire.send(wire.create(), written, ONE).is_complete


def test_equal_total_is_accepted(wire: Wire) -> None:
    """The total may become known with any part: a knowing deviation (contract.md "Decided")."""
    video_id = wire.create()
    assert_intermediate(wire.send(video_id, "part 2/*", TWO), video_id)
    assert_completing(wire, wire.send(video_id, "part 1/2", ONE), video_id, ONE + TWO)


# Re-sends (contract.md "Decided": promise 4 of design.md).


def test_a_repeated_part_gets_the_answer_it_would_get_now(wire: Wire) -> None:
    video_id = wire.create()
    for _ in range(2):
        assert_intermediate(wire.send(video_id, "part 1/*", ONE), video_id)
    held = wire.held(video_id)
    assert_intermediate(wire.send(video_id, "part 1/*", ONE), video_id)
    assert wire.held(video_id) == held
    assert_completing(wire, wire.send(video_id, "part 2/2", TWO), video_id, ONE + TWO)
    complete = wire.held(video_id)
    for again, piece in (("part 1/*", ONE), ("part 1/2", ONE), ("part 2/2", TWO), ("part 2/*", TWO)):
        assert_completing(wire, wire.send(video_id, again, piece), video_id, ONE + TWO)
    assert wire.held(video_id) == complete


def test_a_repeated_part_brings_its_total_if_that_is_legal(wire: Wire) -> None:
    video_id = wire.create()
    assert_intermediate(wire.send(video_id, "part 1/*", ONE), video_id)
    assert_intermediate(wire.send(video_id, "part 1/3", ONE), video_id)
    assert wire.status(video_id)["ingest"]["receivedParts"] == {"parts": [1], "total": 3}
    assert_problem(wire.send(video_id, "part 1/2", ONE), PART + "different-total-parts")


def test_a_repeated_whole_file(wire: Wire) -> None:
    video_id = wire.create()
    for _ in range(2):
        assert_completing(wire, wire.send(video_id, None, SOURCE), video_id, SOURCE)
    assert_problem(wire.send(video_id, None, SOURCE[:-1]), "video-source-already-uploaded", name="file")
    assert wire.source(video_id) == SOURCE


def test_a_repeated_small_last_part(wire: Wire) -> None:
    video_id = wire.create()
    for _ in range(2):
        assert_intermediate(wire.send(video_id, "part 2/2", b""), video_id)
    assert_intermediate(wire.send(video_id, "part 2/*", b""), video_id)
    assert_completing(wire, wire.send(video_id, "part 1/*", ONE), video_id, ONE)


# The flaw of the blog's script: nobody says which part is the last (contract.md 0, fact 5).


def left_open(wire: Wire, source: bytes = SOURCE[:2000]) -> str:
    video_id = wire.create()
    for number, piece in enumerate(pieces_of(source, 1000), 1):
        assert_intermediate(wire.send(video_id, f"part {number}/*", piece), video_id)
    status = wire.status(video_id)
    assert status["ingest"]["status"] == "uploading"
    assert status["partway"]["canFinish"]
    assert "still open" in status["partway"]["reason"]
    return video_id


def test_closed_by_an_empty_part(wire: Wire) -> None:
    video_id = left_open(wire)
    assert_completing(wire, wire.send(video_id, "part 3/3", b""), video_id, SOURCE[:2000])


def test_closed_by_the_last_part_again(wire: Wire) -> None:
    video_id = left_open(wire)
    assert_completing(wire, wire.send(video_id, "part 2/2", TWO), video_id, SOURCE[:2000])


def test_closed_by_finish(wire: Wire) -> None:
    video_id = left_open(wire)
    for _ in range(2):
        answer = wire.ask("POST", f"/-/videos/{video_id}/finish")
        assert (answer.status, answer.json["videoId"]) == (200, video_id)
        assert wire.status(video_id)["ingest"]["status"] == "uploaded"
    assert wire.source(video_id) == SOURCE[:2000]


@pytest.mark.slow
def test_closed_by_time(hasty_wire: Wire) -> None:
    video_id = left_open(hasty_wire)
    gap = hasty_wire.create()
    assert_intermediate(hasty_wire.send(gap, "part 2/*", TWO), gap)
    waiting = hasty_wire.create()
    assert_intermediate(hasty_wire.send(waiting, "part 1/2", ONE), waiting)
    wait_for(lambda: hasty_wire.status(video_id)["ingest"]["status"] == "uploaded")
    assert hasty_wire.source(video_id) == SOURCE[:2000]
    for other in (gap, waiting):
        assert hasty_wire.status(other)["ingest"]["status"] == "uploading"


def test_what_can_not_be_finished(wire: Wire) -> None:
    empty, gap, short = wire.create(), wire.create(), wire.create()
    wire.send(gap, "part 2/*", TWO)
    wire.send(short, "part 1/3", ONE)
    for video_id in (empty, gap, short):
        held = wire.held(video_id)
        answer = wire.ask("POST", f"/-/videos/{video_id}/finish")
        assert (answer.status, answer.slug) == (409, "upload-has-gaps")
        assert wire.held(video_id) == held
    assert_problem(wire.ask("POST", "/-/videos/viX/finish"), "resource-not-found", name="videoId")


# Which video (contract.md 2.4, 2.5 and "Decided").


def test_the_body_may_name_the_video_of_the_path(wire: Wire) -> None:
    video_id = wire.create()
    for number, piece in ((1, ONE), (2, TWO)):
        answer = wire.send(video_id, f"part {number}/2", piece, text_part("videoId", video_id))
    assert_completing(wire, answer, video_id, ONE + TWO)
    path, other = f"/videos/{video_id}/source", wire.create()
    after = wire.post_form(path, "part 2/2", file_part(TWO), text_part("videoId", video_id))
    assert_completing(wire, after, video_id, ONE + TWO)
    after = wire.post_form(f"/videos/{other}/source", "part 1/2", file_part(ONE), text_part("videoId", video_id))
    assert_problem(after, "invalid-attribute", name="videoId")
    assert_problem(
        wire.send(other, "part 1/2", ONE, text_part("videoId", video_id)), "invalid-attribute", name="videoId"
    )
    assert wire.held(other)["pieces"] == []


# Status (contract.md 4.3).


def test_status_on_the_way(wire: Wire) -> None:
    video_id = wire.create()
    empty = wire.status(video_id)
    assert empty["ingest"] is None
    assert (empty["encoding"]["playable"], empty["encoding"]["qualities"]) == (False, [])
    assert set(empty["encoding"]["metadata"].values()) == {None}
    wire.send(video_id, "part 3/*", THREE)
    wire.send(video_id, "part 1/*", ONE)
    ingest = {"status": "uploading", "filesize": None, "receivedBytes": []}
    assert wire.status(video_id)["ingest"] == {**ingest, "receivedParts": {"parts": [1, 3], "total": None}}
    wire.send(video_id, "part 2/3", TWO)
    done = wire.status(video_id)
    assert done["ingest"] == {
        "status": "uploaded",
        "filesize": 3000,
        "receivedBytes": [],
        "receivedParts": {"parts": [1, 2, 3], "total": 3},
    }
    assert set(done) == {"ingest", "encoding", "partway"}
    assert done["partway"]["state"] in ("complete", "failed")
    assert done["partway"]["reason"]


def test_status_of_a_whole_file(wire: Wire) -> None:
    video_id = wire.create()
    wire.send(video_id, None, SOURCE)
    ingest = wire.status(video_id)["ingest"]
    assert ingest["receivedParts"] == {"parts": [], "total": None}
    assert (ingest["receivedBytes"], ingest["filesize"], ingest["status"]) == ([], 3500, "uploaded")


def test_before_and_after_completion_under_vod(wire: Wire) -> None:
    """202 with an empty body while waiting, else an SDK takes it for playable (contract.md 0, fact 19)."""
    video_id = wire.create()
    for content_range, piece in ((None, None), ("part 1/*", ONE)):
        if piece is not None:
            wire.send(video_id, content_range, piece)
        for asset in ("hls/manifest.m3u8", "mp4/source.mp4", "thumbnail.jpg"):
            answer = wire.get(f"/vod/{video_id}/{asset}", key=None)
            assert (answer.status, answer.body) == (202, b"")
            assert answer.headers["access-control-allow-origin"] == "*"
    wire.send(video_id, "part 2/2", TWO)
    assert wire.source(video_id) == ONE + TWO
    wire.ask("DELETE", f"/videos/{video_id}")
    for asset in ("", "/hls/manifest.m3u8", "/mp4/source.mp4", "/thumbnail.jpg", "/status.json"):
        answer = wire.get(f"/vod/{video_id}{asset}", key=None)
        assert (answer.status, answer.body) == (404, b"")


def test_a_deleted_video_takes_nothing_more(wire: Wire) -> None:
    video_id = wire.create()
    wire.send(video_id, "part 1/2", ONE)
    assert wire.ask("DELETE", f"/videos/{video_id}").status == 204
    assert_problem(wire.send(video_id, "part 2/2", TWO), "resource-not-found", name="videoId")
    assert_problem(wire.send(video_id, "part 1/2", ONE), "resource-not-found", name="videoId")
    assert_problem(wire.ask("DELETE", f"/videos/{video_id}"), "resource-not-found", name="videoId")
    assert_problem(wire.get(f"/videos/{video_id}/status"), "resource-not-found", name="videoId")
