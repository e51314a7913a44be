"""A plan as JSON, for whoever reads it by a program. Knows nothing of how it is drawn."""

from __future__ import annotations

import json
from dataclasses import asdict
from math import isfinite
from typing import TYPE_CHECKING, Any

from streampy.model.annotations import type_name

if TYPE_CHECKING:
    from streampy.model.place import Place
    from streampy.model.plan import InputPlan, Plan, UnitPlan


def write_json(plan: Plan) -> str:
    """The units with their ports, pipes, links and workers, in the order in which items come to them."""
    told = {
        "process": plan.name,
        "used": dict(plan.groups),
        "units": {name: _unit(plan, unit) for name, unit in plan.units.items()},
        "chains": [list(chain) for chain in plan.chains],
        "cycles": [sorted(loop) for loop in plan.loops],
        "places": [_place(place) for place in plan.places],
    }
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def _place(place: Place) -> dict[str, Any]:
    return {
        "name": place.name,
        "workers": [{"chain": list(chain), "workers": list(workers)} for chain, workers in place.workers.items()],
        "env": dict(place.env),
        "cpus": list(place.cpus),
    }


def _unit(plan: Plan, unit: UnitPlan) -> dict[str, Any]:
    spec = unit.spec
    return {
        "use": spec.used_as,
        "set": {name: _plain(value) for name, value in unit.settings.items()},
        "each": [{name: _plain(value) for name, value in settings.items()} for settings in unit.each],
        "inputs": {name: _input(plan, unit, entry) for name, entry in unit.inputs.items()},
        "outputs": {
            name: {
                "type": type_name(port.type),
                "to": [f"{link.receiver}.{link.input}" for link in unit.receivers[name]],
            }
            for name, port in unit.ports.outputs.items()
        },
        "workers": {"min": spec.workers - spec.spare, "max": spec.workers},
        "ordered": spec.ordered,
        "place": spec.place,
        "device": spec.device,
        "env": dict(spec.env),
        "cpus": list(spec.cpus),
        "join": _finite(asdict(unit.join.settings)) if unit.join is not None else None,
        "on_error": _finite(asdict(spec.on_error)),
        "on_crash": _finite(asdict(spec.on_crash)),
        "timeout": _plain(spec.timeout),
        "not_fused": unit.not_fused or None,
    }


def _input(plan: Plan, unit: UnitPlan, entry: InputPlan) -> dict[str, Any]:
    shared = plan.shared_pipes.get((unit.name, entry.port.name))
    return {
        "type": type_name(entry.port.type),
        "from": [f"{link.sender}.{link.output}" for link in entry.links],
        "pipe": _finite({name: value for name, value in asdict(entry.pipe).items() if name != "from_"}),
        "transport": plan.transport_to(unit.name, entry.port.name),
        "shared": {"blocks": shared.blocks, "bytes": shared.bytes} if shared else None,
    }


def _finite(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in settings.items()}


def _plain(value: Any) -> Any:
    """As JSON has it: no bound is null, and what it can't say is said as Python would."""
    if isinstance(value, float) and not isfinite(value):
        return None
    return value if isinstance(value, str | int | float | bool | None) else repr(value)
