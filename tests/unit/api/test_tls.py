"""The certificate: made once, kept, and made again when it no longer fits; and one given, proven before it is used."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from partway.api import tls
from partway.api.tls import given_certificate, own_certificate
from partway.errors import ConfigurationError


def names_of(chain: Path) -> set[str]:
    alternative = x509.load_pem_x509_certificate(chain.read_bytes()).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    names = alternative.value
    return {*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))}


def test_it_is_made_once_and_kept(tmp_path: Path) -> None:
    first = own_certificate(tmp_path, {"videos.example.com", "192.0.2.7"})
    assert names_of(first.chain) == {"localhost", "127.0.0.1", "::1", "videos.example.com", "192.0.2.7"}
    assert stat.S_IMODE(first.key.stat().st_mode) == 0o600
    fingerprint = first.fingerprint
    assert own_certificate(tmp_path, {"192.0.2.7"}).fingerprint == fingerprint


def test_a_name_it_lacks_makes_it_anew(tmp_path: Path) -> None:
    fingerprint = own_certificate(tmp_path, set()).fingerprint
    anew = own_certificate(tmp_path, {"videos.example.com"})
    assert anew.fingerprint != fingerprint
    assert "videos.example.com" in names_of(anew.chain)


def test_it_is_made_anew_before_it_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls, "_LIFE", timedelta(days=29))
    ending = own_certificate(tmp_path, set()).fingerprint
    monkeypatch.undo()
    renewed = own_certificate(tmp_path, set())
    assert renewed.fingerprint != ending
    read = x509.load_pem_x509_certificate(renewed.chain.read_bytes())
    assert read.not_valid_after_utc > datetime.now(UTC) + timedelta(days=800)


@pytest.mark.parametrize("lost", ["cert.pem", "key.pem"])
def test_half_a_pair_is_none(tmp_path: Path, lost: str) -> None:
    """What a kill between the two files leaves: a key that doesn't belong to the certificate, or one file alone."""
    own_certificate(tmp_path, set())
    (tmp_path / "tls" / lost).unlink()
    whole = own_certificate(tmp_path, set())
    assert given_certificate(str(whole.chain), str(whole.key)) == whole


def test_one_given_has_to_fit(tmp_path: Path) -> None:
    mine = own_certificate(tmp_path / "mine", set())
    other = own_certificate(tmp_path / "other", set())
    with pytest.raises(ConfigurationError, match="can't be used"):
        given_certificate(str(mine.chain), str(other.key))
    with pytest.raises(ConfigurationError, match="No such file"):
        given_certificate(str(mine.chain), str(tmp_path / "nowhere.pem"))
    with pytest.raises(ConfigurationError, match="go together"):
        given_certificate(str(mine.chain), "")


def test_an_encrypted_key_is_refused_in_words(tmp_path: Path) -> None:
    mine = own_certificate(tmp_path, set())
    key = serialization.load_pem_private_key(mine.key.read_bytes(), None)
    locked = tmp_path / "locked.pem"
    locked.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    with pytest.raises(ConfigurationError, match="without a password"):
        given_certificate(str(mine.chain), str(locked))
