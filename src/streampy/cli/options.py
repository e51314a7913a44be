"""Options that several verbs have. Knows nothing of the verbs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence


def add_set(parser: argparse.ArgumentParser) -> None:
    """Let settings be given on the command line."""
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="UNIT.SETTING=VALUE",
        help="a setting that counts more than the one in the file; may be repeated; "
        "where the unit has no setting of that name, its key is meant, such as place, workers, device, timeout; "
        "UNIT is other/detect for a unit of a process that is used as other; "
        "a value that begins with [ or { is read as JSON",
    )


def read_settings(given: Sequence[str]) -> dict[str, Any] | None:
    """The settings of `--set`; None, with a line on stderr, where one can't be read."""
    settings: dict[str, Any] = {}
    for one in given:
        key, equals, value = one.partition("=")
        unit, dot, setting = key.partition(".")
        if not (equals and dot and unit and setting):
            sys.stderr.write(
                f"streampy: --set: got {one!r}, expected UNIT.SETTING=VALUE, such as camera.url=clip.mp4\n"
            )
            return None
        settings[key] = value
        if value.startswith(("[", "{")):
            import json  # noqa: PLC0415 - rarely needed

            try:
                settings[key] = json.loads(value)
            except json.JSONDecodeError as error:
                sys.stderr.write(f"streampy: --set {key}: {value!r} is no JSON: {error.msg}\n")
                return None
    return settings


def duration(text: str) -> float:
    """Seconds from `10`, `10s`, `2m`, for argparse."""
    import argparse  # noqa: PLC0415 - there already when this is called

    from streampy.model.measure import parse_duration  # noqa: PLC0415 - only where a duration is given

    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
