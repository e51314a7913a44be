"""`streampy top` with keys: a table of all units, what limits each segment, and the errors of the one at the cursor.

Knows nothing of where the figures come from.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.coordinate import Coordinate
from textual.widgets import DataTable, Footer, Static

from streampy.cli.top_rows import (
    BLOCKED,
    BUSY,
    COLUMNS,
    NOTHING,
    Row,
    errors_of,
    limit_of,
    name_of,
    rows_of,
    workers_of,
)

if TYPE_CHECKING:
    from streampy.cli.top_watch import Watching

_PER_SECOND: Final = 4
"""How often it is looked whether there is news."""
_STATES: Final = {"held": "yellow", "paused": "yellow", "stopped": "yellow", "failed": "red", "running": "green"}


class Top(App[None]):
    """The whole screen."""

    CSS = """
    DataTable { height: 1fr; }
    #limit { height: auto; max-height: 6; padding: 0 1; color: $text-warning; }
    #details { height: 40%; display: none; border-top: solid $primary; padding: 0 1; }
    #details.shown { display: block; }
    """
    TITLE = "streampy top"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "pause", "pause"),
        Binding("r", "resume", "resume"),
        Binding("plus,equals_sign", "scale(1)", "worker more", key_display="+"),
        Binding("minus", "scale(-1)", "worker less", key_display="-"),
        Binding("enter", "details", "errors and log", priority=True),
        Binding("q", "quit", "quit"),
        Binding("ctrl+c", "quit", show=False, priority=True),
    ]

    def __init__(self, watching: Watching) -> None:
        super().__init__()
        self._watching = watching
        self._rows: list[Row] = []
        self._said = ""
        """What went wrong with what was asked for last."""

    def compose(self) -> ComposeResult:
        """Give the parts, from the top."""
        yield DataTable[Text](cursor_type="row", zebra_stripes=True)
        yield Static(id="limit", markup=False)
        with VerticalScroll(id="details"):
            yield Static(id="errors", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        """Begin to look."""
        self._table.add_columns(*COLUMNS)
        self._table.focus()
        self.set_interval(1 / _PER_SECOND, self.refresh_rows)
        self.refresh_rows()

    @property
    def _table(self) -> DataTable[Text]:
        return self.query_one(DataTable)

    def refresh_rows(self) -> None:
        """Show what is so now; the cursor stays where it is."""
        rows = list(rows_of(self._watching.segments()))
        table = self._table
        if [row.key for row in rows] != [row.key for row in self._rows]:
            at = "" if self._at is None else self._at.key
            table.clear()
            for row in rows:
                table.add_row(*_styled(row), key=row.key)
            there = [number for number, row in enumerate(rows) if row.key == at]
            table.move_cursor(row=there[0] if there else int(len(rows) > 1))
        else:
            for number, (row, before) in enumerate(zip(rows, self._rows, strict=True)):
                if (row.cells, row.is_limit) != (before.cells, before.is_limit):
                    for column, cell in enumerate(_styled(row)):
                        table.update_cell_at(Coordinate(number, column), cell, update_width=True)
        self._rows = rows
        self._tell()

    def on_data_table_row_highlighted(self) -> None:
        """The cursor has moved."""
        self._tell()

    def action_pause(self) -> None:
        """Hold the unit at the cursor, or of a segment its sources."""
        self._do("pause")

    def action_resume(self) -> None:
        """Let it go on."""
        self._do("resume")

    def action_scale(self, more: int) -> None:
        """Give the unit at the cursor a worker more, or less."""
        row = self._at
        if row is None or not row.unit:
            self._say("put the cursor on a unit first")
            return
        workers = ((row.segment.get("stats") or {}).get("units", {}).get(row.unit) or {}).get("workers", 1)
        self._do("scale", workers=max(1, workers + more))

    def action_details(self) -> None:
        """Show the errors and the log of what is at the cursor, or no longer."""
        self.query_one("#details").toggle_class("shown")
        self._tell()

    @property
    def _at(self) -> Row | None:
        """What the cursor is on."""
        cursor = self._table.cursor_row
        return self._rows[cursor] if 0 <= cursor < len(self._rows) else None

    def _do(self, verb: str, **fields: Any) -> None:
        row = self._at
        if row is None:
            self._say(NOTHING)
            return
        unit = {"unit": row.unit} if row.unit else {}
        told = partial(self.call_from_thread, self._say)
        self._watching.do(dict(row.segment), verb, told, **unit, **fields)

    def _say(self, text: str) -> None:
        self._said = text
        self._tell()

    def _tell(self) -> None:
        """What limits the segment at the cursor, and the errors there."""
        row = self._at
        lines = [f"! {self._said}"] if self._said else []
        lines += limit_of(row.segment) if row is not None else [NOTHING]
        self.query_one("#limit", Static).update("\n".join(lines))
        if row is not None and self.query_one("#details").has_class("shown"):
            where = row.unit or name_of(row.segment)
            told = "\n".join(errors_of(row.segment, row.unit)) or "no errors, and nothing in the log"
            self.query_one("#errors", Static).update("\n".join([where, *workers_of(row.segment, row.unit), told]))


def _styled(row: Row) -> list[Text]:
    name, state, *figures = row.cells
    return [
        Text(name, style="bold magenta" if row.is_limit else "" if row.unit else "bold"),
        Text(state, style=_STATES.get(state, "")),
        *(_figure(cell) for cell in figures),
    ]


def _figure(cell: str) -> Text:
    found = Text(cell, justify="right")
    for number, character in enumerate(cell):
        if character in {BUSY, BLOCKED}:
            found.stylize("green" if character == BUSY else "yellow", number, number + 1)
    return found
