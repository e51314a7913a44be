"""TOML as a document. Python's reader tells no places, so they are found by looking for headers and keys, line by line.

A key inside of `{...}` has the place of the line that it stands in. Knows nothing of what the keys mean.
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streampy.model.config.document import Document, KeyPath

_AT = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_PART = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_DOTTED = rf"{_PART}(?:\s*\.\s*{_PART})*"
_HEADER = re.compile(rf"\s*\[\s*({_DOTTED})\s*\]")
_KEY = re.compile(rf"\s*({_DOTTED})\s*=")


def read_toml(text: str, document: Document) -> None:
    """Fill the document; what can't be read is reported there."""
    try:
        document.value = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        said = str(error)
        match = _AT.search(said)
        line, column = (int(match[1]), int(match[2])) if match and match[1] else (text.count("\n") + 1, 1)
        what = said[: match.start()] if match else said
        document.fail(line, column, f"no TOML: {what[0].lower()}{what[1:]}")
    else:
        _mark(text, document)


def _mark(text: str, document: Document) -> None:
    document.mark((), 1, 1)
    table: KeyPath = ()
    for number, line in enumerate(text.splitlines(), 1):
        header, key = _HEADER.match(line), _KEY.match(line)
        found = header or key
        if found is None:
            continue
        path: KeyPath = () if header else table
        for part in re.finditer(_PART, found[1]):
            path = (*path, part[0].strip("\"'"))
            document.mark(path, number, found.start(1) + part.start() + 1)
        if header:
            table = path
