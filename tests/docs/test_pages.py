"""Whoever follows a page gets what it shows: its files are written, its commands run, their output compared.

Doctests (`>>>`) are run by pytest itself; here are files (named in their first line), commands, and parts of files.
"""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

import pytest

from streampy.model.load import read

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", "README.ru.md", *(str(page.relative_to(ROOT)) for page in sorted((ROOT / "docs").rglob("*.md")))]
BLOCK = re.compile(r"^```(\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# (\S+\.(?:py|yaml))\n")


class Block(NamedTuple):
    kind: str
    text: str

    @property
    def file(self) -> str:
        named = FILE.match(self.text)
        return named[1] if named else ""


def blocks(page: str) -> list[Block]:
    return [Block(*found) for found in BLOCK.findall((ROOT / page).read_text())]


def with_a(kind: str) -> list[str]:
    return [page for page in PAGES if any(block.kind == kind for block in blocks(page))]


@pytest.mark.parametrize("page", with_a("console"))
def test_the_files_and_commands_of_the_page_do_what_it_says(page, tmp_path, monkeypatch):
    for name in re.findall(r"\$\{(\w+):-", (ROOT / page).read_text()):
        monkeypatch.delenv(name, raising=False)
    write_files(page, tmp_path)
    for block in blocks(page):
        for command, expected in commands(block.text) if block.kind == "console" else []:
            got = run(command, tmp_path)
            assert expected == (expected if fits(expected, got) else got), command


def fits(expected: str, got: str) -> bool:
    """Whether it is the same, where `...` stands for what differs from run to run, or is too long to show."""
    return doctest.OutputChecker().check_output(expected, got, doctest.ELLIPSIS)


def write_files(page: str, folder: Path) -> None:
    for block in blocks(page):
        if block.file:
            (folder / block.file).write_text(block.text)


def commands(text: str) -> list[tuple[str, str]]:
    parts = re.split(r"^\$ (.*)\n", text, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def run(command: str, folder: Path) -> str:
    bin_folder = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["sh", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    return done.stdout


@pytest.mark.parametrize("page", PAGES)
def test_every_block_of_the_page_is_of_a_kind_that_is_run_or_read(page):
    assert [block for block in blocks(page) if not is_looked_at(block)] == []


def is_looked_at(block: Block) -> bool:
    if block.kind == "python":
        return bool(block.file) or block.text.startswith(">>> ")
    if block.kind == "yaml":
        return bool(block.file) or block.text.startswith("    ")
    return block.kind in ("console", "sh", "toml", "{eval-rst}", "{toctree}")  # the last two by the build of the site


@pytest.mark.parametrize("page", PAGES)
def test_every_file_of_the_page_is_used_by_a_command_or_another_file(page):
    several = blocks(page)
    for block in several:
        others = "".join(other.text for other in several if other != block)
        assert not block.file or re.search(rf"\b{re.escape(Path(block.file).stem)}\b", others), block.file


@pytest.mark.parametrize("page", with_a("yaml"))
def test_every_part_of_a_file_on_the_page_has_keys_and_values_that_are_right(page, tmp_path):
    file = tmp_path / "part.yaml"
    for block in blocks(page):
        if block.kind == "yaml" and not block.file:
            file.write_text(f"process: part\nunits:\n  unit:\n    use: map\n{block.text}")
            assert read(file).problems == (), block.text


@pytest.mark.parametrize("page", with_a("toml"))
def test_every_piece_of_toml_on_the_page_can_be_read(page):
    assert all(tomllib.loads(block.text) for block in blocks(page) if block.kind == "toml")


@pytest.mark.parametrize("page", with_a("sh"))
def test_every_command_of_the_shell_on_the_page_is_one_that_this_repository_has(page):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    known = re.findall(r"^    (\w+)\) install_uv", (ROOT / "dev").read_text(), re.MULTILINE)
    for block in blocks(page):
        for line in block.text.splitlines() if block.kind == "sh" else []:
            extras = re.findall(r"\[(\w+)\]", line)
            assert set(extras) <= set(project["optional-dependencies"])
            assert re.match(rf"pip install (\.|'\.\[\w+\]')(\s|$)|\./dev ({'|'.join(known)})\b", line), line


def test_the_russian_readme_has_the_same_blocks_as_the_english_one():
    assert [dedent(block.text) for block in blocks("README.md") if block.kind != "sh"] == [
        dedent(block.text) for block in blocks("README.ru.md") if block.kind != "sh"
    ]


@pytest.mark.parametrize("page", [*PAGES, "CONTRIBUTING.md", "CHANGELOG.md"])
def test_every_link_of_the_page_leads_somewhere(page):
    path = ROOT / page
    for target in re.findall(r"\]\(([^)\s]+)\)", BLOCK.sub("", path.read_text())):
        if "://" in target:
            continue
        file, _, heading = target.partition("#")
        there = path.parent / file if file else path
        assert there.exists(), target
        assert not heading or heading in headings(there), target


def headings(page: Path) -> list[str]:
    """The anchors that a code host gives to the headings of a page."""
    titles = re.findall(r"^#+ (.*)$", BLOCK.sub("", page.read_text()), re.MULTILINE)
    return [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles]
