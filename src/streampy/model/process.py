"""A process as it is described: units with their settings and links, not yet checked.

Knows nothing of files; `load` makes the same from configuration.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from math import inf
from typing import Any

from streampy.errors import Problem
from streampy.model.cpus import Cpus, parse_cpus
from streampy.model.measure import parse_duration
from streampy.model.origin import NOWHERE, CodeLine, Origin, Spot
from streampy.model.pipe import Crashed, Join, OnCrash, OnError, Pipe
from streampy.model.segments import Ack, LinkSpec, SegmentSpec, Tls
from streampy.model.suggest import choose

From = str | Sequence[str] | Mapping[str, str | Sequence[str]]
"""Where the inputs come from: `"camera"`, `["left", "right"]`, or for each `{"frame": "camera", "names": "who.is"}`."""
NAME = r"^[^\W\d][\w-]*$"
"""What a unit may be called: a letter, then letters, digits, `_` and `-`; `.` and `#` mean something behind a name."""
ONLY = ""
"""Stands for the only input (or the only output) where it is not named."""
KEYS = ("workers", "place", "device", "env", "cpus", "each", "ordered", "on_error", "on_crash", "timeout")
"""What may be said of a unit beside its settings, links, pipes and join; also on the command line."""
CPU = "cpu"
"""The device of a worker of which nothing is said."""
MAIN, OWN = "main", "own"
"""The places that mean something; any other word is the name of an OS process that units share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitSpec:
    """One unit of a process, as configured. What is empty is left to the defaults of the unit's class."""

    name: str
    use: Any
    """The function or the class, or the process that is used as a unit."""
    used_as: str
    """How it was named: `faces.units:resize`."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    links: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """For each input (or ONLY) the outputs that it is linked to, each `unit` or `unit.port`."""
    workers: int = 1
    """How many run at the most."""
    spare: int = 0
    """How many of them run only while there is load for them."""
    place: str = MAIN
    """`main`, `own`: an OS process for each worker, or the name of one that all units of that place share."""
    device: str = CPU
    """What a worker is to compute on; `{index}` and `{count}` stand for the worker's."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Environment variables of its OS processes; `{index}` and `{count}` stand for the worker's."""
    cpus: Cpus = ()
    """The CPUs that its OS processes may use, all the same or each its own."""
    each: tuple[Mapping[str, Any], ...] = ()
    """Settings of single workers, which count more than `settings`."""
    ordered: bool = True
    pipe: Mapping[str, Any] = field(default_factory=dict)
    """Pipe settings for all inputs."""
    pipes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Pipe settings for single inputs."""
    join: Mapping[str, Any] = field(default_factory=dict)
    on_error: OnError = field(default_factory=OnError)
    on_crash: OnCrash = field(default_factory=OnCrash)
    timeout: float = inf
    origin: Origin = NOWHERE
    told: frozenset[tuple[str | int, ...]] = frozenset()
    """The key paths, below the unit, of what was left out because it is wrong, and reported as such before."""
    within: str = ""
    """The used process that it is a unit of, `other/`; `name` begins with it."""
    pool: str = ""
    """The outermost used process around it that was given several workers; "" where there is none."""
    copies: int = 1
    """How many times its own workers it has for that."""
    household: str = ""
    """The used process around it that was placed `own` as a whole, so that each copy of it has one OS process."""
    households: int = 1
    """How many copies that are."""
    elsewhere: Mapping[tuple[str | int, ...], Spot] = field(default_factory=dict)
    """What was not written at the unit, but where its process is used, or given beside the file: by key path below."""

    @property
    def is_process(self) -> bool:
        """Whether it is a process that is used as a unit."""
        return isinstance(self.use, Process)

    @property
    def has_timeout(self) -> bool:
        """Whether a call must come back within a time."""
        return self.timeout < inf

    @property
    def is_away(self) -> bool:
        """Whether it lives in another OS process than `main`."""
        return self.place != MAIN

    @property
    def home(self) -> str:
        """The OS process that it lives in, or what several have in common in their names: `main`, `detect`, `gpu`."""
        return self.place if self.place != OWN else self.household or self.name

    @property
    def homes(self) -> int:
        """How many OS processes it lives in."""
        if self.place != OWN:
            return 1
        return self.households if self.household else self.workers

    def home_of(self, index: int) -> str:
        """The OS process that one of its workers lives in: `main`, `detect#1`, `gpu`."""
        return self.home if self.homes == 1 else f"{self.home}#{index * self.homes // self.workers}"

    def lives_with(self, other: UnitSpec) -> bool:
        """Whether the workers of both at the same index live in one OS process."""
        is_shared = self.place != OWN or bool(self.household)
        return is_shared and (self.place, self.home) == (other.place, other.home)

    def is_told(self, *path: str | int) -> bool:
        """Whether something is wrong at `path`, above or below it: nothing follows from what is missing there."""
        return any(path[: len(told)] == told[: len(path)] for told in self.told)

    def problem(self, message: str, *path: str | int) -> Problem:
        """What is wrong with this unit, at the place of `path` below it."""
        spot = self.spot(*path)
        return Problem(*spot.origin.place(spot.path), ".".join(map(str, spot.path)), message)

    def spot(self, *path: str | int) -> Spot:
        """Where it was written."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.elsewhere:
                spot = self.elsewhere[path[:length]]
                return Spot(spot.origin, (*spot.path, *path[length:]), spot.within)
        return Spot(self.origin, ("units", self.name.removeprefix(self.within), *path), self.within)

    def seen(self, name: str, *path: str | int) -> str:
        """What another unit is called where `path` was written."""
        return name.removeprefix(self.spot(*path).within)

    def problem_with(self, error: Exception, *path: str | int) -> Problem:
        """What a frozen description said when it was made: the text begins with the name of the setting, or not."""
        setting, colon, message = str(error).partition(": ")
        if colon and setting.isidentifier():
            return self.problem(message, *path, setting)
        return self.problem(str(error), *path)


class Process:
    """The whole graph of one task, built in Python as it would be in YAML.

    >>> from collections.abc import Iterator
    >>> def numbers(*, until: int = 3) -> Iterator[int]:
    ...     yield from range(until)
    >>> def double(number: int) -> int:
    ...     return 2 * number
    >>> process = Process("doubles")
    >>> process.add("numbers", numbers, until=5).add("double", double, from_="numbers")
    Process('doubles', numbers -> double)
    """

    def __init__(
        self,
        name: str,
        units: Sequence[UnitSpec] = (),
        segments: Sequence[SegmentSpec] = (),
        links: Sequence[LinkSpec] = (),
    ) -> None:
        self.name = name
        self._units = {unit.name: unit for unit in units}
        self._segments = {segment.name: segment for segment in segments}
        self._links = list(links)

    @property
    def units(self) -> Mapping[str, UnitSpec]:
        """The units by name, in the order in which they were added."""
        return self._units

    @property
    def segments(self) -> Mapping[str, SegmentSpec]:
        """The segments by name; none where the process is one by itself."""
        return self._segments

    @property
    def links(self) -> Sequence[LinkSpec]:
        """How its segments reach each other."""
        return tuple(self._links)

    def with_units(self, units: Sequence[UnitSpec]) -> Process:
        """The same process with other units."""
        return Process(self.name, units, tuple(self._segments.values()), self._links)

    def add(
        self,
        name: str,
        use: Callable[..., Any] | type | Process,
        /,
        *,
        from_: From | None = None,
        workers: int | Mapping[str, int] = 1,
        place: str = MAIN,
        device: str = CPU,
        env: Mapping[str, str | float] | None = None,
        cpus: int | str | Sequence[int | str | Sequence[int]] = (),
        each: Sequence[Mapping[str, Any]] = (),
        ordered: bool = True,
        pipe: Pipe | Mapping[str, Any] | None = None,
        join: Join | Mapping[str, Any] | None = None,
        on_error: OnError | str = "stop",
        on_crash: OnCrash | str = "stop",
        timeout: float | str = inf,
        set: Mapping[str, Any] | None = None,  # noqa: A002 - the word of the configuration
        **settings: Any,
    ) -> Process:
        """Add a unit; returns the process, so that calls can be chained.

        name: of the unit in this process. use: a function, a subclass of Unit, or another process, whose open inputs
        and outputs are then its ports. from_: what its inputs are linked to.
        workers: how many, or `{"min": 1, "max": 8}` for a number that follows the load.
        place: `main`, `own` (an OS process for each worker), or the name of an OS process that units share.
        each: for each worker settings of its own.
        settings: the unit's own, or for a process those of its units, `detect={"threshold": 0.5}`; `set` takes those
        that bear the name of a parameter of `add`.
        The other parameters are the keys of the configuration. What is wrong is told when the process is checked,
        except a name that is none, or is there already, and what can't be read, such as a duration: ValueError.
        """
        if not re.fullmatch(NAME, name):
            raise ValueError(f"got {name!r}, expected a name: a letter, then letters, digits, _ or -")
        if name in self._units:
            raise ValueError(f"there is a unit {name!r} in {self.name!r} already")
        whole, single = split_pipes(_given(pipe))
        self._units[name] = UnitSpec(
            name=name,
            use=use,
            used_as=name_of(use),
            settings={**(set or {}), **settings},
            links=normalize_links(from_),
            workers=workers if isinstance(workers, int) else workers["max"],
            spare=0 if isinstance(workers, int) else workers["max"] - workers.get("min", 1),
            place=place,
            device=device,
            env={key: str(value) for key, value in (env or {}).items()},
            cpus=parse_cpus(cpus),
            each=tuple(each),
            ordered=ordered,
            pipe=whole,
            pipes=single,
            join=_given(join),
            on_error=OnError.of(on_error),
            on_crash=OnCrash.of(on_crash),
            timeout=parse_duration(timeout),
            origin=_caller(),
        )
        return self

    def segment(
        self,
        name: str,
        /,
        *units: str,
        replicas: int = 1,
        listen: str = "",
        tls: Tls | Mapping[str, str] | None = None,
        token: str = "",
        on_crash: str = "stop",
    ) -> Process:
        """Let units live together as one program; returns the process, so that calls can be chained.

        units: by name; that of a process which is used as a unit stands for all of its units. Where there are
        segments, each unit is in exactly one. replicas: how many such programs there are.
        listen: where others reach it, `tcp://0.0.0.0:7400`. tls: the files `ca`, `cert` and `key`. token: what others
        must know to be let in. on_crash: what `streampy run` does when one of them is killed: `stop` or `restart`.
        What is wrong is told when the process is checked, except what can't be read, such as an address: ValueError.
        """
        if not re.fullmatch(NAME, name):
            raise ValueError(f"got {name!r}, expected a name: a letter, then letters, digits, _ or -")
        if name in self._segments:
            raise ValueError(f"there is a segment {name!r} in {self.name!r} already")
        if not units:
            raise ValueError(f"the segment {name!r} has no units: name those that live in it")
        self._segments[name] = SegmentSpec(
            name, units, replicas, listen, Tls.of(tls), token, choose(Crashed, on_crash), _caller()
        )
        return self

    def link(
        self,
        dialler: str,
        listener: str,
        /,
        *,
        dial: str | Sequence[str] = (),
        tls: Tls | Mapping[str, str] | None = None,
        token: str = "",
        window: int = 64,
        ack: str = "processed",
        deadline: float | str = inf,
        via: str = "",
    ) -> Process:
        """Say how one segment reaches another; returns the process, so that calls can be chained.

        dialler, listener: the segment that dials the other, and that other one. dial: an address, `tcp://host:port`,
        or several; or `file:///path`, a file with such addresses. tls: the files `ca`, `cert` and `key`, and the
        `name` in the certificate of the listener. token: what the listener asks for.
        window: how many items may be under way to each replica. ack: `processed`, or `none`. deadline: how long an
        item waits for its answer. via: a broker, `nats://...` or `kafka://...`.
        What is wrong is told when the process is checked, except what can't be read, such as an address: ValueError.
        """
        self._links.append(
            LinkSpec(
                dialler,
                listener,
                dial=_several(dial),
                tls=Tls.of(tls),
                token=token,
                window=window,
                ack=choose(Ack, ack),
                deadline=parse_duration(deadline),
                via=via,
                origin=_caller(),
            )
        )
        return self

    def __repr__(self) -> str:
        return f"Process({self.name!r}, {' -> '.join(self._units) or 'empty'})"


def _caller() -> CodeLine:
    """The line that called a method of Process."""
    frame = sys._getframe(2)
    return CodeLine(frame.f_code.co_filename, frame.f_lineno)


def name_of(use: Any) -> str:
    """How it would be named in a file."""
    if isinstance(use, Process):
        return use.name
    return f"{getattr(use, '__module__', '?')}:{getattr(use, '__qualname__', use)}"


def normalize_links(from_: From | None) -> dict[str, tuple[str, ...]]:
    """The short forms of `from` as the long one."""
    if from_ is None:
        return {}
    if isinstance(from_, Mapping):
        return {port: _several(ends) for port, ends in from_.items()}
    return {ONLY: _several(from_)}


def split_pipes(given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Mapping[str, Any]]]:
    """The settings of `pipe` for all inputs, and those for single ones (`pipe: {frame: {...}}`)."""
    known = {setting.name for setting in fields(Pipe)}  # also `from_`, which is told when the process is checked
    single: dict[str, Mapping[str, Any]] = {
        name: _given(value) for name, value in given.items() if isinstance(value, Mapping | Pipe)
    }
    return {name: value for name, value in given.items() if name not in single or name in known}, single


def _given(settings: Pipe | Join | Mapping[str, Any] | None) -> dict[str, Any]:
    if settings is None:
        return {}
    if isinstance(settings, Mapping):
        return dict(settings)
    values = {setting.name: getattr(settings, setting.name) for setting in fields(settings)}
    return {name: value for name, value in values.items() if value not in ((), None)}  # what is not said


def _several(ends: str | Sequence[str]) -> tuple[str, ...]:
    return (ends,) if isinstance(ends, str) else tuple(ends)
