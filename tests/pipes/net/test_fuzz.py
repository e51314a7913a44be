"""Spoiled bytes are refused, or are some other value; never anything else. `python -m tests.pipes.net.fuzz --help`."""

from __future__ import annotations

import socket
from random import Random

import pytest
from tests.pipes.net.ends import EDGE, ITEMS, Kept, a_door, both_ends, started
from tests.pipes.net.fuzz import fuzz, spoil

from streampy.pipes.net.errors import PeerLost, ProtocolError, Refused
from streampy.pipes.net.frames import Frame


@pytest.mark.timeout(240)
def test_20_000_spoiled_messages_are_refused_or_are_some_other_value():
    told = fuzz(20_000, seed=1)
    for name in ("codec", "frames", "handshake"):
        assert told[name, "refused"] > 1000


@pytest.mark.long
def test_a_million_spoiled_messages_are_refused_or_are_some_other_value():
    fuzz(1_000_000, seed=2)


def test_strangers_with_garbage_are_refused_and_the_neighbours_are_undisturbed():
    chance = Random(3)  # noqa: S311 - no secret
    owner = Kept()
    opening = b"STREAMPY\x00\x01" + b"\x01\x00\x01\x00" + bytes(20)
    with both_ends() as neighbour, started() as io, a_door(io, owner) as door:
        for number in range(100):
            with socket.create_connection(door.address) as stranger:
                stranger.sendall(
                    spoil(opening, chance) if number % 2 else chance.randbytes(chance.randrange(1, 100_000))
                )
            assert isinstance(owner.down(), ProtocolError | Refused | PeerLost)
            neighbour.edge.send(Frame(ITEMS, number))
            assert number == neighbour.core_owner.frame().number
        assert owner.opened.empty()
    assert EDGE == neighbour.core.peer
