"""What was found of one kind of work, as figures; and how these become ratios, a table, and a verdict.

Pure: knows nothing of how anything was measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from placed.tables import Table, spread

OURS = "StreamPy"
FLOOR = "the floor"
CLOSE = 1.05
"""What is no further apart than that is level."""


@dataclass(frozen=True, slots=True)
class Column:
    """Of figures."""

    key: str
    head: str
    form: str = ",.2f"


@dataclass(frozen=True, slots=True)
class Row:
    """What one way did."""

    way: str
    figures: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """For each column what was found in each round."""
    words: Mapping[str, str] = field(default_factory=dict)
    """For each column of words."""
    why: str = ""
    """Why there are no figures."""
    lacks: tuple[str, ...] = ()
    """What this work has shown that it does not do."""
    leaves_out: str = ""
    """What is known that it leaves out."""

    @property
    def is_ours(self) -> bool:
        """Whether it is a way of StreamPy."""
        return self.way.startswith(OURS)

    @property
    def is_floor(self) -> bool:
        """Whether it is what a machine gives with no framework."""
        return self.way.startswith(FLOOR)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One kind of work, a row for each way."""

    name: str
    """By which a page of the docs asks for it."""
    title: str
    rows: Sequence[Row]
    columns: Sequence[Column] = ()
    main: str = ""
    """The column that is compared; "": nothing is."""
    more_is_better: bool = False
    words: Sequence[str] = ()
    """Columns of words, behind those of figures."""
    note: str = ""

    @property
    def best(self) -> Row | None:
        """The best way that is neither ours nor the floor."""
        return self._first([row for row in self._with_figures() if not row.is_ours and not row.is_floor])

    @property
    def best_of_ours(self) -> Row | None:
        """Our best way."""
        return self._first([row for row in self._with_figures() if row.is_ours])

    @property
    def floor(self) -> Row | None:
        """The floor, where there is one."""
        return next((row for row in self._with_figures() if row.is_floor), None)

    def ratio(self, row: Row, to: Row | None) -> float | None:
        """How many times the main figure of another one it has: the median over the rounds that both have."""
        if to is None or not row.figures.get(self.main):
            return None
        pairs = zip(row.figures[self.main], to.figures[self.main], strict=False)
        return median(one / other for one, other in pairs)

    @property
    def ratios(self) -> dict[str, dict[str, float]]:
        """Of each of our ways to the best peer and to the floor: what is guarded."""
        found = {}
        for row in filter(lambda row: row.is_ours, self._with_figures()):
            both = {"best": self.ratio(row, self.best), "floor": self.ratio(row, self.floor)}
            found[row.way] = {to: ratio for to, ratio in both.items() if ratio is not None}
        return found

    def verdict(self, lacks: Mapping[str, Sequence[str]]) -> str:
        """Who is ahead, by how much, and what it leaves out. lacks: what works have shown, of each way."""
        ours, best = self.best_of_ours, self.best
        if ours is None or best is None:
            return ""
        ratio = self.ratio(ours, best)
        if ratio is None or 1 / CLOSE < ratio < CLOSE:
            return f"{ours.way} and {best.way} are level."
        ahead = (ratio > 1) == self.more_is_better
        times = f"{max(ratio, 1 / ratio):,.3g} times"
        if ahead:
            return f"{ours.way} is ahead of the best peer, {best.way}, {times}."
        out = "; ".join(
            [
                *([f"leaves out {best.leaves_out}"] if best.leaves_out else []),
                *([f"lacks {', '.join(lacks[best.way])}"] if lacks.get(best.way) else []),
            ]
        )
        return f"**{best.way} is ahead of StreamPy** {times}; {f'it {out}' if out else 'why is not known here'}."

    def table(self, lacks: Mapping[str, Sequence[str]]) -> Table:
        """For people. lacks: of each way, what all works together have shown that it does not do."""
        compared = ["/ best peer", "/ floor"] if self.main else []
        told = ["lacks"] if self.main and lacks else []
        head = [self.title, *(column.head for column in self.columns), *compared, *self.words, *told]
        rows = [[*self._cells(row), *([", ".join(lacks.get(row.way, ())) or "-"] if told else [])] for row in self.rows]
        reasons = [f"{row.way}: - because {row.why}." for row in self.rows if row.why]
        return Table(self.name, head, rows, " ".join(filter(None, [self.note, self.verdict(lacks), *reasons])))

    def _cells(self, row: Row) -> list[str]:
        figures = [_cell(row.figures.get(column.key, ()), column.form) for column in self.columns]
        ratios = [_times(self.ratio(row, other)) for other in (self.best, self.floor)] if self.main else []
        return [row.way, *figures, *ratios, *(row.words.get(word, "-") for word in self.words)]

    def _with_figures(self) -> list[Row]:
        return [row for row in self.rows if row.figures.get(self.main)]

    def _first(self, rows: Sequence[Row]) -> Row | None:
        rank = {row.way: median(row.figures[self.main]) for row in rows}
        choose = max if self.more_is_better else min
        return choose(rows, key=lambda row: rank[row.way], default=None)


def lacks_of(sheets: Sequence[Sheet]) -> dict[str, list[str]]:
    """Of each way, what the works have shown that it does not do."""
    found: dict[str, list[str]] = {}
    for sheet in sheets:
        for row in sheet.rows:
            known = found.setdefault(row.way, [])
            known += [lack for lack in row.lacks if lack not in known]
    return found


def _cell(values: Sequence[float], form: str) -> str:
    return spread(values, form) if values else "-"


def _times(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:,.3g}"
