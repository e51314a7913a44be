"""Reads annotations, also those that name what exists only while types are checked.

Knows nothing of what an annotation means to a unit.
"""

from __future__ import annotations

import builtins
import inspect
import sys
import types
from collections.abc import Callable
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin


class _AcceptsAll(type):
    def __getattr__(cls, name: str) -> type[Unknown]:
        if name.startswith("__"):
            raise AttributeError(name)
        return Unknown

    def __getitem__(cls, key: object) -> type[Unknown]:
        return Unknown


class Unknown(metaclass=_AcceptsAll):
    """A type whose name can't be resolved at run time (imported under TYPE_CHECKING): it fits everything."""


class _Scope(dict[str, Any]):
    def __missing__(self, name: str) -> Any:
        if hasattr(builtins, name):
            raise KeyError(name)
        return Unknown


def annotations_of(owner: Callable[..., Any] | type) -> dict[str, Any]:
    """The evaluated annotations of a function or of a class body. Raises ValueError for one that can't be read."""
    scope = _Scope(vars(sys.modules[owner.__module__]) if owner.__module__ in sys.modules else {})
    scope.update(getattr(owner, "__globals__", {}))
    if isinstance(owner, types.FunctionType) and owner.__closure__:
        for name, cell in zip(owner.__code__.co_freevars, owner.__closure__, strict=True):
            if cell != types.CellType():  # an empty cell: a name that is not bound yet
                scope[name] = cell.cell_contents
    return {name: _evaluate(hint, scope) for name, hint in inspect.get_annotations(owner).items()}


def _evaluate(hint: Any, scope: _Scope) -> Any:
    if not isinstance(hint, str):
        return hint
    try:
        return eval(hint, {}, scope)  # noqa: S307 - the user's own annotation, as typing.get_type_hints does
    except Exception as error:
        raise ValueError(f"the annotation {hint!r} can't be read: {error}") from error


def without_none(annotation: Any) -> tuple[Any, bool]:
    """`T | None` as (T, True), all else as (itself, False)."""
    if get_origin(annotation) not in (Union, types.UnionType):
        return annotation, False
    arguments = get_args(annotation)
    rest = tuple(argument for argument in arguments if argument is not type(None))
    if len(rest) == len(arguments):
        return annotation, False
    return Union[rest], True  # noqa: UP007 - built from a tuple


def fits(given: Any, wanted: Any) -> bool:
    """Whether a value of type `given` may go where `wanted` is expected; in doubt, yes.

    As a type checker would see it, but lenient where run time knows less: type variables, protocols and names
    that can't be resolved fit everything.
    """
    if says_nothing(given) or says_nothing(wanted) or given == wanted:
        return True
    if get_origin(given) in (Union, types.UnionType):
        return all(fits(one, wanted) for one in get_args(given))
    if get_origin(wanted) in (Union, types.UnionType):
        return any(fits(given, one) for one in get_args(wanted))
    given_class, wanted_class = get_origin(given) or given, get_origin(wanted) or wanted
    if not (inspect.isclass(given_class) and inspect.isclass(wanted_class)):
        return True
    if wanted_class in (float, complex) and given_class in (int, float):
        return True
    if getattr(wanted_class, "_is_protocol", False):
        return True
    if not issubclass(given_class, wanted_class):
        return False
    given_arguments, wanted_arguments = get_args(given), get_args(wanted)
    if given_class is not wanted_class or len(given_arguments) != len(wanted_arguments):
        return True
    return all(fits(one, other) for one, other in zip(given_arguments, wanted_arguments, strict=True))


def type_name(annotation: Any) -> str:
    """As a person would write it: `Frame`, `list[Name]`, `int | None`."""
    if inspect.isclass(annotation) and not get_args(annotation):
        return "None" if annotation is type(None) else annotation.__qualname__.rpartition("<locals>.")[2]
    if annotation is ...:
        return "..."
    if get_origin(annotation) is Annotated:
        return type_name(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return " | ".join(map(type_name, get_args(annotation)))
    origin, arguments = get_origin(annotation), get_args(annotation)
    if inspect.isclass(origin) and arguments:
        return f"{origin.__qualname__}[{', '.join(map(type_name, arguments))}]"
    return str(annotation).removeprefix("typing.")


def is_list(annotation: Any) -> bool:
    """Whether a value of this type is itself a list."""
    return annotation is list or get_origin(annotation) is list


def says_nothing(annotation: Any) -> bool:
    """Whether anything at all may be of this type."""
    return annotation in (Any, object, Unknown, inspect.Parameter.empty, ...) or isinstance(annotation, TypeVar)
