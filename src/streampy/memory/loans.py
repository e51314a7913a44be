"""Lending between this OS process and one other: what either holds for the other, and what was let go.

Knows nothing of how messages get there. A block is lent by keeping what holds it here in a table, until the other OS
process says that nobody has it there any more, or dies: then the table is emptied. That one may lend it on to a third,
by the same means, as long as it holds it itself.
"""

from __future__ import annotations

import copyreg
import pickle
from array import array
from collections import deque
from collections.abc import Callable, Iterable
from io import BytesIO
from itertools import count
from typing import Any, Final, NoReturn, final

from streampy.memory.codec import note_what
from streampy.memory.generations import Descriptor, Gone
from streampy.memory.region import Region
from streampy.memory.regions import Regions
from streampy.memory.sealed import Hold, Place, Sealed

Lent = tuple[bytes, tuple[tuple[int, int, tuple[str, int, int, int]], ...], tuple[Place, ...]]
"""What travels of a sealed value: its bytes, the loan of each of its blocks, its places.

Of a loan: its number; where it is of a block that the receiver has lent to the sender, the number of that loan, else 0;
and the descriptor.
"""
_NUMBER: Final = "Q"
_SIZE: Final = array(_NUMBER).itemsize
NOTHING_SEALED: Final = bytes(_SIZE)
"""Behind a pickle; else the numbers of the loans, and how many there are, plus 1."""


@final
class Loans:
    """This end of the lending; the other OS process has one too. Any thread may call.

    wake: called when something was let go of here that `take_returned` has to send back, in whatever thread it was, at
    any moment, also amid a collection of garbage: it must neither wait nor take a lock.
    """

    def __init__(self, regions: Regions, wake: Callable[[], object]) -> None:
        self._regions = regions
        self._wake = wake
        self._numbers = count(1)
        self._lent: dict[int, Hold] = {}
        self._borrowed: set[int] = set()
        self._returned: deque[int] = deque()

    def __repr__(self) -> str:
        return f"<Loans: {len(self._lent)} blocks lent, {len(self._returned)} to be returned>"

    def __len__(self) -> int:
        """How many loans the other OS process has."""
        return len(self._lent)

    @property
    def has_borrowed(self) -> bool:
        """Whether anything that the other OS process has lent is still here."""
        return bool(self._borrowed)

    def lend(self, sealed: Sealed) -> Lent:
        """What is to be sent, and given to `receive` there. Until it is returned, or `clear`, the blocks are held."""
        blocks = []
        for hold in sealed.holds:
            number = next(self._numbers)
            self._lent[number] = hold
            home = hold.number if isinstance(hold, Loan) and hold.loans is self else 0
            blocks.append((number, home, (*hold.descriptor,)))
        return sealed.inline, tuple(blocks), sealed.places

    def receive(self, lent: Lent) -> Sealed:
        """The value that the other OS process has lent; it is returned when nothing of it is left here."""
        inline, blocks, places = lent
        return Sealed(inline, tuple([self._borrow(*block) for block in blocks]), places)

    def _borrow(self, number: int, home: int, where: tuple[str, int, int, int]) -> Hold:
        """What was lent from here comes back to what holds it here, so that it does not go when the other one dies."""
        known = self._lent.get(home)
        if known is not None:
            self.give_back(number)
            return known
        descriptor = Descriptor(*where)
        try:
            region: Region | None = self._regions.find(descriptor.region)
        except FileNotFoundError:  # told to who opens it
            region = None
        self._borrowed.add(number)
        return Loan(self, number, descriptor, region)

    def give_back(self, number: int) -> None:
        """What was lent under this number is needed no more."""
        self._borrowed.discard(number)
        self._returned.append(number)
        self._wake()

    @property
    def has_returned(self) -> bool:
        """Whether there is something for `take_returned`."""
        return bool(self._returned)

    def take_returned(self) -> list[int]:
        """The numbers of the loans that were let go of since it was last asked, for `returned` there."""
        numbers = []
        while self._returned:
            numbers.append(self._returned.popleft())
        return numbers

    def returned(self, numbers: Iterable[int]) -> None:
        """The other OS process has these no more. What it never had, or has returned before, is no matter."""
        for number in numbers:
            self._lent.pop(number, None)

    def clear(self) -> None:
        """The other OS process is dead: it has nothing any more. One that takes its place has a `Loans` of its own."""
        lent, self._lent = self._lent, {}
        lent.clear()

    def mute(self) -> None:
        """Nobody is to be woken any more.

        Or what was lent, which the garbage collection can't see through NumPy arrays, would keep alive who is woken.
        """
        self._wake = bool

    def dumps(self, value: Any) -> bytes:
        """A pickle of it, in which all sealed values, wherever they are nested in it, are lent. For `loads` there.

        Raises what pickle raises, with a note; then nothing is lent.
        """
        numbers = array(_NUMBER)
        has_sealed = False

        def lend(sealed: Sealed) -> tuple[Any, ...]:
            nonlocal has_sealed
            has_sealed = True
            lent = self.lend(sealed)
            numbers.extend(one[0] for one in lent[1])
            return _receive, lent

        file = BytesIO()
        pickler = pickle.Pickler(file, pickle.HIGHEST_PROTOCOL)
        pickler.dispatch_table = {**copyreg.dispatch_table, Sealed: lend}  # only what pickle doesn't know is asked for
        try:
            pickler.dump(value)
        except BaseException as error:
            self.returned(numbers)
            note_what(value, error)
            raise
        numbers.append(has_sealed + len(numbers))
        file.write(numbers)
        return file.getvalue()

    def loads(self, data: bytes | bytearray | memoryview, *, opened: bool = False) -> Any:
        """What `dumps` was given there, with its sealed values, or opened: with the values themselves.

        Where it fails, all that was lent with it is returned. Raises what pickle raises, and `Sealed.open`.
        """
        if data[-_SIZE:] == NOTHING_SEALED:
            return pickle.loads(data)  # noqa: S301 - between OS processes of one run; quicker for what is small and many
        received: set[int] = set()

        def receive(*lent: Any) -> Any:
            sealed = self.receive(lent)
            received.update(one[0] for one in lent[1])
            return sealed.open() if opened else sealed

        try:
            return _Unpickler(data, receive).load()
        except BaseException:
            for number in _numbers_of(bytes(data)):
                if number not in received:
                    self.give_back(number)
            raise


@final
class Loan:
    """A block that another OS process has lent to this one. It is returned when this is dropped, and every view."""

    __slots__ = ("_region", "descriptor", "loans", "number")

    def __init__(self, loans: Loans, number: int, descriptor: Descriptor, region: Region | None) -> None:
        self.loans = loans
        self.number = number
        self.descriptor = descriptor
        self._region = region

    def __repr__(self) -> str:
        return f"<Loan {self.number}: block {self.descriptor.generation} of {self.descriptor.region}>"

    def __del__(self) -> None:
        self.loans.give_back(self.number)

    def open(self) -> memoryview:
        """See `Hold`."""
        if self._region is None:
            raise Gone(self.descriptor)
        return self._region.open(self.descriptor, self)


@final
class _Unpickler(pickle.Unpickler):
    def __init__(self, data: bytes | bytearray | memoryview, receive: Callable[..., Any]) -> None:
        super().__init__(BytesIO(data))
        self._receive = receive

    def find_class(self, module: str, name: str, /) -> Any:
        return self._receive if module == __name__ and name == _receive.__name__ else super().find_class(module, name)


def _receive(*_: object) -> NoReturn:
    """Stands in a pickle for `Loans.receive` of whoever loads it."""
    raise TypeError("a value that was lent can only be unpickled by `Loans.loads`, in the OS process it was lent to")


def _numbers_of(data: bytes) -> array[int]:
    """Of the loans in a message in which something is sealed."""
    numbers = array(_NUMBER, data[-_SIZE:])
    size = (numbers[0] - 1) * _SIZE
    return array(_NUMBER, data[-_SIZE - size : -_SIZE])
