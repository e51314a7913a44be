"""What settings name: a function as `module:name`, a part of a value as `user.name`.

Knows nothing of the units that have such settings.
"""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Any, TypeAlias


@dataclass(frozen=True, slots=True)
class _Read:
    """Makes the check of a process read such a setting, so that a wrong name is told before anything starts."""

    read: Callable[[Any], Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema  # noqa: PLC0415 - takes a while, and only the check asks for it

        return core_schema.no_info_plain_validator_function(self.read)


def function_of(given: Callable[..., Any] | str) -> Callable[..., Any]:
    """Find the function that a setting names; one that is given as such stays what it is.

    Args:
        given: `module:name`, also `module:Class.method`; or anything that can be called.

    Raises:
        ValueError: there is no such module or name, importing it failed, or it can't be called.

    >>> function_of("math:sqrt")(9.0)
    3.0
    >>> function_of("math:sqrd")
    Traceback (most recent call last):
    ValueError: 'math' has no 'sqrd', did you mean 'sqrt'?

    """
    if callable(given):
        return given
    module, colon, name = given.partition(":")
    if not (colon and all(part.isidentifier() for part in (*module.split("."), *name.split(".")))):
        raise ValueError(f"got {given!r}, expected a function, or `module:name` such as math:sqrt")
    found = _import(module)
    for part in name.split("."):
        if not hasattr(found, part):
            raise ValueError(f"{module!r} has no {part!r}{_did_you_mean(part, dir(found))}")
        found = getattr(found, part)
    if not callable(found):
        raise ValueError(f"{given!r} is {type(found).__name__}, expected a function")  # noqa: TRY004 - as below
    function: Callable[..., Any] = found
    return function


def key_of(given: Callable[[Any], Any] | str | int) -> Callable[[Any], Any]:
    """Find what a setting takes out of a value: a part of it by its path, or what a function gives for it.

    Args:
        given: a path such as `user.name` or `0` (keys of a mapping, numbers in a list, attributes); the empty text
            stands for the value itself; `module:name` and anything that can be called for a function.

    Raises:
        ValueError: as `function_of`.

    >>> key_of("user.name")({"user": {"name": "Ada"}})
    'Ada'
    >>> key_of("builtins:len")("Ada"), key_of(0)("Ada"), key_of("")("Ada")
    (3, 'A', 'Ada')

    """
    if callable(given) or (isinstance(given, str) and ":" in given):
        return function_of(given)
    if isinstance(given, bool) or not isinstance(given, str | int):
        raise ValueError(f"got {given!r}, expected a path such as user.name, or `module:name`")  # noqa: TRY004 - pydantic gathers ValueErrors
    return Part(tuple(str(given).split(".")) if given != "" else ())


@dataclass(frozen=True, slots=True)
class Part:
    """Takes a part out of a value."""

    parts: tuple[str, ...]

    def __call__(self, value: Any) -> Any:
        """Give the part. Raises LookupError, with what there is instead."""
        for part in self.parts:
            value = _part(value, part, self)
        return value

    def __str__(self) -> str:
        return ".".join(self.parts)


Function: TypeAlias = Annotated[Callable[..., Any] | str, _Read(function_of)]
"""A setting that takes a function: `module:name`, or from Python the function itself."""
Key: TypeAlias = Annotated[Callable[[Any], Any] | str | int, _Read(key_of)]
"""A setting that takes a path such as `user.name`, or a function."""


def _part(value: Any, part: str, path: Part) -> Any:
    if isinstance(value, Mapping):
        if part in value:
            return value[part]
        if part.isdecimal() and int(part) in value:
            return value[int(part)]
        there: Sequence[Any] = [str(key) for key in value]
    elif part.lstrip("-").isdecimal() and hasattr(value, "__getitem__"):
        if -len(value) <= int(part) < len(value):
            return value[int(part)]
        raise LookupError(f"{path}: got {len(value)} values, there is no number {part}")
    else:
        if hasattr(value, part):
            return getattr(value, part)
        there = dir(value)
    raise LookupError(f"{path}: {type(value).__name__} has no {part!r}{_did_you_mean(part, there)}")


def _import(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if module == missing or module.startswith(f"{missing}."):
            raise ValueError(
                f"there is no module {missing!r}: it was looked for beside the file, in the current folder, and in "
                f"what is installed"
            ) from None
        raise ValueError(f"importing {module!r} failed: {error}") from error
    except (Exception, SystemExit) as error:
        raise ValueError(f"importing {module!r} failed: {type(error).__name__}: {error}") from error


def _did_you_mean(name: str, names: Sequence[str]) -> str:
    known = [one for one in names if not one.startswith("_")]
    near = get_close_matches(name, known, 1)
    if near:
        return f", did you mean {near[0]!r}?"
    return f"; it has {', '.join(known[:12])}" if known else ""
