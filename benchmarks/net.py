"""A connection between two segments beside a bare socket: frames of 6 MB, and round trips of small items.

    python benchmarks/net.py [--rounds 5] [--frames 200] [--trips 5000] [--json FILE]

Both ends are OS processes of their own on this machine, over loopback. Bare is what one writes by hand: a blocking
socket, `sendmsg`, `recv_into` one buffer for ever, and a byte as the answer to each frame; four frames may be on their
way. The connection does the same with the codec at both ends: a batch with its header, decoded to an array. A trip
is 64 bytes there and back; for `items` a batch with one small dict, decoded and encoded again over there (by hand:
pickled).

Round by round the ways take turns, because the machine is noisy; told are the median of the rounds, from where to
where they were, and the ratio to the bare socket of the same run. Read the ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import platform
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from threading import Event, Semaphore
from time import perf_counter
from typing import Any

import numpy as np

from streampy.model.item import Batch, Header
from streampy.pipes.net.certs import make_certificates
from streampy.pipes.net.codec import WireCodec
from streampy.pipes.net.connection import Connection
from streampy.pipes.net.dialling import dial
from streampy.pipes.net.door import listen
from streampy.pipes.net.errors import LinkError
from streampy.pipes.net.frames import OWNERS, Frame, Kind
from streampy.pipes.net.handshake import Identity, Terms
from streampy.pipes.net.io_thread import IoThread
from streampy.pipes.net.settings import ConnectionSettings
from streampy.pipes.net.tls import Tls

CREDIT = OWNERS[0]
ITEMS = OWNERS[1]
NEWS = OWNERS[2]

SHAPE = (1080, 1920, 3)
SIZE = 1080 * 1920 * 3
WINDOW = 4
SMALL = bytes(64)
ITEM = Batch([{"name": "cat", "score": 0.75, "box": [1, 2, 3, 4], "ok": True}], [Header("camera", 17, 12345.678)])
CODEC = WireCodec()
NEWS = Frame(NEWS, parts=(SMALL,))


def pickled(data: memoryview) -> bytes:
    """Decoded and encoded again, as one does by hand."""
    return pickle.dumps(pickle.loads(data), 5)  # noqa: S301 - the other end of this benchmark


def bare_core(address: Any) -> None:
    """The bare end that answers."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        address.put(door.getsockname())
        end, _ = door.accept()
    with end:
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        place = memoryview(bytearray(SIZE))
        while (what := end.recv(1)) != b"q":
            if what in {b"r", b"i"}:
                is_last = False
                while not is_last:
                    got = end.recv_into(place)
                    is_last = place[0] == 1
                    said = bytes(place[:got]) if what == b"r" else bytes([is_last]) + pickled(place[1:got])
                    end.send(said)
            for _ in range(int.from_bytes(end.recv(4, socket.MSG_WAITALL), "little") if what == b"f" else 0):
                end.recv_into(place, SIZE, socket.MSG_WAITALL)
                end.send(b"k")


@contextmanager
def bare() -> Iterator[dict[str, Callable[[int], list[float]]]]:
    """The ways of the bare socket."""
    with other(bare_core) as address, socket.create_connection(address) as end:
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        place = bytearray(64)
        frame = memoryview(bytearray(SIZE))

        def trips(count: int) -> list[float]:
            end.send(b"r")
            took = []
            for number in range(count):
                began = perf_counter()
                end.send(SMALL if number < count - 1 else b"\1" * 64)
                end.recv_into(place)
                took.append(perf_counter() - began)
            return took

        def items(count: int) -> list[float]:
            end.send(b"i")
            took = []
            for number in range(count):
                began = perf_counter()
                end.send(bytes([number == count - 1]) + pickle.dumps((ITEM.headers, list(ITEM)), 5))
                pickle.loads(end.recv(4096)[1:])  # noqa: S301 - as above
                took.append(perf_counter() - began)
            return took

        def frames(count: int) -> list[float]:
            end.send(b"f" + count.to_bytes(4, "little"))
            began, answered = perf_counter(), 0
            for number in range(count):
                if number - answered >= WINDOW:
                    answered += len(end.recv(64))
                sent = 0
                while sent < SIZE:
                    sent += end.sendmsg([frame[sent:]])
            while answered < count:
                answered += len(end.recv(64))
            return [perf_counter() - began]

        yield {"trips": trips, "items": items, "frames": frames}
        end.send(b"q")


class Core:
    """The end that answers."""

    def __init__(self) -> None:
        self.is_down = Event()

    def on_open(self, connection: Connection) -> None:
        """It has nothing to say first."""

    def on_pause(self, connection: Connection) -> None:
        """Each frame was answered as it came."""

    def on_drained(self, connection: Connection) -> None:
        """See `Owner`."""

    def on_going(self, connection: Connection) -> None:
        """Nobody goes."""

    def on_message(self, connection: Connection, frame: Frame) -> None:
        """Frames of pictures are counted, items are decoded and encoded again, others go back as they came."""
        if frame.kind == NEWS:
            connection.send(frame)
            return
        batch = CODEC.decode_batch(frame.parts[0], frame.parts[1:])
        if len(frame.parts) > 1:
            assert batch[0].shape == SHAPE
            connection.post(Frame(CREDIT))
        else:
            connection.send(Frame(ITEMS, parts=CODEC.encode_batch(batch).parts))

    def on_down(self, connection: Connection, error: LinkError | None) -> None:  # noqa: ARG002 - see `Owner`
        """The measurement is over."""
        self.is_down.set()


class Edge(Core):
    """The end that measures: in the I/O thread, as the next layer will work."""

    def __init__(self) -> None:
        super().__init__()
        self.is_open, self.is_done = Event(), Event()
        self.room = Semaphore(WINDOW)
        self.took: list[float] = []
        self.count = 0
        self._began = 0.0

    def on_open(self, connection: Connection) -> None:  # noqa: ARG002 - see `Owner`
        self.is_open.set()

    def on_message(self, connection: Connection, frame: Frame) -> None:
        kind = frame.kind
        if kind == CREDIT:
            self.room.release()
            return
        if kind == ITEMS:
            CODEC.decode_batch(frame.parts[0])
        self.took.append(perf_counter() - self._began)
        if len(self.took) < self.count:
            self.ask(connection, kind)
        else:
            self.is_done.set()

    def ask(self, connection: Connection, kind: int) -> None:
        """One question."""
        self._began = perf_counter()
        if kind == NEWS:
            connection.send(NEWS)
        else:
            connection.send(Frame(kind, parts=CODEC.encode_batch(ITEM).parts))

    def trips(self, connection: Connection, kind: Kind, count: int) -> list[float]:
        """So many round trips; the first is asked here, the others where the answer comes."""
        self.took, self.count = [], count
        self.is_done.clear()
        self.ask(connection, kind)
        self.is_done.wait()
        return self.took


def terms(segment: str) -> Terms:
    """Of the two."""
    return Terms(Identity("bench", segment), "secret")


def core(address: Any, tls: Tls | None) -> None:
    """The OS process of the end that answers."""
    owner = Core()
    with IoThread() as io, listen(io, ("127.0.0.1", 0), ConnectionSettings(terms("core"), tls), owner) as door:
        address.put(door.address)
        owner.is_down.wait()


@contextmanager
def connected(edge_tls: Tls | None = None, core_tls: Tls | None = None) -> Iterator[dict[str, Any]]:
    """The ways of a connection."""
    frame = Batch([np.zeros(SHAPE, np.uint8)], ITEM.headers)
    owner = Edge()
    with other(core, core_tls) as address, IoThread() as io:
        connection = dial(io, address, ConnectionSettings(terms("edge"), edge_tls), owner)
        owner.is_open.wait()

        def frames(count: int) -> list[float]:
            began = perf_counter()
            for _ in range(count):
                owner.room.acquire()
                connection.send(Frame(ITEMS, parts=CODEC.encode_batch(frame).parts))
            for _ in range(WINDOW):
                owner.room.acquire()
            took = perf_counter() - began
            owner.room.release(WINDOW)
            return [took]

        yield {
            "trips": lambda count: owner.trips(connection, NEWS, count),
            "items": lambda count: owner.trips(connection, ITEMS, count),
            "frames": frames,
        }
        connection.close()


@contextmanager
def other(main: Callable[..., None], *more: Any) -> Iterator[tuple[str, int]]:
    """An OS process for the other end; where it can be reached."""
    context = get_context("spawn")
    address = context.SimpleQueue()
    process = context.Process(target=main, args=(address, *more))
    process.start()
    yield address.get()
    process.join()


def told(values: list[float], base: list[float], unit: str) -> str:
    """Median, from where to where, and the ratio to bare."""
    ratio = median(values) / median(base)
    return f"{median(values):8.2f} {unit:4} ({min(values):.2f} to {max(values):.2f})  {ratio:.2f} of bare"


def main() -> None:
    """Measure, and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--trips", type=int, default=5000)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    found: dict[str, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        made = make_certificates(Path(folder))
        edge, here = Tls(made.ca, made.client, made.client_key), Tls(made.ca, made.server, made.server_key)
        with bare() as by_hand, connected() as plain, connected(edge, here) as secured:
            ways = {"bare socket": by_hand, "connection": plain, "with mutual TLS": secured}
            for _ in range(chosen.rounds):
                for name, way in ways.items():
                    for what, measure in way.items():
                        took = sorted(measure(chosen.frames if what == "frames" else chosen.trips))
                        rows = found.setdefault(what, {}).setdefault(name, [])
                        rows.append(chosen.frames * SIZE / took[0] / 1e9 if what == "frames" else median(took) * 1e6)
                        if what != "frames":
                            late = found.setdefault(f"{what}, p99", {}).setdefault(name, [])
                            late.append(took[int(len(took) * 0.99)] * 1e6)
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {sys.version.split()[0]}; {chosen.rounds} rounds of ",
        end="",
    )
    print(f"{chosen.frames} frames and {chosen.trips} round trips")
    for what, rows in found.items():
        for name, values in rows.items():
            print(f"{what:12} {name:16} {told(values, rows['bare socket'], 'GB/s' if what == 'frames' else 'us')}")
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
