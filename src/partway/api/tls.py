"""The certificate that ``partway serve`` shows: one given, or one of our own making kept in the data folder."""

from __future__ import annotations

import ipaddress
import os
import ssl
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from partway.errors import ConfigurationError

_LIFE = timedelta(days=825)
"""The longest that Apple's systems accept from a certificate their user has trusted."""
_RENEWED_BEFORE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Certificate:
    """Two PEM files: the certificate with its chain, and its key."""

    chain: Path
    key: Path

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, as browsers show it."""
        return _read(self.chain).fingerprint(hashes.SHA256()).hex(":").upper()


def given_certificate(chain: str, key: str) -> Certificate:
    """A certificate and its key by their paths, proven to fit each other.

    Raises:
        ConfigurationError: one is missing, or can't be read, or they don't fit.
    """
    if not chain or not key:
        raise ConfigurationError("tls_cert and tls_key go together: two PEM files.")
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # Without this OpenSSL would ask on the terminal for the password of an encrypted key.
        context.load_cert_chain(chain, key, password=_no_password)
    except (OSError, ssl.SSLError) as error:
        reason = getattr(error, "reason", None) or error.strerror or error
        raise ConfigurationError(f"The certificate {chain} can't be used with the key {key}: {reason}.") from error
    return Certificate(Path(chain).absolute(), Path(key).absolute())


def own_certificate(folder: Path, names: Collection[str]) -> Certificate:
    """The self-signed certificate of a data folder; made anew when it ends soon or lacks one of the names.

    Args:
        names: host names and IP addresses it has to be good for, besides localhost.

    Raises:
        ConfigurationError: the folder can't be written to.
    """
    made = Certificate(folder / "tls" / "cert.pem", folder / "tls" / "key.pem")
    wanted = {"localhost", "127.0.0.1", "::1", *names}
    if not _is_good(made, wanted):
        try:
            made.chain.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _make(made, sorted(wanted))
        except OSError as error:
            raise ConfigurationError(f"The certificate can't be kept in {folder}: {error.strerror}.") from error
    return made


def _is_good(made: Certificate, wanted: Collection[str]) -> bool:
    """Whether what an earlier start has left is fit; one that was killed between its two files has left nothing."""
    try:
        given_certificate(str(made.chain), str(made.key))
        certificate = _read(made.chain)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ConfigurationError, ValueError, x509.ExtensionNotFound):
        return False
    known = {*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))}
    return known >= set(wanted) and datetime.now(UTC) + _RENEWED_BEFORE < certificate.not_valid_after_utc


def _make(target: Certificate, names: Sequence[str]) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "partway, self-signed")])
    now = datetime.now(UTC)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # Yesterday, for clients whose clock is behind.
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _LIFE)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        # No authority: whoever trusts it trusts this server alone, and strict clients refuse an authority as a server.
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(identifier, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
    )
    certificate = builder.sign(key, hashes.SHA256())
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write(target.key, secret, 0o600)
    _write(target.chain, certificate.public_bytes(serialization.Encoding.PEM), 0o644)


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _read(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"The certificate {path} can't be read: {error.strerror}.") from error


def _write(path: Path, content: bytes, mode: int) -> None:
    """Whole or not at all."""
    beside = path.with_suffix(".new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    beside.replace(path)


def _no_password() -> str:
    raise ConfigurationError("The key is encrypted; partway takes a key without a password.")
