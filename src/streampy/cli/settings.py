"""Gives the settings of one command line to several files. Knows nothing of what they set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from streampy.model.load import read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def for_each(files: Sequence[str], settings: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """For each file the settings of units that it has; those of units that no file has are all files', to be told."""
    if len(files) == 1 or not settings:
        return {file: dict(settings) for file in files}
    units = {file: read(file).process.units for file in files}
    homeless = {key for key in settings if not any(_unit(key) in names for names in units.values())}
    return {
        file: {key: value for key, value in settings.items() if _unit(key) in names or key in homeless}
        for file, names in units.items()
    }


def _unit(key: str) -> str:
    """The unit of the file itself: `other` of `other/detect.threshold`."""
    return key.partition(".")[0].partition("/")[0]
