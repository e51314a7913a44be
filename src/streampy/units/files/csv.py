"""Rows of comma separated values."""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, Literal

import streampy as sp
from streampy.units.files.rounds import Order, expect, rounds
from streampy.units.files.text import count_lines, open_to_read, open_to_write
from streampy.units.rows import as_row

Kind = Literal["text", "int", "float", "bool"]
_NO_TYPES: Mapping[str, Kind] = MappingProxyType({})


class CsvSource(sp.Unit):
    """Give the rows of a CSV file as mappings, column by name: `{"name": "Ada", "age": "36"}`."""

    def __init__(
        self,
        *,
        path: str,
        order: Order = "given",
        seed: int | None = None,
        endless: bool = False,
        types: Mapping[str, Kind] = _NO_TYPES,
        columns: Sequence[str] = (),
        delimiter: str = ",",
        encoding: str = "utf-8-sig",
    ) -> None:
        """Choose the file.

        Args:
            path: of the file.
            order: `given`, or `random`: all rows are read into memory, and mixed.
            seed: of the random order.
            endless: begin again at the end.
            types: of columns that are no text: `{age: int, weight: float, member: bool}`; bool reads true, false, yes,
                no, 1, 0.
            columns: their names, where the first line is a row already.
            delimiter: one character between the values.
            encoding: of the file; a byte order mark is left out.

        """
        self.path = Path(path)
        self.order = order
        self.seed = seed
        self.endless = endless
        self.types = types
        self.columns = tuple(columns)
        self.delimiter = delimiter
        self.encoding = encoding

    def work(self) -> Iterator[dict[str, Any]]:
        """Give the rows.

        Raises:
            FileNotFoundError: no such file.
            ValueError: a row has more or fewer values than there are columns, or one that is not of its type; with
                its line.

        """
        # Within quotes there may be line ends, and then the rows can't be counted without reading them.
        lines = None if self.endless else count_lines(self.path, none_with=b'"')
        if lines is not None:
            expect(max(0, lines - (not self.columns)))
        yield from rounds(self._read, order=self.order, seed=self.seed, endless=self.endless)

    def _read(self) -> Iterator[dict[str, Any]]:
        with open_to_read(self.path, "CsvSource", self.encoding) as file:
            reader = csv.reader(file, delimiter=self.delimiter)
            columns = self.columns or tuple(next(reader, ()))
            readers = self._readers(columns)
            for values in reader:
                if not values:
                    continue
                if len(values) != len(columns):
                    raise ValueError(
                        f"{self.path}:{reader.line_num}: got {len(values)} values, expected {len(columns)}: "
                        f"{', '.join(columns)}"
                    )
                yield self._row(columns, values, readers, reader.line_num)

    def _readers(self, columns: Sequence[str]) -> dict[str, Callable[[str], Any]]:
        for name in self.types:
            if name not in columns:
                raise ValueError(f"CsvSource: {self.path} has no column {name!r}; it has {', '.join(columns)}")
        return {name: _READ[kind] for name, kind in self.types.items()}

    def _row(
        self, columns: Sequence[str], values: Sequence[str], readers: Mapping[str, Callable[[str], Any]], line: int
    ) -> dict[str, Any]:
        row: dict[str, Any] = dict(zip(columns, values, strict=True))
        for name, read in readers.items():
            try:
                row[name] = read(row[name])
            except ValueError:
                raise ValueError(
                    f"{self.path}:{line}: got {row[name]!r} in {name!r}, expected {self.types[name]}"
                ) from None
        return row


class CsvWriter(sp.Unit):
    """Write each value as a row of a CSV file: a mapping, a dataclass or a named tuple."""

    _file: IO[str] | None = None
    _writer: "csv.DictWriter[str] | None" = None

    def __init__(self, *, path: str, columns: Sequence[str] = (), append: bool = False, delimiter: str = ",") -> None:
        """Choose the file.

        Args:
            path: of the file; one that is there is overwritten, or appended to.
            columns: their names and order; by default those of the first row.
            append: write behind what is there; its first line must name the columns, if there is one.
            delimiter: one character between the values.

        """
        self.path = Path(path)
        self.columns = tuple(columns)
        self.append = append
        self.delimiter = delimiter

    def start(self) -> None:
        """Open the file. Raises ValueError where it has several workers."""
        self._file = open_to_write(self.path, "CsvWriter", append=self.append)
        if self.columns:
            self._begin(self.columns)

    def _begin(self, columns: Sequence[str]) -> "csv.DictWriter[str]":
        assert self._file is not None, "work is called after start"  # noqa: S101 - narrows the type
        there = self._columns_there()
        self._writer = csv.DictWriter(self._file, there or columns, delimiter=self.delimiter, lineterminator="\n")
        if not there:
            self._writer.writeheader()
        return self._writer

    def _columns_there(self) -> list[str]:
        if not self.append:
            return []
        with self.path.open(encoding="utf-8", newline="") as file:
            return next(csv.reader(file, delimiter=self.delimiter), [])

    def work(self, value: Any) -> None:
        """Write the row; a column that it lacks stays empty.

        Raises:
            TypeError: the value is no row.
            ValueError: it has a column that the file has not.

        """
        row = as_row(value)
        writer = self._writer or self._begin(tuple(row))
        unknown = [name for name in row if name not in writer.fieldnames]
        if unknown:
            raise ValueError(
                f"CsvWriter: {self.path} has no column {unknown[0]!r}; it has {', '.join(writer.fieldnames)}"
            )
        writer.writerow(row)

    def stop(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


def _flag(text: str) -> bool:
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if text.strip().lower() not in words:
        raise ValueError(text)
    return words[text.strip().lower()]


_READ: Mapping[str, Callable[[str], Any]] = MappingProxyType({"text": str, "int": int, "float": float, "bool": _flag})
