"""TLS by the standard library: who must show a certificate, and what went wrong, in words.

Knows nothing of connections. TLS 1.3 only: both ends are StreamPy's own.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from streampy.pipes.net.errors import Refused, Why


@dataclass(frozen=True, slots=True)
class Tls:
    """The files, in PEM, of one end. For mutual TLS both ends give all three.

    Raises, when a context is made of it, OSError (ssl.SSLError too) where a file can't be read or is none, and
    ValueError where one is missing.
    """

    ca: str | Path = ""
    """Whose certificates are believed. At the end that dials "" stands for those that the machine believes; at the end
    that listens "" means that who dials need not show one."""
    cert: str | Path = ""
    """Of this end, with what is between it and the CA."""
    key: str | Path = ""
    server_name: str = ""
    """At the end that dials: the name that must be in the certificate; "" for the one that is dialled."""

    def dialling(self) -> ssl.SSLContext:
        """For the end that opens connections."""
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=str(self.ca) or None)
        if self.cert:
            context.load_cert_chain(self.cert, self.key or None)
        return _hardened(context)

    def listening(self) -> ssl.SSLContext:
        """For the end that is reached."""
        if not self.cert:
            raise ValueError("tls: an end that listens needs `cert` and `key`; `streampy certs` makes them for tests")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.cert, self.key or None)
        if self.ca:
            context.load_verify_locations(self.ca)
            context.verify_mode = ssl.CERT_REQUIRED
        return _hardened(context)


def _hardened(context: ssl.SSLContext) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


_NO_TLS: Final = "what came is not TLS; give `tls` to both ends, or to none"
_WORDS: Final = {
    "WRONG_VERSION_NUMBER": (Why.TLS, _NO_TLS),
    "HTTP_REQUEST": (Why.TLS, _NO_TLS),
    "RECORD_LAYER_FAILURE": (Why.TLS, _NO_TLS),
    "PACKET_LENGTH_TOO_LONG": (Why.TLS, _NO_TLS),
    "UNEXPECTED_EOF_WHILE_READING": (
        Why.TLS,
        "the other end closed amid TLS; perhaps it does not believe this end's CA",
    ),
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": (
        Why.CERTIFICATE,
        "the other end showed no certificate, and this one asks for it (it has a `ca`); give it `cert` and `key`",
    ),
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": (
        Why.CERTIFICATE,
        "the other end asks for a certificate, and this one has none; give `cert` and `key`",
    ),
    "TLSV1_ALERT_UNKNOWN_CA": (Why.CERTIFICATE, "the other end does not believe the CA of this end's certificate"),
    "SSLV3_ALERT_BAD_CERTIFICATE": (Why.CERTIFICATE, "the other end does not accept this end's certificate"),
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": (Why.CERTIFICATE, "this end's certificate has expired"),
}


def explain(error: ssl.SSLError) -> Refused:
    """What it means, and what to do."""
    if isinstance(error, ssl.SSLCertVerificationError):
        text = f"the other end's certificate is not accepted: {error.verify_message}; look at `ca` and `server_name`"
        return Refused(Why.CERTIFICATE, text)
    reason = error.reason or type(error).__name__
    why, text = _WORDS.get(reason, (Why.TLS, f"TLS failed: {reason.replace('_', ' ').lower()}"))
    return Refused(why, text)
