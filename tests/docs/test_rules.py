"""Each rule of failure leads to tests that are there, and bear its number; and each such test to its rule."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "failure-rules.md"
TESTS = PAGE.parents[1] / "tests"
RULES = re.findall(r"^## (F\d+): .*?$(.*?)(?=^## |\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL)
PLANNED = re.findall(r"^- \*\*(F\d+)\*\*: \S", PAGE.read_text(), re.MULTILINE)
LINK = re.compile(r"\[`(\w+)`\]\(([^)]+)\)")


@pytest.mark.parametrize(("number", "text"), RULES, ids=[number for number, _ in RULES])
def test_every_test_that_a_rule_links_to_is_there(number, text):
    links = LINK.findall(text)
    assert links, f"{number} leads to no test"
    for name, target in links:
        assert name in names_in(PAGE.parent / target), f"{number}: {name}"
        assert re.match(r"test_f(\d+)_", name) is None or name.startswith(f"test_{number.lower()}_")


def test_every_rule_is_there_once_and_in_order():
    numbers = [int(number.removeprefix("F")) for number, _ in RULES]
    assert numbers == sorted(set(numbers))


def test_every_rule_that_has_tests_has_its_section():
    numbers = {
        found[1].upper()
        for file in TESTS.rglob("test_*.py")
        for name in names_in(file)
        if (found := re.match(r"test_(f\d+)_", name))
    }
    assert numbers > {"F1"}
    assert set() == numbers - {number for number, _ in RULES}


def test_each_number_is_that_of_a_rule_with_tests_or_of_a_planned_one():
    numbers = [*(number for number, _ in RULES), *PLANNED]
    assert [f"F{number}" for number in range(1, 22)] == sorted(numbers, key=lambda number: int(number[1:]))


def names_in(file: Path) -> set[str]:
    tree = ast.parse(file.read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}
