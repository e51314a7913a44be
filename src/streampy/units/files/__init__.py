"""Units that read and write files: lines of text, JSON lines, CSV, Parquet (`streampy[parquet]`), folders.

What a source reads is shared among its workers: with `workers: 2` each gives every second piece. A writer has just one,
and so has what follows a file that grows (`streampy[tail]`).
"""

from importlib import import_module
from typing import TYPE_CHECKING

from streampy.units.files.csv import CsvSource, CsvWriter
from streampy.units.files.folder import FolderSource
from streampy.units.files.jsonl import JsonLinesSource, JsonLinesWriter
from streampy.units.files.lines import LinesSource, LinesWriter

if TYPE_CHECKING:
    from streampy.units.files.parquet import ParquetSource, ParquetWriter
    from streampy.units.files.tail import TailSource

__all__ = [
    "CsvSource",
    "CsvWriter",
    "FolderSource",
    "JsonLinesSource",
    "JsonLinesWriter",
    "LinesSource",
    "LinesWriter",
    "ParquetSource",
    "ParquetWriter",
    "TailSource",
]

_WHERE = {"ParquetSource": "parquet", "ParquetWriter": "parquet", "TailSource": "tail"}


def __getattr__(name: str) -> object:
    """Import what needs a library when it is first asked for."""
    if name in _WHERE:
        return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no unit {name!r}; it has {', '.join(__all__)}")
