"""Finds the unit that `use:` names: a module that is there or not, that can be imported or not, a name in it or not.

Knows nothing of the file in which it was named.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
import sysconfig
import traceback
from importlib.machinery import PathFinder
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from streampy.model.suggest import did_you_mean, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

GROUP = "streampy.units"
"""The entry points by which a package gives its units short names."""
_MOST = 12
"""Names that are still listed where none is near."""


class NotFound(ValueError):
    """There is no such unit; the text says what was looked for, `__cause__` what the user's own module raised."""


def look_beside(folder: Path) -> None:
    """Let modules be found in a folder and in the current one, as `python -m` does it."""
    for one in (str(Path.cwd()), str(folder.resolve())):
        if one in sys.path:
            sys.path.remove(one)
        sys.path.insert(0, one)
    importlib.invalidate_caches()


def find_unit(use: str, folder: Path) -> Any:
    """What `module:name`, or the short name of a plug-in, stands for. Raises NotFound.

    folder: that of the file; a module of the same name that was loaded from elsewhere is told, not taken.
    """
    module_name, colon, name = use.partition(":")
    if not colon:
        return _find_short(use)
    if not (_is_dotted(module_name) and _is_dotted(name)):
        raise NotFound(f"got {use!r}, expected `module:name`, such as faces.units:Detect")
    module = _import(module_name, folder)
    return _take(module, module_name, name)


def _is_dotted(name: str) -> bool:
    return all(part.isidentifier() for part in name.split("."))


def _find_short(use: str) -> Any:
    found = {point.name: point for point in entry_points(group=GROUP)}
    if use in found:
        return _load(found[use])
    module_name, dot, name = use.rpartition(".")
    if dot and _is_dotted(use):
        raise NotFound(f"got {use!r}, expected `module:name`: did you mean '{module_name}:{name}'?")
    raise NotFound(
        f"{use!r} is neither `module:name` nor the short name of a unit that is installed{did_you_mean(use, found)}"
    )


def _load(point: EntryPoint) -> Any:
    try:
        return point.load()
    except (Exception, SystemExit) as error:
        raise NotFound(f"the plug-in's unit {point.value} can't be loaded: {_said(error)}") from error


def _import(name: str, folder: Path) -> ModuleType:
    _refuse_other(name.partition(".")[0], folder)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if name != missing and not name.startswith(f"{missing}."):
            raise NotFound(f"importing {name!r} failed: {_said(error)}; install it, or look at the file") from error
        raise NotFound(_no_module(name, missing)) from None
    except (Exception, SystemExit) as error:  # a module that calls sys.exit() is no reason to leave
        raise NotFound(f"importing {name!r} failed: {_said(error)}") from error


def _refuse_other(top: str, folder: Path) -> None:
    """Python knows a module by its name alone, so two folders can't both have their `units` in one OS process."""
    loaded = getattr(sys.modules.get(top), "__file__", None)
    beside = PathFinder.find_spec(top, [str(folder.resolve())]) if loaded else None
    if loaded and beside and beside.origin and Path(beside.origin).resolve() != Path(loaded).resolve():
        raise NotFound(
            f"there is {_near(beside.origin)} beside the file, but a module {top!r} was loaded from {_near(loaded)} "
            f"before: rename one of them, or give the files to two commands"
        )


def _no_module(name: str, missing: str) -> str:
    parent, _, last = missing.rpartition(".")
    path: Sequence[str] | None = getattr(sys.modules.get(parent), "__path__", None) if parent else None
    if parent and path is None:
        return f"there is no module {missing!r}: {parent!r} is one file, not a package"
    known = {found.name for found in pkgutil.iter_modules(path) if not found.name.startswith("_")}
    beside = {found.name for found in pkgutil.iter_modules(sys.path[:2])}
    near = (nearest(last, beside) if not parent else "") or nearest(last, known, likeness=0.75)
    if near:
        whole = f"{parent}.{near}" if parent else near
        return f"there is no module {missing!r}, did you mean '{name.replace(missing, whole, 1)}'?"
    if parent and len(known) <= _MOST:
        return f"there is no module {missing!r}{did_you_mean(last, sorted(known))}"
    where = f"in {parent}" if parent else "beside the file, in the current folder, and in what is installed"
    return f"there is no module {missing!r}: it was looked for {where}"


def _take(module: ModuleType, module_name: str, name: str) -> Any:
    found: Any = module
    for part in name.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            there = [one for one, value in vars(found).items() if callable(value) and not one.startswith("_")]
            units = getattr(found, "__all__", there)  # what a module imports when it is asked for is not there yet
            hint = did_you_mean(part, units) if nearest(part, units) or len(units) <= _MOST else ""
            raise NotFound(f"{module_name!r} has no {part!r}{hint}") from None
        except Exception as error:
            raise NotFound(f"importing {module_name}:{name} failed: {_said(error)}") from error
    if inspect.ismodule(found):
        raise NotFound(f"{name!r} in {module_name!r} is the module {found.__name__!r}, expected a function or a class")
    return found


def _said(error: BaseException) -> str:
    """The user's own exception, and the line of theirs that it came from."""
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if isinstance(error, SyntaxError) and error.filename:
        return f"{type(error).__name__}: {error.msg} ({_near(error.filename)}:{error.lineno})"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith("<frozen")]
    theirs = [frame for frame in frames if not frame.filename.startswith((_OURS, *_LIBRARIES))]
    for frame in (theirs or frames)[-1:]:
        if frame.filename != __file__:
            text += f" ({_near(frame.filename)}:{frame.lineno})"
    return text


_OURS = str(Path(__file__).parents[2])
_LIBRARIES = tuple({sysconfig.get_path(kind) for kind in ("stdlib", "purelib", "platlib")})


def _near(file: str) -> str:
    """The path as a person in the current folder would write it."""
    path = Path(file).resolve()
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
