"""The files of a folder."""

from collections.abc import Iterator
from pathlib import Path

import streampy as sp
from streampy.units.files.rounds import Order, expect, rounds


class FolderSource(sp.Unit):
    """Give the paths of the files in a folder, in the order of their names."""

    def __init__(
        self,
        *,
        folder: str,
        pattern: str = "**/*",
        order: Order = "given",
        seed: int | None = None,
        endless: bool = False,
    ) -> None:
        """Choose the files.

        Args:
            folder: where they are.
            pattern: as of `Path.glob`; `**/` looks into folders inside.
            order: `given`, or `random`.
            seed: of the random order.
            endless: begin again at the end; what is new there by then is given too.

        """
        self.folder = Path(folder)
        self.pattern = pattern
        self.order = order
        self.seed = seed
        self.endless = endless

    def work(self) -> Iterator[Path]:
        """Give the paths. Raises FileNotFoundError where there is no such folder, or no such file in it."""
        paths = self._list()
        if not paths:
            raise FileNotFoundError(f"FolderSource: no file {self.pattern} in {self.folder}")
        if not self.endless:
            expect(len(paths))
        yield from rounds(self._list, order=self.order, seed=self.seed, endless=self.endless)

    def _list(self) -> list[Path]:
        return sorted(path for path in self.folder.glob(self.pattern) if path.is_file())
