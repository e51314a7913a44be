"""Checks the settings of a unit against the keyword-only parameters that take them.

Knows nothing of where the settings were written; a unit's origin does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from streampy.errors import Problem
from streampy.model.annotations import Unknown, type_name
from streampy.model.ports import Ports, Setting
from streampy.model.process import KEYS, UnitSpec
from streampy.model.suggest import did_you_mean, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping


_LIKENESS = 0.75
"""How much a word must look like a key of the unit to be taken for one: more than like a setting."""


def check_settings(spec: UnitSpec, ports: Ports) -> tuple[Mapping[str, object], list[Problem]]:
    """The settings with the types that the unit asked for (`"640"` becomes 640 for an int), and what is wrong."""
    checked, problems = _check(spec, ports, spec.settings, "set")
    for setting in _missing(spec, ports):
        if not spec.each and not spec.is_told("set", setting.name):
            problems.append(spec.problem(_needs(spec, setting), "set"))
    return checked, problems


def check_each(spec: UnitSpec, ports: Ports) -> tuple[tuple[Mapping[str, object], ...], list[Problem]]:
    """The settings that single workers have for themselves, likewise."""
    found = []
    problems: list[Problem] = []
    for index, settings in enumerate(spec.each):
        checked, wrong = _check(spec, ports, settings, "each", index)
        found.append(checked)
        problems += wrong
        for setting in _missing(spec, ports):
            if setting.name not in settings and not any(spec.is_told(*path) for path in (("set",), ("each", index))):
                problems.append(spec.problem(_needs(spec, setting), "each", index))
    return tuple(found), problems


def _check(
    spec: UnitSpec, ports: Ports, settings: Mapping[str, Any], *path: str | int
) -> tuple[dict[str, object], list[Problem]]:
    checked: dict[str, object] = {}
    problems: list[Problem] = []
    for name, value in settings.items():
        if name not in ports.settings:
            message = f"{spec.used_as} takes no setting {name!r}{_hint(name, ports)}"
            problems.append(spec.problem(message, *path, name))
            continue
        try:
            checked[name] = _convert(ports.settings[name], value)
        except ValueError as error:
            problems.append(spec.problem(str(error), *path, name))
    return checked, problems


def _hint(name: str, ports: Ports) -> str:
    """What was meant: another setting, or a key of the unit."""
    if name in KEYS and not nearest(name, ports.settings):
        return f": it is a key of the unit, and stands beside `set`, as `{name}:`"
    if nearest(name, KEYS, _LIKENESS) and not nearest(name, ports.settings):
        return f", did you mean the key {nearest(name, KEYS, _LIKENESS)!r}?"
    return did_you_mean(name, ports.settings) if ports.settings else "; it has none"


def _missing(spec: UnitSpec, ports: Ports) -> list[Setting]:
    """The settings without a default that not all workers are given."""
    return [one for one in ports.settings.values() if one.required and one.name not in spec.settings]


def _needs(spec: UnitSpec, setting: Setting) -> str:
    return f"{spec.used_as} needs the setting {setting.name!r} ({type_name(setting.type)}): add it"


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
