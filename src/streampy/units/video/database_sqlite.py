"""Faces with names, kept in one SQLite file and searched in memory.

Knows nothing of images.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from streampy.units.video.database import Match, check_name, check_size
from streampy.units.video.types import Floats

_TABLE = """
CREATE TABLE IF NOT EXISTS faces (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    vector BLOB NOT NULL,
    added TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
)
"""


class FaceDatabase:
    """A set of (name, descriptor) that many OS processes on one machine may read and add to.

    What `add` returned from is on the disk: neither `kill -9` nor a power cut takes it back (write-ahead log, synced at
    each commit). The search is exact, over an array in memory; up to about 50,000 faces it takes under a millisecond.
    One instance is for one thread at a time.
    """

    def __init__(self, path: str | Path) -> None:
        """Open the file; it is made, with its folder, where it isn't there.

        Raises:
            sqlite3.DatabaseError: the file is something else.

        """
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(self.path, timeout=10, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute(_TABLE)
        self._names: list[str] = []
        self._vectors = np.zeros((0, 0), np.float32)
        self._last = 0
        self._version = -1
        self.refresh()

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return f"FaceDatabase({str(self.path)!r}, faces={len(self)}, names={len(self.names)})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def names(self) -> frozenset[str]:
        """Everybody in the database, as last refreshed."""
        return frozenset(self._names)

    def add(self, name: str, vector: Floats) -> None:
        """Add one face; it is on the disk when this returns. One name may have many faces.

        Args:
            name: not empty: that means nobody.
            vector: (d,), the same d for the whole database.

        Raises:
            ValueError: an empty name, or a vector of another size than the others.

        """
        check_name(name)
        self.refresh()
        self._check_size(vector.size)
        blob = np.ascontiguousarray(vector, "<f4").tobytes()
        self._connection.execute("INSERT INTO faces (name, vector) VALUES (?, ?)", (name, blob))
        self._load_new()

    def remove(self, name: str) -> int:
        """Remove every face of a name; returns how many there were."""
        removed = self._connection.execute("DELETE FROM faces WHERE name = ?", (name,)).rowcount
        self._load_all()
        return removed

    def nearest(self, vectors: Floats) -> list[Match]:
        """Search the nearest face for each row.

        Args:
            vectors: (n, d).

        Raises:
            ValueError: d is not that of the database.

        """
        if not len(self):
            return [Match("", np.inf)] * len(vectors)
        self._check_size(vectors.shape[1])
        # |a - b|² = |a|² - 2ab + |b|²: one product of matrices for all; rounding may take it just below 0.
        squares = self._lengths - 2 * (vectors @ self._vectors.T) + np.sum(vectors**2, axis=1, keepdims=True)
        best = squares.argmin(axis=1)
        distances = np.sqrt(np.maximum(squares[np.arange(len(vectors)), best], 0))
        return [Match(self._names[i], float(distance)) for i, distance in zip(best, distances, strict=True)]

    def refresh(self) -> bool:
        """Take over what others have committed since; costs microseconds where nobody has. Returns whether so."""
        (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        if version == self._version:
            return False
        self._version = version
        (count,) = self._connection.execute("SELECT count(*) FROM faces WHERE id <= ?", (self._last,)).fetchone()
        if count == len(self):
            self._load_new()
        else:  # somebody removed a face
            self._load_all()
        return True

    @contextmanager
    def alone(self) -> Iterator[None]:
        """See `KnownFaces.alone`."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            self._load_all()
            raise
        self._connection.execute("COMMIT")

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        self._connection.close()

    def _load_all(self) -> None:
        self._names, self._last = [], 0
        self._vectors = np.zeros((0, 0), np.float32)
        self._lengths = np.zeros(0, np.float32)
        self._load_new()

    def _load_new(self) -> None:
        rows = self._connection.execute("SELECT id, name, vector FROM faces WHERE id > ? ORDER BY id", (self._last,))
        self._append(rows.fetchall())

    def _append(self, rows: Iterable[tuple[int, str, bytes]]) -> None:
        rows = list(rows)
        if not rows:
            return
        new = np.stack([np.frombuffer(blob, "<f4") for _, _, blob in rows]).astype(np.float32)
        self._vectors = np.concatenate([self._vectors, new]) if len(self) else new
        self._lengths = np.sum(self._vectors**2, axis=1)
        self._names += [name for _, name, _ in rows]
        self._last = rows[-1][0]

    def _check_size(self, size: int) -> None:
        if len(self):
            check_size(str(self.path), self._vectors.shape[1], size)
