"""What was found, as a table: for the terminal, for a page of the docs, and for JSON.

Knows nothing of what is measured.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Table:
    """One measure, a row for each way."""

    name: str
    """By which a page of the docs asks for it."""
    head: Sequence[str]
    """Of the columns; the first one is that of the ways."""
    rows: Sequence[Sequence[str]]
    note: str = ""
    raw: Any = field(default=None, compare=False)
    """What the figures are made of, for JSON."""

    def __str__(self) -> str:
        cells = [self.head, *self.rows]
        widths = [max(len(row[column]) for row in cells) for column in range(len(self.head))]
        lines = [
            "  ".join(cell.rjust(width) if at else cell.ljust(width) for at, (cell, width) in enumerate(pairs)).rstrip()
            for pairs in (list(zip(row, widths, strict=True)) for row in cells)
        ]
        return "\n".join([*lines, *([f"  {self.note}"] if self.note else [])])

    @property
    def markdown(self) -> str:
        """As a page of the docs has it."""
        rows = [self.head, ["---"] * len(self.head), *self.rows]
        text = "".join(f"| {' | '.join(row)} |\n" for row in rows)
        return f"\n{text}\n{self.note}\n\n" if self.note else f"\n{text}\n"


def fill(page: Path, how: str, tables: Iterable[Table], by: str = "places") -> None:
    """Bring the tables of a page up to date: those between `<!-- places NAME: ... -->` and `<!-- end -->`.

    how: stands where the name is `how`. by: the command of `benchmarks/` that writes them.
    """
    marked = re.compile(rf"(<!-- {by} ([\w ]+): written by benchmarks/{by}\.py -->\n)(.*?)(<!-- end -->\n)", re.DOTALL)
    found = {table.name: table.markdown for table in tables} | {"how": f"\n{how}\n\n"}
    page.write_text(marked.sub(lambda mark: mark[1] + found.get(mark[2], mark[3]) + mark[4], page.read_text()))


def spread(values: Sequence[float], form: str = ",.0f") -> str:
    """The median, and from where to where they were."""
    if len(values) == 1:
        return f"{values[0]:{form}}"
    return f"{median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def percentile(values: Sequence[float], share: float) -> float:
    """Of at least one value."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]
