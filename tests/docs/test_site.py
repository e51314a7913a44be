"""The site builds without a warning, and its reference has every public name."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zlib
from pathlib import Path

import pytest

import streampy as sp

ROOT = Path(__file__).parents[2]
LOADED = re.compile(r"<(?:script|img|link|iframe)[^>]*(?:src|href)=\"((?:https?:)?//[^\"]+)")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Built once; what it warned of, and where it is."""
    folder = tmp_path_factory.mktemp("site")
    words = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-n", "docs", str(folder)]
    environment = {**os.environ, "NO_COLOR": "1"}
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120)
    return done, folder


def test_the_site_is_built_without_a_warning(site):
    done, _ = site
    assert (done.stderr, done.returncode) == ("", 0)


def test_the_reference_has_every_public_name(site):
    _, folder = site
    points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["streampy.units"]
    units = {point.replace(":", ".") for point in points.values()}
    public = {f"streampy.{name}" for name in sp.__all__} | {f"streampy.testing.{name}" for name in sp.testing.__all__}
    assert (public | units) - described(folder) == set()


def test_no_page_loads_anything_from_elsewhere(site):
    _, folder = site
    pages = {page.name: LOADED.findall(page.read_text()) for page in folder.rglob("*.html")}
    assert "index.html" in pages
    assert [(name, targets) for name, targets in pages.items() if targets] == []


def described(folder: Path) -> set[str]:
    """The Python names in the inventory of the site: four lines of head, then one for each, compressed."""
    *_, packed = (folder / "objects.inv").read_bytes().split(b"\n", 4)
    return {line.split()[0] for line in zlib.decompress(packed).decode().splitlines() if " py:" in line}
