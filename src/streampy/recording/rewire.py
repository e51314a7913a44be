"""Changes a plan so that a pipe is recorded, or so that a recording takes the place of all that is before a pipe.

Knows nothing of files but what they are about.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from math import inf
from typing import Any, NamedTuple

from streampy.errors import Problem, ProcessError, StreamPyError
from streampy.model import graph
from streampy.model.check import make_plan
from streampy.model.pipe import Pipe
from streampy.model.place import places_of
from streampy.model.plan import InputPlan, Link, Plan, UnitPlan
from streampy.model.ports import Emits, Helping, OutputPort, Ports
from streampy.model.process import Process, UnitSpec
from streampy.model.suggest import did_you_mean
from streampy.model.unit import ports_of
from streampy.recording.letters import LETTERS
from streampy.recording.reading import Reader
from streampy.recording.spread import ARGUMENTS, spread
from streampy.recording.types import types_of
from streampy.recording.units import Replay, Tap
from streampy.recording.writing import check_path

_ITEM = "item"
Path = str | os.PathLike[str]


class End(NamedTuple):
    """A port of a unit: an input stands for its pipe, an output for what the unit gives there."""

    unit: str
    port: str
    is_input: bool

    def __str__(self) -> str:
        return f"{self.unit}.{self.port}"


def record(
    process: Process | Plan,
    where: str,
    path: Path,
    *,
    count: float = inf,
    done: Callable[[], object] = lambda: None,
) -> Plan:
    """The process, with a unit beside it that writes all that comes into a pipe to a file: run it by `streampy.run`.

    where: `"detect"` or `"detect.frame"` for the pipe of an input, with what that pipe then drops; `"camera"` or
    `"camera.out"` for what an output gives. The file is written whole or not at all for each item, and nothing is left
    out: what can't be written fast enough holds its sender back. count: so many items; then `done` is called, by the
    recorder's thread. A process that is cut into segments is run as one program.

    Raises StreamPyError where there is no such port, ProcessError for a process that is not sound; FileNotFoundError
    where there is no such folder, RecordingError where there is another file of that name. Where an item has no
    safe form, that is an error of the unit `record`.
    """
    plan = make_plan(process) if isinstance(process, Process) else process
    check_path(path)
    end = find_end(plan, where)
    ends = [(end.unit, end.port)]
    if end.is_input:
        ends = list(dict.fromkeys((link.sender, link.output) for link in plan.units[end.unit].inputs[end.port].links))
    if not ends:
        raise StreamPyError(f"{end} is fed by hand, so nothing comes there that could be recorded")
    name = _free("record", plan)
    about = {"process": plan.name, "unit": end.unit, "port": end.port}
    settings = {"path": os.fspath(path), "types": types_of(plan), "about": about, "count": count, "done": done}
    links = tuple(Link(unit, port, name, _ITEM) for unit, port in ends)
    ports = ports_of(Tap)
    tap = UnitPlan(
        UnitSpec(name=name, use=Tap, used_as="streampy.recording:Recorder"),
        ports,
        settings,
        inputs={_ITEM: InputPlan(ports.inputs[_ITEM], Pipe(), configured=False, links=links)},
        receivers={},
        join=None,
        not_fused="",
    )
    units = {unit.name: _linked_to(unit, links) for unit in plan.units.values()}
    problems: list[Problem] = []
    found = graph.complete(plan.name, {**units, name: tap}, problems.append)
    if found is None:
        raise ProcessError(problems)
    return replace(found, groups=plan.groups, places=places_of(found.units, found.chains))


def _linked_to(unit: UnitPlan, links: Iterable[Link]) -> UnitPlan:
    def more(port: str) -> Iterable[Link]:
        return (link for link in links if (link.sender, link.output) == (unit.name, port))

    return replace(unit, receivers={port: (*there, *more(port)) for port, there in unit.receivers.items()})


def replay(process: Process | Plan, path: Path, where: str = "", *, speed: float = inf) -> Plan:
    """What is left of a process where a recording takes the place of all that is before a pipe: for `streampy.run`.

    where: as of `record`; by default where the items were recorded. Each comes with its identity (stream, number, path,
    meta), and as old as it was; for `born` and `deadline` are moved to the time of this run. Dead letters go to the
    units at which they failed, or, where one is named, only those of that unit.
    speed: 1 as they came, 2 twice as fast; without it each as soon as there is room.

    Units that are not behind are left out. Raises StreamPyError where one of those would be needed by a join behind, or
    where there is no such port; RecordingError where the file is no recording, ProcessError for a process that is not
    sound.
    """
    if not speed > 0:
        raise ValueError(f"speed: got {speed}, expected more than 0")
    plan = make_plan(process) if isinstance(process, Process) else process
    types = types_of(plan)
    with Reader(path, types) as reader:
        about = reader.about
        units = {one.unit for one in reader} if about.get("what") == LETTERS else set()
    if about.get("what") == LETTERS:
        ends = [_entrance(plan, unit) for unit in sorted(_meant(plan, units, where))]
        return _Cut(plan, ends, is_of_letters=True).fed_by(path, speed, types, only=where)
    end = find_end(plan, where or f"{about.get('unit', '')}.{about.get('port', '')}")
    return _Cut(plan, [end], is_of_letters=False).fed_by(path, speed, types)


def _meant(plan: Plan, units: AbstractSet[str], where: str) -> AbstractSet[str]:
    if where and where not in units:
        raise StreamPyError(f"there is no dead letter of {where!r} in it; there are some of {', '.join(sorted(units))}")
    found = {where} if where else units
    if not found:
        raise StreamPyError("there is no dead letter in it")
    for name in found:
        if name not in plan.units:
            raise StreamPyError(f"{plan.name!r} has no unit {name!r}, at which items failed")
    return found


def _entrance(plan: Plan, unit: str) -> End:
    inputs = plan.units[unit].inputs
    return End(unit, ARGUMENTS if plan.units[unit].join is not None else next(iter(inputs)), is_input=True)


def find_end(plan: Plan, where: str) -> End:
    """What `detect`, `detect.frame` or `camera.out` mean. Raises StreamPyError where it is nothing, or several."""
    name, dot, port = (where, "", "") if where in plan.units else where.rpartition(".")
    unit = plan.units.get(name)
    if unit is None:
        raise StreamPyError(f"{plan.name!r} has no unit {name or where!r}{did_you_mean(name or where, plan.units)}")
    inputs, outputs = list(unit.inputs), list(unit.ports.outputs)
    if dot and port in inputs:
        return End(name, port, is_input=True)
    if dot and port in outputs:
        return End(name, port, is_input=False)
    if dot:
        raise StreamPyError(f"{name!r} has no port {port!r}{did_you_mean(port, [*inputs, *outputs])}")
    ports = inputs or outputs
    if len(ports) != 1:
        told = ", ".join(f"{name}.{one}" for one in ports)
        raise StreamPyError(f"{name!r} has several {'inputs' if inputs else 'outputs'}: say which: {told}")
    return End(name, ports[0], is_input=bool(inputs))


class _Cut:
    """The units behind some ends."""

    def __init__(self, plan: Plan, ends: Sequence[End], *, is_of_letters: bool) -> None:
        """is_of_letters: whether those units that join are given the tuples of their arguments instead."""
        self.plan = plan
        self.ends = ends
        self._is_of_letters = is_of_letters
        self._joins = {end.unit for end in ends if is_of_letters and plan.units[end.unit].join is not None}
        self.targets = [link for end in ends for link in self._targets(end)]
        """The inputs that are given items: as links from what they are given by in the plan."""
        self.kept = self._behind({link.receiver for link in self.targets})

    def _targets(self, end: End) -> Sequence[Link]:
        if end.is_input:
            return [Link("", "", end.unit, end.port)]
        links = self.plan.units[end.unit].receivers[end.port]
        if not links:
            raise StreamPyError(f"{end} leads nowhere, so there is nothing behind it that items could be replayed into")
        return links

    def _behind(self, units: AbstractSet[str]) -> AbstractSet[str]:
        found: set[str] = set()
        waiting = set(units)
        while waiting:
            name = waiting.pop()
            found.add(name)
            links = [link for several in self.plan.units[name].receivers.values() for link in several]
            waiting |= {link.receiver for link in links} - found
        return found

    def fed_by(self, path: Path, speed: float, types: Any, only: str = "") -> Plan:
        """The plan in which a recording gives them their items."""
        self._check_joins()
        name = _free("replay", self.plan)
        outputs = {str(end) if len(self.ends) > 1 else "out": end for end in self.ends}
        receivers = {
            port: tuple(Link(name, port, link.receiver, link.input) for link in self._targets(end))
            for port, end in outputs.items()
        }
        ways = {end.unit if self._is_of_letters else "": port for port, end in outputs.items()}
        settings = {"path": os.fspath(path), "speed": speed, "types": types, "ways": ways, "only": only}
        ports = Ports({}, {port: OutputPort(port, Any) for port in outputs}, Emits.MANY)
        source = UnitPlan(
            UnitSpec(name=name, use=Replay, used_as="streampy.recording:Recording"),
            ports,
            settings,
            inputs={},
            receivers=receivers,
            join=None,
            not_fused="a source",
        )
        arriving = [link for several in receivers.values() for link in several]
        units = {name: source} | {
            unit: self._linked(self.plan.units[unit], arriving) for unit in self.plan.units if unit in self.kept
        }
        chains = ((name,), *self._chains(units))
        return replace(
            self.plan,
            units=units,
            chains=chains,
            loops=tuple(loop for loop in self.plan.loops if loop <= self.kept),
            groups={
                group: used_as
                for group, used_as in self.plan.groups.items()
                if any(unit.startswith(f"{group}/") for unit in units)
            },
            places=places_of(units, chains),
            segments={},
            wires=(),
        )

    def _linked(self, unit: UnitPlan, arriving: Sequence[Link]) -> UnitPlan:
        """The unit with the links that are left of its own, and those that items are replayed on."""
        mine = [link for link in arriving if link.receiver == unit.name]
        if unit.name in self._joins:
            unit = spread(unit)
        inputs = {
            port: replace(
                entry,
                links=(
                    *(link for link in entry.links if link.sender in self.kept),
                    *(link for link in mine if link.input == port),
                ),
            )
            for port, entry in unit.inputs.items()
        }
        return replace(unit, inputs=inputs, not_fused=unit.not_fused or ("items are replayed into it" if mine else ""))

    def _chains(self, units: Mapping[str, UnitPlan]) -> Iterable[tuple[str, ...]]:
        """Who is fused with whom, of those that are left."""
        for chain in self.plan.chains:
            part: list[str] = []
            for name in chain:
                if name in self.kept and units[name].not_fused and part:
                    yield tuple(part)
                    part = []
                if name in self.kept:
                    part.append(name)
            if part:
                yield tuple(part)

    def _check_joins(self) -> None:
        """Raise where a join would wait for what is left out."""
        for name in self.plan.units:
            unit = self.plan.units[name]
            for entry in unit.inputs.values():
                gone = [link for link in entry.links if link.sender not in self.kept and not self._replaces(link)]
                if name in self._joins and len(gone) < len(entry.links):
                    raise StreamPyError(
                        f"there are dead letters of {name!r}, which joins its inputs, and of units before it: replay "
                        "those of one unit at a time, by naming it"
                    )
                if name not in self.kept or not gone or name in self._joins:
                    continue
                join = next((one for one in sorted(self._behind({name})) if self.plan.units[one].join), None)
                if join is None or entry.port.helping is Helping.LATEST:
                    continue
                ends, left = ", ".join(map(str, self.ends)), gone[0]
                raise StreamPyError(
                    f"{join!r} joins what comes from {left.sender!r}, which is left out when items are replayed into "
                    f"{ends}; record and replay what both come from, such as {self._common(left.sender)}"
                )

    def _replaces(self, link: Link) -> bool:
        """Whether what came on a link of the plan is what was recorded."""
        ends = (End(link.receiver, link.input, is_input=True), End(link.sender, link.output, is_input=False))
        return any(end in self.ends for end in ends)

    def _common(self, sender: str) -> str:
        """A source that leads to what is left out, and to where items would be replayed."""
        wanted = {sender, *(link.receiver for link in self.targets)}
        sources = [name for name, unit in self.plan.units.items() if not unit.inputs]
        return next((name for name in sources if wanted <= self._behind({name})), sender)


def _free(name: str, plan: Plan) -> str:
    """A name that no unit has."""
    while name in plan.units:
        name += "_"
    return name
