"""From a file or a dict to the units of a process, as far as they can be read; the rest is reported in the document.

Knows nothing of the graph that the units make.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from streampy.model.config.document import Document, KeyPath
from streampy.model.config.find import NotFound, find_unit, look_beside
from streampy.model.config.keys import ABSENT, EXTRA, ProcessKeys, UnitKeys, said_of
from streampy.model.config.segments import read_links, read_segments, spell_out_segments
from streampy.model.config.variables import expand
from streampy.model.config.wording import put_in_words
from streampy.model.process import KEYS, Process, UnitSpec, name_of
from streampy.model.suggest import did_you_mean, nearest

if TYPE_CHECKING:
    from streampy.model.load import Source

_SETTING = 3
"""The length of the key path of `set`."""
SUFFIXES = (".yaml", ".yml", ".json", ".toml")
"""The files that a process can be read from."""


def read_document(source: Source, origin: tuple[str, int] = ("", 0)) -> Document:
    """The values of a file or of a dict, variables put in. Raises nothing: what is wrong is in the document."""
    if isinstance(source, Mapping):
        document = Document(*origin)
        document.value = _with_text_keys((), source)
    else:
        document = Document(os.fspath(source))
        _read_file(document)
    expand(document, os.environ)
    if not document.value and not document.problems:
        document.fail(
            1, 1, "there is nothing in it: a process has the keys `process` and `units` (`streampy new` writes one)"
        )
    return document


def _with_text_keys(path: KeyPath, value: Any) -> Any:
    """As a file has it: keys are text, but for those inside of a setting, which are the unit's affair."""
    if path[:1] == ("units",) and path[2:3] in (("set",), ("each",)) and len(path) > _SETTING:
        return value
    if isinstance(value, Mapping):
        return {str(key): _with_text_keys((*path, key), one) for key, one in value.items()}
    if path[2:] == ("each",) and isinstance(value, list | tuple):  # the settings of each worker
        return [_with_text_keys(path, one) for one in value]
    return value


def _read_file(document: Document) -> None:
    path = Path(document.file)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        beside = [one.name for one in path.parent.glob("*") if one.is_file()] if path.parent.is_dir() else []
        near = nearest(path.name, beside)
        document.fail(0, 0, "there is no such file" + (f", did you mean '{path.with_name(near)}'?" if near else ""))
    except IsADirectoryError:
        document.fail(0, 0, "this is a folder: name a file in it")
    except UnicodeDecodeError as error:
        document.fail(0, 0, f"no UTF-8 text: byte {error.start} can't be read; save it as UTF-8")
    except OSError as error:
        document.fail(0, 0, f"can't be read: {error.strerror}")
    else:
        _read_text(text, path.suffix.lower(), document)


def _read_text(text: str, suffix: str, document: Document) -> None:
    if suffix in (".yaml", ".yml"):
        from streampy.model.config.from_yaml import read_yaml  # noqa: PLC0415 - only the format that is there

        read_yaml(text, document)
    elif suffix == ".json":
        from streampy.model.config.from_json import read_json  # noqa: PLC0415

        read_json(text, document)
    elif suffix == ".toml":
        from streampy.model.config.from_toml import read_toml  # noqa: PLC0415

        read_toml(text, document)
    else:
        document.fail(0, 0, f"got a name that ends in {suffix!r}, expected .yaml, .yml, .json or .toml")


def give_settings(document: Document, settings: Mapping[str, Any], by: str) -> dict[str, Any]:
    """Put settings, each `unit.setting`, in the place of those that were read.

    Returns those of them that may be meant as a key of the unit, which is seen when the unit is there.
    """
    units = document.value.get("units") if isinstance(document.value, dict) else None
    if not isinstance(units, dict):
        return {}  # told when the keys are checked
    ambiguous: dict[str, Any] = {}
    for key, value in settings.items():
        name, _, setting = key.partition(".")
        unit, *inner = name.split("/")
        if isinstance(units.get(unit), dict) and setting in KEYS:
            ambiguous[key] = value
        elif isinstance(units.get(unit), dict) and setting:
            document.give(("units", unit, "set", *inner, setting), value, f"{by} {key}", own=_SETTING)
        else:
            hint = did_you_mean(unit, units) if unit not in units else "; expected unit.setting"
            message = f"there is no unit {unit!r}{hint}" if unit not in units else f"got {key!r}{hint}"
            document.give_wrong(f"{by} {key}", message)
    return ambiguous


def read_process(document: Document, files: Files | None = None) -> tuple[Process, list[BaseException]]:
    """As much of a process as can be read, and what the user's own modules raised on being imported.

    files: where it is read because another process uses it, what was read before it.
    """
    if () in document.told:
        return Process(""), []
    spell_out_segments(document)
    value = document.without_told()
    _check_keys(document, value)
    value = document.without_told()
    units = value.get("units") if isinstance(value, Mapping) else None
    if not isinstance(units, Mapping):
        return Process(""), []
    reader = _Units(document, files or Files(document.file))
    specs = [reader.read(name, keys) for name, keys in units.items()]
    # a unit that is wrong as a whole stays known by its name, for the links that lead to it
    lost = [path[1] for path in document.told if len(path) == 2 and path[0] == "units"]  # noqa: PLR2004 - units, a name
    specs += [reader.read(str(name), {}) for name in lost]
    process = Process(str(value.get("process", "")), specs, read_segments(document, value), read_links(document, value))
    return process, reader.causes


def _check_keys(document: Document, value: Any) -> None:
    kept = value
    if isinstance(value, Mapping):
        kept = {key: one for key, one in value.items() if not str(key).startswith(EXTRA)}
    try:
        ProcessKeys.model_validate(kept)
    except ValidationError as error:
        by_kind = sorted(
            error.errors(), key=lambda one: one["type"] == "missing"
        )  # what is unknown may be what is missing
        for path, message, meant, is_usable in map(put_in_words, by_kind):
            if any(path[: len(told)] == told for told in document.told):
                continue  # it is missing because it is wrong
            document.report(path, message, at=document.place(path)[1:] if is_usable else None)
            if meant:
                document.told.add((*path[:-1], meant))


class Files:
    """The processes that were read because others use them, each once, and those that are being read."""

    def __init__(self, file: str) -> None:
        self.processes: dict[Path, Process | None] = {}
        """None where there is no telling what is in the file."""
        self._reading = [Path(file)] if file else []

    def circle(self, file: Path) -> str:
        """`a.yaml -> b.yaml -> a.yaml` where the file is being read; else ""."""
        paths = [one.resolve() for one in self._reading]
        if file.resolve() not in paths:
            return ""
        return " -> ".join(one.name for one in [*self._reading[paths.index(file.resolve()) :], file])

    def read(self, file: Path, user: Document) -> tuple[Process | None, list[BaseException]]:
        """The process in a file, and what the modules of its units raised; what is wrong goes to the user's document.

        Raises NotFound where there is no such file, or it can't be read at all.
        """
        if file.resolve() in self.processes:
            return self.processes[file.resolve()], []
        document = read_document(str(file))
        if () in document.told and not document.problems[0].line:
            raise NotFound(f"{file}: {document.problems[0].message}")
        self._reading.append(file)
        found, causes = read_process(document, self)
        self._reading.pop()
        process = self.processes[file.resolve()] = found if found.units else None
        user.problems += document.problems
        return process, causes


class _Units:
    """Makes the units out of keys that were checked."""

    def __init__(self, document: Document, files: Files) -> None:
        self.document = document
        self.files = files
        self.causes: list[BaseException] = []
        self.folder = Path(document.file).parent if document.file else Path()
        self._failed: dict[str, str] = {}
        look_beside(self.folder)

    def read(self, name: str, value: Mapping[str, Any]) -> UnitSpec:
        """One unit; `value` holds only what is right, `use` may be missing."""
        keys = UnitKeys.model_validate({"use": ABSENT, **value})
        used_as = keys.use if isinstance(keys.use, str) else name_of(keys.use)
        whole = keys.pipe.model_dump(exclude_unset=True)
        single = {port: pipe.model_dump(exclude_unset=True) for port, pipe in (keys.pipe.model_extra or {}).items()}
        use = self._find(name, keys.use)
        return UnitSpec(
            name=name,
            use=use,
            used_as=used_as,
            settings=keys.set,
            links=keys.from_,
            pipe={key: one for key, one in whole.items() if key not in single},
            pipes=single,
            join=keys.join.model_dump(exclude_unset=True),
            **said_of(keys),
            origin=self.document,
            told=frozenset(path[2:] for path in self.document.told if path[:2] == ("units", name)),
        )

    def _find(self, name: str, use: Any) -> Any:
        if not isinstance(use, str) or use == ABSENT:
            return use
        path = ("units", name, "use")
        if use in self._failed:
            self.document.report(path, self._failed[use])
            return None
        try:
            return self._read_process(path, use) if use.endswith(SUFFIXES) else find_unit(use, self.folder)
        except NotFound as error:
            self._failed[use] = str(error)
            self.document.report(path, str(error))
            if error.__cause__ is not None:
                self.causes.append(error.__cause__)
        return None

    def _read_process(self, path: KeyPath, use: str) -> Process | None:
        """The process in a file. Raises NotFound."""
        file = self.folder / use
        circle = self.files.circle(file)
        if circle:
            raise NotFound(f"a process can't be a unit of itself: {circle}")
        process, causes = self.files.read(file, self.document)
        look_beside(self.folder)  # the other process looked beside its own file
        self.causes += causes
        if process is None:
            self.document.told.add(path)
        return process
