"""Whether units can live where they are placed, and whether those that live together agree; what would have no effect.

Knows nothing of the OS processes that there are on this machine.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from streampy.model.cpus import format_cpus
from streampy.model.numbered import check_numbered
from streampy.model.place import is_shared
from streampy.model.process import MAIN, NAME, OWN
from streampy.model.sendable import check_sendable

if TYPE_CHECKING:
    from streampy.errors import Problem
    from streampy.model.plan import UnitPlan

_MEANT = {"thread": MAIN, "threads": MAIN, "process": OWN, "subprocess": OWN, "none": MAIN}
"""Words that people try."""


def check_housing(units: Mapping[str, UnitPlan], segment_of: Mapping[str, str] | None = None) -> Iterator[Problem]:
    """All that is wrong with where units are placed. segment_of: for each unit its segment, where there are some."""
    living: dict[str, dict[str, UnitPlan]] = defaultdict(dict)
    for name, unit in units.items():
        living[(segment_of or {}).get(name, "")][name] = unit
    segments = {name: together for together in living.values() for name in together}
    for unit in units.values():
        if unit.spec.is_told("place"):
            continue
        yield from _place(unit, units)
        yield from _texts(unit)
        if unit.spec.is_away:
            yield from check_sendable(unit)
        else:
            yield from _in_main(unit)
        yield from _items(unit, units, segments[unit.name])
    yield from _housemates(units)


def _place(unit: UnitPlan, units: Mapping[str, UnitPlan]) -> Iterator[Problem]:
    spec = unit.spec
    if spec.place == OWN and spec.home == MAIN:
        yield spec.problem("its OS process would be called `main`, as the first one is: rename the unit", "place")
    if spec.place in (MAIN, OWN):
        return
    meant = _meant(spec.place)
    owners = {other.spec.home for other in units.values() if other.spec.place == OWN}
    if meant:
        yield spec.problem(f"got {spec.place!r}, did you mean {meant!r}?", "place")
    elif not re.fullmatch(NAME, spec.place):
        expected = "main, own, or a name for an OS process: a letter, then letters, digits, `_` or `-`"
        yield spec.problem(f"got {spec.place!r}, expected {expected}", "place")
    elif spec.place in owners:
        got = f"got {spec.place!r}, but the OS process of that name is the unit's own, by its `place: own`"
        yield spec.problem(f"{got}: take another name, and give it to both where they are to share it", "place")


def _meant(place: str) -> str:
    """The place that was misspelt; "" where the word may well be a name."""
    letters = sorted(place.casefold())
    return next((one for one in (MAIN, OWN) if sorted(one) == letters), _MEANT.get(place.casefold(), ""))


def _texts(unit: UnitPlan) -> Iterator[Problem]:
    """What can't be read as a device, or as an environment."""
    spec = unit.spec
    for path, text in [(("device",), spec.device), *((("env", name), value) for name, value in spec.env.items())]:
        wrong = check_numbered(text)
        if wrong:
            yield spec.problem(wrong, *path)
    for name, value in spec.env.items():
        if not name or "=" in name or "\0" in name + value:
            expected = "expected the name of an environment variable, such as OMP_NUM_THREADS, and text without NUL"
            yield spec.problem(f"got {name!r}: {value!r}, {expected}", "env", name)


def _in_main(unit: UnitPlan) -> Iterator[Problem]:
    """What only an OS process of its own can have."""
    for key in (key for key, said in {"env": unit.spec.env, "cpus": unit.spec.cpus}.items() if said):
        yield unit.spec.problem(
            f"{unit.name!r} lives in `main`, which is running already: "
            f"add `place: own` (or the name of an OS process), or remove the key",
            key,
        )


def _items(unit: UnitPlan, units: Mapping[str, UnitPlan], segment: Mapping[str, UnitPlan]) -> Iterator[Problem]:
    """The size of items where none of them goes through shared memory: not in its segment, nor where all run as one."""
    spec = unit.spec
    shared = {name: is_shared(unit, name, units) or is_shared(unit, name, segment) for name in unit.inputs}
    told = "its items stay within one OS process, so nothing is reserved for them: remove the key"
    for name in (name for name in shared if not shared[name] and "item" in spec.pipes.get(name, {})):
        yield spec.problem(told, "pipe", name, "item")
    if "item" in spec.pipe and shared and not any(shared.values()):
        yield spec.problem(told, "pipe", "item")


def _housemates(units: Mapping[str, UnitPlan]) -> Iterator[Problem]:
    """Those that live in one OS process have one environment, and the same CPUs."""
    env: dict[str, dict[str, tuple[str, str]]] = defaultdict(dict)
    cpus: dict[str, tuple[str, tuple[int, ...]]] = {}
    told = set()
    for unit in (unit for unit in units.values() if unit.spec.is_away):
        for index in range(unit.spec.workers):
            home, who = unit.spec.home_of(index), unit.name
            for name, value in unit.env_of(index).items():
                other, before = env[home].setdefault(name, (who, value))
                if before != value and (who, name) not in told:
                    told.add((who, name))
                    yield unit.spec.problem(_differs(home, who, value, other, before), "env", name)
            own = unit.cpus_of(index)
            other, known = cpus.setdefault(home, (who, own)) if own else (who, own)
            if known != own and (who, "") not in told:
                told.add((who, ""))
                yield unit.spec.problem(_differs(home, who, format_cpus(own), other, format_cpus(known)), "cpus")


def _differs(home: str, who: str, value: str, other: str, before: str) -> str:
    whose = "another worker" if other == who else repr(other)
    return f"got {value!r}, but {before!r} for {whose}, which lives in the same OS process, {home!r}: let them agree"
