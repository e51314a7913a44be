"""How two ends come to know each other: version, token, who they are, what they can bear, and their clocks.

Knows nothing of sockets: it is given frames, and says which to send. Both begin with the same ten bytes, for ever:

    STREAMPY, version u16 big endian

    dialler   HELLO      who it is, its limits, a nonce
    listener  CHALLENGE  whether a token is asked for, a nonce
    dialler   PROOF      that it knows the token
    listener  WELCOME    its own proof, who it is, the lower limits
    dialler   PING       its clock; eight times
    listener  PONG       both clocks
    dialler   READY      what came of it; from here on frames of all kinds go both ways

Either may say REFUSED, with the reason, instead of what it should. Who has a token refuses an end without one, too.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Generator, Mapping
from dataclasses import astuple, dataclass, field
from math import isfinite
from typing import Any, Final, NamedTuple, TypeAlias, final

from streampy.pipes.net import proof
from streampy.pipes.net.clocks import Offset, Trip, estimate
from streampy.pipes.net.codec import WireCodec
from streampy.pipes.net.errors import ProtocolError, Refused, Why
from streampy.pipes.net.frames import Frame, FrameReader, Kind, kind_name, to_wire
from streampy.pipes.net.limits import GREETING, Limits

VERSION: Final = 1
_OPENING: Final = struct.Struct(">8sH")
_MAGIC: Final = b"STREAMPY"
_TRIPS: Final = 8
_MOST_TRIPS: Final = 64
_LONGEST: Final = 200
"""Characters of a name."""
_SHOWN: Final = 500
"""Characters of what the other end says that are told to people."""
_OTHERS: Final = {
    b"\x16\x03": "the beginning of TLS; the other end dials with `tls`, here is none: give it to both, or to none",
    b"\x15\x03": "a word of TLS; the other end listens with `tls`, here is none: give it to both, or to none",
    b"GET ": "a request of HTTP; this port is for segments of StreamPy",
    b"HTTP": "an answer of HTTP; there is a web server at this address, no segment of StreamPy",
    b"SSH-": "the beginning of SSH; there is an SSH server at this address, no segment of StreamPy",
}
"""How other programs begin, which people take for this one."""
_codec: Final = WireCodec()


class Identity(NamedTuple):
    """Who is at an end."""

    process: str
    segment: str
    replica: str = ""
    epoch: int = 0
    """Higher for each new start of the same replica: 0 or more."""

    def __str__(self) -> str:
        return "/".join(filter(None, (self.process, self.segment, self.replica)))


Accept: TypeAlias = "Callable[[Identity], str]"
"""Why an end is not accepted, for people; "" where it is."""


@dataclass(frozen=True, slots=True)
class Terms:
    """With what an end goes into a handshake."""

    who: Identity
    token: str = field(default="", repr=False)
    """Shared by both ends, and secret; "" for none."""
    limits: Limits = Limits()  # noqa: RUF009 - it is frozen
    accept: Accept = lambda _: ""
    """Asked once the token is proven, and the name of the process is the same."""


class Greeted(NamedTuple):
    """What a handshake has brought."""

    who: Identity
    """At the other end."""
    limits: Limits
    """For both ways."""
    clock: Offset
    """The other end's clock less the one here."""


_Steps: TypeAlias = Generator[Frame | None, Frame, tuple[Greeted, Frame | None]]
"""Gives the frame to send, is sent the one that came; in the end, what it brought and the last frame to send."""


@final
class Handshake:
    """One end of it. Feed it what has come by `go_on`, until `greeted` is there; after an error, send `last_words`."""

    __slots__ = ("_is_met", "_steps", "greeted")

    def __init__(self, steps: _Steps) -> None:
        self._steps = steps
        self._is_met = False
        """Whether the opening of the other end has come."""
        self.greeted: Greeted | None = None

    def start(self) -> bytes:
        """What is sent first."""
        return _OPENING.pack(_MAGIC, VERSION) + _bytes(next(self._steps))

    def go_on(self, reader: FrameReader) -> bytes:
        """What is to be sent next; frames behind the handshake are left in the reader, with the limits agreed.

        Raises Refused, ProtocolError: that is the end of the connection.
        """
        if not self._is_met and not self._meet(reader):
            return b""
        out = []
        while self.greeted is None and (frame := reader.take()) is not None:
            try:
                answer = self._steps.send(frame)
            except StopIteration as end:
                self.greeted, answer = end.value
                reader.limits = end.value[0].limits
            out.append(_bytes(answer))
        return b"".join(out)

    def close(self) -> None:
        """It is not gone on with."""
        self._steps.close()

    def _meet(self, reader: FrameReader) -> bool:
        there = reader.peek()[: _OPENING.size]
        if not _MAGIC.startswith(there[: len(_MAGIC)]):
            told = next((text for begin, text in _OTHERS.items() if there.startswith(begin[: len(there)])), repr(there))
            raise ProtocolError("the beginning of a connection", told, f"{_MAGIC.decode()} and a version")
        opening = reader.take_bytes(_OPENING.size)
        if opening is None:
            return False
        version = _OPENING.unpack(opening)[1]
        if version != VERSION:
            text = (
                f"the other end speaks version {version} of the protocol between segments, this end version {VERSION}"
            )
            raise Refused(Why.VERSION, f"{text}; install the same StreamPy at both ends")
        self._is_met = True
        return True


def dial(terms: Terms, now: Callable[[], float], wanted: str = "") -> Handshake:
    """The end that has opened the connection. wanted: the segment that should be there; "" for any."""
    return Handshake(_dial(terms, now, wanted))


def listen(terms: Terms, now: Callable[[], float]) -> Handshake:
    """The end that was reached."""
    return Handshake(_listen(terms, now))


def refusal(error: Refused) -> bytes:
    """What an end that does not even begin says instead."""
    return _OPENING.pack(_MAGIC, VERSION) + last_words(error)


def last_words(error: BaseException) -> bytes:
    """What the other end is told when this one does not go on."""
    why = error.why if isinstance(error, Refused) else Why.PROTOCOL
    return _bytes(_frame(Kind.REFUSED, why=str(why), text=str(error)[:_SHOWN]))


def _dial(terms: Terms, now: Callable[[], float], wanted: str) -> _Steps:
    hello = _frame(Kind.HELLO, **_told(terms, terms.limits), nonce=proof.nonce())
    challenge = yield hello
    asked = _read(challenge, Kind.CHALLENGE, token=bool, nonce=bytes)
    if asked["token"] and not terms.token:
        raise Refused(
            Why.TOKEN, "a token is asked for by the end that listens, and the one that dials has none; give it"
        )
    if terms.token and not asked["token"]:
        raise Refused(
            Why.TOKEN, "a token was given to the end that dials, and none to the one that listens; give it to both"
        )
    said = {"hello": bytes(hello.parts[0]), "challenge": bytes(challenge.parts[0])}
    welcome = yield _frame(Kind.PROOF, proof=proof.prove(terms.token, proof.DIALLER, **said))
    told = _read(welcome, Kind.WELCOME, proof=bytes, who=list, limits=list)
    if not proof.is_proof(told["proof"], terms.token, proof.LISTENER, **said):
        raise Refused(
            Why.TOKEN, "the end that listens does not know the token of the one that dials; give both the same"
        )
    who = _who(told)
    _check_process(who, terms)
    if wanted not in {"", who.segment}:
        raise Refused(
            Why.PROCESS, f"segment {wanted!r} was dialled, and {who.segment!r} is there; look at the addresses"
        )
    limits = _lower(told, terms.limits)
    trips = []
    for number in range(_TRIPS):
        sent = now()
        pong = yield Frame(Kind.PING, number)
        trips.append(Trip(sent, _seconds(_read(pong, Kind.PONG, clock=float)["clock"]), now()))
    clock = estimate(trips)
    return Greeted(who, limits, clock), _frame(Kind.READY, offset=clock.seconds, error=clock.error)


def _listen(terms: Terms, now: Callable[[], float]) -> _Steps:
    hello = yield None
    told = _read(hello, Kind.HELLO, nonce=bytes, who=list, limits=list)
    who = _who(told)
    challenge = _frame(Kind.CHALLENGE, token=bool(terms.token), nonce=proof.nonce())
    given = yield challenge
    said = {"hello": bytes(hello.parts[0]), "challenge": bytes(challenge.parts[0])}
    if not proof.is_proof(_read(given, Kind.PROOF, proof=bytes)["proof"], terms.token, proof.DIALLER, **said):
        raise Refused(Why.TOKEN, f"{who} does not know the token of this end; give both the same")
    _check_process(who, terms)
    if text := terms.accept(who):
        raise Refused(Why.PROCESS, text)
    limits = _lower(told, terms.limits)
    own = proof.prove(terms.token, proof.LISTENER, **said)
    frame = yield _frame(Kind.WELCOME, **_told(terms, limits), proof=own)
    for _ in range(_MOST_TRIPS):
        if frame.kind != Kind.PING:
            break
        frame = yield _frame(Kind.PONG, frame.number, clock=now())
    ready = _read(frame, Kind.READY, offset=float, error=float)
    return Greeted(who, limits, Offset(_seconds(ready["offset"]), _seconds(ready["error"])).reversed), None


def _check_process(who: Identity, terms: Terms) -> None:
    if who.process != terms.who.process:
        text = (
            f"one end is of process {who.process!r}, the other of process {terms.who.process!r}; look at the addresses"
        )
        raise Refused(Why.PROCESS, text)


def _told(terms: Terms, limits: Limits) -> dict[str, Any]:
    return {"who": list(terms.who), "limits": list(astuple(limits))}


def _who(told: Mapping[str, Any]) -> Identity:
    given = told["who"]
    if [str, str, str, int] != list(map(type, given)) or given[3] < 0 or max(map(len, given[:3])) > _LONGEST:
        raise ProtocolError("a handshake", "a strange identity", "process, segment, replica and epoch")
    if not all(name.isprintable() for name in given[:3]):
        raise ProtocolError("a handshake", "names that can't be printed", "names")
    return Identity(*given)


def _lower(told: Mapping[str, Any], limits: Limits) -> Limits:
    given = told["limits"]
    if {int} != set(map(type, given)) or len(given) != len(astuple(limits)):
        raise ProtocolError("a handshake", "strange limits", "numbers: frame, head, parts")
    try:
        return Limits(*given).lower(limits)
    except ValueError as error:
        raise ProtocolError("a handshake", f"limits that are none ({error})", "limits") from error


def _seconds(given: float) -> float:
    if not isfinite(given):
        raise ProtocolError("a handshake", "a time that is no number", "seconds")
    return given


def _frame(kind: Kind, number: int = 0, **content: Any) -> Frame:
    return Frame(kind, number, parts=(_codec.encode(content).head,))


def _bytes(frame: Frame | None) -> bytes:
    return b"" if frame is None else b"".join(to_wire(frame, GREETING))


def _read(frame: Frame, kind: Kind, **fields: type) -> dict[str, Any]:
    """What a frame of the handshake says. Raises Refused where it is the other end's refusal, else ProtocolError."""
    if frame.kind == Kind.REFUSED:
        told = _content(frame, why=str, text=str)
        why = Why(told["why"]) if told["why"] in set(Why) else Why.PROTOCOL
        raise Refused(why, f"the other end refused the connection: {printable(told['text'])}")
    if frame.kind != kind:
        raise ProtocolError("a handshake", f"a frame of kind {kind_name(frame.kind)}", kind.name)
    return _content(frame, **fields)


def _content(frame: Frame, **fields: type) -> dict[str, Any]:
    content = _codec.decode(frame.parts[0] if frame.parts else b"")
    if type(content) is not dict or {name: type(one) for name, one in content.items()} != fields:
        expected = ", ".join(f"{name}: {kind.__name__}" for name, kind in fields.items())
        raise ProtocolError(f"{kind_name(frame.kind)} of a handshake", "strange content", expected)
    return content


def printable(text: str) -> str:
    """What the other end says, so that it can be shown and logged."""
    return "".join(char if char.isprintable() else "?" for char in text[:_SHOWN])
