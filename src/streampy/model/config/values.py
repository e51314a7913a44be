"""The kinds of values that keys take: how each is read, what it says when it can't be, and its JSON Schema.

All take text too, for that is what a `${VARIABLE}` gives. Knows nothing of the keys.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, PlainValidator, WithJsonSchema

from streampy.model.cpus import Cpus, parse_cpus
from streampy.model.measure import parse_duration, parse_rate, parse_size
from streampy.model.pipe import Crashed, Late, Order, Overflow, Then
from streampy.model.process import MAIN, NAME, ONLY, OWN, Process
from streampy.model.segments import Ack, Tls, read_broker, read_deadline, read_dial, read_link, read_listen
from streampy.model.suggest import choose

T = TypeVar("T")
VARIABLE: dict[str, Any] = {"type": "string", "pattern": r"\$\{[A-Za-z_]\w*(:-[^}]*)?\}"}
"""JSON Schema of a text in which the environment has a say."""


"""What a process and a unit may be called; no dot, for `unit.port` has one."""


def show(value: object) -> str:
    """A value as it would be written in the file; what is large is only named."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    return repr(value)


def whole(least: int) -> Callable[[object], int]:
    """Reads a whole number, at least this."""

    def read(value: object) -> int:
        text = str(value).strip() if isinstance(value, int | str) and not isinstance(value, bool) else ""
        if not text.lstrip("-").isdecimal() or int(text) < least:
            raise ValueError(f"got {show(value)}, expected a whole number, at least {least}")
        return int(text)

    return read


def _limit(value: object) -> float:
    return value if value == float("inf") and isinstance(value, float) else whole(1)(value)


def _read_flag(value: object) -> bool:
    text = str(value).lower() if isinstance(value, bool | str) else ""
    if text not in ("true", "false"):
        raise ValueError(f"got {show(value)}, expected true or false")
    return text == "true"


def _measured(parse: Callable[[object], T]) -> Callable[[object], T]:
    def read(value: object) -> T:
        try:
            return parse(value)
        except ValueError as error:  # a mapping is not written out, and true is not True
            raise ValueError(str(error).replace(repr(value), show(value), 1)) from error

    return read


def _item_size(value: object) -> float | None:
    size = _measured(parse_size)(value)
    if not 0 < size < float("inf"):
        raise ValueError(f"got {show(value)}, expected the size of one item, such as 6MB")
    return size


def _one_of(kind: type[StrEnum]) -> Callable[[object], StrEnum]:
    def read(value: object) -> StrEnum:
        try:
            return choose(kind, value)
        except ValueError as error:
            raise ValueError(str(error).replace(repr(value), show(value), 1)) from error

    return read


def _read_text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"got {show(value)}, expected text")  # noqa: TRY004 - pydantic gathers ValueErrors
    return value


def _read_secret(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("expected text; a number stands in quotes")  # noqa: TRY004 - pydantic gathers ValueErrors
    return value


def _read_name(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(NAME, value):
        raise ValueError(f"got {show(value)}, expected a name: a letter, then letters, digits, `_` or `-`")
    return value


def _read_variable(value: object) -> str:
    """The value of an environment variable."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"got {show(value)}, expected text or a number")  # noqa: TRY004 - pydantic gathers ValueErrors
    return str(value)


def _read_use(value: object) -> Any:
    if isinstance(value, str | Process) or callable(value):
        return value
    raise ValueError(
        f"got {show(value)}, expected `module:name`, the short name of a plug-in, or the file of a process"
    )


def _texts(expected: str) -> Callable[[object], tuple[str, ...]]:
    """Reads one text, or several."""

    def read(value: object) -> tuple[str, ...]:
        several = list(value) if isinstance(value, list | tuple) else [value]
        texts = [text for text in several if isinstance(text, str) and text]
        if len(texts) == len(several) > 0:
            return tuple(texts)
        wrong = [show(text) for text in several if not isinstance(text, str) or not text]
        in_list = f"{wrong[0]} in the list" if wrong else "an empty list"
        raise ValueError(f"got {in_list if isinstance(value, list | tuple) else wrong[0]}, expected {expected}")

    return read


def _addresses(value: object) -> tuple[str, ...]:
    return read_dial(_texts("tcp://HOST:PORT, file:///PATH, or a list of them")(value))


def check_tls(keys: Any) -> Any:
    """Whether the files for TLS belong together. keys: a model with the fields of `Tls`; returned as it is."""
    if keys is not None:
        Tls(keys.ca, keys.cert, keys.key, keys.name)
    return keys


def _check_link(key: object) -> str:
    read_link(key)
    return str(key)


def _name_inputs(value: object) -> object:
    return value if isinstance(value, Mapping) else {ONLY: value}


def _schema(*kinds: dict[str, Any]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [*kinds, VARIABLE]})


_END: dict[str, Any] = {"type": "string", "pattern": r"^\w[\w-]*(\.\w[\w-]*)*$"}
_ENDS: dict[str, Any] = {"anyOf": [_END, VARIABLE, {"type": "array", "items": _END, "minItems": 1}]}
_MEASURE = r"^\s*(inf|\d+(\.\d*)?\s*({units})?)\s*$"
_DURATION = {"type": "string", "pattern": _MEASURE.format(units="us|ms|s|m|h"), "examples": ["5ms", "2s", "1m"]}
_SIZE = {"type": "string", "pattern": _MEASURE.format(units="B|[kKMG]B|[KMG]iB"), "examples": ["64MB", "2GiB"]}
_RATE = {"type": "string", "pattern": _MEASURE.format(units="/[smh]"), "examples": ["10/s", "600/m"]}
_CPUS = r"^\s*\d+(\s*-\s*\d+)?(\s*,\s*\d+(\s*-\s*\d+)?)*\s*$"
_CPU = {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": _CPUS}, VARIABLE]}
_NUMBER = {"type": "number", "minimum": 0}
_LISTEN = {"type": "string", "pattern": r"^tcp://\S+:\d+$", "examples": ["tcp://0.0.0.0:7400"]}
_DIAL = {"type": "string", "pattern": r"^(tcp://\S+:\d+|file:///.+)$", "examples": ["tcp://core.example:7400"]}
_BROKER = {"type": "string", "pattern": "^(nats|kafka)://.+$", "examples": ["nats://broker.example:4222"]}
_UNIT = {"type": "string", "pattern": NAME}
LINK = r"^\s*\S+\s*->\s*\S+\s*$"
"""JSON Schema pattern of who dials whom."""


def _words(kind: type[StrEnum]) -> dict[str, Any]:
    return {"enum": [member.value for member in kind]}


AtLeastOne = Annotated[int, PlainValidator(whole(1)), _schema({"type": "integer", "minimum": 1})]
AtLeastNone = Annotated[int, PlainValidator(whole(0)), _schema({"type": "integer", "minimum": 0})]
Limit = Annotated[float, PlainValidator(_limit), _schema({"type": "integer", "minimum": 1})]
Flag = Annotated[bool, PlainValidator(_read_flag), _schema({"type": "boolean"})]
Duration = Annotated[float, PlainValidator(_measured(parse_duration)), _schema(_NUMBER, _DURATION)]
Size = Annotated[float, PlainValidator(_measured(parse_size)), _schema(_NUMBER, _SIZE)]
Rate = Annotated[
    float, PlainValidator(_measured(parse_rate)), _schema({"type": "number", "exclusiveMinimum": 0}, _RATE)
]
ItemSize = Annotated[
    float | None, PlainValidator(_item_size), _schema({"type": "number", "exclusiveMinimum": 0}, _SIZE)
]
CpuList = Annotated[
    Cpus,
    PlainValidator(_measured(parse_cpus)),
    _schema(
        {"type": "integer", "minimum": 0},
        {"type": "string", "pattern": _CPUS},
        {"type": "array", "minItems": 1, "items": _CPU},
        {"type": "array", "minItems": 1, "items": {"anyOf": [{"type": "array", "minItems": 1, "items": _CPU}, _CPU]}},
    ),
]
PlaceName = Annotated[
    str, PlainValidator(_read_text), _schema({"enum": [MAIN, OWN]}, {"type": "string", "pattern": NAME})
]
Name = Annotated[str, PlainValidator(_read_name), WithJsonSchema({"type": "string", "pattern": NAME})]
Text = Annotated[str, PlainValidator(_read_text), WithJsonSchema({"type": "string"})]
Environment = Annotated[
    dict[Text, Annotated[str, PlainValidator(_read_variable)]],
    WithJsonSchema({"type": "object", "additionalProperties": {"type": ["string", "number"]}}),
]
Use = Annotated[
    Any, PlainValidator(_read_use), WithJsonSchema({"type": "string", "examples": ["faces.units:Detect", "faces.yaml"]})
]
_OneInput = Annotated[tuple[str, ...], PlainValidator(_texts("a unit (or unit.port), or a list of them"))]
Links = Annotated[
    dict[str, _OneInput],
    BeforeValidator(_name_inputs),
    WithJsonSchema({"anyOf": [*_ENDS["anyOf"], {"type": "object", "additionalProperties": _ENDS, "minProperties": 1}]}),
]
UnitNames = Annotated[
    tuple[str, ...],
    PlainValidator(_texts("a unit, or a list of them")),
    _schema(_UNIT, {"type": "array", "items": _UNIT, "minItems": 1}),
]
Listen = Annotated[str, PlainValidator(_measured(read_listen)), _schema(_LISTEN)]
Dial = Annotated[
    tuple[str, ...],
    PlainValidator(_addresses),
    _schema(_DIAL, {"type": "array", "items": {"anyOf": [_DIAL, VARIABLE]}, "minItems": 1}),
]
Broker = Annotated[str, PlainValidator(_measured(read_broker)), _schema(_BROKER)]
Deadline = Annotated[
    float,
    PlainValidator(_measured(read_deadline)),
    _schema({"type": "number", "exclusiveMinimum": 0}, _DURATION),
]
Secret = Annotated[str, PlainValidator(_read_secret), WithJsonSchema({"type": "string"})]
LinkName = Annotated[str, PlainValidator(_check_link), WithJsonSchema({"type": "string", "pattern": LINK})]
AckWord = Annotated[Ack, PlainValidator(_one_of(Ack)), _schema(_words(Ack))]
OverflowWord = Annotated[str, PlainValidator(_one_of(Overflow)), _schema(_words(Overflow))]
OrderWord = Annotated[str, PlainValidator(_one_of(Order)), _schema(_words(Order))]
LateWord = Annotated[str, PlainValidator(_one_of(Late)), _schema(_words(Late))]
CrashedWord = Annotated[str, PlainValidator(_one_of(Crashed)), _schema(_words(Crashed))]
ThenWord = Annotated[str, PlainValidator(_one_of(Then)), _schema(_words(Then))]
