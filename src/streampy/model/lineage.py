"""Where the items of each link come from, so that a join knows by what they belong together.

A lineage is the list of the fan-outs that an item went through since its source. The inputs of a join belong
together by their longest common lineage: frame, markup and k profiles of one frame meet at the frame.
Knows nothing of the joining itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from operator import add

from streampy.errors import Problem
from streampy.model.annotations import is_list, says_nothing
from streampy.model.pipe import Join
from streampy.model.place import UNTAKEN
from streampy.model.plan import InputPlan, JoinPlan, Link, Share, UnitPlan
from streampy.model.ports import Emits, Helping, OutputPort
from streampy.model.segments import UNANSWERED


@dataclass(frozen=True, slots=True)
class _Origin:
    """How the items of one stream came to a link: through which fan-outs, on how many ways."""

    fanouts: tuple[str, ...]
    ways: tuple[int, ...]
    """From the source, and from each of the fan-outs, to here."""
    is_even: bool = True
    """Whether all those ways have the same fan-outs."""


_Streams = dict[str, _Origin]


class Lineages:
    """The lineage of every output, and the plan of every join; what can't be joined is reported."""

    def __init__(
        self, units: Mapping[str, UnitPlan], report: Callable[[Problem], None], segment_of: Mapping[str, str]
    ) -> None:
        self._segment_of = segment_of
        self.joins: dict[str, JoinPlan] = {}
        self.outputs: dict[tuple[str, str], Mapping[str, Share]] = {}
        self.roots: dict[str, frozenset[str]] = {}
        """For each join of parts the fan-outs that made them."""
        self._report = report
        self._units = units
        self._at: dict[tuple[str, str], _Streams] = {}
        for unit in units.values():
            inside = self._inside(unit)
            for port in unit.ports.outputs.values():
                streams = {stream: _through(unit, port, origin) for stream, origin in inside.items()}
                self._at[unit.name, port.name] = streams
                self.outputs[unit.name, port.name] = {
                    stream: Share(origin.ways[0], len(origin.fanouts))
                    for stream, origin in streams.items()
                    if origin.is_even
                }

    def streams(self, unit: str, port: str) -> frozenset[str]:
        """All streams that come out there, also those whose ways differ in their fan-outs."""
        return frozenset(self._at[unit, port])

    def _inside(self, unit: UnitPlan) -> _Streams:
        """The lineage of what the unit works on."""
        if not unit.inputs or unit.is_open:
            if len(unit.inputs) > 1:
                self._plan_join(unit, {name: {unit.name: _SOURCE} for name in unit.inputs})
            return {unit.name: _SOURCE}
        arriving = {name: self._arriving(unit, entry) for name, entry in unit.inputs.items()}
        only = next(iter(arriving))
        if len(arriving) == 1 and not self._takes_parts(unit.inputs[only], arriving[only]):
            return arriving[only]
        return self._plan_join(unit, arriving)

    def _arriving(self, unit: UnitPlan, entry: InputPlan) -> _Streams:
        streams: _Streams = {}
        for link in entry.links:
            if link.feedback:
                self._check_feedback(unit, link)
                continue
            for stream, origin in self._at[link.sender, link.output].items():
                there = streams.get(stream)
                streams[stream] = origin if there is None else _merge(there, origin)
        return streams

    def _check_feedback(self, unit: UnitPlan, link: Link) -> None:
        port = unit.inputs[link.input].port
        if len(unit.inputs) > 1 and port.helping is not Helping.LATEST:
            self._report(
                unit.spec.problem(
                    f"{unit.spec.seen(link.sender, 'from', port.name)}.{link.output} comes back to {port.name!r} in a "
                    f"cycle, and can't be joined item by item: annotate it Latest[...] to be given the newest value",
                    "from",
                    port.name,
                )
            )

    def _takes_parts(self, entry: InputPlan, streams: _Streams) -> bool:
        """Whether an input is to be given the parts of a fan-out as a list, not a list that somebody made."""
        if entry.port.helping is not Helping.LIST or self._gives(entry, is_list):
            return False
        return any(origin.fanouts for origin in streams.values()) or not self._gives(entry, says_nothing)

    def _gives(self, entry: InputPlan, holds: Callable[[object], bool]) -> bool:
        types = [self._units[link.sender].ports.outputs[link.output].type for link in entry.links]
        return all(map(holds, types))

    def _plan_join(self, unit: UnitPlan, arriving: Mapping[str, _Streams]) -> _Streams:
        """Find the common ancestor for each stream; returns the lineage of what the join gives."""
        latest = frozenset(name for name, entry in unit.inputs.items() if entry.port.helping is Helping.LATEST)
        joined = {name: streams for name, streams in arriving.items() if name not in latest}
        if not joined:
            self._report(unit.spec.problem("all its inputs are Latest[...]: one must say when to work", "from"))
            return {}
        streams = sorted({stream for of_port in joined.values() for stream in of_port})
        keys = {stream: self._key_of(unit, stream, joined) for stream in streams}
        shares = {
            stream: {
                name: Share(of_port[stream].ways[len(keys[stream])], len(of_port[stream].fanouts) - len(keys[stream]))
                for name, of_port in joined.items()
                if stream in of_port
            }
            for stream in streams
        }
        gathers = frozenset(name for name in joined if self._gathers(unit.inputs[name], name, shares))
        settings = self._settings(unit)
        self._check_join(unit, settings, joined, shares, gathers)
        settings = replace(settings, capacity=settings.capacity or self._room(unit))
        depths = {stream: len(key) for stream, key in keys.items()}
        self.joins[unit.name] = JoinPlan(settings, depths, shares, gathers, latest)
        if settings.key != "ancestor":
            return {unit.name: _SOURCE}
        self.roots[unit.name] = frozenset(key[-1] for key in keys.values() if key)
        return {stream: _joined(key, stream, joined) for stream, key in keys.items()}

    def _key_of(self, unit: UnitPlan, stream: str, joined: Mapping[str, _Streams]) -> tuple[str, ...]:
        """The common ancestor; where all are lists, and one has the parts of that very fan-out, the one above it."""
        feeding = {name: of_port[stream].fanouts for name, of_port in joined.items() if stream in of_port}
        common = _common(list(feeding.values()))
        if common in feeding.values() and all(self._takes_parts(unit.inputs[name], joined[name]) for name in feeding):
            return common[:-1]
        return common

    def _gathers(self, entry: InputPlan, name: str, shares: Mapping[str, Mapping[str, Share]]) -> bool:
        if entry.port.helping is not Helping.LIST:
            return False
        if any(name in of_stream and of_stream[name].levels for of_stream in shares.values()):
            return True
        return not entry.is_open and not self._gives(entry, lambda one: is_list(one) or says_nothing(one))

    def _check_join(
        self,
        unit: UnitPlan,
        settings: Join,
        joined: Mapping[str, _Streams],
        shares: Mapping[str, Mapping[str, Share]],
        gathers: frozenset[str],
    ) -> None:
        if settings.key == "ancestor":
            self._check_shares(unit, shares, gathers)
        elif gathers:
            names = ", ".join(sorted(gathers))
            message = f"{names}: parts are gathered by their common ancestor only, not by the key {settings.key!r}"
            self._report(unit.spec.problem(message, "join", "key"))
        for name, streams in joined.items():
            if settings.key == "seq" and any(origin.fanouts for origin in streams.values()):
                message = f"{name!r} gets the parts of a fan-out, which have no number of their own: join by a field"
                self._report(unit.spec.problem(message, "join", "key"))
            if not all(origin.is_even for origin in streams.values()):
                message = f"items reach {name!r} on several ways with different fan-outs, so they can't be joined"
                self._report(unit.spec.problem(message, "from", name))

    def _check_shares(self, unit: UnitPlan, shares: Mapping[str, Mapping[str, Share]], gathers: frozenset[str]) -> None:
        told = {name for name, entry in unit.inputs.items() if any(link.feedback for link in entry.links)}
        for stream, ports in shares.items():
            for name, entry in unit.inputs.items():
                if entry.port.helping is Helping.LATEST or name in told:
                    continue
                share = ports.get(name)
                if share is None and not entry.port.optional and name not in gathers:
                    told.add(name)
                    others = ", ".join(repr(port) for port in ports)
                    source = unit.spec.seen(stream, "from", name)
                    self._report(
                        unit.spec.problem(
                            f"{name!r} gets nothing from {source!r}, which feeds {others}: they have no common "
                            f"ancestor to be joined by; set `join: {{key: seq}}` (the n-th with the n-th) or the name "
                            f"of a field, or annotate {name!r} as `| None`",
                            "from",
                            name,
                        )
                    )
                elif share is not None and share.levels and name not in gathers:
                    told.add(name)
                    self._report(
                        unit.spec.problem(
                            f"{name!r} gets the parts of a fan-out, any number for each item: annotate it "
                            f"list[...] to be given them all",
                            "from",
                            name,
                        )
                    )

    def _settings(self, unit: UnitPlan) -> Join:
        try:
            return replace(unit.ports.join or Join(), **unit.spec.join)
        except (TypeError, ValueError) as error:
            self._report(unit.spec.problem_with(error, "join"))
            return Join()

    def _room(self, unit: UnitPlan) -> int:
        """As many items as can be on their way to the join, so that none is put out before its time.

        A quick worker may have in its hands as many as its pipe holds, while that is full again.
        """
        seen: set[str] = set()
        waiting = [unit.name]
        while waiting:
            for entry in self._units[waiting.pop()].inputs.values():
                for link in entry.links:
                    if link.sender not in seen:
                        seen.add(link.sender)
                        waiting.append(link.sender)
        units = [unit, *(self._units[name] for name in seen if name != unit.name)]
        in_pipes = sum(
            2 * (entry.pipe.capacity + one.spec.workers * entry.pipe.batch)
            for one in units
            for entry in one.inputs.values()
        )
        far = UNANSWERED if len({self._segment_of.get(one.name) for one in units}) > 1 else 0
        return 16 + far + in_pipes + UNTAKEN * sum(one.spec.workers for one in units if one.spec.is_away)


_SOURCE = _Origin((), (1,))


def _through(unit: UnitPlan, port: OutputPort, origin: _Origin) -> _Origin:
    """Behind an output of a unit: a unit that yields makes parts that its outputs share, else each makes its own."""
    if not port.many:
        return origin
    fanout = unit.name if unit.ports.emits is Emits.MANY else f"{unit.name}.{port.name}"
    return replace(origin, fanouts=(*origin.fanouts, fanout), ways=(*origin.ways, 1))


def _merge(one: _Origin, other: _Origin) -> _Origin:
    """What comes on several ways."""
    fanouts = _common([one.fanouts, other.fanouts])
    is_even = one.is_even and other.is_even and one.fanouts == other.fanouts
    ways = tuple(map(add, one.ways, other.ways))[: len(fanouts) + 1]
    return _Origin(fanouts, ways, is_even)


def _joined(key: tuple[str, ...], stream: str, joined: Mapping[str, _Streams]) -> _Origin:
    """Behind a join: each set goes on once; what ended above it is told once for each way to the fan-out of its key."""
    ways = next(of_port[stream].ways for of_port in joined.values() if stream in of_port)
    return _Origin(key, tuple(count // ways[len(key)] for count in ways[: len(key) + 1]))


def _common(several: list[tuple[str, ...]]) -> tuple[str, ...]:
    """The longest beginning that all share."""
    shortest = min(several, key=len)
    for length in range(len(shortest), 0, -1):
        if all(one[:length] == shortest[:length] for one in several):
            return shortest[:length]
    return ()
