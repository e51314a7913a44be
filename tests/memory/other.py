"""Another OS process, which answers whatever it is told.

`leave FOLDER` creates a region and says its name, `read` looks at what it is lent, `write RUN NAME` lends.
"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from streampy.memory.arena import FULL, Arena
from streampy.memory.generations import Gone
from streampy.memory.loans import Loans
from streampy.memory.region import Region
from streampy.memory.regions import Regions
from streampy.memory.sweep import name_run


def tell(what: object) -> None:
    pickle.dump(what, sys.stdout.buffer)
    sys.stdout.buffer.flush()


def hear() -> tuple[Any, ...]:
    try:
        return pickle.load(sys.stdin.buffer)
    except EOFError:
        sys.exit()


def leave(folder: str) -> None:
    with Region.create(name_run(), "left", 4096, folder=Path(folder)) as region:
        tell(region.name)
        sys.stdin.buffer.read()


def read() -> None:
    """Told a message, says the first byte of each array in it, or -1 where not all are alike; and what it returns.

    Of all that it was ever lent it keeps so many, chosen by chance, and looks at them each time.
    """
    loans, chance = Loans(Regions(), lambda: None), Random(1)  # noqa: S311 - chance, not secrets
    kept: list[tuple[Any, int]] = []
    while True:
        message, keeps = hear()
        try:
            seen = [(value, look(value)) for value in loans.loads(message, opened=True)]
        except Gone as gone:
            tell((gone, loans.take_returned()))
            continue
        assert all(look(value) == number for value, number in kept)
        kept += seen
        chance.shuffle(kept)
        del kept[keeps:]
        told = [number for _, number in seen]
        seen.clear()
        tell((told, loans.take_returned()))


def look(value: Any) -> int:
    first = value[0]
    return int(first) if (value == first).all() else -1


def write(run: str, name: str) -> None:
    """Told what is returned, and how many arrays it shall make, lends them: their numbers, as far as there is room."""
    loans, chance, number = Loans(Regions(), lambda: None), Random(1), 0  # noqa: S311 - see above
    with Arena(run, name, most=20, item=20_000) as arena:
        while True:
            returned, count = hear()
            loans.returned(returned)
            numbers = [one % 60_000 for one in range(number, number + count)]
            message, made = make(numbers, arena, loans, chance)
            number += made
            tell((message, numbers[:made], arena.stats()))


def make(numbers: list[int], arena: Arena, loans: Loans, chance: Random) -> tuple[bytes, int]:
    batch = []
    for number in numbers:
        sealed = arena.seal(np.full(chance.randrange(1000, 10_000), number, np.uint16))
        if sealed is FULL:
            break
        batch.append(sealed)
    return loans.dumps(batch), len(batch)


if __name__ == "__main__":
    {"leave": leave, "read": read, "write": write}[sys.argv[1]](*sys.argv[2:])
