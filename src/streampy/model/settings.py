"""Checks the settings of a unit against the keyword-only parameters that take them.

Knows nothing of where the settings were written; a unit's origin does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from streampy.errors import Problem
from streampy.model.annotations import Unknown, type_name
from streampy.model.ports import Ports, Setting
from streampy.model.process import UnitSpec
from streampy.model.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping


def check_settings(spec: UnitSpec, ports: Ports) -> tuple[Mapping[str, object], list[Problem]]:
    """The settings with the types that the unit asked for (`"640"` becomes 640 for an int), and what is wrong."""
    checked: dict[str, object] = {}
    problems: list[Problem] = []
    for name, value in spec.settings.items():
        if name not in ports.settings:
            hint = did_you_mean(name, ports.settings) if ports.settings else "; it has none"
            problems.append(spec.problem(f"{spec.used_as} takes no setting {name!r}{hint}", "set", name))
            continue
        try:
            checked[name] = _convert(ports.settings[name], value)
        except ValueError as error:
            problems.append(spec.problem(str(error), "set", name))
    for setting in ports.settings.values():
        if setting.required and setting.name not in spec.settings and not spec.is_told("set", setting.name):
            wanted = type_name(setting.type)
            problems.append(
                spec.problem(f"{spec.used_as} needs the setting {setting.name!r} ({wanted}): add it", "set")
            )
    return checked, problems


def _convert(setting: Setting, value: Any) -> Any:
    wanted = setting.type
    if wanted is Unknown or isinstance(wanted, str) or (isinstance(wanted, type) and type(value) is wanted):
        return value
    from pydantic import ConfigDict, PydanticSchemaGenerationError, PydanticUserError, TypeAdapter, ValidationError  # noqa: PLC0415 - a tenth of a second, and only where there are settings to convert

    try:
        adapter = TypeAdapter(wanted, config=ConfigDict(arbitrary_types_allowed=True))
    except PydanticUserError:  # the type brings a configuration of its own
        adapter = TypeAdapter(wanted)
    except PydanticSchemaGenerationError:  # a type that nobody can check: the unit will
        return value
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        inside = ".".join(map(str, first["loc"]))
        where = f" at {inside}" if inside else ""
        why = first["msg"].removeprefix("Value error, ")  # what a type's own reader said needs no such word before it
        raise ValueError(f"got {value!r}, expected {type_name(wanted)}{where}: {why}") from error
