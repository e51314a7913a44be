"""Counts how every item ended, so that losing one is always visible.

Pure. One writer at a time; `add_up` makes one account of many.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Final

from streampy.model.headers import Headers
from streampy.model.item import Header, Reason

_stream = itemgetter(Header._fields.index("stream"))
_BORN: Final = "born"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The sums. What came in (`born`, and `split` for the parts and copies made on the way) ends in exactly one way.

    `joined` are those that went into another item at a join; `in_flight` are counted where they are: in pipes, in
    joins, in the hands of workers. While a process runs the counts are read one after another, so `balanced` may be
    off by an item for a moment; at rest, when paused and after the end it is exact. Where a process was put out,
    workers left with items in their hands: then `in_flight` is what has no other end.
    """

    born: int = 0
    split: int = 0
    joined: int = 0
    delivered: int = 0
    filtered: int = 0
    dropped: int = 0
    failed: int = 0
    expired: int = 0
    in_flight: int = 0
    streams: Mapping[str, Account] = field(default_factory=dict)
    """The same for each stream; there `in_flight` is what is missing to the sum."""

    @property
    def ended(self) -> int:
        """All that are no longer on their way."""
        return self.joined + self.delivered + self.filtered + self.dropped + self.failed + self.expired

    @property
    def balanced(self) -> bool:
        """Whether every item is accounted for."""
        return self.born + self.split == self.ended + self.in_flight


class Ledger:
    """The counts of one writer, by stream."""

    __slots__ = ("counts",)
    is_heard = False
    """Whether anybody wants to hear of each birth."""

    def __init__(self) -> None:
        self.counts: defaultdict[tuple[str, str], int] = defaultdict(int)  # counts in half the time of a Counter

    def add(self, what: str, header: Header, count: int = 1) -> None:
        """Count an item, or so many that were made of it; `what` is a field of Account."""
        self.counts[what, header.stream] += count

    def born(self, headers: Iterable[Header]) -> None:
        """These items were born: their source has counted them."""

    def hold(self, header: Header) -> None:
        """A unit has begun to make parts of an item: it is on its way until `release`, whatever becomes of them."""

    def release(self, header: Header) -> None:
        """The unit is done with the item, and its parts are counted."""

    def hold_each(self, headers: Iterable[Header]) -> None:
        """As `hold`, for many."""
        for header in headers:
            self.hold(header)

    def release_each(self, headers: Iterable[Header]) -> None:
        """As `release`, for many."""
        for header in headers:
            self.release(header)

    def until(self, header: Header, what: Callable[[], None]) -> Callable[[], None]:
        """Something that is done later: the item is on its way until then."""
        del header
        return what

    def add_each(self, what: str, headers: Sequence[Header], times: int = 1) -> None:
        """Count items of any streams, each `times` so often."""
        streams = {headers.stream} if type(headers) is Headers else set(map(_stream, headers))
        stream = streams.pop() if len(streams) == 1 else None
        if stream is not None:  # nearly always, and much quicker
            self.counts[what, stream] += len(headers) * times
            return
        for header in headers:
            self.counts[what, header.stream] += times

    def ended(self, headers: Sequence[Header], reason: Reason) -> None:
        """Count items that ended without a result."""
        self.add_each(reason.value, headers)

    def take(self) -> dict[tuple[str, str], int]:
        """All that was counted, which is then no longer here: for `absorb` of another one.

        Of what was born the whole: a source goes on with that number.
        """
        taken = dict(self.counts)
        for what, stream in taken:
            if what != _BORN:
                del self.counts[what, stream]
        return taken

    def absorb(self, taken: Mapping[tuple[str, str], int]) -> None:
        """What another one counted."""
        for (what, stream), count in taken.items():
            if what == _BORN:  # a worker that died may tell its last when its heir has told more already
                self.counts[what, stream] = max(self.counts[what, stream], count)
            else:
                self.counts[what, stream] += count


def add_up(ledgers: Iterable[Ledger], in_flight: int | None) -> Account:
    """One account of all writers. in_flight: as counted; None where nobody can count it, then it is what is missing."""
    total: Counter[tuple[str, str]] = Counter()
    for ledger in ledgers:
        total.update(dict(ledger.counts))
    streams: dict[str, Counter[str]] = {}
    for (what, stream), count in total.items():
        streams.setdefault(stream, Counter())[what] += count
    accounts = {}
    for stream, counts in sorted(streams.items()):
        account = _account(counts)
        accounts[stream] = replace(account, in_flight=account.born + account.split - account.ended)
    whole = _account(sum(streams.values(), Counter()))
    missing = whole.born + whole.split - whole.ended
    return replace(whole, in_flight=missing if in_flight is None else in_flight, streams=accounts)


def _account(counts: Mapping[str, int]) -> Account:
    return Account(**dict(counts))  # type: ignore[arg-type]  # the counts are fields of Account, all of them int
