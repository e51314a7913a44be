"""The files of the page: nothing from elsewhere, nothing that reads HTML, and colours that can be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "src/streampy/web/page"
FILES = sorted(path for path in PAGE.rglob("*") if path.is_file())
GROUNDS = ("ground", "surface", "raised", "raised-2", "room")
READ_ON = {
    "text": GROUNDS,
    "dim": GROUNDS,
    "faint": GROUNDS,
    "accent": (*GROUNDS, "accent-ground"),
    "bad": (*GROUNDS, "bad-ground"),
    "ok-text": (*GROUNDS, "good-ground"),
    "warn-text": (*GROUNDS, "warn-ground"),
}


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PAGE)))
def test_nothing_comes_from_another_host(path):
    addresses = re.findall(
        r"(?:https?:)?//[\w.-]+\.\w+[^\s\"')]*", re.sub(r"^\s*//.*$", "", text_of(path), flags=re.MULTILINE)
    )
    assert [] == [found for found in addresses if not found.startswith("http://www.w3.org/")]


@pytest.mark.parametrize("path", [path for path in FILES if path.suffix == ".js"], ids=lambda path: path.stem)
def test_no_script_reads_html_or_code(path):
    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser|srcdoc|setHTML"
    assert [] == re.findall(forbidden, text_of(path))


def test_no_style_or_script_stands_in_the_page_itself():
    page = text_of(PAGE / "index.html")
    assert [] == re.findall(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_text_can_be_read_on_every_ground(theme):
    colours = tokens(theme)
    poor = {
        f"{text} on {ground}": round(contrast(colours[text], colours[ground]), 2)
        for text, grounds in READ_ON.items()
        for ground in grounds
        if contrast(colours[text], colours[ground]) < 4.5
    }
    assert {} == poor


def tokens(theme):
    """What the custom properties are in that theme: those of the light one come on top."""
    css = re.sub(r"/\*.*?\*/", "", text_of(PAGE / "css/theme.css"), flags=re.DOTALL)
    found = {"dark": {}, "light": {}}
    for selector, body in re.findall(r"([^{}]+)\{([^{}]*)\}", css):
        found["light" if "light" in selector else "dark"].update(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6})", body))
    return found["dark"] | (found["light"] if theme == "light" else {})


def contrast(one, other):
    """As WCAG 2.2 defines it."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
