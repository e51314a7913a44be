"""Rows of databases; needs the extra `streampy[sql]`, and for other databases than SQLite their driver.

Knows nothing of what is in the rows.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import streampy as sp
from streampy.units.missing import needs
from streampy.units.rows import as_row

with needs("streampy[sql]"):
    import sqlalchemy as sql

_NONE: Mapping[str, Any] = MappingProxyType({})
_TYPES: tuple[tuple[type, Any], ...] = (
    (bool, sql.Boolean),  # before int: a bool is one
    (int, sql.BigInteger),
    (float, sql.Float),
    (bytes, sql.LargeBinary),
    (dt.datetime, sql.DateTime),
    (dt.date, sql.Date),
    (str, sql.Text),
)


class SqlSource(sp.Unit):
    """Give the rows of a query as mappings, column by name: once, or again and again."""

    def __init__(
        self,
        *,
        url: str,
        query: str,
        parameters: Mapping[str, Any] = _NONE,
        every: float | None = None,
        rows: int = 1000,
    ) -> None:
        """Choose the database and the query.

        Args:
            url: of SQLAlchemy: `sqlite:///people.sqlite`, `postgresql+psycopg://user:password@host/name`.
            query: the SQL text, with `:name` where a parameter stands.
            parameters: their values.
            every: seconds from one query to the next; without it there is just one.
            rows: how many are fetched at once.

        """
        self.url = url
        self.query = query
        self.parameters = parameters
        self.every = every
        self.rows = rows

    def work(self) -> Iterator[dict[str, Any]]:
        """Give the rows. Raises sqlalchemy's errors, which name the query."""
        worker = sp.worker()
        if worker.count > 1:
            raise ValueError(f"SqlSource: {worker.count} workers would each give all rows: set `workers: 1`")
        engine = sql.create_engine(self.url)
        try:
            while True:
                yield from self._once(engine)
                if self.every is None or worker.sleep(self.every):
                    return
        finally:
            engine.dispose()

    def _once(self, engine: sql.Engine) -> Iterator[dict[str, Any]]:
        with engine.connect().execution_options(yield_per=self.rows) as connection:
            for row in connection.execute(sql.text(self.query), dict(self.parameters)).mappings():
                yield dict(row)


class SqlWriter(sp.Unit):
    """Insert each value as a row of a table: a mapping, a dataclass or a named tuple.

    What has come is inserted at once, each batch as one transaction: as many rows as wait, up to the `batch` of the
    unit's pipe (128). A batch that fails leaves no row; with `on_error: skip` its rows are then tried one by one.
    """

    rows = sp.Pipe(capacity=512, batch=128)
    _engine: sql.Engine | None = None
    _table: sql.Table | None = None

    def __init__(self, *, url: str, table: str, create: bool = False) -> None:
        """Choose the table.

        Args:
            url: as for SqlSource.
            table: its name.
            create: make the table where there is none, with the columns and types of the first row.

        """
        self.url = url
        self.table = table
        self.create = create

    def start(self) -> None:
        """Connect, and look at the table.

        Raises:
            sqlalchemy.exc.NoSuchTableError: there is none, and it is not to be made.

        """
        self._engine = sql.create_engine(self.url)
        if not self.create or sql.inspect(self._engine).has_table(self.table):
            self._table = sql.Table(self.table, sql.MetaData(), autoload_with=self._engine)

    def work(self, rows: sp.Batch[Any]) -> None:
        """Insert the rows.

        Raises:
            TypeError: a value is no row.
            sqlalchemy.exc.SQLAlchemyError: the database refuses one.

        """
        assert self._engine is not None, "work is called after start"  # noqa: S101 - narrows the type
        whole = [as_row(row) for row in rows]
        if self._table is None:
            self._table = _make(self._engine, self.table, whole[0])
        insert = self._table.insert()
        with self._engine.begin() as connection:
            if all(row.keys() == whole[0].keys() for row in whole):
                connection.execute(insert, whole)
                return
            for row in whole:  # many at once must have the same columns
                connection.execute(insert, row)

    def stop(self) -> None:
        """Close the connections."""
        if self._engine is not None:
            self._engine.dispose()


def _make(engine: sql.Engine, name: str, row: Mapping[str, Any]) -> sql.Table:
    table = sql.Table(name, sql.MetaData(), *(sql.Column(column, _type(value)) for column, value in row.items()))
    table.create(engine, checkfirst=True)
    return table


def _type(value: Any) -> Any:
    for kind, column in _TYPES:
        if isinstance(value, kind):
            return column
    return sql.Text
