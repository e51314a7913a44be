"""Keys of units that are given beside the file, on a command line: `detect.workers=2`, `other/detect.place=own`.

Where the unit has a setting of that name, that is meant. Knows nothing of what comes of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from streampy.errors import Problem
from streampy.model.config.keys import ABSENT, ProcessKeys, said_of
from streampy.model.config.wording import put_in_words
from streampy.model.origin import CodeLine, Spot
from streampy.model.process import Process, UnitSpec
from streampy.model.suggest import did_you_mean
from streampy.model.unit import ports_of

if TYPE_CHECKING:
    from streampy.model.config.document import Document

_FIELDS = {"workers": ("workers", "spare")}
"""The keys that are more than the field of their name."""


def give_keys(document: Document, units: Sequence[UnitSpec], given: Mapping[str, Any], by: str) -> list[UnitSpec]:
    """The units, with what was given in the place of what they say. given: `unit.key`; what is wrong is reported."""
    found = {unit.name: unit for unit in units}
    for key, value in given.items():
        path, _, word = key.partition(".")
        name, *inner = path.split("/")
        if name in found:  # else its keys are wrong as a whole, which was told
            gift = _Gift(document, f"{by} {key}", word, value)
            found[name] = gift.to(found[name], inner)
    return list(found.values())


class _Gift:
    def __init__(self, document: Document, by: str, word: str, value: object) -> None:
        self.document = document
        self.by = by
        self.word = word
        self.value = value

    def to(self, spec: UnitSpec, inner: Sequence[str]) -> UnitSpec:
        """The unit with it. inner: the way from it to the one that is meant, where it is a process."""
        meant = self._find(spec, inner)
        if meant is None:
            return spec
        if _has_setting(meant, self.word):
            return self._as_setting(spec, inner)
        return self._as_key(spec, inner, spec.name)

    def _find(self, spec: UnitSpec, inner: Sequence[str]) -> UnitSpec | None:
        for name in inner:
            units = spec.use.units if isinstance(spec.use, Process) else {}
            if name not in units:
                hint = did_you_mean(name, units) if units else "; it is no process"
                self.document.give_wrong(self.by, f"{spec.used_as} has no unit {name!r}{hint}")
                return None
            spec = units[name]
        return spec

    def _as_setting(self, spec: UnitSpec, inner: Sequence[str]) -> UnitSpec:
        path = ("set", *inner, self.word)
        self._take_back(spec.name, path)
        settings: dict[str, Any] = dict(spec.settings)
        within = settings
        for name in inner:
            below = within.get(name)
            within[name] = within = dict(below) if isinstance(below, Mapping) else {}
        within[self.word] = self.value
        return replace(spec, settings=settings, told=spec.told - {path}, elsewhere=self._spots(spec, spec.name, path))

    def _as_key(self, spec: UnitSpec, inner: Sequence[str], whole: str) -> UnitSpec:
        """whole: what the unit is called from outside, `other/detect`."""
        if inner:
            process = spec.use
            units = {**process.units, inner[0]: self._as_key(process.units[inner[0]], inner[1:], f"{whole}/{inner[0]}")}
            return replace(spec, use=process.with_units(list(units.values())))
        self._take_back(whole, (self.word,))
        try:
            said = self._read(spec.name)
        except ValidationError as error:
            for wrong in map(put_in_words, error.errors()):
                self.document.problems.append(Problem(self.by, 0, 0, f"units.{whole}.{self.word}", wrong.message))
            return spec
        told = frozenset(path for path in spec.told if path[0] != self.word)
        return replace(spec, **said, told=told, elsewhere=self._spots(spec, whole, (self.word,)))

    def _read(self, name: str) -> dict[str, Any]:
        """What the key makes of it. Raises ValidationError."""
        unit = {"use": ABSENT, self.word: self.value}
        keys = ProcessKeys.model_validate({"process": "given", "units": {name: unit}}).units[name]
        said = said_of(keys)
        return {field: said[field] for field in _FIELDS.get(self.word, (self.word,))}

    def _spots(self, spec: UnitSpec, whole: str, path: tuple[str, ...]) -> dict[tuple[str | int, ...], Spot]:
        return {**spec.elsewhere, path: Spot(CodeLine(self.by, 0), ("units", whole, *path), "")}

    def _take_back(self, name: str, path: tuple[str, ...]) -> None:
        """What is wrong with the value in the file is no problem any more."""
        wrong = ".".join(("units", name, *path))
        kept = [one for one in self.document.problems if one.path != wrong and not one.path.startswith(f"{wrong}.")]
        self.document.problems = kept


def _has_setting(spec: UnitSpec, word: str) -> bool:
    try:
        return not spec.is_process and word in ports_of(spec.use).settings
    except ValueError:  # it can't be a unit, which is told when it is checked
        return False
