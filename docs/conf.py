"""How docs/ becomes a site, by `./dev nox -s docs`. Every page is plain Markdown that a code host shows too.

Knows nothing of what the pages say.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sphinx.ext.napoleon import Config, GoogleDocstring

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "StreamPy"
extensions = ["myst_parser", "sphinx.ext.autodoc"]
html_theme = "furo"
html_title = "StreamPy"
html_show_copyright = False
html_show_sphinx = False
myst_heading_anchors = 3  # links to headings have the form that code hosts give them

default_role = "code"  # docstrings mark code as Markdown does, by one backtick
add_module_names = False
autoclass_content = "both"  # what a unit is for, then the settings that its `__init__` explains
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"

nitpicky = True
_LIBRARIES = (
    "argparse asyncio collections concurrent contextlib httpx logging numpy os pathlib sqlalchemy sqlite3 types typing"
)
nitpick_ignore_regex = [  # what signatures name and other pages describe, or nobody needs to know
    (r"py:.*", rf"({'|'.join(_LIBRARIES.split())})\..*"),
    (r"py:.*", r"(streampy\.model\.(item|unit)\.)?[A-Z](_co)?"),  # type variables
    (
        r"py:.*",
        r"(streampy\.model\.\w+\.)?(Plan|UnitSpec|SegmentSpec|LinkSpec|Tls|Control|ControlSettings|TraceSettings)",
    ),
    (r"py:.*", r"(streampy\.pipes\.net\.\w+\.)?(Limits|WireTypes)|Letters"),
    (r"py:.*", r"streampy\.testing\.\w+\.Ends|Function|Key|socket"),
]

_SECTIONS = re.compile(r"^\s*(Args|Raises):$")
_TRAILING = re.compile(r"\b(\w+)_(?=:)")
_MADE_UP = re.compile(r"Create new instance of|Alias for field number")
_READ = re.compile(r"~\w+\.Annotated\[.*?_Read\(read=~streampy\.units\.functions\.(function|key)_of\)\]")


def read_docstring(  # noqa: PLR0917 - Sphinx calls it so
    app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """Docstrings are prose; only units have sections, for their settings. What a module must not know is our affair."""
    if what == "module":
        lines[:] = "\n".join(lines).partition("Knows nothing of ")[0].splitlines()
    if any(map(_SECTIONS.match, lines)):
        lines[:] = GoogleDocstring(lines, Config(), app, what, name, obj, options).lines()
    lines[:] = [_TRAILING.sub(r"\1\\_", line) for line in lines if not _MADE_UP.match(line)]  # `from_:` is no link


def read_signature(  # noqa: PLR0917 - as above
    app: Sphinx, what: str, name: str, obj: Any, options: Any, signature: str | None, returns: str | None
) -> tuple[str | None, str | None]:
    """Give the types of settings the names that they have in the code."""
    del app, what, name, obj, options
    return _READ.sub(lambda found: found[1].title(), signature or "") or None, returns


def setup(app: Sphinx) -> None:
    """Have these called by Sphinx."""
    app.connect("autodoc-process-docstring", read_docstring)
    app.connect("autodoc-process-signature", read_signature)
