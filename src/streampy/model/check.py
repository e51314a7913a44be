"""Checks a process and makes its plan: every problem at once, before anything starts.

Knows nothing of files (an origin gives the places) nor of running.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace

from streampy.errors import Problem, ProcessError
from streampy.model import graph
from streampy.model.cut import Cut
from streampy.model.fit import check_fit
from streampy.model.flatten import Flat
from streampy.model.housing import check_housing
from streampy.model.pipe import Pipe
from streampy.model.place import places_of
from streampy.model.plan import InputPlan, Plan, UnitPlan
from streampy.model.process import Process, UnitSpec
from streampy.model.scope import Scope, Scopes
from streampy.model.settings import check_each, check_settings
from streampy.model.suggest import did_you_mean

_CLASS_ONLY = "from_"
"""The setting of a pipe that a unit's class has, and a process says as `from`."""


def make_plan(process: Process, *, may_be_open: bool = True, known: Iterable[Problem] = ()) -> Plan:
    """The plan of a process. Raises ProcessError with all its problems, the `known` ones among them.

    may_be_open: whether a unit that is linked to nothing may be fed by hand.
    """
    scopes = Scopes()
    checked = _Checked(scopes.look_at(process), may_be_open=may_be_open)
    cut = checked.cut
    problems = [*known, *scopes.problems, *checked.problems, *cut.problems]
    if not process.units and not problems:
        problems.append(Problem("", 0, 0, "units", "the process has no units: add one"))
    plan = None
    problems.extend(graph.check_loops(checked.units, checked.unsure))
    if cut.segment_of:
        problems.extend(cut.check_loops(graph.loops_of(checked.units)))
    if checked.is_whole:
        problems.extend(cut.check_links(checked.flat.links))
        plan = graph.complete(process.name, checked.units, problems.append, cut.segment_of)
        problems.extend(cut.check_rounds(plan.units, plan.links) if plan is not None else ())
    if problems or plan is None:
        in_order = sorted(dict.fromkeys(problems), key=lambda problem: (problem.file, problem.line, problem.column))
        raise ProcessError(in_order)
    return replace(
        plan,
        groups=checked.flat.groups,
        places=places_of(plan.units, plan.chains),
        segments=cut.segments(plan.units),
        wires=cut.wires(plan.links),
    )


class _Checked:
    """All units of a process, each looked at with its settings, its pipes and its links."""

    def __init__(self, scope: Scope, *, may_be_open: bool) -> None:
        self.problems: list[Problem] = []
        self.is_whole = scope.is_whole
        """Whether every port, link and join is known, so that what follows from the graph's shape is no false alarm."""
        self.flat = Flat(scope)
        self.cut = Cut(scope.process, self.flat.specs)
        self.unsure = {name for name, spec in self.flat.specs.items() if spec.is_told("pipe")}
        """The units of whose pipes something is wrong, so that nobody knows whether they drop."""
        self._scope = scope
        self._may_be_open = may_be_open
        self.units = {name: self._plan_unit(spec) for name, spec in self.flat.specs.items()}
        for name in scope.ports:
            self._check_linked(scope.specs[name])
        self.problems.extend(check_housing(self.units, self.cut.segment_of))

    def _plan_unit(self, spec: UnitSpec) -> UnitPlan:
        ports = self.flat.ports[spec.name]
        settings, problems = check_settings(spec, ports)
        each, more = check_each(spec, ports)
        self.problems.extend([*problems, *more])
        inputs = {name: self._input(spec, name) for name in ports.inputs}
        receivers = {name: tuple(self.flat.away[spec.name, name]) for name in ports.outputs}
        unit = UnitPlan(spec, ports, settings, inputs, receivers, join=None, not_fused="", each=each)
        self.problems.extend(check_fit(unit))
        return unit

    def _input(self, spec: UnitSpec, name: str) -> InputPlan:
        port = self.flat.ports[spec.name].inputs[name]
        asked = {**spec.pipe, **spec.pipes.get(name, {})}
        known = {setting.name for setting in fields(Pipe)} - {_CLASS_ONLY}
        for key in asked.keys() - known:
            where = ("pipe", name) if key in spec.pipes.get(name, {}) else ("pipe",)
            self.problems.append(spec.problem(_unknown(key, known), *where, key))
        pipe = port.pipe or Pipe()
        try:
            pipe = replace(pipe, **{key: value for key, value in asked.items() if key in known})
        except (TypeError, ValueError) as error:
            self.unsure.add(spec.name)
            self.problems.append(spec.problem_with(error, "pipe", *([name] if name in spec.pipes else [])))
        links = tuple(self.flat.arriving[spec.name, name])
        return InputPlan(port, pipe, configured=_is_configured(asked, port.pipe), links=links)

    def _check_linked(self, spec: UnitSpec) -> None:
        """Whether something comes to each input of a unit of the process itself, also to those of a used process."""
        inputs, linked = self._scope.ports[spec.name].inputs, self._scope.links[spec.name]
        if spec.is_told("from") or spec.name in self._scope.misnamed:
            return
        for name in (name for name in inputs if name not in linked):
            if self._may_be_open and self._is_fed_by_hand(spec.name, name):
                continue
            self.is_whole = False
            form = "UNIT" if len(inputs) == 1 else f"{{{name}: UNIT}}"
            self.problems.append(
                spec.problem(
                    f"the input {name!r} is linked to nothing: add `from: {form}` "
                    f"(it may be left open only for a process that uses this one, or for running.push in Python)",
                    "from",
                )
            )

    def _is_fed_by_hand(self, name: str, port: str) -> bool:
        """Whether no input of the unit that has this one is linked."""
        unit, _ = next(inmost for inmost, end in self.flat.entrances.items() if end == (name, port))
        ends = [self.flat.entrances.get((unit, one)) for one in self.flat.ports[unit].inputs]
        return all(end is not None and end[1] not in self._scope.links[end[0]] for end in ends)


def _is_configured(asked: Mapping[str, object], own: Pipe | None) -> bool:
    """Whether someone asked for a pipe; who only says how large an item is did not."""
    is_own = own is not None and (own.item is None or replace(own, item=None) != Pipe())
    return is_own or bool(asked.keys() - {"item"})


def _unknown(key: str, known: Iterable[str]) -> str:
    if key == _CLASS_ONLY:
        return "`from_` in a Pipe is for the class of a unit: here the link is said beside `pipe`, as `from`"
    return f"unknown key {key!r}{did_you_mean(key, known)}"
