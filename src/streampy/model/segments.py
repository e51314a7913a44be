"""What is said of segments, and of the links on which they reach each other: names, addresses, certificates, windows.

Knows nothing of the units in them (`cut` does), nor of sockets: no address is looked up here, and no file is opened.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from functools import partial
from math import inf
from typing import Any, Final

from streampy.errors import Problem
from streampy.model.measure import parse_duration
from streampy.model.origin import NOWHERE, Origin
from streampy.model.pipe import Crashed
from streampy.model.suggest import choose

KeyPath = tuple[str | int, ...]
ARROW = "->"
"""Stands between the segment that dials and the one that listens."""
_MOST_PORT = 65535
_TCP = r"tcp://(?:\[(?P<six>[^\]\s]+)\]|(?P<host>[^\s:/\[\]@?#]+)):(?P<port>\d{1,5})"
_FILE = "file://"
_BROKER = r"(?:nats|kafka)://[^\s/]+\S*"
_PASSWORD = r"(?<=://)[^/\s@]*@"  # noqa: S105 - where it stands


UNANSWERED: Final = 1 << 16
"""Items of one link that other segments may have at once, however many replicas there are: joins have room for them."""


class Ack(StrEnum):
    """When an item that went to another segment is no longer the sender's."""

    PROCESSED = "processed"
    """When it has ended there, with all that became of it. If the replica that has it dies, another one is given it."""
    NONE = "none"
    """When it was sent: it comes once at the most. For what is worth nothing when it is late."""


@dataclass(frozen=True, slots=True)
class Tls:
    """The files, in PEM, with which two segments make sure of each other; "" where one is not given.

    ca: whose certificates the other side may have. For a dialler without one: any that the system trusts. A listener
    with one lets nobody in who has no certificate of these.
    cert, key: what the side shows of itself: a listener must, a dialler where it is asked.
    name: whose certificate a dialler expects, where that is not the host that it dials.
    """

    ca: str = ""
    cert: str = ""
    key: str = ""
    name: str = ""

    def __post_init__(self) -> None:
        if bool(self.cert) != bool(self.key):
            given, missing = ("cert", "key") if self.cert else ("key", "cert")
            raise ValueError(f"{given} is of no use without the other half: add `{missing}`")

    @classmethod
    def of(cls, given: Tls | Mapping[str, str] | None) -> Tls | None:
        """From a mapping with some of the fields. Raises ValueError for others."""
        if given is None or isinstance(given, Tls):
            return given
        known = [one.name for one in fields(cls)]
        for key in (key for key in given if key not in known):
            raise ValueError(f"tls: got {key!r}, expected {', '.join(known)}")
        return cls(**given)


@dataclass(frozen=True, slots=True)
class SegmentSpec:
    """Units that live together as one program. Raises ValueError, beginning with the name of what is wrong."""

    name: str
    units: tuple[str, ...]
    """As they were named, used processes among them; in a plan all units, in the order of the process."""
    replicas: int = 1
    """How many such programs there are, each with all its units."""
    listen: str = ""
    """`tcp://host:port`, where others reach it; port 0: any that is free. "" where nobody said."""
    tls: Tls | None = None
    token: str = field(default="", repr=False)
    """What others must know to be let in."""
    on_crash: Crashed = Crashed.STOP
    """What `streampy run` of all segments does when one of these is killed: all end, or it is started again."""
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)
    told: frozenset[KeyPath] = field(default=frozenset(), compare=False, repr=False)
    """The key paths, below the segment, of what was left out because it is wrong, and reported as such before."""

    def __post_init__(self) -> None:
        if not _is_whole(self.replicas):
            raise ValueError(f"replicas: got {self.replicas!r}, expected a whole number, at least 1")
        _take(self, "listen", lambda address: address and read_listen(address))
        _take(self, "tls", Tls.of)
        _take(self, "on_crash", partial(choose, Crashed))

    def problem(self, message: str, *path: str | int) -> Problem:
        """What is wrong with this segment, at the place of `path` below it."""
        return _problem(self.origin, ("segments", self.name, *path), message)


@dataclass(frozen=True, slots=True)
class LinkSpec:
    """How one segment reaches another. Raises ValueError, beginning with the name of what is wrong.

    What goes from the dialler to the listener goes along it, and what goes back.
    """

    dialler: str
    listener: str
    dial: tuple[str, ...] = ()
    """Where replicas of the listener are: `tcp://host:port`, of which the host may be several; or `file:///path`, a
    file with one such address a line. Empty where nobody said."""
    tls: Tls | None = None
    token: str = field(default="", repr=False)
    """What the dialler says to be let in."""
    window: int = 64
    """How many items may be under way to each replica at once, so far as they have not ended there."""
    ack: Ack = Ack.PROCESSED
    deadline: float = inf
    """Seconds after which an item that nobody has answered becomes a tombstone."""
    via: str = field(default="", repr=False)
    """A broker that everything goes through, `nats://...` or `kafka://...`; "" where there is none."""
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)
    told: frozenset[KeyPath] = field(default=frozenset(), compare=False, repr=False)
    """As in `SegmentSpec`."""
    written: str = field(default="", compare=False, repr=False)
    """Its key, as it stands in the file."""

    def __post_init__(self) -> None:
        if not _is_whole(self.window):
            raise ValueError(f"window: got {self.window!r}, expected a whole number, at least 1")
        _take(self, "dial", lambda addresses: read_dial(addresses) if addresses else ())
        _take(self, "tls", Tls.of)
        _take(self, "ack", partial(choose, Ack))
        _take(self, "deadline", read_deadline)
        _take(self, "via", lambda broker: broker and read_broker(broker))

    def __str__(self) -> str:
        return f"{self.dialler} {ARROW} {self.listener}"

    @property
    def ends(self) -> frozenset[str]:
        """The two segments."""
        return frozenset((self.dialler, self.listener))

    @property
    def has_deadline(self) -> bool:
        """Whether an item must be answered within a time."""
        return self.deadline < inf

    def problem(self, message: str, *path: str | int) -> Problem:
        """What is wrong with this link, at the place of `path` below it."""
        return _problem(self.origin, ("links", self.written or str(self), *path), message)


def parse_address(address: str) -> tuple[str, int]:
    """Host and port of `tcp://host:port`; an IPv6 address stands in brackets there, and without them here.

    Raises ValueError, with what was got and expected.
    """
    found = re.fullmatch(_TCP, address)
    host = (found["six"] or found["host"]) if found else ""
    if found is not None and int(found["port"]) > _MOST_PORT:
        raise ValueError(f"got {address!r}, expected a port of at most {_MOST_PORT}")
    if found is None or (found["six"] and not _is_six(host)):
        raise ValueError(f"got {address!r}, expected tcp://HOST:PORT, such as tcp://core.example:7400{_hint(address)}")
    return host, int(found["port"])


def address_file(address: str) -> str:
    """The path of a file with addresses, `file:///path`; "" for an address by itself. Raises ValueError if bad."""
    if not address.startswith(_FILE):
        return ""
    path = address.removeprefix(_FILE)
    if not path.startswith("/") or path.endswith("/"):
        raise ValueError(f"got {address!r}, expected the whole path of a file, such as file:///etc/core.addresses")
    return path


def read_dial(value: object) -> tuple[str, ...]:
    """One address or several, as they were written. Raises ValueError, with what was got and expected."""
    several = list(value) if isinstance(value, list | tuple) else [value]
    addresses = tuple(one for one in several if isinstance(one, str))
    if len(addresses) != len(several) or not several:
        raise ValueError(f"got {value!r}, expected tcp://HOST:PORT, file:///PATH, or a list of them")
    for address in addresses:
        if not address_file(address) and not parse_address(address)[1]:
            raise ValueError(f"got {address!r}, expected the port at which the other segment listens, not 0")
    return addresses


def read_listen(value: object) -> str:
    """An address to listen at, as it was written. Raises ValueError, with what was got and expected."""
    if not isinstance(value, str):
        raise ValueError(f"got {value!r}, expected tcp://HOST:PORT, such as tcp://0.0.0.0:7400")  # noqa: TRY004 - one error for all that is wrong with it
    parse_address(value)
    return value


def read_broker(value: object) -> str:
    """Where a broker is, as it was written. Raises ValueError, with what was got and expected."""
    if not isinstance(value, str) or not re.fullmatch(_BROKER, value):
        got = without_password(value) if isinstance(value, str) else value
        raise ValueError(f"got {got!r}, expected nats://HOST:PORT or kafka://HOST:PORT")
    return value


def read_deadline(value: object) -> float:
    """Seconds, above 0. Raises ValueError, with what was got and expected."""
    seconds = parse_duration(value)
    if not seconds:
        raise ValueError(f"got {value!r}, expected a duration above 0: no item is answered in no time")
    return seconds


def read_link(key: object) -> tuple[str, str]:
    """Who dials whom: `edge -> core`. Raises ValueError, with what was got and expected."""
    ends = [end.strip() for end in key.split(ARROW)] if isinstance(key, str) else []
    if len(ends) != 2 or not all(ends):  # noqa: PLR2004 - it has two ends
        raise ValueError(f"got {key!r}, expected two segments, who dials and who listens: `edge -> core`")
    return ends[0], ends[1]


def without_password(address: str) -> str:
    """An address as it may be shown."""
    return re.sub(_PASSWORD, "", address)


def _take(spec: SegmentSpec | LinkSpec, name: str, read: Callable[[Any], object]) -> None:
    """Put in what a field was given as text; what is wrong is told with the field's name."""
    try:
        object.__setattr__(spec, name, read(getattr(spec, name)))
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _problem(origin: Origin, path: KeyPath, message: str) -> Problem:
    return Problem(*origin.place(path), ".".join(map(str, path)), message)


def _is_whole(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and number >= 1


def _is_six(host: str) -> bool:
    from ipaddress import AddressValueError, IPv6Address  # noqa: PLC0415 - 2 ms, and few addresses need it

    try:
        IPv6Address(host)
    except AddressValueError:
        return False
    return True


def _hint(address: str) -> str:
    """What was probably meant by what is no address."""
    host = address.rpartition("://")[2].rstrip("/")
    six, colon, port = host.rpartition(":")
    if colon and _is_six(six):
        host = f"[{six}]:{port}"
    meant = f"tcp://{host}"
    found = re.fullmatch(_TCP, meant)
    return f", did you mean {meant!r}?" if found and meant != address and int(found["port"]) <= _MOST_PORT else ""
