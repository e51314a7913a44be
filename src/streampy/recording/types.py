"""The classes that a recording may hold: named by whoever reads it, never by the file.

Knows nothing of files.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from streampy.model.sendable import resolve
from streampy.pipes.net.registered import WireTypes
from streampy.run.segments.types import register_annotated

if TYPE_CHECKING:
    from streampy.model.plan import Plan

Types = Sequence[str | type]


def types_named(types: Types) -> WireTypes:
    """These classes, and those in the annotations of their fields. Raises ImportError, AttributeError, TypeError."""
    found = WireTypes()
    register_annotated([resolve(one) if isinstance(one, str) else one for one in types], found)
    return found


def types_of(plan: Plan) -> WireTypes:
    """Those that are named in the annotations of the units of a plan, and in their fields."""
    found = WireTypes()
    register_annotated(_annotations(plan), found)
    return found


def _annotations(plan: Plan) -> Iterable[object]:
    for unit in plan.units.values():
        yield from (port.type for port in unit.ports.inputs.values())
        yield from (port.type for port in unit.ports.outputs.values())
