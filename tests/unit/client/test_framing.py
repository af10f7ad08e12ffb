"""The frame round a file is what a multipart parser takes apart again."""

from __future__ import annotations

import email.policy
from email.parser import BytesParser

from hypothesis import given
from hypothesis import strategies as st

from partway.client.framing import frame

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


@given(NAMES, st.binary(max_size=200))
def test_a_parser_finds_the_one_file(name, data):
    framed = frame(name)
    body = framed.head + data + framed.tail
    assert len(body) == framed.content_length(len(data))
    head, _, rest = body.partition(b"\r\n\r\n")
    assert rest == data + f"\r\n--{framed.boundary}--\r\n".encode()
    lines = head.split(b"\r\n")
    assert lines[0] == f"--{framed.boundary}".encode()
    assert len(lines) == 3, "no name can add a header"
    assert lines[1].count(b'"') == 4, "no name can end its quotes"


def test_the_standard_library_reads_it():
    framed = frame('a "b".mp4', boundary="xyz")
    raw = b"Content-Type: " + framed.content_type.encode() + b"\r\n\r\n" + framed.head + b"12\r\n3" + framed.tail
    (part,) = BytesParser(policy=email.policy.HTTP).parsebytes(raw).iter_parts()
    assert part.get_filename() == "a %22b%22.mp4"
    assert part.get_payload(decode=True) == b"12\r\n3"


def test_boundaries_differ():
    assert frame("a").boundary != frame("a").boundary
