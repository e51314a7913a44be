"""Knows which items came from other segments, what became of each of them here, and what was answered.

Pure. Knows nothing of connections. Whoever sent an item (the neighbour) is told when all that became of its family has
ended, at once and together; until it has confirmed that it heard, the answer is kept, for it may ask again.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from streampy.flow.families import family

if TYPE_CHECKING:
    from streampy.flow.families import Family
    from streampy.model.item import Header

N = TypeVar("N", bound=Hashable)
T = TypeVar("T")


@dataclass(slots=True, eq=False)
class Visit(Generic[N, T]):
    """The items of one family that are here, and what became of them."""

    path: Sequence[str]
    """The segments that wait for an answer, the one that asked first in front."""
    items: dict[N, dict[int, Header | None]] = field(default_factory=dict)
    """Of each neighbour, by number, as it counts them; None for news. What became of all is told to the first one."""
    told: list[T] = field(default_factory=list)
    """What it is to hear, in its order."""
    is_over: bool = False

    @property
    def others(self) -> Mapping[N, Mapping[int, Header | None]]:
        """Those of all neighbours but the first, whose items have gone into what that one is told."""
        return {} if len(self.items) == 1 else dict(list(self.items.items())[1:])


class Guests(Generic[N, T]):
    """Those of all neighbours. One caller at a time."""

    def __init__(self) -> None:
        self._here: dict[Family, Visit[N, T]] = {}
        self._known: dict[N, dict[int, Visit[N, T]]] = {}
        self._count = 0

    def __len__(self) -> int:
        """Items that were not answered."""
        return self._count

    @property
    def neighbours(self) -> list[N]:
        """Those who have sent something that was not answered, or whose answer was not confirmed."""
        return list(self._known)

    def find(self, neighbour: N, number: int) -> Visit[N, T] | None:
        """The visit of an item that came before; None where it is new."""
        return self._known.get(neighbour, {}).get(number)

    def came(self, neighbour: N, number: int, header: Header, path: Sequence[str], *, is_news: bool = False) -> None:
        """A new item, or news of one."""
        visit = self._here.setdefault(family(header), Visit(path))
        visit.items.setdefault(neighbour, {})[number] = None if is_news else header
        self._count += 1
        self._known.setdefault(neighbour, {})[number] = visit

    @property
    def are_any(self) -> bool:
        """Whether any family is here."""
        return bool(self._here)

    def visit_of(self, header: Header) -> Visit[N, T] | None:
        """The visit of an item's family; None where it is of this segment."""
        return self._here.get(family(header))

    def tell(self, header: Header, what: T) -> bool:
        """Something became of a family; returns whether it is a guest, so that its sender will hear it."""
        visit = self.visit_of(header)
        if visit is None:
            return False
        visit.told.append(what)
        return True

    def ended(self, family: Family) -> Visit[N, T] | None:
        """Nothing of a family is left here; returns what is to be answered, where it is a guest."""
        visit = self._here.pop(family, None)
        if visit is not None:
            visit.is_over = True
            self._count -= sum(map(len, visit.items.values()))
        return visit

    def confirmed(self, neighbour: N, numbers: Iterable[int]) -> None:
        """The answers to these were heard."""
        known = self._known.get(neighbour, {})
        for number in numbers:
            known.pop(number, None)
        if not known:
            self._known.pop(neighbour, None)

    def asked(self, neighbour: N, last: int, numbers: Collection[int]) -> None:
        """A neighbour asks for these alone of all numbers up to `last`: the answers to others were heard."""
        known = self._known.get(neighbour, {})
        over = [number for number, visit in known.items() if number <= last and number not in numbers and visit.is_over]
        self.confirmed(neighbour, over)

    def gone(self, neighbour: N) -> None:
        """A neighbour will not come back: nobody asks for its answers again."""
        self._known.pop(neighbour, None)
