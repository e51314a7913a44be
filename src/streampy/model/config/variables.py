"""`${NAME}` and `${NAME:-default}` in the values of a document; `$${` stands for itself.

What comes out is always text: the type is the affair of whoever the value is for, so that it doesn't change with the
environment. Knows nothing of files.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streampy.model.config.document import Document, KeyPath

_MARK = re.compile(r"\$\$\{|\$\{(?P<inside>[^}]*)(?P<end>\}?)")
_INSIDE = re.compile(r"([A-Za-z_]\w*)(?::-(.*))?", re.DOTALL)
_FORMS = "${NAME} or ${NAME:-default} ($${ for a plain ${)"


def expand(document: Document, environment: Mapping[str, str]) -> None:
    """Put in the values of all variables; what is not set, or not readable, is reported at its place."""
    document.value = _expand_value(document, (), document.value, environment)


def expand_text(text: str, environment: Mapping[str, str]) -> str:
    """The text with its variables put in; one that is set to nothing takes the default. Raises ValueError."""

    def value_of(match: re.Match[str]) -> str:
        if match["inside"] is None:
            return "${"
        parts = _INSIDE.fullmatch(match["inside"])
        if parts is None or not match["end"]:
            raise ValueError(f"got {match[0]!r}, expected {_FORMS}")
        name, default = parts.groups()
        value = environment.get(name, "")
        if value or (name in environment and default is None):
            return value
        if default is None:
            raise ValueError(
                f"the environment variable {name} is not set: set it, or write a default, ${{{name}:-default}}"
            )
        return default

    return _MARK.sub(value_of, text)


def _expand_value(document: Document, path: KeyPath, value: Any, environment: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _expand_value(document, (*path, key), one, environment) for key, one in value.items()}
    if isinstance(value, list):
        return [_expand_value(document, (*path, i), one, environment) for i, one in enumerate(value)]
    if isinstance(value, str) and "${" in value:
        try:
            return expand_text(value, environment)
        except ValueError as error:
            document.report(path, str(error))
    return value
