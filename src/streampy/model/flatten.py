"""Puts the units of used processes in the place of these: `detect` of what is used as `other` becomes `other/detect`.

What was said where the process is used goes to its units. Knows nothing of what makes a unit or a link right.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from streampy.model.cpus import each_cpus
from streampy.model.origin import Spot
from streampy.model.plan import Link
from streampy.model.ports import Ports
from streampy.model.process import CPU, OWN, UnitSpec
from streampy.model.scope import End, Scope

KeyPath = tuple[str | int, ...]
Settings = Mapping[str, Any]


class Flat:
    """All units of a process, those of the processes that it uses among them, and all links between them."""

    def __init__(self, scope: Scope) -> None:
        self.specs: dict[str, UnitSpec] = {}
        self.ports: dict[str, Ports] = {}
        self.arriving: dict[End, list[Link]] = defaultdict(list)
        """The links that lead into each input."""
        self.away: dict[End, list[Link]] = defaultdict(list)
        """The links that lead away from each output."""
        self.groups: dict[str, str] = {}
        """The used processes by name, and what each was named by where it is used."""
        self._add(scope, "", scope.specs)
        self.entrances = {
            _inmost(scope, (name, port), sends=False): (name, port)
            for name, ports in scope.ports.items()
            for port in ports.inputs
        }
        """For each input that belongs to one of the process itself: that one."""

    @property
    def links(self) -> list[Link]:
        """All of them, by receiver."""
        return [link for several in self.arriving.values() for link in several]

    def _add(self, scope: Scope, within: str, specs: Mapping[str, UnitSpec]) -> None:
        for name, spec in specs.items():
            if name in scope.inner:
                self.groups[spec.name] = spec.used_as
                placed = _placed(scope.inner[name], spec, linked=scope.links.get(name, {}))
                self._add(
                    scope.inner[name], f"{spec.name}/", {one.name.removeprefix(one.within): one for one in placed}
                )
            elif name in scope.ports:
                self.specs[spec.name] = spec
                self.ports[spec.name] = scope.ports[name]
        for link in scope.all_links:
            sender, output = _inmost(scope, (link.sender, link.output), sends=True)
            receiver, port = _inmost(scope, (link.receiver, link.input), sends=False)
            flat = Link(f"{within}{sender}", output, f"{within}{receiver}", port)
            self.arriving[flat.receiver, flat.input].append(flat)
            self.away[flat.sender, flat.output].append(flat)


def _inmost(scope: Scope, end: End, *, sends: bool) -> End:
    """The unit, and its port, that an open port of a used process belongs to."""
    within = ""
    while end[0] in scope.inner:
        within += f"{end[0]}/"
        scope = scope.inner[end[0]]
        end = (scope.open_outputs if sends else scope.open_inputs)[end[1]]
    return f"{within}{end[0]}", end[1]


def _placed(scope: Scope, use: UnitSpec, linked: Mapping[str, object]) -> Iterator[UnitSpec]:
    """The units of a used process, with what was said at its use."""
    for name, spec in scope.specs.items():
        ports = {port: outer for outer, (unit, port) in scope.open_inputs.items() if unit == name}
        given = _mapping(use.settings.get(name))
        inner = scope.inner.get(name)
        yield replace(
            spec,
            name=f"{use.name}/{name}",
            within=f"{use.name}/",
            settings=_merged(spec.settings, given, inner),
            workers=spec.workers * use.workers,
            spare=spec.workers * use.workers - (spec.workers - spec.spare) * (use.workers - use.spare),
            pool=use.pool or (use.name if use.workers != 1 else ""),
            copies=use.workers,
            ordered=spec.ordered and use.ordered,
            pipes={**spec.pipes, **_pipes(spec, use, ports)},
            told=spec.told | _told(use, name),
            elsewhere={**_elsewhere(use, name, list(_paths(given, inner)), ports, linked), **spec.elsewhere},
            **_whereabouts(spec, use),
        )


def _whereabouts(spec: UnitSpec, use: UnitSpec) -> dict[str, Any]:
    """Where a unit of a used process runs, and what each of its workers has for itself."""
    found: dict[str, Any] = {"each": spec.each * use.workers}
    found["cpus"] = spec.cpus * use.workers if each_cpus(spec.cpus) else spec.cpus
    said = [key for key in _said(use) if (key,) not in spec.elsewhere]  # what is given beside the file counts more
    if "place" in said:
        is_own = use.place == OWN
        found["place"] = use.place
        found["household"] = use.household or (use.name if is_own else "")
        found["households"] = use.households if use.household else use.workers if is_own else 1
    if "device" in said:
        found["device"] = use.device
    if "cpus" in said:
        copies = each_cpus(use.cpus)
        found["cpus"] = tuple(one for one in copies for _ in range(spec.workers)) if copies else use.cpus
    if "env" in said:
        found["env"] = {**spec.env, **use.env}
    return found


def _said(use: UnitSpec) -> list[str]:
    """What is said at the use of a process of where its units run."""
    said = {"place": use.is_away, "device": use.device != CPU, "env": bool(use.env), "cpus": bool(use.cpus)}
    return [key for key, is_said in said.items() if is_said]


def _elsewhere(
    use: UnitSpec,
    name: str,
    settings: Iterable[tuple[str, ...]],
    ports: Mapping[str, str],
    linked: Mapping[str, object],
) -> dict[KeyPath, Spot]:
    """What was said of one of the units at the use of its process."""
    found: dict[KeyPath, Spot] = {("set", *path): use.spot("set", name, *path) for path in settings}
    for port, outer in ports.items():
        if use.pipe or outer in use.pipes:
            found["pipe", port] = _spot(use, "pipe", outer, use.pipes)
        if outer in linked:
            found["from", port] = _spot(use, "from", outer, use.links)
    if use.workers != 1:
        found["workers",] = use.spot("workers")
    found |= {(key,): use.spot(key) for key in _said(use)}
    return found


def _spot(use: UnitSpec, key: str, port: str, single: Mapping[str, object]) -> Spot:
    return use.spot(key, port) if port in single else use.spot(key)


def _pipes(spec: UnitSpec, use: UnitSpec, ports: Mapping[str, str]) -> dict[str, Settings]:
    """What is asked of the pipes at open inputs, `ports` by the names that these have outside."""
    return {
        port: {**spec.pipes.get(port, {}), **use.pipe, **use.pipes.get(outer, {})}
        for port, outer in ports.items()
        if use.pipe or outer in use.pipes
    }


def _told(use: UnitSpec, name: str) -> frozenset[KeyPath]:
    """What was told to be wrong with the settings of one of the units."""
    below = {path[2:] for path in use.told if path[:1] == ("set",) and path[1:2] in ((), (name,))}
    return frozenset(("set", *path) for path in below)


def _merged(own: Settings, given: Settings, inner: Scope | None) -> dict[str, Any]:
    """Settings with those that count more; for a process those of each of its units."""
    if inner is None:
        return {**own, **given}
    units = {**own, **given}
    return {unit: _merged(_mapping(own.get(unit)), _mapping(given.get(unit)), inner.inner.get(unit)) for unit in units}


def _paths(given: Settings, inner: Scope | None) -> Iterator[tuple[str, ...]]:
    """Where each setting stands below `set`."""
    if inner is None:
        yield from ((name,) for name in given)
        return
    for unit, settings in given.items():
        yield from ((unit, *path) for path in _paths(_mapping(settings), inner.inner.get(unit)))


def _mapping(settings: object) -> Settings:
    return settings if isinstance(settings, Mapping) else {}
