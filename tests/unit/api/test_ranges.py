"""The Range and If-None-Match headers: any text gives a range inside the size, everything, or the 416."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from partway.api.ranges import ByteRange, is_held, parse_range

SIZES = st.integers(1, 10**12)
TEXTS = st.text("bytes=0123456789-, \t", max_size=40) | st.text(max_size=20)


@given(TEXTS, SIZES)
@example("bytes=-0", 5)
@example("bytes=" + "9" * 30 + "-", 5)
@example("bytes=٣-٤", 9)
def test_any_text(header: str, size: int) -> None:
    try:
        found = parse_range(header, size)
    except ValueError:
        return
    if found is not None:
        assert 0 <= found.offset < found.offset + found.length <= size


@given(SIZES, st.data())
def test_first_and_last(size: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, size - 1))
    last = data.draw(st.integers(first, 2 * size))
    length = min(last, size - 1) - first + 1
    assert parse_range(f"bytes={first}-{last}", size) == ByteRange(first, length)
    assert parse_range(f"bytes={first}-", size) == ByteRange(first, size - first)
    suffix = data.draw(st.integers(1, 2 * size))
    assert parse_range(f"bytes=-{suffix}", size) == ByteRange(max(0, size - suffix), min(suffix, size))


@pytest.mark.parametrize("header", [None, "", "bytes", "bytes=0-1,2-3", "items=0-1", "bytes=2-1", "bytes=1-x"])
def test_everything(header: str | None) -> None:
    assert parse_range(header, 10) is None


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=10-20", "bytes=-0"])
def test_outside(header: str) -> None:
    with pytest.raises(ValueError, match=r"beyond|empty"):
        parse_range(header, 10)


@pytest.mark.parametrize(
    ("header", "held"),
    [
        (None, False),
        ("", False),
        ('"a"', True),
        ('W/"a"', True),
        ('"b", "a"', True),
        ("*", True),
        ('"b"', False),
        ("a", False),
        ('*, "b"', False),
    ],
)
def test_is_held(header: str | None, held: bool) -> None:
    assert is_held(header, '"a"') is held
