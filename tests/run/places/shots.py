"""A run of real frames whose OS processes are killed: its units, and what its main OS process does; see `kills`.

Every frame is known by its number to the bit, so that pixels of another one are found out wherever they come from.
"""

# ruff: noqa: T201 - what is printed is what `kills` reads

from __future__ import annotations

import faulthandler
import json
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Thread
from time import monotonic
from typing import Any

import numpy as np

import streampy as sp

SHAPE = (1080, 1920, 3)
_WORDS = SHAPE[0] * SHAPE[1] * SHAPE[2] // 8
_BASE = np.random.default_rng(1).integers(0, 1 << 64, _WORDS, dtype=np.uint64)
_SPREAD = 0x9E3779B97F4A7C15
"""An odd number with many bits: neighbours differ in half of their bits."""
TILES = 3
RESTART = sp.OnCrash(then="restart", attempts=1000, backoff=0, limit=1000)
LAST_CRY = signal.SIGUSR1
"""Who gets it writes to stderr where all its threads are."""
faulthandler.register(LAST_CRY, all_threads=True)


@dataclass(frozen=True)
class Shot:
    number: int
    pixels: Any
    turned: bool = False


def shoot(number: int, *, turned: bool = False) -> Shot:
    pixels = sp.empty(SHAPE, np.uint8)
    np.bitwise_xor(_BASE, _key(number, turned=turned), out=_words(pixels))
    return Shot(number, pixels, turned)


def check(shot: Shot) -> None:
    """Raise ValueError where a single bit is not as it was made."""
    wrong = np.flatnonzero(_words(shot.pixels) ^ _key(shot.number, turned=shot.turned) != _BASE)
    if len(wrong):
        raise ValueError(f"frame {shot.number}: {len(wrong)} of {_WORDS} words are wrong, from {wrong[0]} on")


def _words(pixels: Any) -> Any:
    return pixels.reshape(-1).view(np.uint64)


def _key(number: int, *, turned: bool) -> np.uint64:
    return np.uint64(((number + 1) * _SPREAD ^ -turned) % (1 << 64))


def camera() -> Iterator[Shot]:
    number = 0
    while not sp.worker().sleep(0):
        yield shoot(number)
        number += 1


def turn(shot: Shot) -> Shot:
    check(shot)
    return shoot(shot.number, turned=True)


def same(shot: Shot) -> Shot:
    check(shot)
    return shot


def weigh(shot: Shot) -> tuple:
    check(shot)
    return shot.number, int(_words(shot.pixels)[-1])


def cut(shot: Shot) -> Iterator[tuple]:
    check(shot)
    for tile in range(TILES):
        yield shot.number, tile, _words(shot.pixels)[tile::TILES].copy()


def meet(shot: Shot, turned: Shot, weight: tuple, tiles: list[tuple]) -> int:
    """All that was made of a frame, which is checked once more."""
    check(shot)
    check(turned)
    number = shot.number
    if not (number == turned.number == weight[0]) or weight[1] != int(_words(shot.pixels)[-1]):
        raise ValueError(f"frame {number} met frame {turned.number} and the weight {weight}")
    if [(number, tile) for tile in range(TILES)] != [one[:2] for one in tiles]:
        raise ValueError(f"frame {number} met the tiles {[one[:2] for one in tiles]}")
    for _, tile, words in tiles:
        if not np.array_equal(words, _words(shot.pixels)[tile::TILES]):
            raise ValueError(f"frame {number}: the pixels of tile {tile} are wrong")
    return number


class Ordered(sp.Unit):
    """Whatever comes must come in its order."""

    def __init__(self) -> None:
        self._next = 0

    def work(self, shot: Shot) -> None:
        check(shot)
        if shot.number != self._next:
            raise ValueError(f"frame {shot.number} came, expected {self._next}")
        self._next += 1


def lasting() -> sp.Process:
    """Whoever dies is replaced: a pool in order, a fan-out, a join."""
    away: dict[str, Any] = {"place": "own", "on_crash": RESTART}
    small = {"capacity": 4}
    process = sp.Process("lasting").add("camera", camera)
    process.add("turn", turn, from_="camera", workers=2, pipe={"capacity": 4, "batch": 2}, **away)
    process.add("weigh", weigh, from_="camera", pipe=small, **away)
    process.add("cut", cut, from_="camera", workers=2, pipe=small, **away)
    from_ = {"shot": "camera", "turned": "turn", "weight": "weigh", "tiles": "cut"}
    process.add("meet", meet, from_=from_, **away)
    process.add("ordered", Ordered, from_="turn")
    return process


def fragile() -> sp.Process:
    """Whoever dies, all is put out: straight links, a fan-out, a pool in order, a join."""
    process = sp.Process("fragile").add("camera", camera, place="own")
    process.add("same", same, from_="camera", place="own", pipe={"capacity": 4})
    process.add("turn", turn, from_="same", place="own", workers=2, pipe={"capacity": 4, "batch": 2})
    process.add("weigh", weigh, from_="same", place="own", pipe={"capacity": 4})
    process.add("cut", cut, from_="same", place="own", pipe={"capacity": 4})
    from_ = {"shot": "camera", "turned": "turn", "weight": "weigh", "tiles": "cut"}
    process.add("meet", meet, from_=from_)
    process.add("ordered", Ordered, from_="turn", place="own")
    return process


def main() -> None:
    """Run what is asked for until stdin ends; tell `begun`, `ready` with the first result, and how it ended."""
    tell("begun")
    told: dict[str, Any] = {"error": None, "kinds": []}
    results: Counter[int] = Counter()
    try:
        with sp.run({"lasting": lasting, "fragile": fragile}[sys.argv[1]]()) as running:
            Thread(target=_drain_when_told, args=[running], daemon=True).start()
            for number in running.stream("meet"):
                if not results:
                    tell("ready")
                results[number] += 1
    except (sp.StreamPyError, ExceptionGroup) as error:
        told |= {"error": str(error), "kinds": [type(one).__name__ for one in getattr(error, "exceptions", [error])]}
        told["notes"] = [repr(one) for one in getattr(error, "exceptions", [error])]
    else:
        stats = running.stats()
        told["ledger"] = {name: getattr(stats.ledger, name) for name in ("born", "delivered", "failed", "in_flight")}
        told["balanced"] = stats.ledger.balanced
        told["ordered"] = stats.units["ordered"].received
    told["out_at"] = monotonic()
    told["results"] = len(results)
    told["strange"] = sorted({*results} ^ {*range(len(results))}) + [one for one, n in results.items() if n != 1]
    tell(json.dumps(told))


def _drain_when_told(running: Any) -> None:
    sys.stdin.read()
    try:
        running.drain()
    except Exception as error:  # it comes out of the stream, too
        print(f"drain: {error!r}", file=sys.stderr)


def tell(word: str) -> None:
    print(word, flush=True)
