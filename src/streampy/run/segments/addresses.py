"""Which addresses a link's names stand for now.

Knows nothing of connections. A name that can't be looked up, or a file that can't be read, has none for the moment; why
is kept for whoever asks.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, final

from streampy.model.segments import address_file, parse_address


class Address(NamedTuple):
    """Where an OS process may be."""

    host: str
    """IP."""
    port: int
    name: str
    """Under which it was looked up."""

    def __str__(self) -> str:
        told = f"[{self.host}]" if ":" in self.host else self.host
        return f"tcp://{told}:{self.port}"


@final
class Addresses:
    """Those of one link. To look them up may take seconds."""

    def __init__(self, dial: Sequence[str]) -> None:
        """Dial: `tcp://host:port`, or `file:///path` with one such address a line."""
        self._dial = dial
        self.trouble = ""
        """Why there are none, or fewer."""

    def __str__(self) -> str:
        return ", ".join(self._dial) or "no address"

    def find(self) -> list[Address]:
        """All that there are now, in a steady order."""
        self.trouble = ""
        found = [address for one in self._named() for address in self._look_up(one)]
        return sorted(set(found))

    def _named(self) -> Iterator[str]:
        for one in self._dial:
            file = address_file(one)
            if not file:
                yield one
                continue
            try:
                lines = Path(file).read_text().splitlines()
            except OSError as error:
                self.trouble = f"{file}: {error.strerror or error}"
                continue
            yield from (told for line in lines if (told := line.partition("#")[0].strip()))

    def _look_up(self, address: str) -> Iterator[Address]:
        try:
            name, port = parse_address(address)
            known = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
        except ValueError as error:
            self.trouble = str(error)
        except OSError as error:
            self.trouble = f"{address}: {error.strerror or error}"
        else:
            for *_, where in known:
                yield Address(str(where[0]), port, name)
