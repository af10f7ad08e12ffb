"""Every row of the table of upload errors (contract.md 1.1), and their order when a request has two faults (2.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.protocol.problems import BYTES, LATER, PART, TITLES, assert_problem
from tests.protocol.wire import Answer, Part, Wire, file_part, film, text_part

from partway.api.problems import problem_of
from partway.errors import PartwayError, Refused

A, B = film(1000), film(1000, 1)
SMALL = film(999)
MAX = 52_428_800_000
Sent = tuple[str | None, bytes]


@dataclass(frozen=True)
class Row:
    """One refusal: what the video holds already, what is sent then, and what comes of it."""

    slug: str
    content_range: str | None
    file: bytes | None = A
    before: tuple[Sent, ...] = ()
    others: tuple[Part, ...] = ()
    name: str | None = None
    detail: str | None = None

    def __str__(self) -> str:
        return f"{self.slug.removeprefix('video-content-range-')}: {self.content_range}"


ONE_OPEN: tuple[Sent, ...] = (("part 1/*", A),)
TWO_OPEN: tuple[Sent, ...] = (("part 1/*", A), ("part 2/*", B))
OF_THREE: tuple[Sent, ...] = (("part 1/3", A),)
BYTES_OPEN: tuple[Sent, ...] = (("bytes 0-999/*", A),)
BYTES_OF_3000: tuple[Sent, ...] = (("bytes 0-999/3000", A),)
WHOLE: tuple[Sent, ...] = ((None, A),)
PARTS_DONE: tuple[Sent, ...] = (("part 1/2", A), ("part 2/2", B))

ROWS = [
    Row("uploaded-file-no-file", None, None, name="file"),
    Row("uploaded-file-no-file", "part 1/2", None, name="file"),
    Row("uploaded-file-no-file", "bytes 0-999/1000", None, others=(text_part("file", "no file at all"),)),
    Row("uploaded-file-multiple-files", None, A, others=(file_part(B, "other"),), name="file"),
    Row("uploaded-file-multiple-files", "part 1/2", A, others=(file_part(b"", "file"),)),
    Row("uploaded-file-empty", None, b"", name="file"),
    Row("uploaded-file-empty", "part 1/1", b"", name="file"),
    Row("uploaded-file-too-large", None, bytes(1_000_001), name="file"),
    Row("uploaded-file-too-large", "part 1/2", bytes(1_000_001), name="file"),
    Row("video-source-already-uploaded", None, B, WHOLE, name="file"),
    Row("video-source-already-uploaded", "part 1/1", A, WHOLE),
    Row("video-source-already-uploaded", "bytes 0-999/1000", A, WHOLE),
    Row("video-source-already-uploaded", "part 3/3", A, PARTS_DONE),
    Row("video-source-already-uploaded", "part 1/2", B, PARTS_DONE),
    Row("video-source-already-uploaded", None, A, PARTS_DONE),
    Row("video-source-already-uploaded", "part 1/2", SMALL, PARTS_DONE),
    Row("video-source-already-uploaded", "part 1/2", None, PARTS_DONE),
    Row("video-source-already-uploaded", "part 1/2", A, PARTS_DONE, others=(file_part(B, "other"),)),
    Row("video-source-already-uploaded", "part 1/2", bytes(1_000_001), PARTS_DONE),
    Row("video-content-range-already-initiated", None, A, ONE_OPEN),
    Row("video-content-range-already-initiated", None, A, BYTES_OPEN),
    Row("video-content-range-malformed", "part 1"),
    Row("video-content-range-malformed", "bytes 0-999"),
    Row("video-content-range-malformed", "part -1/2"),
    Row("video-content-range-malformed", "part +1/2"),
    Row("video-content-range-malformed", "part 1.5/2"),
    Row("video-content-range-malformed", "part 1/2, part 2/2"),
    Row("video-content-range-malformed", "parts 1/2"),
    Row("video-content-range-malformed", "part1/2"),
    Row("video-content-range-malformed", "bytes */1000"),
    Row("video-content-range-malformed", "bytes 0-/1000"),
    Row("video-content-range-malformed", "bytes=0-999/1000"),
    Row("video-content-range-malformed", f"part 1/{2**53 + 1}"),
    Row("video-content-range-malformed", "part 1/" + "9" * 400),
    Row("video-content-range-malformed", ""),
    Row("video-content-range-started-with-part", "bytes 0-999/1000", A, ONE_OPEN),
    Row("video-content-range-started-with-bytes", "part 1/2", A, BYTES_OPEN),
    Row(PART + "part-zero", "part 0/3"),
    Row(PART + "part-zero", "part 0/*"),
    Row(PART + "part-too-high-allowed", "part 10001/*"),
    Row(PART + "part-too-high-allowed", "part 10001/10001"),
    Row(PART + "part-too-high-total", "part 4/3"),
    Row(PART + "part-too-high-total", "part 4/*", A, OF_THREE),
    Row(PART + "part-already-sent", "part 1/*", B, ONE_OPEN, detail="The part number 1 has already been sent."),
    Row(PART + "part-already-sent", "part 1/3", B, OF_THREE),
    Row(PART + "part-already-sent", "part 2/2", A, TWO_OPEN, detail="The part number 2 has already been sent."),
    Row(PART + "part-already-sent", "part 1/1", B, ONE_OPEN),
    Row(PART + "part-already-sent", "part 1/1", B[:500], ONE_OPEN),
    Row(PART + "total-parts-zero", "part 1/0"),
    Row(PART + "total-parts-too-high", "part 1/10001", detail="10001"),
    Row(PART + "total-parts-too-low", "part 1/1", A, TWO_OPEN, detail="2"),
    Row(PART + "total-parts-too-low", "part 1/2", A, (("part 3/*", A),)),
    Row(PART + "different-total-parts", "part 2/4", A, OF_THREE, detail="3"),
    Row(PART + "different-total-parts", "part 2/2", A, OF_THREE),
    Row(PART + "different-total-parts", "part 1/4", A, OF_THREE),
    Row(PART + "uploaded-file-too-small", "part 1/2", SMALL),
    Row(PART + "uploaded-file-too-small", "part 1/*", SMALL, detail="999"),
    Row(PART + "uploaded-file-too-small", "part 1/*", b""),
    Row(PART + "uploaded-file-too-small", "part 1/2", b"", (("part 2/2", b""),)),
    Row(BYTES + "from-byte-too-high", "bytes 999-0/1000"),
    Row(BYTES + "to-byte-too-high-total", "bytes 0-1000/1000", bytes(1001)),
    Row(BYTES + "to-byte-too-high-total", "bytes 2500-3500/*", bytes(1001), BYTES_OF_3000),
    Row(BYTES + "to-byte-too-high-allowed", f"bytes 0-{MAX}/*"),
    Row(BYTES + "total-bytes-zero", "bytes 0-0/0"),
    Row(BYTES + "total-bytes-too-high", f"bytes 0-999/{MAX + 1}", detail=str(MAX + 1)),
    Row(BYTES + "total-bytes-too-low", "bytes 0-999/1999", A, (("bytes 1000-1999/*", A),)),
    Row(BYTES + "different-total-bytes", "bytes 1000-1999/2000", A, BYTES_OF_3000),
    Row(BYTES + "range-mismatch", "bytes 0-1000/2000", A),
    Row(BYTES + "range-mismatch", "bytes 0-998/2000", A),
    Row(BYTES + "range-mismatch", "bytes 0-999/1000", b""),
    Row(BYTES + "range-mismatch", "bytes 0-999/1000", bytes(1_000_001)),
    Row(BYTES + "range-overlap", "bytes 0-999/*", B, BYTES_OPEN),
    Row(BYTES + "range-overlap", "bytes 999-1998/*", B, BYTES_OPEN),
    Row(BYTES + "range-overlap", "bytes 500-1499/*", B, (("bytes 1000-1999/*", A),)),
    Row(BYTES + "range-overlap", "bytes 0-2999/*", bytes(3000), (("bytes 1000-1999/*", A),)),
    Row(BYTES + "range-overlap", "bytes 1200-2199/*", A, (("bytes 1000-3999/*", bytes(3000)),)),
    Row(BYTES + "range-too-small", "bytes 0-998/2000", SMALL),
    Row(BYTES + "range-too-small", "bytes 0-998/*", SMALL),
    Row(BYTES + "range-too-large", "bytes 0-1000000/2000000", bytes(1_000_001)),
]

# The faults of contract.md 2.3 in its order; each request has two of them, and is told the earlier one.
TWO_FAULTS = [
    Row("video-content-range-malformed", "part x/0", None),
    Row(PART + "part-zero", "part 0/0"),
    Row(PART + "part-zero", "part 0/3", None),
    Row(PART + "total-parts-zero", "part 10001/0"),
    Row(PART + "part-too-high-allowed", "part 10001/10002"),
    Row(PART + "part-too-high-allowed", "part 10001/3"),
    Row(PART + "total-parts-too-high", "part 3/10001", SMALL),
    Row(PART + "part-too-high-total", "part 4/3", A, BYTES_OPEN),
    Row(PART + "part-too-high-total", "part 4/*", None, OF_THREE),
    Row("video-content-range-started-with-bytes", "part 1/2", None, BYTES_OPEN),
    Row("video-content-range-started-with-bytes", "part 1/2", SMALL, BYTES_OPEN),
    Row("video-content-range-started-with-part", "bytes 0-999/1000", None, ONE_OPEN),
    Row("video-content-range-already-initiated", None, None, ONE_OPEN),
    Row(PART + "different-total-parts", "part 2/2", None, (("part 3/4", A),)),
    Row(PART + "different-total-parts", "part 1/2", SMALL, OF_THREE),
    Row(PART + "total-parts-too-low", "part 1/1", None, TWO_OPEN),
    Row(PART + "total-parts-too-low", "part 1/2", SMALL, (("part 3/*", A),)),
    Row("uploaded-file-no-file", "part 1/*", None, ONE_OPEN),
    Row("uploaded-file-multiple-files", "part 1/*", SMALL, others=(file_part(SMALL, "other"),)),
    Row("uploaded-file-multiple-files", "part 1/*", B, ONE_OPEN, others=(file_part(B, "other"),)),
    Row("uploaded-file-multiple-files", "bytes 0-998/2000", A, others=(file_part(A, "other"),)),
    Row(PART + "uploaded-file-too-small", "part 1/*", SMALL, ONE_OPEN),
    Row(BYTES + "total-bytes-zero", "bytes 9-0/0"),
    Row(BYTES + "from-byte-too-high", f"bytes 9-0/{MAX + 1}"),
    Row(BYTES + "total-bytes-too-high", f"bytes 0-{MAX + 5}/{MAX + 1}"),
    Row(BYTES + "to-byte-too-high-allowed", f"bytes 0-{MAX}/{MAX}"),
    Row(BYTES + "to-byte-too-high-total", "bytes 0-1000/1000", A, ONE_OPEN),
    Row(BYTES + "to-byte-too-high-total", "bytes 2500-3000/2000", A, BYTES_OF_3000),
    Row(BYTES + "different-total-bytes", "bytes 0-499/500", None, BYTES_OF_3000),
    Row(BYTES + "total-bytes-too-low", "bytes 0-499/500", None, (("bytes 1000-1999/*", A),)),
    Row(BYTES + "range-mismatch", "bytes 0-500/*", SMALL, BYTES_OPEN),
    Row(BYTES + "range-too-small", "bytes 0-998/*", SMALL, BYTES_OPEN),
    Row(BYTES + "range-too-large", "bytes 0-1000000/*", bytes(1_000_001), BYTES_OPEN),
]


def ask(wire: Wire, row: Row, video_id: str) -> Answer:
    files = () if row.file is None else (file_part(row.file),)
    return wire.post_form(f"/videos/{video_id}/source", row.content_range, *files, *row.others)


@pytest.mark.parametrize("row", ROWS + TWO_FAULTS, ids=str)
def test_refusal(wire: Wire, row: Row) -> None:
    """Each refusal is the contract's, and leaves what was stored as it was."""
    video_id = wire.create()
    for content_range, body in row.before:
        assert wire.send(video_id, content_range, body).status == 201
    held = wire.held(video_id)
    assert_problem(ask(wire, row, video_id), row.slug, name=row.name, detail=row.detail)
    assert wire.held(video_id) == held


@pytest.mark.parametrize("row", [row for row in ROWS if not row.before], ids=str)
def test_refusal_by_token_makes_no_video(wire: Wire, upload_token: str, row: Row) -> None:
    """The same table on ``/upload``; a refused first piece leaves no empty container behind."""
    before = wire.get("/videos?pageSize=1").json["pagination"]["itemsTotal"]
    files = () if row.file is None else (file_part(row.file),)
    answer = wire.post_form(f"/upload?token={upload_token}", row.content_range, *files, *row.others, key=None)
    assert_problem(answer, row.slug, name=row.name, detail=row.detail)
    assert wire.get("/videos?pageSize=1").json["pagination"]["itemsTotal"] == before


def test_unknown_video_comes_before_the_form(wire: Wire) -> None:
    for row in (Row("resource-not-found", None, None), Row("resource-not-found", "part 1/2", SMALL)):
        assert_problem(ask(wire, row, "viDoesNotExist0000000000"), row.slug, name="videoId")
    assert_problem(ask(wire, Row("", "part 0/2"), "viDoesNotExist0000000000"), PART + "part-zero")


def test_no_key_comes_first(wire: Wire) -> None:
    answer = wire.post_form("/videos/viDoesNotExist0000000000/source", "part 0/0", key=None)
    assert_problem(answer, "authentication-missing-authorization-header")


ELSEWHERE = {
    "uploaded-file-invalid-file": "test_thumbnails",
    "uploaded-file-extension-invalid": "test_thumbnails",
    "video-source-already-downloaded": "test_ingest",
    "video-source-already-copied": "test_copies",
}
"""Rows of the table that are about other ways in than an upload, and the module that shows them."""


def test_every_row_of_the_contract_is_shown() -> None:
    shown = {row.slug for row in ROWS}
    for slug, module in ELSEWHERE.items():
        assert f'"{slug}"' in Path(__file__).with_name(f"{module}.py").read_text()
        shown.add(slug)
    uploads = {slug for slug in TITLES if slug.startswith(("uploaded-file", "video-"))}
    assert uploads - shown == set()
    assert LATER & set(TITLES) == set()


def leaves(kind: type[PartwayError]) -> list[type[PartwayError]]:
    return [leaf for child in kind.__subclasses__() for leaf in (leaves(child) or [child])]


def test_every_title_of_ours_is_the_contracts() -> None:
    beyond = {"upload-has-gaps", "live-streams-unavailable"}
    for kind in leaves(Refused):
        make: Callable[[], PartwayError] = kind
        if kind.__name__ == "SeveralProblems":
            continue
        status, body = problem_of(make())
        slug = body["type"].rpartition("/")[2]
        assert slug in beyond or TITLES[slug] == (status, body["title"])
