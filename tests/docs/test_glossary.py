"""The glossary has every word: those of the code, and those that other pages explain."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from streampy.flow.ledger import Account
from streampy.model.item import Header, Reason
from streampy.model.pipe import Overflow

DOCS = Path(__file__).parents[2] / "docs"
LINES = [line for line in (DOCS / "glossary.md").read_text().splitlines() if line.startswith("- ")]
TERMS = re.findall(r"^- \*\*([^*]+)\*\*( ★)?: \S", "\n".join(LINES), re.MULTILINE)
NAMES = [term for term, _ in TERMS]


def test_terms_stand_in_alphabetical_order_once():
    assert sorted(set(NAMES), key=str.lower) == NAMES


def test_every_line_of_the_list_is_a_term():
    assert len(LINES) == len(TERMS)


def test_the_nine_words_have_a_star():
    nine = re.findall(r"^\| \*\*(\w+)\*\* \|", (DOCS / "words.md").read_text().partition("\n## ")[0], re.MULTILINE)
    assert len(nine) == 9
    assert sorted(nine) == [term for term, star in TERMS if star]


def test_the_words_of_headers_and_ledger_are_there():
    of_ledger = {one.name.replace("_", " ") for one in fields(Account)} - {"streams"}
    of_header = set(Header._fields) - {"seq"}
    assert {*of_ledger, *of_header, *map(str, Reason)} - set(NAMES) == set()


def test_the_policies_of_overflow_are_named():
    (overflow,) = (line for line in LINES if line.startswith("- **overflow**"))
    assert [policy for policy in Overflow if f"`{policy}`" not in overflow] == []
