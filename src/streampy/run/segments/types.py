"""The classes of the user that may cross between segments: those that the units at both ends of a link name.

Knows nothing of how they travel. Both ends run the same process, so both find the same; what comes from a network, or
from a file, can only be made into one of these.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import is_dataclass
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from streampy.pipes.net.codec import WireCodec
from streampy.pipes.net.registered import WireTypes
from streampy.pipes.thrown import Thrown
from streampy.run.segments.packing import Packing

if TYPE_CHECKING:
    from streampy.model.plan import Plan


def make_packing(plan: Plan) -> Packing:
    """For all that crosses between the segments of a process."""
    types = WireTypes()
    types.register(Thrown)
    register_all(plan, types)
    return Packing(WireCodec(types))


def register_all(plan: Plan, types: WireTypes) -> None:
    """Register the dataclasses and NamedTuples in the annotations of all links that cross, and in their fields."""
    senders = (plan.units[link.sender].ports.outputs[link.output].type for link in plan.crossings)
    receivers = (plan.units[link.receiver].ports.inputs[link.input].type for link in plan.crossings)
    register_annotated([*senders, *receivers], types)


def register_annotated(annotations: Iterable[Any], types: WireTypes) -> None:
    """Register the dataclasses and NamedTuples in these annotations, and in their fields."""
    seen: set[Any] = set()
    for annotation in annotations:
        _walk(annotation, seen)
    for kind in sorted(filter(_is_record, seen), key=_name):
        with suppress(TypeError):  # one that has arguments which are no fields: told where one is to be sent
            types.register(kind, _name(kind))


def _walk(kind: Any, seen: set[Any]) -> None:
    """Note an annotation, and all that is in it."""
    if _is_known(kind, seen):
        return
    for part in get_args(kind):
        _walk(part, seen)
    if _is_record(kind):
        for field in _fields(kind):
            _walk(field, seen)


def _is_known(kind: Any, seen: set[Any]) -> bool:
    try:
        is_known = kind in seen
        seen.add(kind)
    except TypeError:  # a list of arguments, as in Callable[[int], str]
        return True
    return is_known


def _fields(kind: type) -> Iterator[Any]:
    try:
        yield from get_type_hints(kind).values()
    except Exception:  # names that only a type checker knows
        return


def _is_record(kind: Any) -> bool:
    return isinstance(kind, type) and (is_dataclass(kind) or (issubclass(kind, tuple) and hasattr(kind, "_fields")))


def _name(kind: type) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"
