"""In every sound graph, whatever its units do: each join and each answer learns of everything it waits for."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic
from typing import Any

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from streampy.errors import ProcessError
from streampy.flow.joiner import Joiner, JoinInput
from streampy.flow.router import Spread
from streampy.model.check import make_plan
from streampy.model.item import Header, Reason, Tombstone
from streampy.model.outputs import Outputs
from streampy.model.plan import Plan, UnitPlan
from streampy.model.ports import Emits
from streampy.model.process import Process
from streampy.run.answers import Answers
from streampy.run.mourning import Undertaker

pytestmark = pytest.mark.timeout(400)
"""To make a failing example small takes longer than a test may."""


class Ways(Outputs):
    left: int
    right: int


class Parts(Outputs):
    crops: Iterator[int]
    texts: Iterator[int]
    whole: int


def camera() -> Iterator[int]: ...
def cameras() -> Iterator[Ways]: ...
def same(x: int) -> int | None: ...
def split(x: int) -> Ways: ...
def cut(x: int) -> Iterator[int]: ...
def cut_twice(x: int) -> Iterator[Ways]: ...
def find(x: int) -> Parts: ...
def collect(x: list[int]) -> int | None: ...
def meet(x: int, y: int) -> int | None: ...
def tolerate(x: int, y: int | None) -> int | None: ...
def gather(x: int, y: list[int]) -> int | None: ...
def gather_maybe(x: int | None, y: list[int] | None) -> Iterator[int]: ...


UNITS = (same, same, split, cut, cut_twice, find, collect, meet, meet, tolerate, gather, gather, gather_maybe)


@st.composite
def graphs(draw: st.DrawFn) -> Plan:
    """A graph of up to a dozen units; what could not be joined is left out."""
    process = Process("any").add("camera", draw(st.sampled_from([camera, camera, cameras])))
    if draw(st.booleans()):
        process.add("other", camera)
    plan = make_plan(process)
    for number in range(draw(st.integers(1, 10))):
        use = draw(st.sampled_from(UNITS))
        ends = st.sampled_from([f"{unit}.{port}" for unit in plan.units for port in plan.units[unit].receivers])
        inputs = [name for name in use.__annotations__ if name != "return"]
        links = {name: draw(st.lists(ends, min_size=1, max_size=2, unique=True)) for name in inputs}
        process = Process("any", [*process.units.values()]).add(f"{use.__name__}{number}", use, from_=links)
        try:
            plan = make_plan(process)
        except ProcessError:
            process = Process("any", list(process.units.values())[:-1])
    return plan


class Run:
    """Runs a plan in one thread: what travels waits in `under_way`, and arrives in any order."""

    def __init__(self, plan: Plan, draw: Any) -> None:
        self.plan = plan
        self.draw = draw
        self.under_way: list[tuple[UnitPlan, str, Header]] = []
        self.cut: set[tuple[str, str]] = set()
        self.undertaker = Undertaker(plan)
        self.joiners = {name: self._joiner(unit) for name, unit in plan.units.items() if unit.join}
        self.answers: dict[str, Answers] = {}
        for name, unit in plan.units.items():
            for port in unit.inputs if unit.join else ():
                self.undertaker.introduce(name, port, Door(self, unit))
            for port in unit.open_outputs:
                self.answers[f"{name}.{port}"] = Answers(f"{name}.{port}", dict(plan.depths[name, port]), monotonic)
                self.undertaker.introduce(name, f">{port}", AnswerDoor(self.answers[f"{name}.{port}"]))

    def _joiner(self, unit: UnitPlan) -> Joiner:
        join = unit.join
        inputs = {
            name: JoinInput(name, entry.port.optional, name in join.gathers, name in join.latest)
            for name, entry in unit.inputs.items()
        }
        return Joiner(unit.name, join, inputs, ordered=False)

    def be_born(self, unit: UnitPlan, seq: int) -> list:
        header = Header(unit.name, seq, 0.0)
        expected = [answers.expect(header) for answers in self.answers.values() if answers.can_answer(unit.name)]
        spread = Spread(unit.ports, header)
        self.send(unit, spread.one(self.result(unit)))
        self.settle(unit, spread)
        return expected

    def arrive(self, unit: UnitPlan, port: str, header: Header) -> None:
        if unit.join:
            self.joiners[unit.name].add(port, header, 1, 0.0)
            self.look_at(unit)
        else:
            self.call(unit, header)

    def look_at(self, unit: UnitPlan) -> None:
        verdict = self.joiners[unit.name].take(0.0)
        for joined in verdict.joined:
            self.call(unit, joined.header)
        for tombstone in verdict.buried:
            self.undertaker.bury(unit.name, tombstone)

    def result(self, unit: UnitPlan) -> Any:
        if unit.ports.named is None:
            return 1 if unit.ports.emits is Emits.MANY else self.draw(st.sampled_from([1, 1, None]))
        values = {}
        for port, output in unit.ports.outputs.items():
            is_list = output.many and unit.ports.emits is not Emits.MANY
            value = range(self.draw(st.integers(0, 2))) if is_list else 1
            if self.draw(st.booleans()):
                values[port] = value
        return unit.ports.named(**values)

    def call(self, unit: UnitPlan, header: Header) -> None:
        spread = Spread(unit.ports, header)
        for _ in range(self.how_often(unit, header)):
            self.send(unit, spread.one(self.result(unit)))
        fails = self.draw(st.integers(0, 9)) == 0
        self.settle(unit, spread, Reason.FAILED if fails else Reason.FILTERED)

    def how_often(self, unit: UnitPlan, header: Header) -> int:
        """A second copy of an item goes into no parts: they would bear the numbers of the first one's."""
        if any(output.many for output in unit.ports.outputs.values()):
            if (unit.name, header.key) in self.cut:
                return 0
            self.cut.add((unit.name, header.key))
        return self.draw(st.integers(0, 3)) if unit.ports.emits is Emits.MANY else 1

    def send(self, unit: UnitPlan, results: Any) -> None:
        for sent in results:
            for link in unit.receivers[sent.port]:
                self.under_way.append((self.plan.units[link.receiver], link.input, sent.header))
            if not unit.receivers[sent.port]:
                self.answers[f"{unit.name}.{sent.port}"].take(sent.header, 1)

    def settle(self, unit: UnitPlan, spread: Spread, reason: Reason = Reason.FILTERED) -> None:
        for port, count in spread.fanouts():
            if count or reason is not Reason.FAILED:
                self.undertaker.close(unit.name, port, spread.header, count)
            else:
                self.undertaker.bury(unit.name, Tombstone(spread.header, reason, unit.name), port)
        for port in spread.silent():
            self.undertaker.bury(unit.name, Tombstone(spread.header, reason, unit.name), port)
        for port, part in spread.missing:
            self.undertaker.leave_out(unit.name, port, Tombstone(part, reason, unit.name))


class Door:
    """An input of a join."""

    def __init__(self, run: Run, unit: UnitPlan) -> None:
        self.run, self.unit = run, unit

    def bury(self, port: str, tombstone: Tombstone, ways: int) -> None:
        self.run.joiners[self.unit.name].bury(port, tombstone, ways, 0.0)
        self.run.look_at(self.unit)

    def close(self, port: str, header: Header, count: int, ways: int) -> None:
        self.run.joiners[self.unit.name].close(port, header, count, ways, 0.0)
        self.run.look_at(self.unit)


class AnswerDoor:
    """An open output."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers

    def bury(self, port: str, tombstone: Tombstone, ways: int) -> None:
        del port
        self.answers.bury(tombstone, ways)

    def close(self, port: str, header: Header, count: int, ways: int) -> None:
        del port
        self.answers.close(header, count, ways)


@given(plan=graphs(), data=st.data())
@settings(max_examples=250)
def test_every_set_and_every_answer_of_any_graph_ends_without_a_deadline(plan, data):
    note("\n".join(map(str, plan.links)))
    run = Run(plan, data.draw)
    expected = [
        answer
        for unit in plan.units.values()
        if not unit.inputs
        for seq in range(data.draw(st.integers(1, 2)))
        for answer in run.be_born(unit, seq)
    ]
    while run.under_way:
        run.arrive(*run.under_way.pop(data.draw(st.integers(0, len(run.under_way) - 1))))
    for name, joiner in run.joiners.items():
        assert (name, joiner.due(), len(joiner._sets)) == (name, float("inf"), 0)
    assert [answer for answer in expected if not answer.done()] == []
