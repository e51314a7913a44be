"""What pydantic found wrong with the keys, in the words of the house.

Knows nothing of places: it gives key paths.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from streampy.model.config.keys import (
    JoinKeys,
    Keys,
    LinkKeys,
    OnCrashKeys,
    OnErrorKeys,
    PipeKeys,
    ProcessKeys,
    SegmentKeys,
    TlsKeys,
    UnitKeys,
    WorkersKeys,
)
from streampy.model.config.values import show
from streampy.model.process import ONLY
from streampy.model.suggest import nearest

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from streampy.model.config.document import KeyPath

_NAMED: dict[str, type[Keys]] = {"units": UnitKeys, "segments": SegmentKeys, "links": LinkKeys}
"""What stands below each name, by the key at the top."""
_WITHIN: dict[str, type[Keys]] = {
    "pipe": PipeKeys,
    "join": JoinKeys,
    "on_error": OnErrorKeys,
    "on_crash": OnCrashKeys,
    "workers": WorkersKeys,
    "tls": TlsKeys,
}
_EXAMPLES = {
    "process": "name the process, `process: faces`",
    "units": "list the units, `units: {camera: {use: module:name}}`",
    "use": "say which unit it is, `use: module:name`",
    "max": "say how many run at the most, `max: 8`",
}
_MEMBERS = "say which units live in it, `units: [camera, small]`"
_MAPPINGS: dict[type[Keys], str] = {
    ProcessKeys: "expected a mapping with the keys process and units",
    UnitKeys: "expected a mapping with the key use, and perhaps set, from and others",
    PipeKeys: "expected a mapping such as {capacity: 32, batch: 8}",
    JoinKeys: "expected a mapping such as {wait: 60ms, late: partial}",
    OnCrashKeys: "expected stop, restart, or a mapping such as {then: restart, attempts: 2}",
    SegmentKeys: "expected a list of units, or a mapping such as {units: [identify], replicas: 2}",
    LinkKeys: 'expected a mapping such as {dial: "tcp://core.example:7400"}',
    TlsKeys: "expected a mapping such as {ca: ca.pem, cert: edge.pem, key: edge.key}",
    WorkersKeys: "expected a number, or a mapping such as {min: 1, max: 8}",
    OnErrorKeys: "expected stop, skip, retry, dead_letter, or a mapping such as {retry: 2, then: skip}",
}


class Wrong(NamedTuple):
    """What is wrong with a key."""

    path: KeyPath
    message: str
    meant: str = ""
    """The key that was probably meant, so that its absence is not told as well."""
    is_usable: bool = False
    """Whether the value is good all the same: only its name is wrong."""


def put_in_words(error: ErrorDetails) -> Wrong:
    """Where the error is, and what to tell about it."""
    path = tuple(part for part in error["loc"] if part != "[key]")
    if path[-2:] == ("from", ONLY):
        path = path[:-1]
    value = error["input"]
    match error["type"]:
        case "value_error":
            is_usable = "[key]" in error["loc"] and path[0] != "links"  # a link whose ends are unknown is of no use
            return Wrong(path, str(error["ctx"]["error"]), is_usable=is_usable)
        case "missing" if len(path) > 3:  # noqa: PLR2004 - inside of a unit's key, which is then of no use
            return Wrong(path[:-1], f"the key {path[-1]!r} is missing: {_EXAMPLES[str(path[-1])]}")
        case "missing":
            return Wrong(path, f"the key is missing: {_MEMBERS if path[0] == 'segments' else _EXAMPLES[str(path[-1])]}")
        case "extra_forbidden":
            return _unknown(path)
        case "model_type" | "dict_type" if len(path) == 4 and path[2] == "pipe":  # noqa: PLR2004 - nor an input's own pipe
            return _unknown(path)
        case "model_type" | "dict_type" | "tuple_type":
            return Wrong(path, f"got {show(value)}, {_expected(path)}")
        case "too_short":
            return Wrong(path, f"there are no units: {_EXAMPLES['units']}")
        case _:
            return Wrong(path, f"got {show(value)}: {error['msg']}")


def _keys_at(path: KeyPath) -> type[Keys]:
    if len(path) < 2:  # noqa: PLR2004 - units, and a unit's name
        return ProcessKeys
    named = _NAMED[str(path[0])]
    return named if len(path) == 2 else _WITHIN.get(str(path[2]), named)  # noqa: PLR2004


def _unknown(path: KeyPath) -> Wrong:
    keys, word = _keys_at(path[:-1]), str(path[-1])
    known = [field.alias or name for name, field in keys.model_fields.items()]
    meant = keys.meant.get(word) or nearest(word, known)
    hint = f", did you mean {meant!r}?" if meant else f"; known: {', '.join(known)}"
    return Wrong(path, f"unknown key {word!r}{hint}", meant)


def _expected(path: KeyPath) -> str:
    if path == ("units",):
        return "expected a mapping from names to units: `camera: {use: module:name}`"
    if path == ("segments",):
        return "expected a mapping from names to the units in them: `edge: [camera, small]`"
    if path == ("links",):
        return 'expected a mapping such as `edge -> core: {dial: "tcp://core.example:7400"}`'
    if path[-1:] == ("set",):
        return "expected a mapping from settings to values"
    if path[-1:] == ("env",):
        return "expected a mapping such as {OMP_NUM_THREADS: 1}"
    if "each" in path[2:3]:
        return "expected for each worker a mapping from settings to values, such as [{port: 1}, {port: 2}]"
    return _MAPPINGS[_keys_at(path)]
