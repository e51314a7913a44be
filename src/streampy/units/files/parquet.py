"""Rows of Parquet files; needs the extra `streampy[parquet]`."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import streampy as sp
from streampy.units.files.rounds import Order, expect, rounds
from streampy.units.files.text import check_alone
from streampy.units.missing import needs
from streampy.units.rows import as_row

with needs("streampy[parquet]"):
    import pyarrow as pa
    import pyarrow.parquet as pq


class ParquetSource(sp.Unit):
    """Give the rows of a Parquet file as mappings, column by name."""

    def __init__(
        self,
        *,
        path: str,
        columns: Sequence[str] = (),
        order: Order = "given",
        seed: int | None = None,
        endless: bool = False,
        rows: int = 1024,
    ) -> None:
        """Choose the file.

        Args:
            path: of the file.
            columns: those to read; all by default.
            order: `given`, or `random`: all rows are read into memory, and mixed.
            seed: of the random order.
            endless: begin again at the end.
            rows: how many are read at once.

        """
        self.path = Path(path)
        self.columns = list(columns) or None
        self.order = order
        self.seed = seed
        self.endless = endless
        self.rows = rows

    def work(self) -> Iterator[dict[str, Any]]:
        """Give the rows.

        Raises:
            FileNotFoundError: no such file.
            ValueError: it is no Parquet file, or has no such column.

        """
        if not self.path.is_file():
            raise FileNotFoundError(f"ParquetSource: no file at {self.path}")
        yield from rounds(self._read, order=self.order, seed=self.seed, endless=self.endless)

    def _read(self) -> Iterator[dict[str, Any]]:
        with pq.ParquetFile(self.path) as file:
            names = file.schema_arrow.names
            for name in self.columns or ():
                if name not in names:
                    raise ValueError(f"ParquetSource: {self.path} has no column {name!r}; it has {', '.join(names)}")
            if not self.endless:
                expect(file.metadata.num_rows)
            for batch in file.iter_batches(self.rows, columns=self.columns, use_threads=False):
                yield from batch.to_pylist()


class ParquetWriter(sp.Unit):
    """Write each value as a row of a Parquet file: a mapping, a dataclass or a named tuple.

    The types of the columns are those of the first `rows` rows. The file can be read when it is closed, not before.
    """

    _writer: Any = None

    def __init__(self, *, path: str, rows: int = 10_000, compression: str = "snappy") -> None:
        """Choose the file.

        Args:
            path: of the file; one that is there is overwritten.
            rows: how many are gathered in memory and written at once (a row group).
            compression: snappy, zstd, gzip, lz4, brotli or none.

        """
        self.path = Path(path)
        self.rows = rows
        self.compression = compression
        self._gathered: list[dict[str, Any]] = []

    def start(self) -> None:
        """Make the folder. Raises ValueError where it has several workers."""
        check_alone("ParquetWriter", self.path)
        self.path.parent.mkdir(parents=True, exist_ok=True)

    def work(self, value: Any) -> None:
        """Gather the row, and write when there are enough.

        Raises:
            TypeError: the value is no row.
            ValueError: a row does not fit the columns of those before.

        """
        row = as_row(value)
        if self._writer is not None:
            unknown = [name for name in row if name not in self._writer.schema.names]
            if unknown:
                names = ", ".join(self._writer.schema.names)
                raise ValueError(f"ParquetWriter: {self.path} has no column {unknown[0]!r}; it has {names}")
        self._gathered.append(row)
        if len(self._gathered) >= self.rows:
            self._write()

    def _write(self) -> None:
        rows, self._gathered = self._gathered, []
        names = list(dict.fromkeys(name for row in rows for name in row))
        if self._writer is None:
            columns = {name: [row.get(name) for row in rows] for name in names}
            table = pa.table(columns)
            self._writer = pq.ParquetWriter(self.path, table.schema, compression=self.compression)
        else:
            table = pa.Table.from_pylist(rows, schema=self._writer.schema)
        self._writer.write_table(table)

    def stop(self) -> None:
        """Write what was gathered, and close the file; without a row there is no file."""
        try:
            if self._gathered:
                self._write()
        finally:
            if self._writer is not None:
                self._writer.close()
