"""Which known word is meant by another one, and the end of an error where none is.

Knows nothing of what the words stand for.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

E = TypeVar("E", bound=StrEnum)
_BEGINNING = 3
"""Letters that say what is meant."""


def nearest(word: object, known: Iterable[str], likeness: float = 0.6) -> str:
    """The known word that looks most like this one, or begins with it; "" where none is near."""
    if not isinstance(word, str):
        return ""
    from difflib import get_close_matches  # noqa: PLC0415 - 2 ms, and only where something is wrong

    names = list(known)
    near = get_close_matches(word, names, n=1, cutoff=likeness)
    begun = [name for name in names if len(word) >= _BEGINNING and name.startswith(word)]
    return next(iter(near + begun), "")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`, did you mean 'capacity'?`, or `; known: ...` where none is near."""
    names = list(known)
    near = nearest(word, names)
    if near:
        return f", did you mean {near!r}?"
    return f"; known: {', '.join(names)}" if names else ""


def matching(name: str, known: Iterable[str]) -> list[str]:
    """Those of the known `unit`s or `unit.port`s that a name stands for, dots for slashes too.

    `other/find.boxes` is meant by `other/find.boxes`, `other.find.boxes`, `other/find`, and `other`.
    """
    wanted = name.replace("/", ".")
    dotted = {one: one.replace("/", ".") for one in known}
    return [one for one, path in dotted.items() if path == wanted or path.startswith(f"{wanted}.")]


def choose_word(word: object, known: Sequence[str]) -> str:
    """One of the known words. Raises ValueError with what was got and expected."""
    if isinstance(word, str) and word in known:
        return word
    near = nearest(word, known)
    hint = f", did you mean {near!r}?" if near else ""
    raise ValueError(f"got {word!r}, expected {', '.join(known[:-1])} or {known[-1]}{hint}")


def choose(kind: type[E], word: object) -> E:
    """The member of an enumeration that a word names. Raises ValueError with what was got and expected."""
    return kind(choose_word(word, [member.value for member in kind]))
