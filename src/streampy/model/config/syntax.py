"""What a YAML parser says about a text that it can't read, in words that tell what to do.

Knows nothing of the document beyond its text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import yaml

_TAB = "a tab: YAML is indented with spaces only"
_VARIABLE = 'a variable between { } or [ ] wants quotes: "${NAME}"'
_MEANING = (
    (r"found character '(.)' that cannot start", r"text can't begin with \1: put it in quotes"),
    (r"expected <block end>, but found", "it stands in a column of its own: the keys of a mapping stand in one column"),
    (r"expected '(.)' or '(.)', but got", r"expected `\1` or `\2`"),
    (r"could not find expected ':'", "expected `: ` behind the key"),
    (r"found undefined alias '?(.*?)'?$", r"*\1 stands for nothing: there is no &\1 above it"),
    (r"but found another document", "a second document begins here (`---`): one file is one process"),
    (r"found unexpected end of stream", "the quotation that begins here never ends"),
    (r"found unknown escape character '(.)'", r"\\\1 means nothing in double quotes: write \\\\\1, or single quotes"),
    (r"found duplicate anchor '?(.*?)'?;?$", r"&\1 is given twice: rename one"),
)  # fmt: skip


def explain_syntax(error: yaml.MarkedYAMLError, text: str) -> tuple[int, int, str]:
    """Line and column (from 1) and what is wrong there."""
    said = error.problem or "can't be read"
    mark, context = error.problem_mark, error.context_mark
    if "unexpected end of stream" in said and context is not None:
        mark = context
    if mark is None:
        return 0, 0, said
    lines = text.splitlines()
    before = lines[mark.line][: mark.column + 1] if mark.line < len(lines) else ""
    message = _explain(said, before)
    opened = {"while parsing a flow mapping": "{", "while parsing a flow sequence": "["}.get(error.context or "")
    if opened and context is not None and context.line != mark.line:
        message += f"; the `{opened}` was opened in line {context.line + 1}"
    return mark.line + 1, mark.column + 1, message


def _explain(said: str, before: str) -> str:
    """before: the line, up to the character at which the parser stopped."""
    if "\t" in before:
        return _TAB
    if "expected ',' or" in said and "${" in before:
        return _VARIABLE
    if "mapping values are not allowed" in said:
        if ": " in before:
            return "a second `: ` in one line: begin a new line, or put the text in quotes"
        return "a key under something that is no mapping: end the line above with `:`, or look at the indentation"
    for pattern, meaning in _MEANING:
        match = re.search(pattern, said)
        if match:
            return match.expand(meaning)
    return said
