"""Fragment ends are found however the stream is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partway.errors import MediaMalformed
from partway.media.boxes import box
from partway.media.fragment_ends import FragmentEnds

WIDE = b"\0\0\0\x01mdat" + (16 + 5).to_bytes(8, "big") + b"12345"
BOXES = (box(b"ftyp", b"isom"), box(b"moov", bytes(50)), box(b"moof", bytes(9)), box(b"mdat"), box(b"mdat", bytes(30)))


@given(st.lists(st.sampled_from((*BOXES, WIDE)), max_size=12), st.lists(st.integers(0, 400), max_size=10))
def test_the_latest_end_is_that_of_the_last_whole_mdat(boxes: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(boxes)
    expected, at = {0: 0}, 0
    for one in boxes:
        at += len(one)
        expected[at] = at if one[4:8] == b"mdat" else expected[max(expected)]
    ends = FragmentEnds()
    places = sorted({min(cut, len(stream)) for cut in cuts} | {len(stream)})
    for low, high in zip([0, *places], places, strict=False):
        ends.feed(stream[low:high])
        assert ends.latest == expected[max(place for place in expected if place <= high)]


def test_what_is_no_box_is_refused() -> None:
    with pytest.raises(MediaMalformed):
        FragmentEnds().feed(b"\0\0\0\x03mdat")
