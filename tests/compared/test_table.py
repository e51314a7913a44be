"""The tables of docs/compared.md: every row has a test that is there, a reason, or says plainly that there is none."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "compared.md"
ROW = re.compile(r"^\| ([A-Z]{2})-(R?)(\d+) \| (.+) \| (.+) \| (.+) \| (.+) \|$", re.MULTILINE)
ROWS = [(f"{peer}-{kind}{number}", *cells) for peer, kind, number, *cells in ROW.findall(PAGE.read_text())]
LAST = {"PY": (62, 7), "PE": (38, 2), "PA": (36, 2), "RT": (39, 2)}
"""Of each peer how many features there are, and how many that it only wants."""
LINK = re.compile(r"\[`(test_\w+)`\]\(([^)]+\.py)\)")
TESTS = rf"{LINK.pattern}(?:, {LINK.pattern})*"
AREA = r"(?:segments|serving|control|web page)"
PLANNED = rf"planned: {AREA}(?:, {AREA})*"
SHOWN_BY = re.compile(rf"(?:{TESTS}|by choice|{PLANNED}|not there)(?:; {PLANNED})?(?:; not there: [^;]+)?")
REASON = 40
"""Characters that a reason takes at the least."""


def test_every_feature_has_its_row_once_and_in_order():
    expected = [
        f"{peer}-{kind}{number}"
        for peer, lasts in LAST.items()
        for kind, last in zip(("", "R"), lasts, strict=True)
        for number in range(1, last + 1)
    ]
    assert expected == [row for row, *_ in ROWS]


def test_every_line_of_a_table_is_a_row():
    tables = [line for line in PAGE.read_text().splitlines() if line.startswith("|")]
    heads = [line for line in tables if not line.strip("|- ") or "shown by" in line]
    assert len(tables) == len(ROWS) + len(heads)
    assert len(heads) == 2 * len(LAST)


def test_every_row_has_a_test_or_a_reason_or_says_that_it_has_none():
    assert [] == [(row, shown_by) for row, *_, shown_by in ROWS if not SHOWN_BY.fullmatch(shown_by)]
    assert [] == [row for row, *_, ours, _ in ROWS if not ours.strip()], "say what StreamPy has in its place"
    bare = [row for row, *_, ours, shown_by in ROWS if shown_by.startswith("by choice") and len(ours) < REASON]
    assert [] == bare, "say why, and what to do instead"


def test_every_test_that_a_row_names_is_there():
    named = [(row, name, target) for row, *_, shown_by in ROWS for name, target in LINK.findall(shown_by)]
    assert [] == [one for one in named if one[1] not in names_in((PAGE.parent / one[2]).resolve())]


def test_every_test_of_the_comparison_is_named_in_it():
    files = [file for file in Path(__file__).parent.glob("test_*.py") if file != Path(__file__)]
    named = {name for *_, shown_by in ROWS for name, _ in LINK.findall(shown_by)}
    assert set() == {name for file in files for name in names_in(file)} - named


@cache
def names_in(file: Path) -> frozenset[str]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, kinds)]
    return frozenset(node.name for node in nodes if node.name.startswith("test_"))
