"""A process that was checked: every link resolved, every default filled in, what is fused and what joins how.

Knows nothing of how it came about (`check` makes it) nor of how it is run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from streampy.model.cpus import cpus_of
from streampy.model.numbered import fill
from streampy.model.pipe import Join, OnError, Pipe
from streampy.model.place import Place, SharedPipe, Transport, places_of, shared_pipes, transport_of
from streampy.model.ports import InputPort, Ports
from streampy.model.process import UnitSpec
from streampy.model.segments import LinkSpec, SegmentSpec


@dataclass(frozen=True, slots=True)
class Link:
    """From an output port to an input port."""

    sender: str
    output: str
    receiver: str
    input: str
    feedback: bool = False
    """Whether it closes a cycle."""

    def __str__(self) -> str:
        return f"{self.sender}.{self.output} -> {self.receiver}.{self.input}"


@dataclass(frozen=True, slots=True)
class Share:
    """What one stream sends to one input of a join: `ways` routes, and `levels` of fan-out below the key."""

    ways: int
    levels: int


@dataclass(frozen=True, slots=True)
class JoinPlan:
    """How the inputs of a unit meet."""

    settings: Join
    depths: Mapping[str, int]
    """For each stream the length of the fan-out path that is the key: 0 for the item that the source emitted."""
    shares: Mapping[str, Mapping[str, Share]]
    """For each stream and each input; an input that is missing gets nothing from that stream."""
    gathers: frozenset[str]
    """The inputs that are given all the parts as a list."""
    latest: frozenset[str]
    """The inputs that are given the newest value known; they take no part in the join."""


@dataclass(frozen=True, slots=True)
class InputPlan:
    """An input with its pipe and the links that lead into it."""

    port: InputPort
    pipe: Pipe
    configured: bool
    """Whether someone asked for this pipe; a plain one is fused away where that is possible."""
    links: tuple[Link, ...]

    @property
    def is_open(self) -> bool:
        """Whether it is fed by hand."""
        return not self.links


@dataclass(frozen=True, slots=True)
class UnitPlan:
    """A unit, ready to be run."""

    spec: UnitSpec
    ports: Ports
    settings: Mapping[str, object]
    """Those of all workers: see `settings_of`."""
    inputs: Mapping[str, InputPlan]
    receivers: Mapping[str, tuple[Link, ...]]
    """The links that lead away from each output."""
    join: JoinPlan | None
    not_fused: str
    """Why it is not fused with the unit before it; "" if it is."""
    each: tuple[Mapping[str, object], ...] = ()
    """For each worker the settings that only it has, over those of all; empty where there are none."""

    @property
    def name(self) -> str:
        """Of the unit in the process."""
        return self.spec.name

    @property
    def on_error(self) -> OnError:
        """What happens when it raises."""
        return self.spec.on_error

    def settings_of(self, index: int, changed: Mapping[str, object] | None = None) -> dict[str, object]:
        """The settings of one worker. changed: those that all were given since the start, which count most."""
        return {**self.settings, **(self.each[index] if self.each else {}), **(changed or {})}

    def device_of(self, index: int) -> str:
        """What one worker is to compute on: `cuda:1`."""
        return fill(self.spec.device, index, self.spec.workers)

    def env_of(self, index: int) -> dict[str, str]:
        """The environment variables that the OS process of one worker is to have beside those of `main`."""
        return {name: fill(value, index, self.spec.workers) for name, value in self.spec.env.items()}

    def cpus_of(self, index: int) -> tuple[int, ...]:
        """The CPUs that the OS process of one worker may use; empty: all that `main` may use."""
        return cpus_of(self.spec.cpus, index)

    @property
    def is_open(self) -> bool:
        """Whether it is fed by hand."""
        return bool(self.inputs) and all(entry.is_open for entry in self.inputs.values())

    @property
    def open_outputs(self) -> tuple[str, ...]:
        """The outputs that lead nowhere: `running.stream` reads them."""
        return tuple(port for port, links in self.receivers.items() if not links)


@dataclass(frozen=True, slots=True)
class Mourner:
    """Who must be told, `ways` times, when an item ends: an input of a join, or an open output (`>PORT`)."""

    unit: str
    input: str
    ways: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that is decided before the start."""

    name: str
    units: Mapping[str, UnitPlan]
    """In an order in which every unit comes after those that it is linked to, cycles aside."""
    chains: tuple[tuple[str, ...], ...]
    """The units, grouped by who is fused with whom; each chain runs as direct calls."""
    loops: tuple[frozenset[str], ...]
    """The units that feed each other in a circle."""
    mourners: Mapping[tuple[str, str], tuple[Mourner, ...]]
    """For each output (unit, port): who downstream is told when an item ended there, or went into parts."""
    part_mourners: Mapping[tuple[str, str], tuple[Mourner, ...]]
    """For each output: who is told when one of the parts that the unit makes of an item is left out there."""
    depths: Mapping[tuple[str, str], Mapping[str, Share]]
    """For each output and stream: how many ways lead to it, and through how many fan-outs.

    A stream is left out where its ways differ in their fan-outs: nobody could say when all of an item has come.
    """
    groups: Mapping[str, str] = field(default_factory=dict)
    """The processes that are used as units, `other` or `outer/inner`, and what each was named by: `other.yaml`.

    The units of `other` are those whose names begin with `other/`.
    """
    places: tuple[Place, ...] = ()
    """The OS processes that there will be, `main` first; of a pool as many as it can come to need."""
    segments: Mapping[str, SegmentSpec] = field(default_factory=dict)
    """The programs that the process is cut into, each unit in one of them; empty where it is not cut.

    It can run as one program all the same: then `places` are those of all its units.
    """
    wires: tuple[LinkSpec, ...] = ()
    """How the segments reach each other: one for each pair between which there are links, whoever sends."""

    @property
    def links(self) -> tuple[Link, ...]:
        """All that a unit of the plan has to do with, by sender; those that come from another segment are the last."""
        away = [link for unit in self.units.values() for links in unit.receivers.values() for link in links]
        arriving = [link for unit in self.units.values() for entry in unit.inputs.values() for link in entry.links]
        return (*away, *(link for link in arriving if link.sender not in self.units))

    @property
    def crossings(self) -> tuple[Link, ...]:
        """The links whose ends lie in different segments."""
        return tuple(link for link in self.links if self._is_crossing(link))

    def segment_of(self, unit: str) -> str:
        """The segment that a unit lives in; "" where the process is not cut."""
        return next((name for name, segment in self.segments.items() if unit in segment.units), "")

    def wire(self, one: str, other: str) -> LinkSpec:
        """What joins two segments, whichever of them dials. Raises LookupError where no link leads across."""
        ends = frozenset((one, other))
        found = next((wire for wire in self.wires if wire.ends == ends), None)
        if found is None:
            raise LookupError(f"no link leads from {one!r} to {other!r}, nor back")
        return found

    def of_segment(self, name: str) -> Plan:
        """What one segment runs: its units, as they are here, with what holds of these alone.

        Its `links` are those within it, into it, and out of it. Who must be told when an item ends (`mourners`), the
        `depths`, and the joins of its units are those of the whole process. Raises KeyError for a name that is none.
        """
        members = set(self.segments[name].units)
        units = {unit: self.units[unit] for unit in self.units if unit in members}
        chains = tuple(chain for chain in self.chains if chain[0] in units)
        return replace(
            self,
            units=units,
            chains=chains,
            loops=tuple(loop for loop in self.loops if loop <= units.keys()),
            groups={
                group: used_as
                for group, used_as in self.groups.items()
                if any(unit.startswith(f"{group}/") for unit in units)
            },
            places=places_of(units, chains),
        )

    def place_of(self, unit: str, index: int) -> Place:
        """The OS process in which one worker of a unit lives."""
        name = self.units[unit].spec.home_of(index)
        return next(place for place in self.places if place.name == name)

    def transport(self, link: Link) -> Transport:
        """What carries the items of a link."""
        if self._is_crossing(link):
            return Transport.NETWORK
        return transport_of(self.units[link.sender], self.units[link.receiver])

    def _is_crossing(self, link: Link) -> bool:
        return bool(self.segments) and self.segment_of(link.sender) != self.segment_of(link.receiver)

    def transport_to(self, unit: str, port: str) -> Transport:
        """What carries items to an input; where several links lead there, the dearest; `main` pushes to an open one."""
        links = self.units[unit].inputs[port].links
        found = {self.transport(link) for link in links} or {transport_of(None, self.units[unit])}
        return max(found, key=list(Transport).index)

    @property
    def shared_pipes(self) -> Mapping[tuple[str, str], SharedPipe]:
        """By unit and input, the pipes that items come to from another OS process."""
        return {(pipe.unit, pipe.input): pipe for pipe in shared_pipes(self.units)}
