"""The ports of a unit, and the one rule that derives them from its signature.

Parameters before `*` are inputs, parameters after it are settings; the annotation chooses the helping.
Knows nothing of links: what a port is linked to is the process's affair.
"""

from __future__ import annotations

import dis
import inspect
from collections import abc
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, get_args, get_origin

from streampy.model.annotations import annotations_of, type_name, without_none
from streampy.model.item import Batch, Item, Latest
from streampy.model.outputs import Outputs
from streampy.model.pipe import Join, Pipe

_STREAMS = (abc.Iterator, abc.Iterable, abc.Generator, abc.AsyncIterator, abc.AsyncIterable, abc.AsyncGenerator)
OUT = "out"
"""The name of the output port of a unit that has just one."""


class Helping(Enum):
    """How much an input port is given at once."""

    ONE = "T"
    ITEM = "Item[T]"
    BATCH = "Batch[T]"
    STREAM = "Iterator[T]"
    LIST = "list[T]"
    LATEST = "Latest[T]"


@dataclass(frozen=True, slots=True)
class InputPort:
    """A named input: `type` is that of one item, whatever the helping."""

    name: str
    type: Any
    helping: Helping = Helping.ONE
    optional: bool = False
    pipe: Pipe | None = None
    """The unit's own default; None where it has none."""
    gives_headers: bool = False
    """Whether the unit is given each value with its header: `Item[T]`, and `Iterator[Item[T]]`."""
    links: tuple[str, ...] = ()
    """What it is linked to where the process does not say: the unit's own default."""


@dataclass(frozen=True, slots=True)
class OutputPort:
    """A named output: `many` where it emits any number for an item, `optional` where it may emit none."""

    name: str
    type: Any
    many: bool = False
    optional: bool = False


class Emits(Enum):
    """What a call of the unit gives back."""

    NOTHING = "None"
    ONE = "return"
    MANY = "yield"
    BATCH = "Batch"


@dataclass(frozen=True, slots=True)
class Setting:
    """A keyword-only parameter: what configuration may set."""

    name: str
    type: Any
    required: bool
    default: Any = None


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything that the rest of the house needs to know of a unit's signature."""

    inputs: Mapping[str, InputPort]
    outputs: Mapping[str, OutputPort]
    emits: Emits
    named: type[Outputs] | None = None
    """The class of the outputs where they are named."""
    is_async: bool = False
    join: Join | None = None
    settings: Mapping[str, Setting] = field(default_factory=dict)

    @property
    def is_source(self) -> bool:
        """Whether it has no inputs."""
        return not self.inputs

    @property
    def is_stream(self) -> bool:
        """Whether it is given its input as a whole stream."""
        return any(port.helping is Helping.STREAM for port in self.inputs.values())


class SignatureProblem(ValueError):
    """The signature can't be read as a unit's; the text says what was got and what was expected."""


def read_function(
    function: Callable[..., Any], pipes: Mapping[str, Pipe] | None = None, join: Join | None = None
) -> Ports:
    """The ports of a function unit. Raises SignatureProblem."""
    inputs, settings = _read_parameters(function, skip_self=False)
    return _assemble(function, inputs, settings, pipes or {}, join)


def read_class(cls: type, work: Callable[..., Any], init: Callable[..., Any] | None) -> Ports:
    """The ports of a class unit: inputs and outputs from `work`, settings from `__init__`. Raises SignatureProblem."""
    inputs, extra = _read_parameters(work, skip_self=True)
    if extra:
        raise SignatureProblem(
            f"work() has the keyword-only parameter {next(iter(extra))!r}: "
            f"settings of a class unit are keyword-only parameters of __init__"
        )
    settings: dict[str, Setting] = {}
    if init is not None:
        positional, settings = _read_parameters(init, skip_self=True)
        if positional:
            raise SignatureProblem(
                f"__init__ has the positional parameter {next(iter(positional))!r}: "
                f"settings are keyword-only, so write `def __init__(self, *, {', '.join(positional)})`"
            )
    pipes = {name: value for name in dir(cls) if isinstance(value := getattr(cls, name, None), Pipe)}
    join = getattr(cls, "join", None)
    return _assemble(work, inputs, settings, pipes, join if isinstance(join, Join) else None)


def _assemble(
    function: Callable[..., Any],
    inputs: dict[str, Any],
    settings: dict[str, Setting],
    pipes: Mapping[str, Pipe],
    join: Join | None,
) -> Ports:
    for name in pipes:
        if name not in inputs:
            raise SignatureProblem(f"{name} = Pipe(...) stands for no input; the inputs are {', '.join(inputs)}")
    ports = {name: _input_port(name, annotation, pipes.get(name)) for name, annotation in inputs.items()}
    helpings = {port.helping for port in ports.values()}
    if Helping.STREAM in helpings and len(ports) > 1:
        raise SignatureProblem("an Iterator[T] input must be the only one: a stream can't be joined item by item")
    if Helping.BATCH in helpings and len(ports) > 1:
        raise SignatureProblem("a Batch[T] input must be the only one: a join gives one item at a time")
    returned = _annotations(function).get("return", inspect.Parameter.empty)
    yields = inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)
    if returned is inspect.Parameter.empty and not yields and _returns_nothing(function):
        returned = None
    emits, named, outputs = _read_return(returned, yields=yields)
    if not ports and emits is Emits.MANY:
        outputs = {name: replace(port, many=False) for name, port in outputs.items()}  # it yields items, no parts
    if Helping.BATCH in helpings and emits not in (Emits.BATCH, Emits.NOTHING):
        raise SignatureProblem(
            "a unit that takes a Batch[T] returns a Batch[U], one result for each item, or None as a sink: "
            f"got {type_name(returned)}"
        )
    if Helping.STREAM in helpings and emits not in (Emits.MANY, Emits.NOTHING):
        raise SignatureProblem(f"a unit that takes an Iterator[T] yields, or returns None: got {type_name(returned)}")
    return Ports(
        inputs=ports,
        outputs=outputs,
        emits=emits,
        named=named,
        is_async=inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function),
        join=join,
        settings=settings,
    )


def _read_parameters(function: Callable[..., Any], *, skip_self: bool) -> tuple[dict[str, Any], dict[str, Setting]]:
    annotations = _annotations(function)
    positional: dict[str, Any] = {}
    settings: dict[str, Setting] = {}
    parameters = list(inspect.signature(function).parameters.values())[1 if skip_self else 0 :]
    for parameter in parameters:
        annotation = annotations.get(parameter.name, Any)
        if parameter.kind is parameter.KEYWORD_ONLY:
            required = parameter.default is parameter.empty
            default = None if required else parameter.default
            settings[parameter.name] = Setting(parameter.name, annotation, required, default)
        elif parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise SignatureProblem(f"the parameter {parameter} names no port: give each input and setting a name")
        elif parameter.default is not parameter.empty:
            raise SignatureProblem(
                f"the input {parameter.name!r} has a default: inputs have none (`T | None` may be missing in a join); "
                f"a setting stands after `*`: `(..., *, {parameter})`"
            )
        else:
            positional[parameter.name] = annotation
    return positional, settings


def _input_port(name: str, annotation: Any, given: Pipe | None) -> InputPort:
    if given is None or not given.from_:
        return _annotated_input(name, annotation, given)
    pipe = replace(given, from_=())
    port = _annotated_input(name, annotation, pipe if pipe != Pipe() else None)  # a link alone asks for no pipe
    return replace(port, links=tuple(given.from_))


def _annotated_input(name: str, annotation: Any, pipe: Pipe | None) -> InputPort:
    inner, optional = without_none(annotation)
    origin, arguments = get_origin(inner) or inner, get_args(inner)
    first = arguments[0] if arguments else Any
    if origin is Item:
        return InputPort(name, first, Helping.ITEM, optional, pipe, gives_headers=True)
    if origin is Batch:
        return InputPort(name, first, Helping.BATCH, optional, pipe)
    if origin is Latest:
        return InputPort(name, first, Helping.LATEST, optional=True, pipe=pipe)
    if origin in _STREAMS:
        gives_headers = (get_origin(first) or first) is Item
        inside = (get_args(first) or (Any,))[0] if gives_headers else first
        return InputPort(name, inside, Helping.STREAM, optional, pipe, gives_headers)
    if origin is list:
        return InputPort(name, first, Helping.LIST, optional, pipe)
    return InputPort(name, inner, Helping.ONE, optional, pipe)


def _read_return(returned: Any, *, yields: bool) -> tuple[Emits, type[Outputs] | None, dict[str, OutputPort]]:
    if returned is None or returned is type(None):
        if yields:
            raise SignatureProblem("it yields, but its return is annotated None: annotate Iterator[T]")
        return Emits.NOTHING, None, {}
    unknown = returned is inspect.Parameter.empty
    inner, optional = (Any, True) if unknown else without_none(returned)
    origin, arguments = get_origin(inner) or inner, get_args(inner)
    emits = Emits.MANY if yields else Emits.ONE
    if origin in _STREAMS:
        emits, (inner, _) = Emits.MANY, without_none(arguments[0] if arguments else Any)
        origin, arguments = get_origin(inner) or inner, get_args(inner)
    if origin is Batch:
        inner, may_filter = without_none(arguments[0] if arguments else Any)
        optional = optional or may_filter
        emits = Emits.BATCH if emits is Emits.ONE else emits
    elif origin is Item:
        inner = arguments[0] if arguments else Any
    many = emits is Emits.MANY
    if inspect.isclass(inner) and issubclass(inner, Outputs):
        return emits, inner, {name: _named_output(name, hint, many=many) for name, hint in inner.hints().items()}
    return emits, None, {OUT: OutputPort(OUT, inner, many, optional)}


def _named_output(name: str, annotation: Any, *, many: bool) -> OutputPort:
    inner, _ = without_none(annotation)
    if get_origin(inner) in _STREAMS:
        if many:
            raise SignatureProblem(f"it yields, and its output {name!r} is an iterator again: yield each of its values")
        return OutputPort(name, get_args(inner)[0], many=True, optional=True)
    return OutputPort(name, inner, many, optional=True)


def _returns_nothing(function: Callable[..., Any]) -> bool:
    """Whether a function without annotation has no `return` with a value: then it is a sink."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return False
    before = None
    for instruction in dis.get_instructions(code):
        gives = before if instruction.opname == "RETURN_VALUE" else instruction
        if instruction.opname.startswith("RETURN_") and instruction.opname != "RETURN_GENERATOR":
            is_none = gives is not None and gives.opname in ("LOAD_CONST", "RETURN_CONST") and gives.argval is None
            if not is_none:
                return False
        before = instruction
    return True


def _annotations(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return annotations_of(inspect.unwrap(function))
    except ValueError as error:
        raise SignatureProblem(str(error)) from error
