"""A unit: where work is done; a function, or a class with `work`.

Knows nothing of who calls it, or where.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, overload, runtime_checkable

from streampy.model.ports import Ports, SignatureProblem, read_class, read_function

if TYPE_CHECKING:
    from streampy.model.pipe import Join, Pipe

F = TypeVar("F", bound=Callable[..., Any])


@runtime_checkable
class HasPorts(Protocol):
    """What can be used as a unit without a further look: it tells its ports itself."""

    def ports(self) -> Ports:
        """The names, types and pipe settings of the inputs and outputs."""


class Unit:
    """Base of the class units.

    Settings are the keyword-only parameters of `__init__`, inputs the parameters of `work`, outputs what it returns.
    A class attribute `frame = Pipe(...)` gives the pipe of the input `frame` its defaults (`from_`: its link, too),
    `join = Join(...)` those of the join.
    One object is made for each worker. `start` is called in the worker before the first item; `stop` always, once
    `start` was entered, unless the OS process is killed.
    """

    if TYPE_CHECKING:
        work: Callable[..., Any]

    def start(self) -> None:
        """Open what the work needs: models, devices, connections. Called in the worker."""

    def stop(self) -> None:
        """Give back what `start` took. Called in the worker, also after an error."""

    def change(self, **settings: Any) -> None:
        """Take other settings while it runs. Called in the worker, between two items.

        A class that does not say how is stopped and made anew with them.
        """
        raise NotImplementedError

    @classmethod
    def ports(cls) -> Ports:
        """The names, types and pipe settings of the inputs and outputs; derived from the signature of `work`.

        Raises ValueError, with what was got and expected, where the signature can't be read.
        """
        work = getattr(cls, "work", None)
        if work is None:
            raise SignatureProblem(f"{cls.__name__} has no method `work`")
        init = cls.__init__ if "__init__" in {name for base in cls.__mro__[:-1] for name in vars(base)} else None
        return read_class(cls, work, init)


def event(name: str) -> Callable[[F], F]:
    """Mark a method of a class unit: it is called in the worker, between two items, when the event is fired.

    See `Running.fire`. What the method does needs no lock: the worker does nothing else meanwhile.
    """

    def mark(method: F) -> F:
        method.event = name  # type: ignore[attr-defined]  # a function takes attributes, mypy disagrees
        return method

    return mark


def events_of(use: Any) -> dict[str, str]:
    """The events of a unit: for each name the method that is called."""
    if not inspect.isclass(use):
        return {}
    methods = {name: inspect.getattr_static(use, name) for name in dir(use)}
    return {method.event: name for name, method in methods.items() if hasattr(method, "event")}


@overload
def unit(function: F, /) -> F: ...
@overload
def unit(*, join: Join | None = ..., **pipes: Pipe) -> Callable[[F], F]: ...
def unit(function: F | None = None, /, *, join: Join | None = None, **pipes: Pipe) -> F | Callable[[F], F]:
    """Declare a function to be a unit. It stays the plain function that it is.

    Its signature is read at once, so a mistake shows where it was made: raises ValueError.
    `@unit(frame=Pipe(capacity=8), join=Join(wait=0.06))` gives defaults, as class attributes do for a class unit.
    """

    def declare(function: F) -> F:
        ports = read_function(function, pipes, join)
        function.ports = lambda: ports  # type: ignore[attr-defined]  # a function takes attributes, mypy disagrees
        return function

    return declare if function is None else declare(function)


def ports_of(use: Any) -> Ports:
    """The ports of whatever can be used as a unit. Raises ValueError where it can't.

    A plain function needs no decorator.
    """
    if isinstance(use, HasPorts):
        return use.ports()
    if inspect.isclass(use):
        raise SignatureProblem(f"the class {use.__name__} is no unit: derive it from streampy.Unit")
    if not inspect.isroutine(use):
        raise SignatureProblem(f"got {type(use).__name__} {use!r}, expected a function or a subclass of streampy.Unit")
    return read_function(use)
