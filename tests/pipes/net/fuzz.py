"""Mutated bytes against the codec, the frames and the handshake: nothing but their errors, little memory, little time.

    python -m tests.pipes.net.fuzz --count 1000000 [--seed N]

Each round takes what a good end would send, spoils it by chance, and gives it to the other end. Whatever comes out must
be a value or one of `EXPECTED`; it may take no more than `MOST_SECONDS` and `MOST_BYTES`.
"""

# ruff: noqa: T201, S311 - a program that prints; chance, not secrets

from __future__ import annotations

import argparse
import resource
import sys
import tracemalloc
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from random import Random
from time import monotonic, process_time
from typing import Final
from uuid import UUID

import numpy as np
import pyarrow as pa
from tests.pipes.net.ends import CREDIT, ENDED, ITEMS, feed
from tests.pipes.net.values import Box, Score, a_codec

from streampy.model.item import Batch, Header, Item
from streampy.pipes.net import handshake
from streampy.pipes.net.codec import Message
from streampy.pipes.net.errors import ProtocolError, Refused
from streampy.pipes.net.frames import Frame, FrameReader, Kind, kind_name, to_wire
from streampy.pipes.net.handshake import Handshake, Identity, Terms
from streampy.pipes.net.limits import GREETING, Limits

MOST_SECONDS: Final = 1.0
"""Of the CPU, for one spoiled message: a good one takes a thousandth."""
MOST_BYTES: Final = 64 << 20
"""That one spoiled message may take at once; the frames of the rounds are limited to a quarter of it."""
LIMITS: Final = Limits(frame=16 << 20, head=1 << 20)
STRANGE: Final = [0, 1, 0x7F, 0x80, 0xFF, 0xC1, 0xC7, 0xC9, 0xD8, 0xDD, 0xDF]
CODEC: Final = a_codec()
KEEN: Final = 500
"""Each so many rounds memory is looked at closely, which makes a round ten times slower."""


class Wrong(Exception):
    """A spoiled message did what it must not."""


@cache
def messages() -> list[Message]:
    """Good ones, of all kinds of values."""
    header = Header("camera", 17, 12345.5, (1, 2), 12346.5, {"shift": 3, "who": ("a", 1)})
    table = pa.table({"x": range(50), "s": ["a", "b"] * 25, "d": pa.array(["u", None] * 25).dictionary_encode()})
    nested = {"boxes": [Box((1, 2.5), "cat"), Score(Decimal("1.5"), "x")], ("k", 1): {1, 2}, None: frozenset({b"x"})}
    records = np.zeros(30, [("a", "<i4"), ("b", "<f8", (2,)), ("c", "U3")])
    values = [
        nested,
        [2**100, -1, 1.5, 1j, True, datetime(2026, 1, 2, tzinfo=UTC), UUID(int=5), "текст", b"y" * 9000],
        np.arange(5000).reshape(50, 100),
        np.asfortranarray(np.ones((3, 4), "c16")),
        records,
        np.datetime64("2026-01-01"),
        table,
        table.to_batches()[0],
        Item({"a": (1,)}, header),
    ]
    follow = [Header("camera", seq, 1.5) for seq in range(len(values))]
    made = [CODEC.encode_batch(Batch([value], [header])) for value in values]
    made.append(CODEC.encode_batch(Batch(values, follow)))
    made.append(CODEC.encode_batch(Batch(values, [header._replace(seq=seq * 2) for seq in range(len(values))])))
    return [Message(head, [bytes(one) for one in buffers]) for head, buffers in made]


@cache
def stream() -> bytes:
    """Good frames, small and large."""
    frames = [
        Frame(ITEMS, 1, 2, 3, (b"head", b"x" * 100)),
        Frame(Kind.PING, 5),
        Frame(ENDED, 6, parts=(b"y" * 300,)),
        Frame(ITEMS, 7, parts=(b"h", b"z" * 70_000, b"", b"w" * 5)),
        Frame(CREDIT, 2**64 - 1, 2**32 - 1),
    ]
    return b"".join(bytes(buffer) for frame in frames for buffer in to_wire(frame, LIMITS))


def spoil(data: bytes, chance: Random) -> bytes:
    """The bytes with a few things changed: bits, bytes, pieces cut out, doubled, or put in."""
    spoiled = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 4, 16))):
        at = chance.randrange(len(spoiled) + 1)
        length = chance.choice((1, 2, 4, 8, chance.randrange(64)))
        match chance.randrange(6):
            case 0 if at < len(spoiled):
                spoiled[at] ^= 1 << chance.randrange(8)
            case 1 if at < len(spoiled):
                spoiled[at] = chance.choice(STRANGE)
            case 2:
                del spoiled[at : at + length]
            case 3:
                spoiled[at:at] = spoiled[at : at + length]
            case 4:
                spoiled[at:at] = chance.randbytes(length)
            case _:
                spoiled[at : at + length] = bytes([chance.choice(STRANGE)]) * length
    return bytes(spoiled) if chance.random() < 0.9 else bytes(spoiled[: chance.randrange(len(spoiled) + 1)])


def codec_round(chance: Random) -> str:
    """A spoiled head, or a spoiled buffer, or both."""
    head, buffers = chance.choice(messages())
    which = chance.randrange(3)
    if which or not buffers:
        head = spoil(head, chance)
    if which != 1:
        buffers = [spoil(one, chance) for one in buffers]
    try:
        batch = CODEC.decode_batch(head, buffers)
    except ProtocolError:
        return "refused"
    if len(batch) != len(batch.headers):
        raise Wrong("a batch without a header for each value")
    return "taken"


def frames_round(chance: Random) -> str:
    """A spoiled stream, in pieces of any size."""
    data = spoil(stream(), chance)
    reader = FrameReader(LIMITS)
    step = chance.choice((7, 1000, 100_000))
    pieces = [data[at : at + step] for at in range(0, min(len(data), 300 * step), step)]
    try:
        for piece in pieces:
            for frame in feed(reader, piece):
                kind_name(frame.kind)
    except ProtocolError:
        return "refused"
    return "taken"


def handshake_round(chance: Random) -> str:
    """Two ends, and what one of them says is spoiled at some moment."""
    token = chance.choice(("", "secret"))
    ends = (
        handshake.dial(Terms(Identity("faces", "edge"), token), monotonic, "core"),
        handshake.listen(Terms(Identity("faces", "core"), token), monotonic),
    )
    try:
        return _shake(ends, chance)
    except (ProtocolError, Refused):
        return "refused"
    finally:
        for end in ends:
            end.close()


def _shake(ends: tuple[Handshake, Handshake], chance: Random) -> str:
    readers = FrameReader(GREETING), FrameReader(GREETING)
    said = [ends[1].start(), ends[0].start()]
    moment = chance.randrange(24)
    for turn in range(60):
        number = turn % 2
        data, said[number] = said[number], b""
        if turn == moment:
            data = spoil(data, chance)
        for at in range(0, len(data), 4096):
            piece = data[at : at + 4096]
            place = readers[number].room()
            place[: len(piece)] = piece
            readers[number].filled(len(piece))
            said[1 - number] += ends[number].go_on(readers[number])
    return "taken" if ends[0].greeted and ends[1].greeted else "waits"


ROUNDS: Final[dict[str, Callable[[Random], str]]] = {
    "codec": codec_round,
    "frames": frames_round,
    "handshake": handshake_round,
}


def fuzz(count: int, seed: int) -> Counter[tuple[str, str]]:
    """So many rounds, as many of each kind; what came of them. Raises Wrong, with the round and the seed."""
    told: Counter[tuple[str, str]] = Counter()
    names = list(ROUNDS)
    messages()
    for number in range(count):
        name = names[number % len(names)]
        is_keen = number % KEEN < len(names)
        chance = Random(f"{seed} {number}")
        if is_keen:
            tracemalloc.start()
        began = process_time()
        try:
            told[name, ROUNDS[name](chance)] += 1
        except Exception as error:
            raise Wrong(f"round {number} of seed {seed} ({name}): {type(error).__name__}: {error}") from error
        took = process_time() - began
        peak = tracemalloc.get_traced_memory()[1] if is_keen else 0
        if is_keen:
            tracemalloc.stop()
        if took > MOST_SECONDS or peak > MOST_BYTES:
            raise Wrong(f"round {number} of seed {seed} ({name}): took {took:.2f} s and {peak} bytes")
    return told


def one(number: int, seed: int) -> None:
    """A round again, its error as it is."""
    print(ROUNDS[list(ROUNDS)[number % len(ROUNDS)]](Random(f"{seed} {number}")))


def main() -> None:
    """Run it, and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=Random().randrange(1 << 32))
    parser.add_argument("--only", type=int, help="this round again, its error as it is")
    chosen = parser.parse_args()
    if chosen.only is not None:
        one(chosen.only, chosen.seed)
        return
    print(f"seed {chosen.seed}", flush=True)
    fuzz(min(1000, chosen.count), chosen.seed)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = monotonic()
    told = fuzz(chosen.count, chosen.seed)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    for (name, what), times in sorted(told.items()):
        print(f"{name:10} {what:8} {times}")
    print(f"{chosen.count} rounds in {monotonic() - began:.0f} s; the peak of memory grew by {grown:.0f} MB")
    if grown * 1024 * 1024 > MOST_BYTES * 2:
        sys.exit("it grew too much")


if __name__ == "__main__":
    main()
