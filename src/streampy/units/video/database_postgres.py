"""Faces with names on a PostgreSQL server, searched there by pgvector.

Knows nothing of images.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Final, LiteralString, Self

import numpy as np
import psycopg
from psycopg.errors import FeatureNotSupported, InsufficientPrivilege, UndefinedFile, UndefinedObject
from psycopg.sql import SQL, Literal

from streampy.units.video.database import Match, check_name, check_size
from streampy.units.video.hidden import hidden
from streampy.units.video.types import Floats

_PATIENCE: Final = 10
"""Seconds for a connection."""
_ALONE: Final = 0x666163_6573
"""The number of the lock that those who change the faces take; any number, but the same for all."""
_SIZE: Final = """
SELECT atttypmod FROM pg_attribute WHERE attrelid = to_regclass('streampy_faces') AND attname = 'vector'
"""
_TABLE: Final = """
CREATE TABLE streampy_faces (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    vector vector({size}) NOT NULL,
    added timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX streampy_faces_name ON streampy_faces (name);
CREATE INDEX streampy_faces_vector ON streampy_faces USING hnsw (vector vector_l2_ops)
"""
_NEAREST: Final = """
SELECT found.name, found.distance
FROM unnest(%s::text[]) WITH ORDINALITY AS asked (vector, number)
LEFT JOIN LATERAL (
    SELECT name, streampy_faces.vector <-> asked.vector::vector AS distance
    FROM streampy_faces ORDER BY streampy_faces.vector <-> asked.vector::vector LIMIT 1
) AS found ON true
ORDER BY asked.number
"""
_SEARCHED: Final = 200
"""Candidates of a search by the index: the nearest is missed by then only where many are about as near."""


class PostgresFaces:
    """A set of (name, descriptor) that any number of OS processes on any machines may read and add to.

    What `add` returned from is on the server's disk. Each search asks the server, so nothing has to be refreshed. Few
    faces are compared one by one; where the server thinks that it pays it searches by an index (HNSW), which nearly
    always finds the nearest.
    A connection that was lost is made again at the next call; a search is then asked once more. One instance is for one
    thread at a time.
    """

    def __init__(self, url: str) -> None:
        """Connect; the table `streampy_faces` is made with the first face.

        Args:
            url: `postgresql://user:password@host:port/database`.

        Raises:
            ConnectionError: nobody can be reached there, or the server has no pgvector.

        """
        self.where = hidden(url)
        self._url = url
        self._size = 0
        self._connection = self._connect()
        self._make_extension()

    def __len__(self) -> int:
        return int(self._rows("SELECT count(*) FROM streampy_faces")[0][0]) if self._has_table() else 0

    def __repr__(self) -> str:
        return f"PostgresFaces({self.where!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def names(self) -> frozenset[str]:
        """See `KnownFaces.names`."""
        rows = self._rows("SELECT DISTINCT name FROM streampy_faces") if self._has_table() else []
        return frozenset(name for (name,) in rows)

    def add(self, name: str, vector: Floats) -> None:
        """See `KnownFaces.add`."""
        check_name(name)
        if not self._has_table():
            self._make_table(vector.size)
            self._has_table()
        check_size(self.where, self._size, vector.size)
        insert = "INSERT INTO streampy_faces (name, vector) VALUES (%s, %s::vector)"
        self._live().execute(insert, (name, _text(vector)))

    def remove(self, name: str) -> int:
        """See `KnownFaces.remove`."""
        if not self._has_table():
            return 0
        return self._live().execute("DELETE FROM streampy_faces WHERE name = %s", (name,)).rowcount

    def nearest(self, vectors: Floats) -> list[Match]:
        """See `KnownFaces.nearest`; the distance is that of the face which was found."""
        if not self._has_table():
            return [Match("", np.inf)] * len(vectors)
        if len(vectors):
            check_size(self.where, self._size, vectors.shape[1])
        rows = self._rows(_NEAREST, ([_text(vector) for vector in vectors],))
        return [Match("", np.inf) if name is None else Match(name, distance) for name, distance in rows]

    def refresh(self) -> bool:
        """See `KnownFaces.refresh`: there is nothing to take over, and so never anything that was."""
        return False

    @contextmanager
    def alone(self) -> Iterator[None]:
        """See `KnownFaces.alone`."""
        connection = self._live()
        try:
            with connection.transaction():
                connection.execute("SELECT pg_advisory_xact_lock(%s)", (_ALONE,))
                yield
        except BaseException:
            self._size = 0  # the table may have been made in here
            raise

    def close(self) -> None:
        """See `KnownFaces.close`."""
        self._connection.close()

    def _connect(self) -> psycopg.Connection[Any]:
        try:
            return psycopg.connect(
                self._url,
                autocommit=True,
                connect_timeout=_PATIENCE,
                application_name="streampy",
                options=f"-c hnsw.ef_search={_SEARCHED}",
            )
        except psycopg.OperationalError as error:
            raise ConnectionError(f"{self.where} can't be reached: {hidden(str(error)).strip()}") from error

    def _live(self) -> psycopg.Connection[Any]:
        """The connection; another one where it was lost."""
        if self._connection.closed:
            self._connection = self._connect()
        return self._connection

    def _rows(self, query: LiteralString, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What a query that changes nothing gives; asked once more where the connection is lost by it."""
        connection = self._live()
        is_free = connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        try:
            return connection.execute(query, parameters).fetchall()
        except psycopg.OperationalError:
            if not connection.closed or not is_free:  # what began on the lost one can't go on elsewhere
                raise
            return self._live().execute(query, parameters).fetchall()

    def _make_extension(self) -> None:
        try:
            with self.alone():  # two that do it at once would stumble over each other, IF NOT EXISTS or not
                self._connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
        except (FeatureNotSupported, UndefinedFile, UndefinedObject, InsufficientPrivilege) as error:
            self.close()
            raise ConnectionError(
                f"{self.where} has no pgvector for us: {str(error).strip()}. Install it there (Debian: "
                "postgresql-NN-pgvector), then `CREATE EXTENSION vector` in this database, by who may do that"
            ) from error

    def _has_table(self) -> bool:
        """Whether somebody has added a face, ever."""
        if not self._size:
            rows = self._rows(_SIZE)
            self._size = rows[0][0] if rows else 0
        return self._size > 0

    def _make_table(self, size: int) -> None:
        with self.alone():
            if not self._has_table():  # somebody may just have made it
                self._connection.execute(SQL(_TABLE).format(size=Literal(size)))


def _text(vector: Floats) -> str:
    """As pgvector reads it; every float32 comes out as what it was."""
    return f"[{','.join(map(repr, vector.tolist()))}]"
