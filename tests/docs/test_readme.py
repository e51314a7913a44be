"""Whoever follows the README gets what it shows: its files are written, its commands run, their output compared."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", "docs/first-process.md", "docs/units.md"]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# (\S+\.(?:py|yaml))\n")


def blocks(page: str) -> list[tuple[str, str]]:
    return BLOCK.findall((ROOT / page).read_text())


@pytest.mark.parametrize("page", PAGES)
def test_the_files_and_commands_of_the_page_do_what_it_says(page, tmp_path):
    ran = 0
    for kind, text in blocks(page):
        name = FILE.match(text)
        if kind in ("python", "yaml") and name:
            (tmp_path / name[1]).write_text(text)
        if kind == "console":
            for command, expected in commands(text):
                assert run(command, tmp_path) == expected
                ran += 1
    assert ran > 0


def commands(text: str) -> list[tuple[str, str]]:
    parts = re.split(r"^\$ (.*)\n", text, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def run(command: str, folder: Path) -> str:
    bin_folder = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}"}
    environment.pop("ABOVE", None)
    done = subprocess.run(
        ["sh", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    return done.stdout


def test_every_link_of_the_pages_leads_somewhere():
    for page in [*PAGES, "CONTRIBUTING.md", *map(str, (ROOT / "docs").glob("*.md"))]:
        path = ROOT / page
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text()):
            if "://" not in target:
                assert (path.parent / target).exists(), f"{page}: {target}"
