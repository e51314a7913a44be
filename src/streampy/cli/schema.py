"""`streampy schema`: the JSON Schema of a process file, for editors."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from streampy.cli.exits import Exit

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say how editors use it."""
    parser.description = (
        "Print the JSON Schema of a process file. Editors complete and check with it:\n"
        "  streampy schema > streampy.schema.json\n"
        "and in the first line of the file\n"
        "  # yaml-language-server: $schema=streampy.schema.json"
    )


def run(arguments: argparse.Namespace) -> Exit:
    """Print it."""
    del arguments
    from streampy.model.config.schema import process_schema  # noqa: PLC0415 - pydantic takes a while to import

    json.dump(process_schema(), sys.stdout, indent=2)
    sys.stdout.write("\n")
    return Exit.OK
