"""What a person sees: lines on the terminal.

Knows nothing of images.
"""

import sys
from typing import Any

import streampy as sp


class Print(sp.Unit):
    """Write a line for each item to stdout, at once.

    >>> with sp.run(sp.Process("shown").add("print", Print, format="{stream} {seq}: {value[name]}")) as running:
    ...     running.push("print", {"name": "Ada"})
    print 0: Ada
    """

    def __init__(self, *, format: str = "{value}") -> None:  # noqa: A002 - the word for it
        """Choose what a line says.

        Args:
            format: as of `str.format`, with `value`, `stream`, `seq`, `key` (`camera #17`) and `meta`, such as
                `{key}: {value[name]} {value.score:.2f}`.

        """
        self.format = format

    def work(self, value: sp.Item[Any]) -> None:
        """Write the line. Raises KeyError, AttributeError or ValueError where the format doesn't fit the value."""
        header = value.header
        line = self.format.format(
            value=value.value, stream=header.stream, seq=header.seq, key=header.key, meta=header.meta
        )
        sys.stdout.write(f"{line}\n")  # one call: lines of several workers don't mix
        sys.stdout.flush()
