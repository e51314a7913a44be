"""The plan of a segment for whoever looks at it while it runs: what `streampy show` tells, and what can be done live.

Knows nothing of how it goes.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from streampy.model.annotations import type_name
from streampy.model.describe import describe, plain
from streampy.model.layout import lay_out
from streampy.model.unit import events_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streampy.model.plan import Plan, UnitPlan

_GAP = 0.5
"""Between two units in a drawing, where each is one unit high."""


def tell_plan(plan: Plan, whole: Plan) -> dict[str, Any]:
    """What a segment runs, as JSON has it. whole: the plan of all segments, of which it is a part."""
    told = describe(plan)
    layout = lay_out(whole, dict.fromkeys(whole.units, 1.0), _GAP)
    layers = {name: number for number, names in enumerate(layout.layers) for name in names}
    chains = {name: list(chain) for chain in plan.chains for name in chain}
    for name, unit in plan.units.items():
        told["units"][name]["live"] = {
            "layer": layers[name],
            "height": layout.heights[name],
            "fused_with": chains[name],
            "doc": (inspect.getdoc(unit.spec.use) or "").partition("\n")[0],
            "settings": _settings(unit),
            "events": {event: _event(unit, method) for event, method in events_of(unit.spec.use).items()},
        }
    told["links"] = [
        {
            "from": f"{link.sender}.{link.output}",
            "to": f"{link.receiver}.{link.input}",
            "feedback": link.feedback,
            "crosses": link.sender not in plan.units or link.receiver not in plan.units,
        }
        for link in plan.links
    ]
    return told


def _settings(unit: UnitPlan) -> Mapping[str, Any]:
    now = unit.settings_of(0)
    return {
        name: {
            "type": type_name(setting.type),
            "value": plain(now.get(name, setting.default)),
            "required": setting.required,
            "default": plain(setting.default),
        }
        for name, setting in unit.ports.settings.items()
    }


def _event(unit: UnitPlan, method: str) -> dict[str, Any]:
    function = getattr(unit.spec.use, method)
    parameters = list(inspect.signature(function).parameters.values())[1:]
    return {
        "doc": (inspect.getdoc(function) or "").partition("\n")[0],
        "arguments": [_argument(one) for one in parameters],
    }


def _argument(one: inspect.Parameter) -> dict[str, Any]:
    is_told = one.annotation is not inspect.Parameter.empty
    return {
        "name": one.name,
        "type": (one.annotation if isinstance(one.annotation, str) else type_name(one.annotation)) if is_told else "",
        "required": one.default is inspect.Parameter.empty and one.kind not in {one.VAR_POSITIONAL, one.VAR_KEYWORD},
        "default": None if one.default is inspect.Parameter.empty else plain(one.default),
    }
