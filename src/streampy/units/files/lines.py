"""Lines of text."""

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import streampy as sp
from streampy.units.files.rounds import Order, expect, rounds
from streampy.units.files.text import count_lines, open_to_read, open_to_write


class LinesSource(sp.Unit):
    """Give the lines of a text file, without their line ends."""

    def __init__(
        self,
        *,
        path: str,
        order: Order = "given",
        seed: int | None = None,
        endless: bool = False,
        encoding: str = "utf-8",
    ) -> None:
        """Choose the file.

        Args:
            path: of the file.
            order: `given`, or `random`: all lines are read into memory, and mixed.
            seed: of the random order.
            endless: begin again at the end.
            encoding: of the file.

        """
        self.path = Path(path)
        self.order = order
        self.seed = seed
        self.endless = endless
        self.encoding = encoding

    def work(self) -> Iterator[str]:
        """Give the lines. Raises FileNotFoundError."""
        lines = None if self.endless else count_lines(self.path)
        if lines is not None:
            expect(lines)
        yield from rounds(self._read, order=self.order, seed=self.seed, endless=self.endless)

    def _read(self) -> Iterator[str]:
        with open_to_read(self.path, "LinesSource", self.encoding) as file:
            for line in file:
                yield line.rstrip("\r\n")


class LinesWriter(sp.Unit):
    """Write each value as a line of text."""

    _file: IO[str] | None = None

    def __init__(self, *, path: str, append: bool = False) -> None:
        """Choose the file; one that is there is overwritten, or appended to."""
        self.path = Path(path)
        self.append = append

    def start(self) -> None:
        """Open the file. Raises ValueError where it has several workers."""
        self._file = open_to_write(self.path, "LinesWriter", append=self.append)

    def work(self, value: Any) -> None:
        """Write the line. Raises ValueError where the text has line ends inside."""
        line = str(value)
        if "\n" in line or "\r" in line:
            raise ValueError(f"LinesWriter: {line!r:.80} is more than one line: use FlatMap before it")
        assert self._file is not None, "work is called after start"  # noqa: S101 - narrows the type
        self._file.write(f"{line}\n")

    def stop(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
