"""The ``Content-Range`` header, both ways (contract.md 2.1)."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from partway.dialects.apivideo import parse, render
from partway.errors import RangeMalformed
from partway.ledger import Address, ByteSpan, PartNumber, Whole

numbers = st.integers(0, 2**53)
addresses: st.SearchStrategy[Address] = st.one_of(
    st.just(Whole()),
    st.builds(PartNumber, numbers, st.none() | numbers),
    st.builds(ByteSpan, numbers, numbers, st.none() | numbers),
)


@given(addresses)
def test_round_trip(address: Address) -> None:
    assert parse(render(address)) == address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("part 1/3", PartNumber(1, 3)),
        ("part 12/*", PartNumber(12)),
        ("bytes 0-104857599/281905832", ByteSpan(0, 104857599, 281905832)),
        ("bytes 0-5242879/*", ByteSpan(0, 5242879)),
        ("PART 1/3", PartNumber(1, 3)),
        ("Bytes 0-9/10", ByteSpan(0, 9, 10)),
        (" part 1/3\t", PartNumber(1, 3)),
        ("part   1 / 3", PartNumber(1, 3)),
        ("part\t1/\t*", PartNumber(1)),
        ("bytes \t 0 - 9 / 10", ByteSpan(0, 9, 10)),
        # As one documented curl line sends it.
        ("part%201%2F3", PartNumber(1, 3)),
        ("bytes%200-9%2f10", ByteSpan(0, 9, 10)),
        ("part 007/010", PartNumber(7, 10)),
        # What the ledger refuses by name is no matter of syntax.
        ("part 0/0", PartNumber(0, 0)),
        ("bytes 9-0/0", ByteSpan(9, 0, 0)),
        (f"part {2**53}/*", PartNumber(2**53)),
        (None, Whole()),
    ],
)
def test_taken(text: str | None, address: Address) -> None:
    assert parse(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "part",
        "part 1",
        "part1/3",
        "part 1/",
        "part /3",
        "part */3",
        "part */*",
        "part -1/3",
        "part +1/3",
        "part 1.0/3",
        "part 1e3/*",
        "part 1/3, part 2/3",
        "part 1/3\n",
        "part 1/3\r\n",
        "part\n1/3",
        "parts 1/3",
        "part ١/٣",
        "bytes 0-5242879",
        "bytes 0-",
        "bytes -5/10",
        "bytes */10",
        "bytes 0/10",
        "bytes=0-9/10",
        "bytes 0-9/10/11",
        "items 0-9/10",
        f"part {2**53 + 1}/*",
        f"part 1/{2**53 + 1}",
        f"bytes 0-{10**16}/*",
        "part " + "9" * 5000 + "/*",
        "part%25201/3",
        "1/3",
    ],
)
def test_malformed(text: str) -> None:
    with pytest.raises(RangeMalformed):
        parse(text)


def test_the_refusal_shows_no_more_than_the_beginning() -> None:
    with pytest.raises(RangeMalformed) as caught:
        parse("part " + "\x00" * 5000)
    assert len(str(caught.value)) < 400


scraps = st.sampled_from(
    ["part", "bytes", " ", "\t", "/", "-", "*", "0", "7", "00", "%20", "%2F", "\n", "\x00", "PART", "²"]
)


@given(st.text() | st.lists(scraps, max_size=12).map("".join))
@example("part " + "1" * 16 + "/" + "1" * 16)
@example("bytes" + " " * 100_000)
@example("part 1" + " " * 100_000)
@example("%2" * 50_000)
def test_any_text_gives_an_address_or_one_error(text: str) -> None:
    try:
        address = parse(text)
    except RangeMalformed:
        return
    assert isinstance(address, PartNumber | ByteSpan)
    assert parse(render(address)) == address
