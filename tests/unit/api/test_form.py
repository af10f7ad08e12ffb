"""The form parser: any split of the bytes gives the same form, any bytes a form or a refusal, in bounded memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from partway.api.body import BodyStream
from partway.api.form import Form
from partway.errors import BodyBroken, ClientGone, FileMissing, FileTooLarge, PartwayError

BOUNDARY = b"b-b"
MOST = 64 * 2**20
Message = dict[str, object]


@dataclass
class Sender:
    """An ASGI ``receive`` that hands out these buffers; ``is_cut`` ends in a disconnect instead of the body's end."""

    buffers: Sequence[bytes]
    is_cut: bool = False
    at: int = 0

    async def __call__(self) -> Message:
        if self.at == len(self.buffers):
            return {"type": "http.disconnect"} if self.is_cut else {"type": "http.request", "body": b""}
        self.at += 1
        return {"type": "http.request", "body": self.buffers[self.at - 1], "more_body": True}


@dataclass
class Seen:
    """What there was in a form."""

    fields: dict[str, str]
    files: list[tuple[str, bytes]]


def a_form(
    receive: Callable[[], object], kind: bytes = b"multipart/form-data; boundary=" + BOUNDARY, most: int = MOST
) -> Form:
    scope = {"type": "http", "headers": [(b"content-type", kind)]}
    return Form(BodyStream(scope, receive), most)  # type: ignore[arg-type]


async def read(form: Form) -> Seen:
    files = []
    while (file := await form.next_file()) is not None:
        files.append((file.filename, b"".join([buffer async for buffer in file.buffers()])))
    return Seen(dict(form.fields), files)


def drive(coroutine: object) -> Seen:
    """Run a coroutine that never has to wait."""
    try:
        coroutine.send(None)  # type: ignore[attr-defined]
    except StopIteration as done:
        found: Seen = done.value
        return found
    raise AssertionError("it waits for something")


def outcome(buffers: Sequence[bytes], **options: bool) -> Seen | tuple[type[PartwayError], str]:
    try:
        return drive(read(a_form(Sender(buffers, **options))))
    except (BodyBroken, FileMissing, ClientGone) as error:
        return type(error), str(error) if isinstance(error, FileMissing) else ""


def split(body: bytes, cuts: Sequence[int]) -> list[bytes]:
    places = [0, *sorted({min(cut, len(body)) for cut in cuts}), len(body)]
    return [body[start:end] for start, end in pairwise(places)]


def part(name: str, body: bytes, filename: str | None = None) -> bytes:
    named = f'form-data; name="{name}"' + ("" if filename is None else f'; filename="{filename}"')
    return b"--" + BOUNDARY + b"\r\nContent-Disposition: " + named.encode() + b"\r\n\r\n" + body + b"\r\n"


END = b"--" + BOUNDARY + b"--\r\n"
NEAR = b"\r\n--" + BOUNDARY
WORDS = st.sampled_from(
    [b"\r", b"\n", b"-", b"--", b"b", b"b-", b"b-b", NEAR[:-1], NEAR[1:], b"\r\n--", b"x", b"\0", b"\xff"]
)
CONTENTS = st.lists(WORDS, max_size=12).map(b"".join).filter(lambda body: NEAR not in b"\r\n" + body + b"\r\n--")
NAMES = st.text("abc ö;'", min_size=1, max_size=6)
TEXTS = st.tuples(NAMES, CONTENTS, st.none())
FILES = st.tuples(NAMES, CONTENTS, NAMES)
CUTS = st.lists(st.integers(0, 800), max_size=30)


@given(
    st.lists(TEXTS | FILES, max_size=6),
    CUTS,
    st.sampled_from([b"", b"\r\n", b"preamble\r\n"]),
    st.sampled_from([b"", b"x" * 9]),
)
def test_every_split_gives_the_form_that_was_written(
    parts: list[tuple[str, bytes, str | None]], cuts: list[int], preamble: bytes, epilogue: bytes
) -> None:
    body = preamble + b"".join(part(*one) for one in parts) + END + epilogue
    fields: dict[str, str] = {}
    for name, content, filename in parts:
        if filename is None:
            fields.setdefault(name, content.decode("utf-8", "replace").replace("\0", "\ufffd"))
    expected = Seen(fields, [(filename, content) for _, content, filename in parts if filename is not None])
    assert outcome([body]) == expected
    assert outcome([body[at : at + 1] for at in range(len(body))]) == expected
    assert outcome(split(body, cuts)) == expected


SCRAPS = st.sampled_from(
    [
        b"--" + BOUNDARY,
        b"\r\n",
        b"--",
        b"Content-Disposition: form-data; name=a",
        b'; filename="f',
        b'"',
        b"; filename*=utf-8''%ff%00",
        b": ",
        b"\r\n\r\n",
        END,
        b" \t",
        b"\xff\0\x80",
    ]
)


@given(st.lists(SCRAPS | st.binary(max_size=8), max_size=30).map(b"".join), CUTS)
@example(b"--b-b--", [3])
@example(b"--b-b\r\n\r\n\r\n--b-b--", [7, 8])
@example(b"--b-b\r\nContent-Disposition: form-data; filename*=x'y'%\r\n\r\n\r\n--b-b--", [])
def test_any_bytes_give_a_form_or_a_refusal(body: bytes, cuts: list[int]) -> None:
    """The same one however they are cut; and a connection that ends is never taken for a form's end."""
    whole = outcome([body])
    assert isinstance(whole, Seen) or whole[0] is BodyBroken
    assert outcome(split(body, cuts)) == whole
    assert outcome([body[at : at + 1] for at in range(len(body))]) == whole
    cut = outcome(split(body, cuts), is_cut=True)
    assert cut == (ClientGone, "") or cut == whole == (BodyBroken, "")


@given(
    st.text(st.characters(codec="latin-1"), max_size=80)
    | st.sampled_from(["multipart/form-data", "multipart/form-data; boundary="])
)
@example("multipart/form-data; boundary=\r\n")
@example("multipart/form-data; boundary=" + "x" * 300)
@example('multipart/form-data; boundary="')
def test_any_content_type(kind: str) -> None:
    form = a_form(Sender([b""]), kind.encode("latin-1"))
    with pytest.raises((FileMissing, BodyBroken)):
        drive(read(form))


def endless(piece: bytes, start: bytes = b"") -> Callable[[], object]:
    """A sender that never ends."""
    sent = [start]

    async def receive() -> Message:
        return {"type": "http.request", "body": sent.pop() if sent else piece, "more_body": True}

    return receive


@pytest.mark.parametrize(
    ("start", "piece", "refusal"),
    [
        (b"", b"\r\n" * 32_768, BodyBroken),
        (b"", b"x" * 65_536, BodyBroken),
        (END, b"x" * 65_536, BodyBroken),
        (part("a", b""), part("a", b"") * 100, BodyBroken),
        (b"--" + BOUNDARY + b"\r\n", b"X" * 65_536, BodyBroken),
        (b"--" + BOUNDARY + b"\r\n", b"X: y\r\n" * 10_000, BodyBroken),
        (b"--" + BOUNDARY + b"\r\nX: ", b"y" * 65_536, BodyBroken),
        (part("a", b"")[:-2], b"x" * 65_536, BodyBroken),
        (part("a", b"", "f"), part("a", b"", "f") * 100, BodyBroken),
        (part("a", b"", "f")[:-2], b"x" * 65_536, FileTooLarge),
        (part("a", b"", "f")[:-2], (NEAR + b"x") * 50 + b"x" * 65_536, FileTooLarge),
        (part("a", b"", "f")[:-2], b"\r" * 65_536, FileTooLarge),
        (part("a", b"", "f")[:-2], NEAR * 10_000, BodyBroken),
    ],
)
def test_endless_forms_end(start: bytes, piece: bytes, refusal: type[PartwayError]) -> None:
    """Each is refused before it has cost more memory than a few buffers."""

    async def pass_over(form: Form) -> Seen:
        while (file := await form.next_file()) is not None:
            async for _ in file.buffers():
                pass
        return Seen({}, [])

    tracemalloc.start()
    try:
        with pytest.raises(refusal):
            drive(pass_over(a_form(endless(piece, start), most=8 * 2**20)))
        assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.anyio
async def test_next_file_passes_over_the_rest_of_an_earlier_one() -> None:
    body = part("one", b"x" * 5000, "a.mp4") + part("two", b"y", "b.mp4") + part("videoId", b"vi1") + END
    form = a_form(Sender(split(body, range(0, 6000, 100))))
    first = await form.next_file()
    assert first is not None
    reading: AsyncIterator[bytes] = first.buffers()
    assert await anext(reading)
    second = await form.next_file()
    assert second is not None
    assert (first.filename, second.filename) == ("a.mp4", "b.mp4")
    assert form.fields == {}
    assert await form.next_file() is None
    assert await form.next_file() is None
    assert form.fields == {"videoId": "vi1"}


@pytest.mark.parametrize(
    ("disposition", "filename"),
    [
        ('form-data; name="f"; filename="a.mp4"', "a.mp4"),
        ('form-data; name="f"; filename="/dir/a.mp4"', "a.mp4"),
        ('form-data; name="f"; filename="C:\\dir\\a.mp4"', "a.mp4"),
        ('form-data; name="f"; filename="dir/"', ""),
        ("form-data; name=\"f\"; filename*=UTF-8''%C3%B6.mp4", "ö.mp4"),
        ("form-data; name=\"f\"; filename*=iso-8859-1'en'%F6.mp4", "ö.mp4"),
        ("form-data; name=\"f\"; filename*=UTF-8''%2Fdir%2Fa.mp4", "a.mp4"),
        ('form-data; name="f"; filename="plain.mp4"; filename*=UTF-8\'\'other.mp4', "plain.mp4"),
        ('form-data; name="f"; filename="a\x00\x1b[2J.mp4"', "a[2J.mp4"),
    ],
)
def test_file_names(disposition: str, filename: str) -> None:
    head = b"--" + BOUNDARY + b"\r\nContent-Disposition: " + disposition.encode() + b"\r\n\r\n"
    assert outcome([head + b"x\r\n" + END]) == Seen({}, [(filename, b"x")])


def test_what_is_no_file() -> None:
    for disposition in (
        b"form-data; name=f",
        b"form-data; name=f; filename*=nonsense",
        b"",
        b"; ; =;",
        b"form-data; name",
    ):
        head = b"--" + BOUNDARY + b"\r\nContent-Disposition: " + disposition + b"\r\n\r\n"
        found = outcome([head + b"x\r\n" + END])
        assert isinstance(found, Seen)
        assert found.files == []
