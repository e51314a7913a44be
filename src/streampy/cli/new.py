"""`streampy new`: writes a small process that runs at once, to begin with."""

from __future__ import annotations

import re
import sys
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from streampy.cli.exits import Exit

if TYPE_CHECKING:
    import argparse

_NAME = re.compile(r"[^\W\d][\w-]*")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What can be said on the command line."""
    parser.add_argument("folder", metavar="FOLDER", help="where to; its last part becomes the name of the process")


def run(arguments: argparse.Namespace) -> Exit:
    """Write the files; none that is there already is touched."""
    folder = Path(arguments.folder)
    name = folder.resolve().name
    if not _NAME.fullmatch(name):
        sys.stderr.write(f"streampy: got {name!r}, expected a name: a letter, then letters, digits, `_` or `-`\n")
        return Exit.USAGE
    texts = {
        one.name.removesuffix(".txt"): one.read_text() for one in files("streampy.cli").joinpath("scaffold").iterdir()
    }
    texts["streampy.schema.json"] = _schema()
    there = [file for file in sorted(texts) if (folder / file).exists()]
    if there:
        sys.stderr.write(f"streampy: {folder} has {', '.join(there)} already: name a new folder\n")
        return Exit.USAGE
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in sorted(texts.items()):
        (folder / file).write_text(text if file.endswith(".json") else _named(text, name))
        print(folder / file)
    print(f"now: cd {folder} && streampy run process.yaml")
    return Exit.OK


def _named(text: str, name: str) -> str:
    """With the name of the process; a comment tells of ${NAME} too."""
    return re.sub(r"(?<!\$\{)\bNAME\b", name, text)


def _schema() -> str:
    """So that an editor completes the keys, also where the command is not at hand."""
    import json  # noqa: PLC0415 - as below

    from streampy.model.config.schema import process_schema  # noqa: PLC0415 - pydantic takes a while to import

    return json.dumps(process_schema(), indent=2) + "\n"
