"""What can go wrong with a connection between two segments; each is the end of that connection alone.

Knows nothing of sockets, nor of what was carried.
"""

from __future__ import annotations

from enum import StrEnum

from streampy.errors import RunError


class LinkError(RunError):
    """A connection to another segment failed, or did not come to be."""


class ProtocolError(LinkError):
    """What came are not the bytes that the other end should have sent: garbage, an attack, or another program."""

    def __init__(self, where: str, got: str, expected: str) -> None:
        self.where, self.got, self.expected = where, got, expected
        super().__init__(where, got, expected)

    def __str__(self) -> str:
        return f"{self.where}: got {self.got}, expected {self.expected}"


class Why(StrEnum):
    """Why a connection was refused, for a machine; the text beside it is for people."""

    VERSION = "version"
    PROCESS = "process"
    TOKEN = "token"  # noqa: S105 - the word
    CERTIFICATE = "certificate"
    TLS = "tls"
    PROTOCOL = "protocol"
    TIMEOUT = "timeout"
    BUSY = "busy"


class Refused(LinkError):
    """One of the two ends would not go on with the handshake; the other one is told the same text, if it can be."""

    def __init__(self, why: Why, text: str) -> None:
        self.why, self.text = why, text
        super().__init__(why, text)

    def __str__(self) -> str:
        return self.text


class PeerLost(LinkError):
    """The other end is gone without taking its leave: it died, it hangs, or the network between is cut."""
