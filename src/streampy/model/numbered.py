"""Text in which the number of a worker stands: `cuda:{index}`.

Knows nothing of what the text is for.
"""

from __future__ import annotations

import re

from streampy.model.suggest import nearest

_WORDS = ("index", "count")
_BRACES = re.compile(r"\{\s*([A-Za-z_][^{}]*)\}")


def fill(text: str, index: int, count: int) -> str:
    """The text of one worker. index: from 0; count: of all workers of the unit."""
    return text.replace("{index}", str(index)).replace("{count}", str(count))


def check_numbered(text: str) -> str:
    """What is wrong with such a text; "" if nothing is. Braces that begin with no name are left alone, as in JSON."""
    for braces in _BRACES.finditer(text):
        if braces[1] not in _WORDS:
            near = nearest(braces[1], _WORDS)
            hint = f", did you mean {{{near}}}?" if near else ": these two are all that is filled in"
            return f"got {braces[0]} in {text!r}, expected {{index}} or {{count}}{hint}"
    return ""
