"""Another OS process: `write FOLDER` creates a region and waits; `read REGION` answers for each parcel that comes."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import Any

from streampy.memory.generations import Gone
from streampy.memory.parcel import Parcel, open_parcel
from streampy.memory.region import Region
from streampy.memory.sweep import name_run


def tell(what: object) -> None:
    sys.stdout.buffer.write(pickle.dumps(what))
    sys.stdout.buffer.flush()


def write(folder: str) -> None:
    with Region.create(name_run(), "left", 4096, folder=Path(folder)) as region:
        tell(region.name)
        sys.stdin.buffer.read()


def read(name: str) -> None:
    kept = []
    with Region.attach(name) as region:

        def look(parcel: Parcel) -> Any:
            value = open_parcel(parcel, lambda _: region, lambda _: None)
            kept.append(value)
            return int(value.sum())

        while (parcel := pickle.load(sys.stdin.buffer)) is not None:
            try:
                tell(look(parcel))
            except Gone as gone:
                tell(gone)


if __name__ == "__main__":
    {"write": write, "read": read}[sys.argv[1]](sys.argv[2])
