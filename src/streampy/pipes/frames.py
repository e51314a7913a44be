"""What travels between two OS processes of one run: small messages, each a head and parts.

Knows nothing of sockets, nor of who sends what when. Both ends are the same program on the same machine, so there is no
version in it, and what comes out is trusted: this is nothing for a network. A message, little endian:

    head      kind u8, flag u8, number of parts u16, number u64 (what these two say depends on the kind, see `Kind`)
    lengths   u32 for each part
    parts     the bytes, one part behind the other

It is cut into packets, because a packet must fit the socket's buffer: the first one of up to 64 KiB holds head and
lengths, the others nothing but the bytes that follow.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from typing import Any, Final, NamedTuple, TypeAlias

from streampy.model.headers import Headers
from streampy.model.item import NO_META, Header

Buffer: TypeAlias = "bytes | bytearray | memoryview"
FIRST: Final = 1 << 16
"""Bytes of a first packet at the most."""
MOST_PARTS: Final = 1000
"""They go into one system call, which takes 1024."""
_MOST_BYTES: Final = (1 << 32) - 1
_HEAD: Final = struct.Struct("<BBHQ")
_WIDTH: Final = 4
_ONE: Final = struct.Struct("<BBHQI")
"""Head and length of a message with one part: most are that, and small."""
_new: Final = tuple.__new__
"""Makes a header in half the time that its own `__new__` takes, which is written in Python."""


class Kind(IntEnum):
    """What a message is about. A pipe goes one way; S is its sender, R its receiver."""

    BATCH = 1
    """S: `number` items. Parts: their headers and values, and the buffers of those. Flag: an answer is asked for."""
    GIVE_BACK = 2
    """R: `number` items no longer wait, so there is room for as many."""
    ANSWER = 3
    """R: as GIVE_BACK. Part: the headers of what was dropped, and an error or None. Flag: this answers a BATCH."""
    END = 4
    """S: nothing more comes."""
    NEWS = 5
    """Either: what whoever made the pipe has to tell. Part: a pickle."""
    ERROR = 6
    """Either: this end has failed. Part: a pickle of the error."""
    BYE = 7
    """R: nobody gets any more; `number` items were read since the beginning."""
    RELEASE = 8
    """R: as GIVE_BACK, and its codec needs something no more that the other one keeps. Part: how that codec says it."""


class Message(NamedTuple):
    """One message; `parts` are never looked into here."""

    kind: int
    number: int = 0
    flag: bool = False
    parts: Sequence[Buffer] = ()


class Head(NamedTuple):
    """What the first packet says of the message."""

    kind: int
    number: int
    flag: bool
    sizes: tuple[int, ...]
    """Bytes of each part."""

    @property
    def length(self) -> int:
        """Bytes of the head and the lengths."""
        return _HEAD.size + _WIDTH * len(self.sizes)

    def message(self, body: memoryview) -> Message:
        """The message; its parts are views of the body."""
        parts, start = [], 0
        for size in self.sizes:
            parts.append(body[start : start + size])
            start += size
        return Message(self.kind, self.number, self.flag, parts)


def read_head(packet: bytes) -> Head:
    """The head of a first packet."""
    kind, flag, parts, number = _HEAD.unpack_from(packet)
    return Head(kind, number, bool(flag), struct.unpack_from(f"<{parts}I", packet, _HEAD.size))


def short(message: Message) -> bytes | None:
    """The one packet of a message with at most one part, which is small; None for others: see `cut`."""
    if not message.parts:
        return _HEAD.pack(message.kind, message.flag, 0, message.number)
    if len(message.parts) > 1 or type(part := message.parts[0]) is not bytes or len(part) > FIRST - _ONE.size:
        return None
    return _ONE.pack(message.kind, message.flag, 1, message.number, len(part)) + part


def read_short(packet: bytes) -> Message | None:
    """The message of `short`; None where it is another one, or where more packets are to come."""
    kind, flag, parts, number = _HEAD.unpack_from(packet)
    if not parts:
        return Message(kind, number, flag == 1)
    if parts > 1 or len(packet) != _ONE.size + int.from_bytes(packet[_HEAD.size : _ONE.size], "little"):
        return None
    return Message(kind, number, flag == 1, (memoryview(packet)[_ONE.size :],))


def cut(message: Message, most: int) -> Iterator[Sequence[Buffer]]:
    """The packets of a message: what is to be sent at once each. `most`: bytes of all but the first.

    Raises ValueError where it is too large to be a message.
    """
    views = [part if type(part) is bytes else memoryview(part).cast("B") for part in message.parts]
    sizes = list(map(len, views))
    total = sum(sizes)
    if len(views) > MOST_PARTS or total > _MOST_BYTES:
        raise ValueError(
            f"a message of {total} bytes in {len(views)} parts: expected at most {_MOST_BYTES} bytes in {MOST_PARTS} "
            f"parts; send smaller batches"
        )
    head = _HEAD.pack(message.kind, message.flag, len(sizes), message.number) + struct.pack(f"<{len(sizes)}I", *sizes)
    if len(head) + total <= FIRST:
        return iter([[b"".join([head, *views])]])
    return _cut_long(head, map(memoryview, views), most)


def _cut_long(head: bytes, views: Iterable[memoryview], most: int) -> Iterator[Sequence[Buffer]]:
    packet: list[Buffer] = [head]
    room = FIRST - len(head)
    for view in views:
        rest = view
        while len(rest) > room:
            yield [*packet, rest[:room]]
            rest, packet, room = rest[room:], [], most
        packet.append(rest)
        room -= len(rest)
    yield packet


def columns_of(headers: Sequence[Header]) -> tuple[Any, ...]:
    """The headers as plain values that can be pickled: see `Columns`; of one alone its fields, of none nothing."""
    if type(headers) is Headers:
        return headers.columns
    if len(headers) == 1:
        stream, seq, born, path, deadline, meta = headers[0]
        return stream, seq, born, path, deadline, None if meta is NO_META else {**meta}
    return Headers.of(headers).columns if headers else ()


def headers_of(columns: tuple[Any, ...]) -> Sequence[Header]:
    """See `columns_of`."""
    if not columns:
        return []
    stream, seq, born, path, deadline, meta = columns
    if type(seq) is int:
        return [_new(Header, (stream, seq, born, path, deadline, NO_META if meta is None else meta))]
    return Headers(columns)
