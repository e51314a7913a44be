"""Pipes, joins and units in a few words, for whatever shows them. Knows nothing of how it is drawn."""

from __future__ import annotations

from dataclasses import fields
from math import inf
from typing import TYPE_CHECKING, Any

from streampy.model.cpus import format_cpus
from streampy.model.measure import format_size
from streampy.model.pipe import Crashed, OnError, Order, Overflow, Pipe
from streampy.model.process import CPU
from streampy.model.segments import without_password

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streampy.model.pipe import Join
    from streampy.model.place import Place, SharedPipe
    from streampy.model.plan import UnitPlan
    from streampy.model.segments import LinkSpec, SegmentSpec

_PLAIN = Pipe()
_LONGEST = 40


def count(number: int, what: str) -> str:
    """`1 unit`, `2 units`, `2 OS processes`."""
    return f"{number} {what}{'' if number == 1 else 'es' if what.endswith('s') else 's'}"


def pipe_in_words(pipe: Pipe) -> str:
    """`32 items, batches of 8 within 5 ms, drop_oldest`."""
    parts = [count(pipe.capacity, "item")]
    if pipe.bytes != inf:
        parts.append(f"{format_size(pipe.bytes)} at most")
    if pipe.batch > 1:
        within = f" within {_seconds(pipe.wait)}" if pipe.wait else ""
        parts.append(f"batches of {pipe.batch}{within}")
    if pipe.overflow is not Overflow.BLOCK:
        parts.append(pipe.overflow.value)
    if pipe.stale != inf:
        parts.append(f"stale after {_seconds(pipe.stale)}")
    if pipe.order is not Order.FIFO:
        parts.append(f"by {pipe.order.value}")
    if pipe.rate != inf:
        parts.append(f"at most {_rate(pipe.rate)}")
    if pipe.in_flight != inf:
        parts.append(f"{pipe.in_flight:g} in flight")
    return ", ".join(parts)


def pipe_in_short(pipe: Pipe) -> str:
    """What differs from a plain pipe, for a label: `batch 8, drop_oldest`; "" where nothing does."""
    differs = [setting.name for setting in fields(Pipe) if getattr(pipe, setting.name) != getattr(_PLAIN, setting.name)]
    shown = {
        "capacity": count(pipe.capacity, "item"),
        "bytes": format_size(pipe.bytes),
        "batch": f"batch {pipe.batch}",
        "wait": f"wait {_seconds(pipe.wait)}",
        "overflow": pipe.overflow.value,
        "stale": f"stale {_seconds(pipe.stale)}",
        "order": pipe.order.value,
        "rate": _rate(pipe.rate),
        "in_flight": f"{pipe.in_flight:g} in flight",
    }
    return ", ".join(shown[name] for name in differs if name in shown)


def shared_in_words(pipe: SharedPipe) -> str:
    """What it takes of shared memory: `68 blocks of 6.00 MB, 408 MB`."""
    blocks = count(pipe.blocks, "block")
    if pipe.item is None or pipe.bytes is None:
        return f"{blocks}, as large as the first items ask for"
    return f"{blocks} of {format_size(pipe.item)}, {format_size(pipe.bytes)}"


def place_in_words(place: Place) -> str:
    """Who lives in it: `detect x2 -> count x2; show  (cpus 0-1)`."""
    chains = [
        " -> ".join(f"{unit}{_times(len(workers))}" for unit in chain) for chain, workers in place.workers.items()
    ]
    more = ", ".join(_surroundings(place.env, format_cpus(place.cpus)))
    return f"{'; '.join(chains) or 'no unit'}{f'  ({more})' if more else ''}"


def segment_in_words(segment: SegmentSpec) -> str:
    """What is said of a segment beside its units: `2 replicas, listens at tcp://0.0.0.0:7400`; "" where nothing is."""
    said = {
        f"{segment.replicas} replicas": segment.replicas > 1,
        f"listens at {segment.listen}": bool(segment.listen),
        "TLS": segment.tls is not None,
        "asks for a token": bool(segment.token),
        "started again when killed": segment.on_crash is Crashed.RESTART,
    }
    return ", ".join(words for words, holds in said.items() if holds)


def segment_in_short(segment: SegmentSpec) -> str:
    """For a label: `segment core · 2 replicas · tcp://0.0.0.0:7400`."""
    replicas = f"{segment.replicas} replicas" if segment.replicas > 1 else ""
    return " · ".join(filter(None, [f"segment {segment.name}", replicas, segment.listen]))


def wire_in_words(wire: LinkSpec) -> str:
    """How items go along what joins two segments: `window 64, ack processed`."""
    deadline = f", deadline {_seconds(wire.deadline)}" if wire.has_deadline else ""
    return f"window {wire.window}, ack {wire.ack.value}{deadline}"


def dial_in_words(wire: LinkSpec) -> str:
    """Where who dials reaches the other: `dials tcp://core:7400, TLS, token`."""
    if wire.via:
        where = f"via {without_password(wire.via)}"
    else:
        where = f"dials {' or '.join(wire.dial)}" if wire.dial else "no address to dial yet"
    more = [what for what, holds in {"TLS": wire.tls is not None, "token": bool(wire.token)}.items() if holds]
    return ", ".join([where, *more])


def join_in_words(join: Join) -> str:
    """`by their common ancestor, waits 60 ms, then partial`."""
    key = "their common ancestor" if join.key == "ancestor" else join.key if isinstance(join.key, str) else "a function"
    wait = "" if join.wait == inf else f", waits {_seconds(join.wait)}, then {join.late.value}"
    return f"by {key}{wait}"


def unit_in_words(unit: UnitPlan) -> str:
    """What differs from one worker in `main` that stops on an error: `2 workers, on error skip`."""
    spec = unit.spec
    parts = [count(spec.workers, "worker"), place_in_short(unit)]
    if spec.device != CPU:
        parts.append(f"device {spec.device}")
    parts += _surroundings(spec.env, format_cpus(spec.cpus))
    if spec.workers > 1 and not spec.ordered:
        parts.append("in any order")
    if unit.ports.is_async:
        parts.append("in the event loop")
    if spec.on_error != OnError():
        parts.append(_on_error(spec.on_error))
    if spec.timeout != inf:
        parts.append(f"timeout {_seconds(spec.timeout)}")
    return ", ".join(parts)


def place_in_short(unit: UnitPlan) -> str:
    """`place main`, `place gpu`, `place own`; `place own with hall` in a used process that has it as a whole."""
    together = f" with {unit.spec.household}" if unit.spec.household else ""
    return f"place {unit.spec.place}{together}"


def settings_in_words(settings: Mapping[str, object]) -> str:
    """`width=640, url='clip.mp4'`; what is long is cut."""
    return ", ".join(f"{name}={_cut(repr(value))}" for name, value in settings.items())


def kinds(unit: UnitPlan) -> list[str]:
    """`source`, `join`, `sink`: what a unit is by its place in the graph."""
    found = {"source": not unit.inputs, "join": unit.join is not None, "sink": not unit.ports.outputs}
    return [what for what, holds in found.items() if holds]


def _surroundings(env: Mapping[str, str], cpus: str) -> list[str]:
    """The environment and the CPUs, where something is said of them."""
    variables = " ".join(f"{name}={value}" for name, value in env.items())
    return [f"{what} {said}" for what, said in (("env", variables), ("cpus", cpus)) if said]


def _times(number: int) -> str:
    return f" x{number}" if number > 1 else ""


def _seconds(seconds: float) -> str:
    """As a person would write what they ask for: `5 ms`, `2 s`."""
    return f"{seconds * 1000:g} ms" if seconds < 1 else f"{seconds:g} s"


def _rate(rate: float) -> str:
    """As a person would write it: `10/s`, `5/m`."""
    for unit, seconds in (("s", 1), ("m", 60), ("h", 3600)):
        if rate * seconds >= 1:
            return f"{rate * seconds:.6g}/{unit}"
    return f"{rate * 3600:.6g}/h"


def _on_error(policy: OnError) -> str:
    tries = f"{policy.retry} more tries, then " if policy.retry else ""
    return f"on error {tries}{policy.then.value}"


def _cut(text: Any) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
