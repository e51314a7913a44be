"""Draws docs/pictures/top.svg: what `streampy top` shows of a process like the faces example, after some seconds.

`python benchmarks/top.py`. The units only wait, so it needs no model; what is shown is measured all the same. It needs
the extra `tui`.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import streampy as sp
from streampy.cli.top_app import Top
from streampy.cli.top_watch import Watching

PICTURE = Path(__file__).parents[1] / "docs" / "pictures" / "top.svg"
SECONDS = 6.0
SIZE = 124, 14
"""Characters and lines."""
_LEFT_OUT = re.compile(r"@font-face \{.*?\}\s*|[ \t]+$", re.DOTALL | re.MULTILINE)
"""The font is loaded from elsewhere, and a page of ours loads nothing; blanks at the ends of lines."""


def camera(*, every: float = 0.033) -> Iterator[int]:
    """30 frames a second, by their numbers."""
    number = 0
    while not sp.worker().sleep(every):
        yield number
        number += 1


def resize(number: int) -> int:
    """Quick."""
    sp.worker().sleep(0.002)
    return number


def detect(number: int) -> int:
    """Slow, and one in sixty fails."""
    sp.worker().sleep(0.05)
    if number % 60 == 59:
        raise ValueError("no face")
    return number


def identify(number: int) -> int:
    """In between."""
    sp.worker().sleep(0.012)
    return number


def annotate(frame: int, names: int | None) -> int:
    """Waits for the names of a frame."""
    del names
    sp.worker().sleep(0.004)
    return frame


def show(frame: int) -> None:
    """The end."""


def faces() -> sp.Process:
    """The process that is shown."""
    process = sp.Process("faces").add("camera", camera).add("small", resize, from_="camera")
    process.add(
        "detect", detect, from_="small", pipe={"capacity": 8, "overflow": "drop_oldest"}, on_error="skip", workers=1
    )
    process.add("identify", identify, from_="detect", pipe={"capacity": 16})
    process.add("annotate", annotate, from_={"frame": "camera", "names": "identify"}, join={"wait": 0.2})
    return process.add("show", show, from_="annotate")


async def draw() -> str:
    """The screen, as SVG."""
    with sp.run(faces()) as running, Watching("", [], "", every=0.5) as watching:
        app = Top(watching)
        async with app.run_test(size=SIZE) as pilot:
            while running.stats().seconds < SECONDS:
                await pilot.pause(0.2)
            await pilot.press("down", "down")
            await pilot.pause(0.5)
            return app.export_screenshot(title="streampy top")


def main() -> None:
    """Draw it."""
    with TemporaryDirectory(prefix="sp") as folder:
        os.environ["STREAMPY_RUNTIME_DIR"] = folder  # nobody else's processes are in the picture
        svg = asyncio.run(draw())
    PICTURE.write_text(_LEFT_OUT.sub("", svg), encoding="utf-8")
    print(f"{PICTURE} is written")


if __name__ == "__main__":
    main()
