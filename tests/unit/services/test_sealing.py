"""Seals: what we wrote is read, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partway.services.sealing import seal, unseal

SECRET = b"a secret"
AT = 1_800_000_000_000_000
TEXT = st.text(max_size=40).filter(lambda text: "\0" not in text and text.isprintable())


@given(TEXT, TEXT, st.integers(1, 10**15))
def test_a_seal_says_until_when(purpose: str, subject: str, life: int) -> None:
    text = seal(SECRET, purpose, subject, expires_at=AT + life)
    assert len(text) == 48
    found = unseal(SECRET, purpose, subject, text, at=AT)
    assert found is not None
    assert found.expires_at == AT + life
    assert unseal(SECRET, purpose, subject, text, at=AT + life - 1) == found
    assert unseal(SECRET, purpose, subject, text, at=AT + life) is None


def test_no_two_are_alike() -> None:
    seals = [seal(SECRET, "token", "vi1/0", expires_at=AT) for _ in range(1000)]
    nonces = {found.nonce for text in seals if (found := unseal(SECRET, "token", "vi1/0", text, at=0))}
    assert len(set(seals)) == len(nonces) == 1000


@pytest.mark.parametrize(
    ("secret", "purpose", "subject"),
    [
        (b"another", "token", "vi1/0"),
        (SECRET, "session", "vi1/0"),
        (SECRET, "token", "vi2/0"),
        (SECRET, "token", "vi1/1"),
    ],
)
def test_it_is_good_for_one_thing_alone(secret: bytes, purpose: str, subject: str) -> None:
    text = seal(SECRET, "token", "vi1/0", expires_at=AT + 1)
    assert unseal(secret, purpose, subject, text, at=AT) is None
    assert unseal(SECRET, "token", "vi1/0", text, at=AT) is not None


def test_no_bit_may_differ() -> None:
    text = seal(SECRET, "token", "vi1/0", expires_at=AT + 1)
    for at, letter in enumerate(text):
        for other in "AZaz09-_+/=. é\0":
            if other != letter:
                assert unseal(SECRET, "token", "vi1/0", text[:at] + other + text[at + 1 :], at=0) is None


@given(st.one_of(st.text(), st.text("abcXYZ019-_+/=", min_size=48, max_size=48)))
def test_anything_else_is_none(text: str) -> None:
    assert unseal(SECRET, "token", "vi1/0", text, at=0) is None


@pytest.mark.parametrize(
    "change", [lambda text: text + "=", lambda text: text + "\n", lambda text: text[:-1], str.upper]
)
def test_there_is_one_way_to_write_it(change) -> None:
    text = seal(SECRET, "token", "vi1/0", expires_at=AT + 1)
    assert unseal(SECRET, "token", "vi1/0", change(text), at=AT) is None
