"""What `streampy top` prints where nobody can press a key: a table for each segment. Knows nothing of sockets."""

from __future__ import annotations

from typing import Any

from streampy.cli.summary import _columns
from streampy.cli.top_rows import COLUMNS, limit_of, rows_of, title


def write_all(segments: list[dict[str, Any]]) -> str:
    """A table for each, with what limits it; no line is cut."""
    lines: list[str] = []
    table: list[list[str]] = []
    for row in rows_of(segments):
        if not row.unit:
            lines += _table(table)
            lines += [title(row.segment), *(f"  {sentence}" for sentence in limit_of(row.segment))]
            table = [list(COLUMNS)]
        else:
            table.append([row.cells[0].strip(), *row.cells[1:]])
    return "\n".join([*lines, *_table(table)])


def _table(rows: list[list[str]]) -> list[str]:
    """The first two columns from the left, as text; the others, as figures, from the right."""
    if len(rows) < 2:  # noqa: PLR2004 - the headings alone
        return []
    states = max(len(row[1]) for row in rows)
    units = max(len(row[0]) for row in rows)
    return _columns([[f"{row[0].ljust(units)}  {row[1].ljust(states)}", *row[2:]] for row in rows])
