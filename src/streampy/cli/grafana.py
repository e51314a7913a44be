"""`streampy grafana`: prints the dashboard, to be imported into Grafana."""

from __future__ import annotations

import sys
from importlib.resources import files
from typing import TYPE_CHECKING

from streampy.cli.exits import Exit

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What can be said on the command line."""
    parser.description = (
        "Print the Grafana dashboard of what `streampy run --metrics` and `streampy ui` tell Prometheus, as JSON. In "
        "Grafana: Dashboards, New, Import."
    )


def run(_: argparse.Namespace) -> Exit:
    """Print it."""
    sys.stdout.write(files("streampy.web").joinpath("grafana.json").read_text(encoding="utf-8"))
    return Exit.OK
