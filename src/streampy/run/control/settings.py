"""How a segment is reached from outside, as whoever starts it says.

Knows nothing of what is said there.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from ipaddress import ip_address
from socket import AF_INET, AF_INET6, create_server, socket
from typing import Final

from streampy.errors import RunError, StreamPyError
from streampy.model.segments import parse_address

OFF: Final = "off"
ON: Final = "on"


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlSettings:
    """`where` is `on` (a unix socket in the user's runtime folder), `off`, or `tcp://HOST:PORT` beside that.

    Off loopback there must be a token. run: the pid of whoever started all segments together, 0 for this OS process.
    replica: which of the OS processes of the segment this is.
    """

    where: str = ON
    token: str = ""
    run: int = 0
    replica: int = 0

    def __post_init__(self) -> None:
        if self.where in {ON, OFF}:
            return
        try:
            host, _ = parse_address(self.where)
        except ValueError as error:
            raise StreamPyError(f"control: got {self.where!r}, expected on, off or tcp://HOST:PORT: {error}") from error
        if not self.token and not is_loopback(host):
            raise StreamPyError(
                f"control: {self.where} can be reached from other machines, so it needs a token: "
                "set STREAMPY_TOKEN, or listen at tcp://127.0.0.1:PORT"
            )

    @classmethod
    def of(cls, told: str | ControlSettings, *, run: int = 0, replica: int = 0) -> ControlSettings:
        """From what was said; what was not comes from STREAMPY_CONTROL and STREAMPY_TOKEN. Raises StreamPyError."""
        if isinstance(told, ControlSettings):
            return told
        where = told or os.environ.get("STREAMPY_CONTROL") or ON
        return cls(where=where, token=os.environ.get("STREAMPY_TOKEN", ""), run=run, replica=replica)

    @property
    def is_off(self) -> bool:
        """Whether nobody is to reach it."""
        return self.where == OFF

    def listen(self) -> socket | None:
        """The TCP socket beside the unix one; None where there is none. Raises RunError where it can't be had."""
        if self.where in {ON, OFF}:
            return None
        host, port = parse_address(self.where)
        try:
            return create_server((host, port), family=AF_INET6 if ":" in host else AF_INET, backlog=128)
        except OSError as error:
            raise RunError(f"control can't listen at {self.where}: {error}") from error


def is_loopback(host: str) -> bool:
    """Whether a host can only be reached from this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
