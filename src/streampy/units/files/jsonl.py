"""JSON lines: one value for each line."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import streampy as sp
from streampy.units.files.rounds import Order, expect, rounds
from streampy.units.files.text import count_lines, open_to_read, open_to_write
from streampy.units.json_text import to_json


class JsonLinesSource(sp.Unit):
    """Give the value of each line of a file; empty lines are left out."""

    def __init__(self, *, path: str, order: Order = "given", seed: int | None = None, endless: bool = False) -> None:
        """Choose the file.

        Args:
            path: of the file, in UTF-8.
            order: `given`, or `random`: all values are read into memory, and mixed.
            seed: of the random order.
            endless: begin again at the end.

        """
        self.path = Path(path)
        self.order = order
        self.seed = seed
        self.endless = endless

    def work(self) -> Iterator[Any]:
        """Give the values.

        Raises:
            FileNotFoundError: no such file.
            ValueError: a line is no JSON, or is `null`, which is no item; with its number.

        """
        lines = None if self.endless else count_lines(self.path)
        if lines is not None:
            expect(lines)
        yield from rounds(self._read, order=self.order, seed=self.seed, endless=self.endless)

    def _read(self) -> Iterator[Any]:
        with open_to_read(self.path, "JsonLinesSource", "utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield self._value(line, number)

    def _value(self, line: str, number: int) -> Any:
        try:
            value = json.loads(line)
        except ValueError as error:
            raise ValueError(f"{self.path}:{number}: got {line.strip()!r:.80}, expected JSON: {error}") from error
        if value is None:
            raise ValueError(f"{self.path}:{number}: got null, which is no item")
        return value


class JsonLinesWriter(sp.Unit):
    """Write each value as a line of JSON, whole lines only.

    Dataclasses are written as objects, and so is a value that is a named tuple; NumPy arrays and sets as lists, times
    as ISO 8601, paths as text, bytes not at all.
    """

    _file: IO[str] | None = None

    def __init__(self, *, path: str, append: bool = False) -> None:
        """Choose the file; one that is there is overwritten, or appended to."""
        self.path = Path(path)
        self.append = append

    def start(self) -> None:
        """Open the file. Raises ValueError where it has several workers."""
        self._file = open_to_write(self.path, "JsonLinesWriter", append=self.append)

    def work(self, value: Any) -> None:
        """Write the line. Raises TypeError or ValueError where JSON has no word for the value (nan and inf neither)."""
        assert self._file is not None, "work is called after start"  # noqa: S101 - narrows the type
        self._file.write(f"{to_json(value, 'JsonLinesWriter')}\n")

    def stop(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
