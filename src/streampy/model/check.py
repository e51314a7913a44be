"""Checks a process and makes its plan: every problem at once, before anything starts.

Knows nothing of files (an origin gives the places) nor of running.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace

from streampy.errors import Problem, ProcessError
from streampy.model import graph
from streampy.model.annotations import fits, type_name
from streampy.model.pipe import Pipe
from streampy.model.plan import InputPlan, Link, Plan, UnitPlan
from streampy.model.ports import Helping, Ports
from streampy.model.process import ONLY, Process, UnitSpec
from streampy.model.settings import check_settings
from streampy.model.suggest import did_you_mean
from streampy.model.unit import ports_of


def make_plan(process: Process, *, may_be_open: bool = True, known: Iterable[Problem] = ()) -> Plan:
    """The plan of a process. Raises ProcessError with all its problems, the `known` ones among them.

    may_be_open: whether a unit that is linked to nothing may be fed by hand.
    """
    checked = _Checked(process, may_be_open=may_be_open)
    problems = [*known, *checked.problems]
    if not process.units and not problems:
        problems.append(Problem("", 0, 0, "units", "the process has no units: add one"))
    plan = None
    problems.extend(graph.check_loops(checked.units, checked.unsure))
    if checked.is_whole:
        plan = graph.complete(process.name, checked.units, problems.append)
    if problems or plan is None:
        in_order = sorted(dict.fromkeys(problems), key=lambda problem: (problem.file, problem.line, problem.column))
        raise ProcessError(in_order)
    return plan


class _Checked:
    """The units of a process, each looked at on its own and then with its links."""

    def __init__(self, process: Process, *, may_be_open: bool) -> None:
        self.problems: list[Problem] = []
        self.is_whole = True
        """Whether every port, link and join is known, so that what follows from the graph's shape is no false alarm."""
        self.unsure: set[str] = set()
        """The units of whose pipes something is wrong, so that nobody knows whether they drop."""
        self.may_be_open = may_be_open
        self.specs = process.units
        self.ports: dict[str, Ports] = {}
        for spec in self.specs.values():
            self._read_ports(spec)
        links = {name: self._links_of(self.specs[name]) for name in self.ports}
        self.units = {name: self._plan_unit(self.specs[name], links) for name in self.ports}

    def _read_ports(self, spec: UnitSpec) -> None:
        if any(spec.is_told(key) for key in ("use", "from", "join")):
            self.is_whole = False
        if spec.is_told("pipe"):
            self.unsure.add(spec.name)
        if spec.is_told("use"):
            return
        try:
            self.ports[spec.name] = ports_of(spec.use)
        except ValueError as error:
            self.is_whole = False
            self.problems.append(spec.problem(f"{spec.used_as} can't be a unit: {error}", "use"))

    def _plan_unit(self, spec: UnitSpec, links: Mapping[str, Mapping[str, tuple[Link, ...]]]) -> UnitPlan:
        ports = self.ports[spec.name]
        settings, problems = check_settings(spec, ports)
        self.problems.extend(problems)
        self._check_workers(spec, ports)
        for name in spec.pipes:
            if name not in ports.inputs:
                self.problems.append(
                    spec.problem(f"{spec.name!r} has no input {name!r}{did_you_mean(name, ports.inputs)}", "pipe", name)
                )
        inputs = {name: self._input(spec, name, links[spec.name].get(name, ())) for name in ports.inputs}
        self._check_linked(spec, inputs)
        away: dict[str, list[Link]] = {name: [] for name in ports.outputs}
        for of_unit in links.values():
            for link in (one for several in of_unit.values() for one in several if one.sender == spec.name):
                away[link.output].append(link)
        receivers = {name: tuple(several) for name, several in away.items()}
        return UnitPlan(spec, ports, settings, inputs, receivers, join=None, not_fused="")

    def _check_workers(self, spec: UnitSpec, ports: Ports) -> None:
        if spec.workers < 1:
            self.problems.append(spec.problem(f"got {spec.workers}, expected at least 1 worker", "workers"))
        elif not 0 <= spec.spare < spec.workers:
            got = f"min {spec.workers - spec.spare} and max {spec.workers}"
            self.problems.append(
                spec.problem(f"got {got} workers, expected at least 1, and `min` not above `max`", "workers")
            )
        if spec.workers > 1 and ports.is_stream and spec.ordered:
            self.problems.append(
                spec.problem(
                    f"{spec.workers} workers can't keep the order of a unit that takes an Iterator[T]: "
                    f"set `ordered: false`, or 1 worker",
                    "workers",
                )
            )
        if spec.spare and not ports.inputs:
            self.problems.append(
                spec.problem("a source has no pipe whose load the workers could follow: give one number", "workers")
            )
        if spec.on_crash.restarts and ports.is_stream:
            self.problems.append(
                spec.problem(
                    "a unit that takes an Iterator[T] can't be restarted in the middle of its stream: "
                    "take one item or a Batch[T], or set `on_crash: stop`",
                    "on_crash",
                )
            )
        if spec.place != "main":
            self.problems.append(
                spec.problem(
                    f"got {spec.place!r}: this version runs all units in one OS process, so the place is `main`",
                    "place",
                )
            )

    def _links_of(self, spec: UnitSpec) -> dict[str, tuple[Link, ...]]:
        ports = self.ports[spec.name]
        found: dict[str, tuple[Link, ...]] = {}
        for name, ends in spec.links.items():
            path = ("from", name) if name != ONLY else ("from",)
            target = self._input_named(spec, ports, name, path)
            if target is not None:
                links = [self._link(spec, end, target, path) for end in ends]
                found[target] = tuple(link for link in links if link is not None)
            if target is None or None in links:
                self.is_whole = False
        return found

    def _input_named(self, spec: UnitSpec, ports: Ports, name: str, path: tuple[str, ...]) -> str | None:
        if not ports.inputs:
            self.problems.append(
                spec.problem(
                    f"{spec.used_as} is a source, it has no inputs; remove `from`, or give it a parameter", *path
                )
            )
        elif name == ONLY and len(ports.inputs) > 1:
            example = ", ".join(f"{port}: ..." for port in ports.inputs)
            self.problems.append(
                spec.problem(f"has {len(ports.inputs)} inputs, so say which: `from: {{{example}}}`", *path)
            )
        elif name == ONLY:
            return next(iter(ports.inputs))
        elif name in ports.inputs:
            return name
        else:
            hint = did_you_mean(name, ports.inputs)
            self.problems.append(spec.problem(f"{spec.used_as} has no input {name!r}{hint}", *path))
        return None

    def _link(self, spec: UnitSpec, end: str, target: str, path: tuple[str, ...]) -> Link | None:
        sender, _, output = end.partition(".")
        if sender not in self.specs:
            hint = did_you_mean(sender, self.specs)
            self.problems.append(spec.problem(f"there is no unit {sender!r}{hint}", *path))
            return None
        if sender not in self.ports:
            return None  # told already: it can't be a unit
        outputs = self.ports[sender].outputs
        if not outputs:
            self.problems.append(spec.problem(f"{sender!r} is a sink (it returns None), nothing comes from it", *path))
            return None
        if not output and len(outputs) > 1:
            choice = " or ".join(f"{sender}.{name}" for name in outputs)
            self.problems.append(spec.problem(f"{sender!r} has {len(outputs)} outputs, so say which: {choice}", *path))
            return None
        output = output or next(iter(outputs))
        if output not in outputs:
            hint = did_you_mean(output, outputs)
            self.problems.append(spec.problem(f"{sender!r} has no output {output!r}{hint}", *path))
            return None
        link = Link(sender, output, spec.name, target)
        self._check_types(spec, link, path)
        return link

    def _check_types(self, spec: UnitSpec, link: Link, path: tuple[str, ...]) -> None:
        given = self.ports[link.sender].outputs[link.output].type
        port = self.ports[link.receiver].inputs[link.input]
        if fits(given, port.type) or (port.helping is Helping.LIST and fits(given, list[port.type])):  # type: ignore[name-defined]  # a type made at run time
            return
        self.problems.append(
            spec.problem(
                f"{link.sender}.{link.output} gives {type_name(given)}, "
                f"but {link.input!r} expects {type_name(port.type)}",
                *path,
            )
        )

    def _input(self, spec: UnitSpec, name: str, links: tuple[Link, ...]) -> InputPlan:
        port = self.ports[spec.name].inputs[name]
        asked = {**spec.pipe, **spec.pipes.get(name, {})}
        known = {setting.name for setting in fields(Pipe)}
        for key in asked.keys() - known:
            self.problems.append(spec.problem(f"unknown key {key!r}{did_you_mean(key, known)}", "pipe", key))
        pipe = port.pipe or Pipe()
        try:
            pipe = replace(pipe, **{key: value for key, value in asked.items() if key in known})
        except (TypeError, ValueError) as error:
            self.unsure.add(spec.name)
            self.problems.append(spec.problem_with(error, "pipe", *([name] if name in spec.pipes else [])))
        return InputPlan(port, pipe, configured=bool(asked) or port.pipe is not None, links=links)

    def _check_linked(self, spec: UnitSpec, inputs: Mapping[str, InputPlan]) -> None:
        unlinked = [name for name, entry in inputs.items() if not entry.links and name not in spec.links]
        unknown = [name for name in spec.links if name not in inputs]  # ONLY, or told: it may stand for an unlinked one
        if not unlinked or unknown or spec.is_told("from"):
            return
        if self.may_be_open and len(unlinked) == len(inputs):
            return
        self.is_whole = False
        for name in unlinked:
            form = "UNIT" if len(inputs) == 1 else f"{{{name}: UNIT}}"
            self.problems.append(
                spec.problem(
                    f"the input {name!r} is linked to nothing: add `from: {form}` "
                    f"(only from Python a unit can be fed by hand, with running.push)",
                    "from",
                )
            )
