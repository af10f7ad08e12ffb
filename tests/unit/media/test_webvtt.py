"""WebVTT: what a player shows passes, what it would silently drop does not, any bytes give one of the two."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partway.errors import MediaMalformed
from partway.media.webvtt import LINES_MAX, count_cues

CUE = "00:01.000 --> 00:02.500"

GOOD = {
    "WEBVTT": 0,
    "WEBVTT\n": 0,
    "\ufeffWEBVTT - a title\n\n": 0,
    "WEBVTT\tx\nKind: captions\nLanguage: en\n\n": 0,
    f"WEBVTT\n\n{CUE}\nHello\n": 1,
    f"WEBVTT\n{CUE}\nright below\n": 1,
    f"WEBVTT\r\n\r\n1\r\n{CUE}\r\n- Hi\r\n- Ho\r\n\r\n2\r\n{CUE}\r\n": 2,
    f"WEBVTT\r\r{CUE}\rold\r": 1,
    f"WEBVTT\n\n{CUE} align:start position:10%,line-left\nText": 1,
    f"WEBVTT\n\nNOTE a word\nand more\n\n{CUE}\nText": 1,
    f"WEBVTT\n\nSTYLE\n::cue {{ color: red }}\n\nREGION\nid:fred\n\n{CUE}\nText": 1,
    f"WEBVTT\n\n{CUE}\nText\n \n\n\n\n{CUE}\nText": 2,
    f"WEBVTT\n\n{CUE}\nA line\u2028that\x0b is one\n": 1,
    "WEBVTT\n\n123:59:59.999-->124:00:00.000\nlong\n": 1,
    "WEBVTT\n\n1:00:00.000 --> 1:00:00.000\none digit, no time\n": 1,
    f"WEBVTT\n\n{CUE}\nlater\n\n00:00.000 --> 00:01.000\nearlier\n": 2,
}


@pytest.mark.parametrize("text", GOOD, ids=repr)
def test_what_a_player_shows(text: str) -> None:
    assert count_cues(text.encode()) == GOOD[text]


BAD = {
    "": "WEBVTT",
    "webvtt\n": "WEBVTT",
    " WEBVTT\n": "WEBVTT",
    "WEBVTTX\n": "WEBVTT",
    f"1\n{CUE}\nSubRip\n": "WEBVTT",
    "WEBVTT\n\nno cue at all": "Line 3",
    "WEBVTT\n\nno cue\n\n": "Line 3",
    f"WEBVTT\n\nno cue\nat all\n\n{CUE}\nText": "Line 3",
    "WEBVTT\n\n00:00:01,000 --> 00:00:02,000\nSubRip's comma": "Line 3",
    "WEBVTT\n\n00:00:01.00 --> 00:00:02.000\n": "Line 3",
    "WEBVTT\n\n00:61.000 --> 00:62.000\n": "Line 3",
    "WEBVTT\n\n00:60:00.000 --> 01:00:00.000\n": "Line 3",
    "WEBVTT\n\n00:02.000 --> 00:01.000\n": "ends before",
    f"WEBVTT\n\n{CUE}align:start\n": "Line 3",
    f"WEBVTT\n\n{CUE}\nan arrow --> in the text\n": "Line 4",
    "WEBVTT\n\n--> 00:01.000\n": "Line 3",
    "WEBVTT\n\n٠٠:٠١.٠٠٠ --> 00:02.000\n": "Line 3",
    f"WEBVTT\n\n{CUE}\n\0": "NUL",
}


@pytest.mark.parametrize("text", BAD, ids=repr)
def test_what_it_would_drop(text: str) -> None:
    with pytest.raises(MediaMalformed, match=BAD[text]):
        count_cues(text.encode())


@pytest.mark.parametrize(
    "content", [b"\xff\xfeW\0E\0B\0", b"WEBVTT\n\n\xe9", b"\x89PNG\r\n\x1a\n", b"WEBVTT\n\xed\xa0\x80"]
)
def test_no_utf_8(content: bytes) -> None:
    with pytest.raises(MediaMalformed, match="UTF-8"):
        count_cues(content)


def test_too_many_lines() -> None:
    with pytest.raises(MediaMalformed, match="lines"):
        count_cues(b"WEBVTT" + b"\n" * (LINES_MAX + 1))


@given(st.lists(st.sampled_from(["WEBVTT", CUE, "NOTE", "text", "1", "", "-->", " ", "\ufeff", "STYLE x", "\0"])))
def test_any_lines(lines: list[str]) -> None:
    """Whatever is accepted has as many cues as it has arrows, and keeps them with any line ends."""
    try:
        found = count_cues("\n".join(lines).encode())
    except MediaMalformed:
        return
    assert found == sum("-->" in line for line in lines)
    for end in ("\r\n", "\r"):
        assert count_cues(end.join(lines).encode()) == found


@given(st.binary())
def test_any_bytes(content: bytes) -> None:
    for prefix in (b"", b"WEBVTT\n\n", b"WEBVTT\n\n00:01.000 --> "):
        with contextlib.suppress(MediaMalformed):
            assert count_cues(prefix + content) >= 0


@pytest.mark.parametrize(
    ("filling", "is_good"),
    [
        (b"-->", False),
        (b" -->", True),
        (b" 00:", True),
        (b"\t", True),
        (b"\r", False),
        (b"\n-", False),
        (b"\n:00.000 ", False),
        (b"\n00:01.000 --> 00:02.000 x y z", True),
    ],
)
def test_hostile_files_end(filling: bytes, is_good: bool) -> None:
    """Work grows with the size and not with its square: if it did, none of these would end before the tests' limit."""
    content = b"WEBVTT\n\n00:01.000 --> 00:02.000" + filling * (2**22 // len(filling))
    if is_good:
        assert count_cues(content) >= 1
        return
    with pytest.raises(MediaMalformed):
        count_cues(content)
