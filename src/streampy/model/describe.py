"""A plan as JSON has it, for whoever reads it by a program. Knows nothing of how it is drawn, nor of where it runs."""

from __future__ import annotations

from dataclasses import asdict
from math import isfinite
from typing import TYPE_CHECKING, Any

from streampy.model.annotations import type_name
from streampy.model.parts import Parts
from streampy.model.segments import without_password

if TYPE_CHECKING:
    from streampy.model.place import Place
    from streampy.model.plan import InputPlan, Plan, UnitPlan
    from streampy.model.segments import LinkSpec, SegmentSpec


def describe(plan: Plan) -> dict[str, Any]:
    """The units with their ports, pipes, links and workers, in the order in which items come to them."""
    parts = Parts(plan)
    return {
        "process": plan.name,
        "used": dict(plan.groups),
        "units": {name: _unit(parts, unit) for name, unit in plan.units.items()},
        "chains": [list(chain) for chain in plan.chains],
        "cycles": [sorted(loop) for loop in plan.loops],
        "places": [_place(place) for place in plan.places],
        "segments": {name: _segment(parts, segment) for name, segment in plan.segments.items()},
        "wires": [_wire(plan, wire) for wire in plan.wires],
    }


def _place(place: Place) -> dict[str, Any]:
    return {
        "name": place.name,
        "workers": [{"chain": list(chain), "workers": list(workers)} for chain, workers in place.workers.items()],
        "env": dict(place.env),
        "cpus": list(place.cpus),
    }


def _segment(parts: Parts, segment: SegmentSpec) -> dict[str, Any]:
    """What it asks for is a secret: only that it does is told."""
    return {
        "units": list(segment.units),
        "replicas": segment.replicas,
        "on_crash": segment.on_crash.value,
        "listen": segment.listen or None,
        "tls": asdict(segment.tls) if segment.tls is not None else None,
        "token": bool(segment.token),
        "places": [_place(place) for place in parts.plans[segment.name].places],
    }


def _wire(plan: Plan, wire: LinkSpec) -> dict[str, Any]:
    crossings = [link for link in plan.crossings if {*map(plan.segment_of, (link.sender, link.receiver))} == wire.ends]
    return {
        "dialler": wire.dialler,
        "listener": wire.listener,
        "dial": list(wire.dial),
        "tls": asdict(wire.tls) if wire.tls is not None else None,
        "token": bool(wire.token),
        "window": wire.window,
        "ack": wire.ack.value,
        "deadline": plain(wire.deadline),
        "via": without_password(wire.via) or None,
        "carries": [
            {"from": f"{link.sender}.{link.output}", "to": f"{link.receiver}.{link.input}"} for link in crossings
        ],
    }


def _unit(parts: Parts, unit: UnitPlan) -> dict[str, Any]:
    spec = unit.spec
    return {
        "use": spec.used_as,
        "set": {name: plain(value) for name, value in unit.settings.items()},
        "each": [{name: plain(value) for name, value in settings.items()} for settings in unit.each],
        "inputs": {name: _input(parts, unit, entry) for name, entry in unit.inputs.items()},
        "outputs": {
            name: {
                "type": type_name(port.type),
                "to": [f"{link.receiver}.{link.input}" for link in unit.receivers[name]],
            }
            for name, port in unit.ports.outputs.items()
        },
        "workers": {"min": spec.workers - spec.spare, "max": spec.workers},
        "ordered": spec.ordered,
        "segment": parts.plan.segment_of(unit.name) or None,
        "place": spec.place,
        "device": spec.device,
        "env": dict(spec.env),
        "cpus": list(spec.cpus),
        "join": _finite(asdict(unit.join.settings)) if unit.join is not None else None,
        "on_error": _finite(asdict(spec.on_error)),
        "on_crash": _finite(asdict(spec.on_crash)),
        "timeout": plain(spec.timeout),
        "not_fused": unit.not_fused or None,
    }


def _input(parts: Parts, unit: UnitPlan, entry: InputPlan) -> dict[str, Any]:
    shared = parts.shared.get((unit.name, entry.port.name))
    return {
        "type": type_name(entry.port.type),
        "from": [f"{link.sender}.{link.output}" for link in entry.links],
        "pipe": _finite({name: value for name, value in asdict(entry.pipe).items() if name != "from_"}),
        "transport": parts.plan.transport_to(unit.name, entry.port.name),
        "shared": {"blocks": shared.blocks, "bytes": shared.bytes} if shared else None,
    }


def _finite(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: plain(value) for name, value in settings.items()}


def plain(value: Any) -> Any:
    """As JSON has it: no bound is null, and what it can't say is said as Python would."""
    if isinstance(value, float) and not isfinite(value):
        return None
    return value if isinstance(value, str | int | float | bool | None) else repr(value)
