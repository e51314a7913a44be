"""What can be asked of a running segment, by name, with plain values: the one table behind socket, HTTP and `ctl`.

Knows nothing of how it was asked. A verb may wait, so it has a thread to itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from dataclasses import dataclass
from math import isfinite
from threading import Thread
from typing import TYPE_CHECKING, Any, Final, final

from streampy.errors import Hung, StreamPyError
from streampy.model.suggest import did_you_mean
from streampy.run.control.peek import MOST, peek_at
from streampy.run.control.sample import sample_threads
from streampy.run.in_loop import TaskMember
from streampy.run.places.away import AwayMember

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from streampy.run.member import Member
    from streampy.run.running import Running

_DEEPEST: Final = 20
"""Levels of a value that an event's method returned."""
_ANSWER: Final = 2.0
"""Seconds that another OS process may take beyond what it was asked to."""


class NoSuch(StreamPyError):
    """There is no process, segment, unit or verb of that name."""


class BadRequest(StreamPyError):
    """What was asked can't be read: a field is missing, is not known, or is of a wrong type."""


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that goes with a verb."""

    kind: type | tuple[type, ...]
    default: Any = ...
    """`...`: it must be given."""
    least: float = 0.0
    most: float = 3600.0
    """Of a number."""

    def read(self, name: str, value: Any) -> Any:
        """The value. Raises BadRequest."""
        kinds = self.kind if isinstance(self.kind, tuple) else (self.kind,)
        if isinstance(value, bool) and bool not in kinds:
            raise BadRequest(f"{name}: got {value!r}, expected {_named(kinds)}")
        if float in kinds and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if not isinstance(value, kinds):
            raise BadRequest(f"{name}: got {value!r}, expected {_named(kinds)}")
        if isinstance(value, bool) or not isinstance(value, int | float):
            return value
        if not (isfinite(value) and self.least <= value <= self.most):
            raise BadRequest(f"{name}: got {value:g}, expected {self.least:g} to {self.most:g}")
        return value


_TIMEOUT: Final = Field(float, 10.0)
VERBS: Final[Mapping[str, Mapping[str, Field]]] = {
    "start": {"timeout": _TIMEOUT},
    "pause": {},
    "resume": {},
    "drain": {"timeout": Field(float, 30.0)},
    "stop": {"grace": Field(float, 5.0)},
}
"""Those of a whole segment, with what goes with each. (`kill` is seen to by who listens.)"""
UNIT_VERBS: Final[Mapping[str, Mapping[str, Field]]] = {
    "start": {"timeout": _TIMEOUT},
    "stop": {"timeout": _TIMEOUT},
    "restart": {"timeout": _TIMEOUT},
    "pause": {},
    "resume": {},
    "stats": {},
    "scale": {"workers": Field((int, type(None)), None, 1, 10_000)},
    "set": {"settings": Field(dict), "timeout": _TIMEOUT},
    "fire": {
        "event": Field(str),
        "values": Field(list, ()),
        "named": Field(dict, {}),
        "timeout": _TIMEOUT,
    },
    "profile": {"seconds": Field(float, 2.0, 0.01, 60.0), "interval": Field(float, 0.01, 0.001, 1.0)},
    "peek": {
        "port": Field((str, type(None)), None),
        "count": Field(int, 5, 1, MOST),
        "wait": Field(float, 1.0, 0.0, 30.0),
        "preview": Field(bool, True),
    },
}
"""Those of a unit."""


def _named(kinds: Sequence[type]) -> str:
    names = {str: "text", float: "a number", int: "a whole number", dict: "an object", list: "a list", bool: "a bool"}
    return " or ".join(names.get(kind, "null") for kind in kinds)


def read_fields(verb: str, known: Mapping[str, Field], given: Mapping[str, Any]) -> dict[str, Any]:
    """All that goes with a verb. Raises BadRequest."""
    for name in given:
        if name not in known:
            hint = did_you_mean(name, known) if known else "; it takes none"
            raise BadRequest(f"{verb} takes no {name!r}{hint}")
    missing = [name for name, field in known.items() if field.default is ... and name not in given]
    if missing:
        raise BadRequest(f"{verb} needs {', '.join(missing)} too")
    return {name: field.read(name, given[name]) if name in given else field.default for name, field in known.items()}


@final
class Verbs:
    """Those of one segment. Any thread."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self._segment = running._segment

    def do(self, verb: str, fields: Mapping[str, Any]) -> Any:
        """Do it; returns what JSON can say.

        Raises NoSuch, BadRequest, StreamPyError, TimeoutError, and what a unit's own method raised.
        """
        given = dict(fields)
        unit = given.pop("unit", None)
        table = VERBS if unit is None else UNIT_VERBS
        if verb not in table:
            raise NoSuch(f"there is no verb {verb!r}{did_you_mean(verb, table)}")
        read = read_fields(verb, table[verb], given)
        if unit is None:
            return getattr(self, f"_{verb}_all")(**read)
        if not isinstance(unit, str):
            raise BadRequest(f"unit: got {unit!r}, expected text")
        self._check(unit)
        return getattr(self, f"_{verb}")(unit, **read)

    def _check(self, unit: str) -> None:
        try:
            self._segment.steering.matching([unit])
        except StreamPyError as error:
            raise NoSuch(str(error)) from None

    def _one(self, unit: str) -> str:
        """The name of one unit, which is no pattern."""
        if unit not in self._segment.plan.units:
            raise NoSuch(f"there is no unit {unit!r}{did_you_mean(unit, self._segment.plan.units)}")
        return unit

    def _until(self, timeout: float) -> float:
        return self._segment.backend.now() + timeout

    # of the whole segment

    def _start_all(self, timeout: float) -> None:
        self._segment.steering.start(list(self._segment.plan.units), self._until(timeout))

    def _pause_all(self) -> None:
        self._segment.steering.hold(())

    def _resume_all(self) -> None:
        self._segment.steering.release(())

    def _drain_all(self, timeout: float) -> None:
        self._beside(lambda: self._drain_now(timeout), "drain")

    def _drain_now(self, timeout: float) -> None:
        self._running._finish(timeout)
        if not self._running.is_over:
            text = f"did not come to an end within {timeout:g} s of draining; what was left was cancelled"
            self._segment.failed(Hung(self._segment.at_work(), text))

    def _stop_all(self, grace: float) -> None:
        self._beside(lambda: self._stop_now(grace), "stop")

    def _stop_now(self, grace: float) -> None:
        self._running._let_outputs_go()
        self._running._finish(grace)
        if not self._running.is_over:
            self._segment.cancel()

    def _beside(self, what: Callable[[], None], name: str) -> None:
        """It takes its time, and whoever asked sees how it goes."""
        Thread(target=what, name=f"streampy {name}", daemon=True).start()

    # of a unit

    def _start(self, unit: str, timeout: float) -> None:
        self._segment.steering.start([unit], self._until(timeout))

    def _stop(self, unit: str, timeout: float) -> None:
        self._segment.steering.stop([unit], self._until(timeout))

    def _restart(self, unit: str, timeout: float) -> None:
        self._segment.steering.restart([unit], self._until(timeout))

    def _stats(self, unit: str) -> None:
        """Whether it is there; the figures are looked at for many at once."""
        self._one(unit)

    def _pause(self, unit: str) -> None:
        self._segment.steering.hold([unit])

    def _resume(self, unit: str) -> None:
        self._segment.steering.release([unit])

    def _scale(self, unit: str, workers: int | None) -> None:
        self._segment.steering.scale(self._one(unit), workers)

    def _set(self, unit: str, settings: Mapping[str, Any], timeout: float) -> None:
        self._segment.steering.set(self._one(unit), settings, self._until(timeout))

    def _fire(self, unit: str, event: str, values: Sequence[Any], named: Mapping[str, Any], timeout: float) -> Any:
        fired = self._segment.steering.fire(unit, event, tuple(values), dict(named), self._until(timeout))
        return [sayable(value) for value in fired]

    def _profile(self, unit: str, seconds: float, interval: float) -> dict[str, Any]:
        crew = self._segment.crew_of(self._one(unit))
        asked = {member.name: self._sampled(member, seconds, interval) for member in list(crew.members)}
        found = {name: self._answer(answer, seconds) for name, answer in asked.items()}
        stacks: Counter[str] = Counter()
        for one in found.values():
            stacks.update({} if one is None else one["stacks"])
        return {
            "samples": sum(stacks.values()),
            "seconds": max((one["seconds"] for one in found.values() if one is not None), default=0.0),
            "stacks": dict(stacks.most_common()),
            "workers": {name: sum(one["stacks"].values()) for name, one in found.items() if one is not None},
        }

    def _sampled(self, member: Member, seconds: float, interval: float) -> Future[dict[str, Any]]:
        if isinstance(member, AwayMember):
            return member.sample(seconds, interval)
        is_task = isinstance(member, TaskMember)
        return sample_threads({self._segment.loop_thread if is_task else f"streampy {member.name}"}, seconds, interval)

    def _peek(self, unit: str, port: str | None, count: int, wait: float, preview: bool) -> dict[str, Any]:  # noqa: FBT001 - a field of a request
        plan = self._segment.plan.units[self._one(unit)]
        if not plan.inputs:
            raise StreamPyError(f"{unit!r} is a source, so it has no pipe: peek at what follows it")
        if port is None and len(plan.inputs) > 1:
            raise StreamPyError(f"{unit!r} has the inputs {', '.join(plan.inputs)}: say which, `port`")
        where = port or next(iter(plan.inputs))
        if where not in plan.inputs:
            raise NoSuch(f"{unit!r} has no input {where!r}{did_you_mean(where, plan.inputs)}")
        if not plan.not_fused:
            raise StreamPyError(
                f"{unit!r} is fused with the unit before it, so it has no pipe to look into: "
                "give it one, `pipe: {capacity: 8}`, or peek at the first unit of the chain"
            )
        inlet = self._segment.inlets.get(unit)
        if inlet is not None:
            items = self._answer(peek_at(inlet, where, count, wait, preview=preview), wait)
            return {"items": items or []}
        away = [member for member in self._segment.crew_of(unit).members if isinstance(member, AwayMember)]
        found = [self._answer(answer, wait) for answer in [member.peek(count, wait, preview) for member in away]]
        return {"items": [item for one in found for item in one or []][-count:]}

    def _answer(self, answer: Future[Any], wait: float) -> Any:
        """What another thread, or OS process, says; None where it has left meanwhile."""
        with suppress(CancelledError):
            return self._segment.backend.result(answer, self._until(wait + _ANSWER))
        return None


def sayable(value: Any, depth: int = _DEEPEST) -> Any:
    """A value as JSON can say it; of what it can't, the text that Python shows."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        return value if not isinstance(value, float) or isfinite(value) else None
    if depth and isinstance(value, list | tuple | set | frozenset):
        return [sayable(one, depth - 1) for one in value]
    if depth and isinstance(value, dict):
        return {str(key): sayable(one, depth - 1) for key, one in value.items()}
    return repr(value)
