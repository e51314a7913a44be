"""A CA of one's own with a certificate for each end: for tests, and for a few machines of one owner.

Knows nothing of connections. Needs `cryptography` (`pip install "streampy[certs]"`).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_CLOCKS_DIFFER: Final = timedelta(minutes=5)
"""A certificate is valid from so long ago on: the other machine's clock may be slow."""
_USAGE: Final = {"server": ExtendedKeyUsageOID.SERVER_AUTH, "client": ExtendedKeyUsageOID.CLIENT_AUTH}


@dataclass(frozen=True, slots=True)
class Certificates:
    """Where they lie, in PEM. The key of the CA is kept beside it: with it further certificates could be made."""

    ca: Path
    ca_key: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path


class _Signed(NamedTuple):
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def make_certificates(
    folder: Path, names: Sequence[str] = ("localhost", "127.0.0.1"), valid: timedelta = timedelta(days=365)
) -> Certificates:
    """Make a CA, and certificates of it for the end that listens (`server`) and the one that dials (`client`).

    Args:
        folder: where the files go; it is made where it is missing. Files of these names are replaced.
        names: under which the end that listens is dialled: host names, or IP addresses.
        valid: for how long; below 0, they have expired.

    Raises OSError. Only the owner of the files may read the keys.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ca = _sign("StreamPy CA", None, valid, [])
    made = Certificates(*(folder / f"{name}.{kind}" for name in ("ca", "server", "client") for kind in ("pem", "key")))
    _write(ca, made.ca, made.ca_key)
    server = _sign(
        names[0], ca, valid, [(x509.SubjectAlternativeName(list(map(_name, names))), False), _usage("server")]
    )
    _write(server, made.server, made.server_key)
    _write(_sign("StreamPy client", ca, valid, [_usage("client")]), made.client, made.client_key)
    return made


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _usage(end: str) -> tuple[x509.ExtensionType, bool]:
    return x509.ExtendedKeyUsage([_USAGE[end]]), False


def _sign(
    name: str, ca: _Signed | None, valid: timedelta, extensions: Sequence[tuple[x509.ExtensionType, bool]]
) -> _Signed:
    """A key and its certificate, signed by the CA, or by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer = _Signed(None, key) if ca is None else ca  # type: ignore[arg-type]
    issuer = subject if ca is None else ca.certificate.subject
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(now, now + valid) - _CLOCKS_DIFFER)
        .not_valid_after(now + valid)
        .add_extension(x509.BasicConstraints(ca=ca is None, path_length=0 if ca is None else None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key()), critical=False)
        .add_extension(_key_usage(signs=ca is None), critical=True)
    )
    for extension, is_critical in extensions:
        builder = builder.add_extension(extension, critical=is_critical)
    return _Signed(builder.sign(signer.key, hashes.SHA256()), key)


def _key_usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _write(signed: _Signed, certificate: Path, key: Path) -> None:
    certificate.write_bytes(signed.certificate.public_bytes(serialization.Encoding.PEM))
    secret = signed.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    key.unlink(missing_ok=True)  # an older one may be readable for others
    with open(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123 - a descriptor
        file.write(secret)
