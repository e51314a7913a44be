"""Whether what a unit is made of can be sent to another OS process: by its name in a module, and its settings pickled.

Knows nothing of who sends it.
"""

from __future__ import annotations

import inspect
import pickle
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from streampy.model.process import name_of

if TYPE_CHECKING:
    from streampy.errors import Problem
    from streampy.model.plan import UnitPlan
    from streampy.model.process import UnitSpec

SCRIPT = "__main__"
"""The module that Python was started with."""


def reference_of(spec: UnitSpec) -> str:
    """The name, `module:name`, by which another OS process finds what a unit uses; "" where there is none.

    Of `SCRIPT` only where that is a file, which can be imported there.
    """
    names = dict.fromkeys((name_of(spec.use), spec.used_as))
    return next((name for name in names if _found(name, spec.use)), "")


def resolve(reference: str) -> Any:
    """What such a name stands for; its module is imported. Raises ImportError or AttributeError where there is none."""
    module_name, _, path = reference.partition(":")
    found: Any = import_module(module_name)
    for part in path.split("."):
        found = getattr(found, part)
    return found


def needs_script(unit: UnitPlan) -> bool:
    """Whether the script that Python was started with has to be imported before the unit can be made."""
    mark = SCRIPT.encode()
    made_of = [*unit.settings.values(), *(value for one in unit.each for value in one.values())]
    return reference_of(unit.spec).startswith(f"{SCRIPT}:") or any(mark in pickle.dumps(one) for one in made_of)


def check_sendable(unit: UnitPlan) -> Iterator[Problem]:
    """Why the unit can't be made in another OS process."""
    spec = unit.spec
    where = f"with `place: {spec.place}` it is made in another OS process"
    if not spec.is_told("use") and not reference_of(spec):
        yield spec.problem(f"{where}, which can't import {spec.used_as}: {_why_not(spec.use)}", "use")
    several = [(("set",), unit.settings), *((("each", i), settings) for i, settings in enumerate(unit.each))]
    for path, settings in several:
        for name, value in settings.items():
            error = _why_not_pickled(value)
            if error:
                message = f"{where}, to which this {type(value).__name__} can't be sent: {error}"
                yield spec.problem(f"{message}; give what it is made from, and make it in `start`", *path, name)


def _found(name: str, use: Any) -> bool:
    """Whether an object goes by this name."""
    module_name, colon, path = name.partition(":")
    module = sys.modules.get(module_name)
    if not colon or module is None or (module_name == SCRIPT and not _has_file()):
        return False
    found: Any = module
    for part in path.split("."):
        found = getattr(found, part, None)
    is_of_class = inspect.ismethod(use) and inspect.isclass(use.__self__)  # made anew each time that it is asked for
    return found is use or (is_of_class and bool(found == use))


def _has_file() -> bool:
    file = getattr(sys.modules[SCRIPT], "__file__", None)
    return file is not None and Path(file).is_file()


def _why_not(use: Any) -> str:
    name = str(getattr(use, "__qualname__", ""))
    move = "move it to the top level of a module"
    if inspect.ismethod(use) and not inspect.isclass(use.__self__):
        return "it is a method of an object that lives only here: write a class with `work`, which makes it in `start`"
    if name.endswith("<lambda>"):
        return "it is a lambda: write a function with `def` at the top level of a module"
    if "<locals>" in name:
        return f"it was made inside of {name.partition('.<locals>')[0]}(): {move}"
    if not name:
        return f"it is an object, {type(use).__name__}: write a function or a class at the top level of a module"
    if getattr(use, "__module__", None) == SCRIPT and not _has_file():
        return "it was typed at a prompt, or came from `-c`, so no file has it: write it into a module"
    return f"that name stands for nothing there, or for something else: {move}, under its own name"


def _why_not_pickled(value: object) -> str:
    """What pickle says; "" where it has nothing to say."""
    try:
        data = pickle.dumps(value)
    except Exception as error:  # a value may raise whatever it likes
        return f"{type(error).__name__}: {error}"
    if SCRIPT.encode() in data and not _has_file():
        return "its class was typed at a prompt, or came from `-c`, so no file has it"
    return ""
