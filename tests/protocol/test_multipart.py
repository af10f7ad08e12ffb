"""multipart/form-data as clients write it (contract.md 2.4), and as nobody should."""

from __future__ import annotations

import pytest
from tests.protocol.problems import PART, assert_problem
from tests.protocol.wire import BOUNDARY, SERVERS, Answer, Part, Serve, Wire, file_part, film, form, text_part

SOURCE = film(5000)
DISPOSITION = "Content-Disposition"
KIND = f"multipart/form-data; boundary={BOUNDARY}"


@pytest.fixture(scope="module", params=SERVERS)
def wire(request: pytest.FixtureRequest, serve: Serve) -> Wire:
    return serve(request.param, "small")


def post(
    wire: Wire, body: bytes, kind: str, *, chunks: list[int] | None = None, video_id: str = ""
) -> tuple[str, Answer]:
    """Send a body as it is, with a Content-Type; in chunked transfer coding if ``chunks`` gives their sizes."""
    video_id = wire.create()
    path, headers = f"/videos/{video_id}/source", [("Authorization", wire.key), ("Content-Type", kind)]
    if chunks is None:
        return video_id, wire.ask("POST", path, body=body, headers=headers[1:])
    with wire.connect() as connection:
        connection.send(wire.head("POST", path, [*headers, ("Transfer-Encoding", "chunked")]))
        for size in chunks:
            connection.send(b"%x\r\n%b\r\n" % (len(body[:size]), body[:size]))
            body = body[size:]
        connection.send(b"%x\r\n%b\r\n" % (len(body), body) if body else b"", b"0\r\n\r\n")
        return video_id, connection.answer()


def accepted(wire: Wire, *parts: Part, kind: str = "multipart/form-data; boundary={}", boundary: str = BOUNDARY) -> str:
    """Send a form of these parts; the video that it became, whole and identical."""
    video_id, answer = post(wire, form(*parts, boundary=boundary), kind.format(boundary))
    assert answer.is_complete, answer
    assert wire.source(video_id) == SOURCE
    return video_id


def test_php(wire: Wire) -> None:
    """A quoted boundary with a dot; part headers in PHP's order, with Content-Length."""
    headers = (
        ("Content-Type", "application/octet-stream"),
        (DISPOSITION, 'form-data; name="file"; filename="558k.mp4"'),
        ("Content-Length", str(len(SOURCE))),
    )
    accepted(wire, Part(SOURCE, headers), kind='multipart/form-data; boundary="{}"', boundary="6b03d280230c42.21953848")


def test_node(wire: Wire) -> None:
    """The field's name is the file's base name (contract.md 0, fact 1)."""
    accepted(wire, file_part(SOURCE, name="big.mp4", filename="big.mp4"))


def test_requests(wire: Wire) -> None:
    """No part content type at all, as the blog's script sends it."""
    accepted(wire, file_part(SOURCE, filename="file", kind=None))


@pytest.mark.parametrize(
    "disposition",
    [
        "form-data; name=file; filename=film.mp4",
        'form-data; filename="film.mp4"; name="file"',
        'form-data;name="file";filename="film.mp4"',
        'form-data; name="file"; filename=""',
        'form-data; name=""; filename="film.mp4"',
        'form-data; filename="film.mp4"',
        'FORM-DATA; NAME="file"; FILENAME="film.mp4"',
        'form-data; name="file"; filename="a;b=\\"c\\".mp4"',
        "form-data; name=\"file\"; filename*=UTF-8''film.mp4",
        'form-data; name="file"; filename="x"; filename*=UTF-8\'\'film.mp4',
        'attachment; name="file"; filename="film.mp4"',
    ],
)
def test_dispositions(wire: Wire, disposition: str) -> None:
    accepted(wire, Part(SOURCE, ((DISPOSITION, disposition), ("Content-Type", "video/mp4"))))
    accepted(wire, Part(SOURCE, (("content-disposition", disposition),)))


@pytest.mark.parametrize(
    "kind",
    [
        "multipart/form-data; boundary={}",
        "Multipart/Form-Data; Boundary={}",
        "multipart/form-data;boundary={}",
        'multipart/form-data; charset=utf-8; boundary="{}"; x=y',
    ],
)
def test_content_types(wire: Wire, kind: str) -> None:
    accepted(wire, file_part(SOURCE), kind=kind)


@pytest.mark.parametrize("boundary", ["x", "-" * 70, "a'b(c)d+e_f,g-h.i/j:k=l?m", "a b", "=_Part_1.2=", "0" * 200])
def test_boundaries(wire: Wire, boundary: str) -> None:
    accepted(wire, file_part(SOURCE), kind='multipart/form-data; boundary="{}"', boundary=boundary)


@pytest.mark.slow
def test_boundary_lookalikes_inside_the_file(wire: Wire) -> None:
    """Split over buffers of every size, so that each is cut at every place."""
    near = f"\r\n--{BOUNDARY}".encode()
    body = film(30) + b"".join(
        (
            near[:-1],
            b"\r\n",
            near + b"x",
            near + b"-",
            near + b"-x",
            b"\r\r\n\n",
            near[2:],
            near + b"\r-",
            b"\r" * 9,
            b"--",
        )
    )
    whole = form(file_part(body))
    for size in (1, 2, 7, len(near) - 1, len(near), len(near) + 1, 97):
        video_id, answer = post(wire, whole, KIND, chunks=[size] * (len(whole) // size))
        assert answer.is_complete, answer
        assert wire.source(video_id) == body


def test_chunked(wire: Wire) -> None:
    """A streamed sender gives no length (contract.md 2.4)."""
    video_id, answer = post(wire, form(file_part(SOURCE)), KIND, chunks=[1, 50, 1000, 3, 2000])
    assert answer.is_complete
    assert wire.source(video_id) == SOURCE


@pytest.mark.parametrize("end", [b"", b"\r\n", b"\r\nan epilogue\r\n", b"\r\n" + b"--" + BOUNDARY.encode() + b"\r\n"])
def test_after_the_end(wire: Wire, end: bytes) -> None:
    """What follows the closing delimiter means nothing (RFC 2046 5.1.1), not even a missing line end."""
    body = form(file_part(SOURCE)).removesuffix(b"\r\n") + end
    video_id, answer = post(wire, body, KIND)
    assert answer.is_complete
    assert wire.source(video_id) == SOURCE


@pytest.mark.parametrize(
    "preamble", [b"\r\n", b"This is a form.\r\n", b"--\r\n--x\r\n", b"--" + BOUNDARY[:-1].encode() + b"\r\n"]
)
def test_before_the_start(wire: Wire, preamble: bytes) -> None:
    """A preamble means nothing either."""
    video_id, answer = post(wire, preamble + form(file_part(SOURCE)), KIND)
    assert answer.is_complete
    assert wire.source(video_id) == SOURCE


def test_text_fields_are_passed_over(wire: Wire) -> None:
    fields = [text_part(f"field{number}", "x" * 1000) for number in range(64)]
    accepted(wire, *fields[:32], file_part(SOURCE), *fields[32:])
    video_id, answer = post(wire, form(*fields, *fields, file_part(SOURCE)), KIND)
    assert_problem(answer, "invalid-payload", detail="100 parts")
    assert wire.held(video_id)["pieces"] == []


HEAD = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'.encode()
MANY_HEADERS = [(f"X-{number}", "y") for number in range(100)]
HUGE_NAME = "x" * 9000
BROKEN = {
    "nothing": b"",
    "no delimiter": b"just some bytes",
    "cut in the head": HEAD[:40],
    "cut after the head": HEAD,
    "cut in the file": HEAD + SOURCE[:2000],
    "cut before the closing delimiter": HEAD + SOURCE + b"\r\n",
    "cut in the closing delimiter": HEAD + SOURCE + f"\r\n--{BOUNDARY}-".encode(),
    "another boundary": form(file_part(SOURCE), boundary="another"),
    "bare newlines": form(file_part(SOURCE)).replace(b"\r\n", b"\n"),
    "a header without a colon": f"--{BOUNDARY}\r\nContent-Disposition\r\n\r\nx\r\n--{BOUNDARY}--".encode(),
    "a huge header": form(file_part(SOURCE, filename=HUGE_NAME)),
    "a hundred headers": form(Part(SOURCE, (*MANY_HEADERS, (DISPOSITION, "form-data; name=file; filename=f")))),
    "a field without end": form(text_part("videoId", "x" * 70_000), file_part(SOURCE)),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_broken_forms(wire: Wire, broken: str) -> None:
    """Nothing of a broken form counts, and the same part can be sent again."""
    video_id, answer = post(wire, BROKEN[broken], KIND)
    assert_problem(answer, "invalid-payload")
    assert answer.json["detail"]
    assert wire.held(video_id)["pieces"] == []
    assert wire.send(video_id, None, SOURCE).is_complete


@pytest.mark.parametrize(
    "other",
    [
        "application/json",
        "application/octet-stream",
        "video/mp4",
        "multipart/mixed; boundary=x",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=" + "x" * 201,
        "multipart/form-data; boundary=\xe9",
        "",
    ],
)
def test_no_form_at_all(wire: Wire, other: str) -> None:
    video_id, answer = post(wire, SOURCE, other)
    assert_problem(answer, "uploaded-file-no-file", name="file")
    assert wire.held(video_id)["pieces"] == []
    answer = wire.ask("POST", f"/videos/{video_id}/source", body=SOURCE)
    assert_problem(answer, "uploaded-file-no-file", name="file")


def test_no_form_is_no_excuse_for_a_wrong_header(wire: Wire) -> None:
    """The order of checks: the header comes before the form (contract.md 2.3)."""
    path = f"/videos/{wire.create()}/source"
    answer = wire.ask("POST", path, body=SOURCE, headers=[("Content-Range", "part 0/2")])
    assert_problem(answer, PART + "part-zero")


@pytest.mark.parametrize(
    ("sent", "title"),
    [
        ("/dir/sub/big.mp4", "big.mp4"),
        ("C:\\fakepath\\big.mp4", "big.mp4"),
        ("10m.mp4.part.a", "10m.mp4.part.a"),
        ("größe ☃.mp4", "größe ☃.mp4"),
        ("a\tb\x7f.mp4", "ab.mp4"),
        ("", "Untitled"),
        ("..", ".."),
        ("x" * 300 + ".mp4", "x" * 255),
    ],
)
def test_file_names_become_titles(wire: Wire, upload_token: str, sent: str, title: str) -> None:
    """Without folders (contract.md 0, fact 17, and 2.4: Go sends the whole path)."""
    answer = wire.upload(upload_token, None, SOURCE, filename=sent)
    assert answer.json["title"] == title
    assert (answer.json["public"], answer.json["tags"], answer.json["description"]) == (True, [], None)


def test_extended_file_name(wire: Wire, upload_token: str) -> None:
    """RFC 7578 forbids ``filename*``, some clients send it all the same."""
    for value, title in (("UTF-8''gr%C3%B6%C3%9Fe.mp4", "größe.mp4"), ("utf-8'de'dir%2Ffilm.mp4", "film.mp4")):
        part = Part(SOURCE, ((DISPOSITION, f'form-data; name="file"; filename*={value}'),))
        answer = wire.post_form(f"/upload?token={upload_token}", None, part, key=None)
        assert answer.json["title"] == title
