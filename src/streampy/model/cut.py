"""Which unit lives in which segment, and what joins these; what is wrong with it is told.

Knows nothing of how a unit runs, nor of how segments are reached.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from streampy.errors import Problem
from streampy.model.returns import find_return
from streampy.model.rounds import find_round
from streampy.model.segments import LinkSpec, SegmentSpec
from streampy.model.suggest import did_you_mean, nearest

if TYPE_CHECKING:
    from streampy.model.plan import Link, UnitPlan
    from streampy.model.process import Process


class Cut:
    """How a process is cut into segments. All is empty where it is not cut."""

    def __init__(self, process: Process, units: Iterable[str]) -> None:
        """units: all of them, those of used processes among them, as they are called in the plan."""
        self.problems: list[Problem] = []
        self._process = process
        self._where: dict[str, tuple[SegmentSpec, int]] = {}
        """For each unit of the process itself its segment, and its number in it."""
        self._joined: dict[frozenset[str], LinkSpec] = {}
        self._meant: set[str] = set()
        self._is_whole = not any(segment.told for segment in process.segments.values())
        self.problems += [*self._members(), *self._in_none(), *self._listeners(), *self._links()]
        tops = {unit: unit.partition("/")[0] for unit in units}
        self.segment_of = {unit: self._where[top][0].name for unit, top in tops.items() if top in self._where}
        """The segment of each unit that is known to be in one."""

    def segments(self, units: Iterable[str]) -> dict[str, SegmentSpec]:
        """By name, each with all its units. units: of the plan, in its order."""
        living: dict[str, list[str]] = {name: [] for name in self._process.segments}
        for unit in units if living else ():
            living[self.segment_of[unit]].append(unit)
        return {name: replace(spec, units=tuple(living[name])) for name, spec in self._process.segments.items()}

    def wires(self, links: Iterable[Link]) -> tuple[LinkSpec, ...]:
        """What joins the segments: what was written, then the defaults, in which the one dials that sends first."""
        crossed = self._crossed(links)
        defaults = [LinkSpec(*ends) for ends in crossed.values() if frozenset(ends) not in self._joined]
        return (*self._joined.values(), *defaults)

    def check_links(self, links: Iterable[Link]) -> Iterator[Problem]:
        """The links between segments that carry nothing. links: all that there are between units."""
        crossed = self._crossed(links)
        for pair, spec in self._joined.items():
            if self._is_whole and pair not in crossed:
                ends = f"no unit of {spec.dialler!r} is linked with one of {spec.listener!r}"
                yield spec.problem(f"it carries nothing: {ends}; remove it")

    def check_loops(self, loops: Iterable[Collection[str]]) -> Iterator[Problem]:
        """The cycles of units that go through several segments. loops: the units that feed each other in a circle."""
        for loop in loops:
            inside = [unit for unit in self.segment_of if unit in loop]
            names = list(dict.fromkeys(self.segment_of[unit] for unit in inside))
            if len(names) > 1:
                stray = next(unit for unit in inside if self.segment_of[unit] != names[0])
                segment, number = self._where[stray.partition("/")[0]]
                yield segment.problem(
                    f"the cycle of {', '.join(inside)} goes through the segments {' and '.join(names)}: "
                    f"let all its units live in one",
                    "units",
                    number,
                )

    def check_rounds(self, units: Mapping[str, UnitPlan], links: Iterable[Link]) -> Iterator[Problem]:
        """The segments that could wait for each other for ever. units, links: all that there are."""
        if not units.keys() <= self.segment_of.keys():  # nothing follows from what is told as wrong already
            return
        known = list(links)
        joins = [
            (name, frozenset(unit.inputs) - unit.join.latest) for name, unit in units.items() if unit.join is not None
        ]
        for unit in units.values() if self._process.segments else ():
            if not all(entry.is_open for entry in unit.inputs.values()) and unit.join is None:
                continue  # nothing begins there
            found = find_round(self.segment_of[unit.name], self._ways(unit.name, known))
            if found is not None:
                yield self._process.segments[found.members[0]].problem(
                    f"{' and '.join(found.members)} send to each other, and {' and '.join(found.entries)} each get by "
                    f"themselves what begins in {found.home}: an item could wait for itself; let one of them get all "
                    f"that begins there, or let their units live in one segment",
                    "units",
                )
                continue
            stuck = find_return(unit.name, joins, known, self.segment_of)
            if stuck is not None:
                join, giver, taker = stuck
                segment, number = self._where[join.partition("/")[0]]
                yield segment.problem(
                    f"{join!r} would wait for ever: it joins what began at {unit.name!r} with what comes of that by "
                    f"way of {taker!r}, to which {giver!r} gives nothing back before {join!r} is done with the item; "
                    f"let {join!r} live in {taker!r}",
                    "units",
                    number,
                )

    def _ways(self, unit: str, links: list[Link]) -> set[tuple[str, str]]:
        """Who sends to whom what begins at a unit, or comes of it."""
        reached, new = {unit}, {unit}
        while new:
            new = {link.receiver for link in links if link.sender in new} - reached
            reached |= new
        ends = {(self.segment_of[one.sender], self.segment_of[one.receiver]) for one in links if one.sender in reached}
        return {way for way in ends if way[0] != way[1]}

    def _crossed(self, links: Iterable[Link]) -> dict[frozenset[str], tuple[str, str]]:
        """The pairs of segments that a link leads across, each with the one that sends first, and the other one."""
        found: dict[frozenset[str], tuple[str, str]] = {}
        for link in links:
            sender, receiver = self.segment_of.get(link.sender, ""), self.segment_of.get(link.receiver, "")
            if sender and receiver and sender != receiver:
                found.setdefault(frozenset((sender, receiver)), (sender, receiver))
        return found

    def _members(self) -> Iterator[Problem]:
        for segment in self._process.segments.values():
            for number, name in enumerate(segment.units):
                message = self._why_not(name)
                if message:
                    yield segment.problem(message, "units", number)
                else:
                    self._where[name] = segment, number

    def _why_not(self, name: str) -> str:
        """What is wrong with a name in a segment; "" if nothing is."""
        known = self._process.units
        if name not in known:
            top = name.replace(".", "/").partition("/")[0]
            self._meant.add(top if top in known else nearest(name, known))
            if top in known and known[top].is_process:
                return f"got {name!r}, but a used process lives in one segment as a whole: {top!r} stands for all of it"
            return f"there is no unit {name!r}{did_you_mean(name, known)}"
        if name in self._where:
            return f"{name!r} is in the segment {self._where[name][0].name!r} already: a unit lives in one; remove it"
        return ""

    def _in_none(self) -> Iterator[Problem]:
        segments = self._process.segments
        lost = [name for name in self._process.units if name not in self._where and name not in self._meant]
        if segments and lost and self._is_whole:
            place = next(iter(segments.values())).origin.place(("segments",))
            are, them = ("is", "it") if len(lost) == 1 else ("are", "them")
            message = f"{', '.join(map(repr, lost))} {are} in no segment, and each unit lives in one: add {them}"
            yield Problem(*place, "segments", f"{message} to {' or '.join(segments)}")

    def _listeners(self) -> Iterator[Problem]:
        for segment in self._process.segments.values():
            if segment.tls is None or any(path[0] == "tls" for path in segment.told if path):
                continue
            if not segment.tls.cert:
                yield segment.problem("who listens shows a certificate: add `cert` and `key`", "tls")
            if segment.tls.name:
                expected = "what a dialler expects to find in the certificate"
                yield segment.problem(f"`name` is {expected}: it stands at the link", "tls", "name")

    def _links(self) -> Iterator[Problem]:
        for link in self._process.links:
            message = self._why_not_joined(link)
            if message:
                yield link.problem(message)
            else:
                self._joined[link.ends] = link
                yield from self._tokens(link)

    def _why_not_joined(self, link: LinkSpec) -> str:
        """What is wrong with the ends of a link between segments; "" if nothing is."""
        known = self._process.segments
        if not known:
            return "there are no segments that it could join: add `segments`, or remove it"
        for end in (link.dialler, link.listener):
            if end not in known:
                return f"there is no segment {end!r}{did_you_mean(end, known)}"
        if link.dialler == link.listener:
            return "it leads from a segment to itself: links within a segment need nothing; remove it"
        if link.ends in self._joined:
            other = str(self._joined[link.ends])
            return f"{other!r} joins these two already, and carries both ways: keep the one whose first segment dials"
        return ""

    def _tokens(self, link: LinkSpec) -> Iterator[Problem]:
        """A token that only one side has: nobody is let in, or everybody."""
        listener = self._process.segments[link.listener]
        told = link.told | listener.told
        if link.via or not told.isdisjoint({(), ("token",), ("via",)}):
            return
        if listener.token and not link.token:
            yield link.problem(f"the segment {listener.name!r} asks for its token: add `token`, the same as there")
        if link.token and not listener.token:
            asks = f"asks for none, and would let everybody in: add the same to `segments.{listener.name}`"
            yield link.problem(f"the segment {listener.name!r} {asks}", "token")
