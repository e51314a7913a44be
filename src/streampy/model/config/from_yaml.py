"""YAML (and JSON, which is a part of it) as a document, with the place of every key.

Scalars are read as YAML 1.2 does: only `true` and `false` are booleans, so that a key `on`, a country `no` and a time
`12:30` stay the text that they are. Knows nothing of what the keys mean.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml
from yaml.composer import Composer
from yaml.parser import Parser
from yaml.reader import Reader, ReaderError
from yaml.resolver import BaseResolver
from yaml.scanner import Scanner

from streampy.model.config.syntax import explain_syntax

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from streampy.model.config.document import Document, KeyPath

_TAG = "tag:yaml.org,2002:"
_MERGE = _TAG + "merge"
_MOST = 100_000
"""Values in a document, aliases followed: a few lines of aliases to aliases could ask for more than fits in memory."""


class _Loader(Reader, Scanner, Parser, Composer, BaseResolver):
    """Composes the node tree; its scalars are resolved by the core schema of YAML 1.2."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        BaseResolver.__init__(self)


_FLOAT = r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
for _name, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    ("float", _FLOAT, list("-+.0123456789")),
    ("merge", r"<<", ["<"]),
):
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(rf"^(?:{_pattern})$"), _first)


def read_yaml(text: str, document: Document) -> None:
    """Fill the document; what can't be read is reported there."""
    try:
        tree = _Loader(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        document.fail(*explain_syntax(error, text))
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        column = error.position - text.rfind("\n", 0, error.position)
        document.fail(line, column, f"the character {chr(error.character)!a} may not stand in YAML: remove it")
    else:
        if tree is not None:
            document.mark((), tree.start_mark.line + 1, tree.start_mark.column + 1)
            document.value = _Reading(document).value(tree, ())


class _Reading:
    """One walk over a node tree."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._inside: set[int] = set()
        self._count = 0

    def value(self, tree: yaml.Node, path: KeyPath) -> Any:
        """The plain value of a part of the tree."""
        self._count += 1
        if self._count > _MOST:
            return self._refuse_size(path)
        if isinstance(tree, yaml.ScalarNode):
            return self._scalar(tree, path)
        if id(tree) in self._inside:
            self.document.report(path, "an alias (*name) that stands inside of what it stands for: write it out")
            return None
        self._inside.add(id(tree))
        value = self._list(tree, path) if isinstance(tree, yaml.SequenceNode) else self._mapping(tree, path)
        self._inside.discard(id(tree))
        return value

    def _refuse_size(self, path: KeyPath) -> None:
        if self._count == _MOST + 1:
            self.document.report(path, f"more than {_MOST} values, aliases (*name) followed: write less")

    def _list(self, tree: yaml.SequenceNode, path: KeyPath) -> list[Any]:
        values = []
        for i, one in enumerate(tree.value):
            self._mark((*path, i), one)
            values.append(self.value(one, (*path, i)))
        return values

    def _mapping(self, tree: yaml.Node, path: KeyPath) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_tree, value_tree, is_merged in self._pairs(tree, path):
            if not isinstance(key_tree, yaml.ScalarNode):
                self.document.report(path, "a key that is no plain word: write `key: value`", at=_place(key_tree))
                continue
            inner = (*path, key := str(key_tree.value))
            if key not in found:
                self._mark(inner, key_tree)
                found[key] = self.value(value_tree, inner)
            elif not is_merged:
                first = self.document.place(inner)[1]
                message = f"the key stands here a second time (first in line {first}): remove one"
                self.document.report(inner, message, at=_place(key_tree))
        return found

    def _pairs(self, tree: yaml.Node, path: KeyPath) -> Iterator[tuple[yaml.Node, yaml.Node, bool]]:
        """The pairs of a mapping, then those of the mappings that `<<` merges into it."""
        merged: list[yaml.Node] = []
        for key, value in tree.value:
            if key.tag != _MERGE:
                yield key, value, False
            else:
                merged += value.value if isinstance(value, yaml.SequenceNode) else [value]
        for other in merged:
            if isinstance(other, yaml.MappingNode) and id(other) not in self._inside:
                self._inside.add(id(other))
                for key, value, _ in self._pairs(other, path):
                    yield key, value, True
                self._inside.discard(id(other))
            else:
                self.document.report(path, "`<<` merges other mappings: `<<: *name`", at=_place(other))

    def _scalar(self, tree: yaml.ScalarNode, path: KeyPath) -> Any:
        text = str(tree.value)
        kind = tree.tag.removeprefix(_TAG)
        try:
            return _SCALARS[kind](text)
        except KeyError:
            self.document.report(path, f"the tag {tree.tag.replace(_TAG, '!!')} has no meaning here: remove it")
        except ValueError:
            self.document.report(path, f"got {text!r}, which is no {kind}: remove the tag !!{kind}")
        return None

    def _mark(self, path: KeyPath, tree: yaml.Node) -> None:
        self.document.mark(path, *_place(tree))


def _place(tree: yaml.Node) -> tuple[int, int]:
    return tree.start_mark.line + 1, tree.start_mark.column + 1


def _text(text: str) -> str:
    """As written; JSON writes what lies beyond 16 bits as two escapes that belong together."""
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _int(text: str) -> int:
    return int(text, 0) if text[1:2] in ("o", "x") else int(text)


def _float(text: str) -> float:
    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))


_SCALARS: dict[str, Callable[[str], Any]] = {
    "str": _text,
    "null": lambda _: None,
    "bool": lambda text: text.lower() == "true",
    "int": _int,
    "float": _float,
}
