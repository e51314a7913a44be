"""One process by itself: the ports of its units, its links, and which of its ports are open.

A process that is used as a unit is looked at in the same way, and then known by its open ports alone.
Knows nothing of settings, nor of where the process is used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from math import inf

from streampy.errors import Problem
from streampy.model.annotations import fits, type_name
from streampy.model.cpus import each_cpus
from streampy.model.pipe import OnCrash, OnError
from streampy.model.plan import Link
from streampy.model.ports import Emits, Helping, Ports
from streampy.model.process import ONLY, Process, UnitSpec
from streampy.model.suggest import did_you_mean
from streampy.model.unit import ports_of

End = tuple[str, str]
"""A unit, and one of its ports."""


class Scopes:
    """Every process that is used, looked at once, however often it is used."""

    def __init__(self) -> None:
        self._known: dict[int, Scope] = {}
        self._above: list[Process] = []

    def look_at(self, process: Process) -> Scope:
        """A process, with all that it uses."""
        if id(process) not in self._known:
            self._above.append(process)
            self._known[id(process)] = Scope(process, self)
            self._above.pop()
        return self._known[id(process)]

    def circle(self, process: Process) -> str:
        """`a -> b -> a` where the process is about to be used inside of itself; else ""."""
        ids = [id(one) for one in self._above]
        if id(process) not in ids:
            return ""
        return " -> ".join(one.name for one in [*self._above[ids.index(id(process)) :], process])

    @property
    def problems(self) -> list[Problem]:
        """All that is wrong with them."""
        return [problem for scope in self._known.values() for problem in scope.problems]


class Scope:
    """The units of one process with their links; what is wrong with these is in `problems`."""

    def __init__(self, process: Process, scopes: Scopes) -> None:
        self.process = process
        self.problems: list[Problem] = []
        self.is_whole = True
        """Whether every port and link is known, so that what follows from the graph's shape is no false alarm."""
        self.specs = process.units
        self.ports: dict[str, Ports] = {}
        self.inner: dict[str, Scope] = {}
        """The processes that are used as units."""
        self.misnamed: set[str] = set()
        """The units that were linked at an input that they don't have: nobody knows which one was meant."""
        for spec in self.specs.values():
            self._check_count(spec)
            self._read_ports(spec, scopes)
        self.links = {name: self._links_of(self.specs[name]) for name in self.ports}
        """For each unit and each of its inputs that somebody linked."""
        for name in self.ports:
            self._check_pipes(self.specs[name])
        sending = {(link.sender, link.output) for link in self.all_links}
        self.open_inputs = _names_outside(
            (name, port) for name, ports in self.ports.items() for port in ports.inputs if port not in self.links[name]
        )
        self.open_outputs = _names_outside(
            (name, port) for name, ports in self.ports.items() for port in ports.outputs if (name, port) not in sending
        )

    @property
    def all_links(self) -> list[Link]:
        """By receiver."""
        return [link for of_unit in self.links.values() for several in of_unit.values() for link in several]

    def as_ports(self) -> Ports:
        """What it has where it is used as a unit."""
        inputs = {name: self.ports[unit].inputs[port] for name, (unit, port) in self.open_inputs.items()}
        outputs = {name: self.ports[unit].outputs[port] for name, (unit, port) in self.open_outputs.items()}
        return Ports(
            inputs={name: replace(port, name=name, links=()) for name, port in inputs.items()},
            outputs={name: replace(port, name=name) for name, port in outputs.items()},
            emits=Emits.ONE if outputs else Emits.NOTHING,
        )

    def _check_count(self, spec: UnitSpec) -> None:
        """Whether what each worker has for itself is as many as there are workers at the most."""
        told = {"each": ("mapping", len(spec.each)), "cpus": ("list", len(each_cpus(spec.cpus)))}
        for key, (what, count) in told.items():
            if count not in (0, spec.workers) and not spec.is_told("workers") and not spec.is_told(key):
                got = f"got {count} {what}{'' if count == 1 else 's'}, expected {spec.workers}"
                self._tell(spec, f"{got}: one for each worker that there can be; or set `workers: {count}`", key)

    def _read_ports(self, spec: UnitSpec, scopes: Scopes) -> None:
        if any(spec.is_told(key) for key in ("use", "from", "join")):
            self.is_whole = False
        if spec.is_told("use"):
            return
        if isinstance(spec.use, Process):
            self._read_process(spec, spec.use, scopes)
            return
        try:
            self.ports[spec.name] = ports_of(spec.use)
        except ValueError as error:
            self.is_whole = False
            self._tell(spec, f"{spec.used_as} can't be a unit: {error}", "use")

    def _read_process(self, spec: UnitSpec, used: Process, scopes: Scopes) -> None:
        circle = scopes.circle(used)
        if circle:
            self.is_whole = False
            self._tell(spec, f"a process can't be a unit of itself: {circle}", "use")
            return
        inner = self.inner[spec.name] = scopes.look_at(used)
        if inner.is_whole:
            self.ports[spec.name] = inner.as_ports()
        else:
            self.is_whole = False
        self._check_process(spec, inner)

    def _check_process(self, spec: UnitSpec, inner: Scope) -> None:
        """What can't be said of a process as a whole."""
        said = {
            "each": bool(spec.each),
            "join": bool(spec.join),
            "on_error": spec.on_error != OnError(),
            "on_crash": spec.on_crash != OnCrash(),
            "timeout": spec.timeout != inf,
        }
        for key in (key for key, is_said in said.items() if is_said):
            message = (
                f"{spec.used_as} is a process, and {key!r} is said of single units: write it at them, in that process"
            )
            self._tell(spec, message, key)
        if inner.process.segments or inner.process.links:
            names = ", ".join(inner.process.segments)
            cut = f"is cut into segments ({names})" if names else "has links between segments"
            message = (
                f"{spec.used_as} {cut}, and only the outermost process may be: remove them there, "
                f"and let {spec.name!r} live in a segment here"
            )
            self._tell(spec, message, "use")
        self._check_settings(spec, spec, inner, spec.settings, ())

    def _check_settings(
        self, spec: UnitSpec, used: UnitSpec, inner: Scope, settings: Mapping[str, object], path: tuple[str, ...]
    ) -> None:
        """Settings of a process name its units; what these make of theirs is checked with them."""
        for name, value in settings.items():
            if name not in inner.specs:
                hint = did_you_mean(name, inner.specs)
                self._tell(spec, f"{used.used_as} has no unit {name!r}{hint}", "set", *path, name)
            elif not isinstance(value, Mapping):
                expected = f"expected the settings of the unit {name!r}, `{name}: {{SETTING: VALUE}}`"
                self._tell(spec, f"got {value!r}, {expected}", "set", *path, name)
            elif name in inner.inner:
                self._check_settings(spec, inner.specs[name], inner.inner[name], value, (*path, name))

    def _check_pipes(self, spec: UnitSpec) -> None:
        inputs = self.ports[spec.name].inputs
        for name in (name for name in spec.pipes if name not in inputs):
            self._tell(spec, f"{spec.name!r} has no input {name!r}{did_you_mean(name, inputs)}", "pipe", name)
        if spec.pipe and spec.is_process and not inputs:
            self._tell(spec, f"all inputs of {spec.used_as} are linked inside of it: write `pipe` at its units", "pipe")

    def _links_of(self, spec: UnitSpec) -> dict[str, tuple[Link, ...]]:
        found: dict[str, tuple[Link, ...]] = {}
        for name, ends in spec.links.items():
            path = ("from", name) if name != ONLY else ("from",)
            target = self._input_named(spec, name, path)
            if target is None:
                self.misnamed.add(spec.name)
            else:
                found[target] = self._links(spec, ends, target, path)
        if spec.name in self.misnamed:
            self.is_whole = False
        elif not spec.is_told("from"):
            for name, port in self.ports[spec.name].inputs.items():
                if port.links and name not in found:
                    found[name] = self._links(spec, port.links, name, ("from",), is_default=True)
        return found

    def _links(
        self, spec: UnitSpec, ends: Iterable[str], target: str, path: tuple[str, ...], *, is_default: bool = False
    ) -> tuple[Link, ...]:
        links: list[Link] = []
        override = f"; this link is the default of {spec.used_as}, override it with `from: {{{target}: UNIT}}`"
        for end in ends:
            try:
                link = self._link(spec.name, end, target, hints=not is_default)
            except _WrongLink as error:
                self.is_whole = False
                wrong = error.message
            else:
                links.append(link)
                wrong = self._why_unfit(link)
            if wrong:
                self._tell(spec, f"{wrong}{override if is_default else ''}", *path)
        return tuple(links)

    def _input_named(self, spec: UnitSpec, name: str, path: tuple[str, ...]) -> str | None:
        inputs = self.ports[spec.name].inputs
        if not inputs and spec.is_process:
            self._tell(spec, f"all inputs of {spec.used_as} are linked inside of it: remove `from`", *path)
        elif not inputs:
            message = f"{spec.used_as} is a source, it has no inputs; remove `from`, or give it a parameter"
            self._tell(spec, message, *path)
        elif name == ONLY and len(inputs) > 1:
            example = ", ".join(f"{port}: ..." for port in inputs)
            self._tell(spec, f"has {len(inputs)} inputs, so say which: `from: {{{example}}}`", *path)
        elif name == ONLY:
            return next(iter(inputs))
        elif self._port_named(spec.name, name, inputs):
            return self._port_named(spec.name, name, inputs)
        else:
            self._tell(spec, f"{spec.used_as} has no input {name!r}{did_you_mean(name, inputs)}", *path)
        return None

    def _port_named(self, unit: str, name: str, ports: Mapping[str, object]) -> str:
        """The port of that name; that of a process may be called `unit.port` also where `unit` would do. "" if none."""
        if name in ports or unit not in self.inner:
            return name if name in ports else ""
        inner = self.inner[unit]
        ends = {**inner.open_inputs, **inner.open_outputs}
        return next((port for port in ports if ".".join(ends[port]) == name), "")

    def _link(self, receiver: str, end: str, target: str, *, hints: bool) -> Link:
        """From an output, `unit` or `unit.port`. Raises _WrongLink."""
        sender, _, output = end.partition(".")
        if sender not in self.specs:
            raise _WrongLink(f"there is no unit {sender!r}{did_you_mean(sender, self.specs) if hints else ''}")
        if sender not in self.ports:
            raise _WrongLink("")  # told already: it can't be a unit
        outputs = self.ports[sender].outputs
        if not outputs:
            raise _WrongLink(self._no_outputs(sender))
        if not output and len(outputs) > 1:
            choice = " or ".join(f"{sender}.{name}" for name in outputs)
            raise _WrongLink(f"{sender!r} has {len(outputs)} outputs, so say which: {choice}")
        found = self._port_named(sender, output, outputs) if output else next(iter(outputs))
        if not found:
            raise _WrongLink(self._no_output(sender, output))
        return Link(sender, found, receiver, target)

    def _no_outputs(self, sender: str) -> str:
        if sender in self.inner:
            return f"all outputs of {sender!r} ({self.specs[sender].used_as}) are linked inside of it, none is open"
        return f"{sender!r} is a sink (it returns None), nothing comes from it"

    def _no_output(self, sender: str, output: str) -> str:
        """One of a used process that is there, but linked inside of it, is named as such."""
        inner = self.inner.get(sender)
        unit, _, port = output.partition(".")
        for link in inner.all_links if inner else ():
            if link.sender == unit and port in ("", link.output):
                return (
                    f"{output!r} of {sender!r} is linked to {link.receiver!r} inside of it; "
                    f"open outputs: {', '.join(self.ports[sender].outputs)}"
                )
        return f"{sender!r} has no output {output!r}{did_you_mean(output, self.ports[sender].outputs)}"

    def _why_unfit(self, link: Link) -> str:
        """What is wrong with the types of its ends; "" if nothing is."""
        given = self.ports[link.sender].outputs[link.output].type
        port = self.ports[link.receiver].inputs[link.input]
        if fits(given, port.type) or (port.helping is Helping.LIST and fits(given, list[port.type])):  # type: ignore[name-defined]  # a type made at run time
            return ""
        return (
            f"{link.sender}.{link.output} gives {type_name(given)}, but {link.input!r} expects {type_name(port.type)}"
        )

    def _tell(self, spec: UnitSpec, message: str, *path: str) -> None:
        self.problems.append(spec.problem(message, *path))


class _WrongLink(Exception):
    """Nothing can come from there; `message` is "" where that was told before."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def _names_outside(ends: Iterable[End]) -> dict[str, End]:
    """What open ports are called from outside: as their unit, where it has no other open one."""
    several = list(ends)
    count = Counter(unit for unit, _ in several)
    return {unit if count[unit] == 1 else f"{unit}.{port}": (unit, port) for unit, port in several}
