"""Whatever arrives, in whatever order: every item ends once, and a set goes on once, with exactly its parts."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from streampy.flow.joiner import Joined, Joiner, JoinInput, Verdict
from streampy.model.item import Header, Item, Reason, Tombstone
from streampy.model.pipe import Join
from streampy.model.plan import JoinPlan, Share

pytestmark = pytest.mark.timeout(400)
"""To make a failing example small takes longer than a test may."""


@dataclass(frozen=True)
class Event:
    """What a joiner is told: `kind` is add, bury or close."""

    kind: str
    port: str
    header: Header
    value: str = ""
    ways: int = 1
    count: int = 0
    reason: Reason = Reason.FILTERED

    def tell(self, joiner: Joiner, now: float) -> None:
        if self.kind == "add":
            joiner.add(self.port, self.header, self.value, now)
        elif self.kind == "close":
            joiner.close(self.port, self.header, self.count, self.ways, now)
        else:
            joiner.bury(self.port, Tombstone(self.header, self.reason, "somewhere"), self.ways, now)


@dataclass(frozen=True)
class Shape:
    """A join: its inputs, and what each stream sends to them."""

    inputs: dict[str, JoinInput]
    shares: dict[str, dict[str, Share]]
    depths: dict[str, int]

    def joiner(self, *, ordered: bool = True, **join: object) -> Joiner:
        gathers = frozenset(name for name, port in self.inputs.items() if port.gathers)
        latest = frozenset(name for name, port in self.inputs.items() if port.latest)
        plan = JoinPlan(Join(**{"capacity": 10_000, **join}), self.depths, self.shares, gathers, latest)
        return Joiner("join", plan, self.inputs, ordered=ordered)


def streams(headers: list[Header]) -> list[str]:
    return [header.stream for header in headers]


def one(name: str, *, optional: bool = False, gathers: bool = False, latest: bool = False) -> JoinInput:
    return JoinInput(name, optional, gathers, latest)


def shape_of(inputs: list[JoinInput], shares: dict[str, Share], stream: str = "camera", depth: int = 0) -> Shape:
    return Shape({port.name: port for port in inputs}, {stream: shares}, {stream: depth})


PAIR = shape_of([one("frame"), one("markup")], {"frame": Share(1, 0), "markup": Share(1, 0)})
BARE = shape_of([one("frame"), one("names", optional=True)], {"frame": Share(1, 0), "names": Share(1, 0)})
FACES = shape_of([one("frame"), one("faces", gathers=True)], {"frame": Share(1, 0), "faces": Share(1, 1)})
MAYBE = shape_of(
    [one("frame"), one("faces", gathers=True, optional=True)], {"frame": Share(1, 0), "faces": Share(1, 1)}
)
ALONE = shape_of([one("faces", gathers=True)], {"faces": Share(1, 1)})


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    """A join of up to four inputs, fed by up to three streams, each on ways of its own."""
    inputs: dict[str, JoinInput] = {}
    for number in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(("one", "one", "gathers", "latest"))) if number else "one"
        name = f"{kind}{number}"
        optional = draw(st.booleans()) if kind in ("one", "gathers") else True
        inputs[name] = one(name, optional=optional, gathers=kind == "gathers", latest=kind == "latest")
    if draw(st.booleans()):
        inputs["alone"] = inputs.pop("one0")
        inputs["alone"] = one("alone", optional=draw(st.booleans()), gathers=True)
    shares, depths = {}, {}
    for number in range(draw(st.integers(1, 3))):
        depths[f"camera{number}"] = draw(st.integers(0, 2))
        shares[f"camera{number}"] = {
            name: Share(draw(st.integers(1, 3)), draw(st.integers(0, 2)) if port.gathers else 0)
            for name, port in inputs.items()
            if not port.latest and not (port.optional and number and draw(st.booleans()))
        }
    return Shape(inputs, {stream: ports for stream, ports in shares.items() if ports}, depths)


@dataclass
class Families:
    """All that is told of some items, in the order in which it is told."""

    shape: Shape
    events: list[Event] = field(default_factory=list)
    keys: list[tuple] = field(default_factory=list)

    def add(self, draw: st.DrawFn, key: tuple, *, doubled: bool = False) -> None:
        stream, seq, *path = key
        self.keys.append(key)
        for port, share in self.shape.shares[stream].items():
            header = Header(stream, seq, float(seq), tuple(path))
            self._grow(draw, port, header, share.ways, share.levels, doubled=doubled and share.ways == 1)

    def _grow(self, draw: st.DrawFn, port: str, header: Header, ways: int, levels: int, *, doubled: bool) -> None:
        """What becomes of an item on its way to the join: it ends, goes several ways, into parts, or arrives."""
        what = draw(st.sampled_from(("go", "go", "go", "go", "fork", "end")))
        if what == "end":
            reason = draw(st.sampled_from(Reason))
            self.events.append(Event("bury", port, header, ways=ways, reason=reason))
        elif ways > 1 and (what == "fork" or not levels):
            for _ in range(ways):
                self._grow(draw, port, header, 1, levels, doubled=doubled)
        elif levels:
            count = draw(st.integers(0, 3))
            self.events.append(Event("close", port, header, ways=ways, count=count))
            for part in range(count):
                self._grow(draw, port, header.part(part), ways, levels - 1, doubled=doubled)
        else:
            for _ in range(1 + (doubled and draw(st.booleans()))):
                self.events.append(Event("add", port, header, value=f"v{len(self.events)}"))

    def arrived(self, key: tuple, port: str) -> list[str]:
        """The values that come to an input for a set, each part once, in the order of the parts."""
        found: dict[object, tuple[tuple[int, ...], str]] = {}
        for number, event in enumerate(self.events):
            if event.kind == "add" and event.port == port and self.key_of(event.header) == key:
                once = event.header.path if self.shape.shares[key[0]][port].ways == 1 else number
                found.setdefault(once, (event.header.path, event.value))
        return [value for _, value in sorted(found.values(), key=lambda part: part[0])]

    def is_missing(self, key: tuple, port: str) -> bool:
        """Whether it ended before it went into parts, so that nothing is known of them."""
        kinds = {event.kind for event in self.events if event.port == port and self.key_of(event.header) == key}
        return "bury" in kinds and not kinds & {"close", "add"}

    def needs_items(self, stream: str) -> bool:
        """Whether no set of this stream goes on before an item has arrived."""
        return not all(self.shape.inputs[port].gathers for port in self.shape.shares[stream])

    def key_of(self, header: Header) -> tuple:
        return (header.stream, header.seq, *header.path[: self.shape.depths[header.stream]])

    def expected(self, key: tuple) -> tuple | None:
        """The arguments that the set goes on with; None where it does not."""
        ports = self.shape.shares[key[0]]
        arrived = {port: self.arrived(key, port) for port in ports}
        missing = {port for port in ports if self.is_missing(key, port)}
        has_parts = any(event.kind == "close" and self.key_of(event.header) == key for event in self.events)
        if not any(arrived.values()) and (missing or not has_parts):
            return None
        values: list[object] = []
        for name, port in self.shape.inputs.items():
            came = arrived.get(name, [])
            if port.gathers:
                values.append(None if port.optional and name in missing else came)
            elif came or port.optional or port.latest:
                values.append(came[0] if came else None)
            else:
                return None
        return tuple(values)


@st.composite
def families(draw: st.DrawFn, *, doubled: bool = False) -> Families:
    """Some items of every stream of some join, with all their parts."""
    shape = draw(shapes())
    several = Families(shape)
    for stream in shape.shares:
        for seq in range(draw(st.integers(1, 4))):
            for path in draw(st.sampled_from(PATHS[shape.depths[stream]])):
                several.add(draw, (stream, seq, *path), doubled=doubled)
    return several


PATHS = {0: [[()]], 1: [[(0,)], [(0,), (1,), (2,)]], 2: [[(0, 0), (0, 1), (1, 0)]]}


def key_of(shape: Shape, header: Header) -> tuple:
    return (header.stream, header.seq, *header.path[: shape.depths.get(header.stream, 0)])


@given(several=families(doubled=True), data=st.data(), ordered=st.booleans())
@settings(max_examples=250)
def test_complete_families_go_on_without_any_deadline_once_and_with_exactly_their_parts(several, data, ordered):
    joiner = several.shape.joiner(ordered=ordered)
    several.events = data.draw(st.permutations(several.events))
    for event in several.events:
        event.tell(joiner, 0.0)
    verdict = joiner.take(0.0)

    went_on = {several.key_of(joined.header): joined.values for joined in verdict.joined}
    ended = {several.key_of(tombstone.header) for tombstone in verdict.buried}
    assert len(went_on) == len(verdict.joined)
    assert len(ended) == len(verdict.buried)
    assert went_on.keys() | ended == set(several.keys)
    assert not went_on.keys() & ended
    assert went_on == {key: values for key in several.keys if (values := several.expected(key)) is not None}
    assert len(joiner) == 0
    assert joiner.due() == inf


@given(several=families(doubled=True), data=st.data(), ordered=st.booleans(), at_most=st.sampled_from([1, 2, inf]))
@settings(max_examples=100)
def test_every_item_that_was_added_ends_exactly_once(several, data, ordered, at_most):
    joiner = several.shape.joiner(ordered=ordered)
    book = Book()
    for event in data.draw(st.permutations(several.events)):
        event.tell(joiner, 0.0)
        book.told(event)
        book.read(joiner.take(0.0, at_most))
        assert book.open == len(joiner)
    while joiner.due() == 0.0:
        book.read(joiner.take(0.0, at_most))
    assert book.open == 0


@dataclass
class Book:
    """Every item that was added, and how it ended."""

    added: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)

    def told(self, event: Event) -> None:
        if event.kind == "add":
            self.added[event.header.stream] += 1

    def read(self, verdict: Verdict) -> None:
        """As the ledger reads it: of each set one item goes on, but where it was made there."""
        self.ended.update(joined.header.stream for joined in verdict.joined)
        self.ended.subtract(streams(verdict.made))
        self.ended.update(streams(verdict.absorbed))
        self.ended.update(header.stream for header, _ in verdict.lost)
        self.outcomes.update(joined.header.key for joined in verdict.joined)
        self.outcomes.update(tombstone.header.key for tombstone in verdict.buried)

    @property
    def open(self) -> int:
        assert all(self.ended[stream] <= count for stream, count in self.added.items())
        return self.added.total() - self.ended.total()


@given(several=families(), data=st.data())
@settings(max_examples=100)
def test_sets_leave_in_the_order_of_their_stream_where_every_input_brings_them_in_order(several, data):
    """News go past the pipes, so they may be early: but not where a set may go on with nothing else."""
    by_port: dict[str, list[Event]] = {}
    for event in several.events:
        is_early = event.kind != "add" and several.needs_items(event.header.stream) and data.draw(st.booleans())
        of_port = by_port.setdefault(event.port, [])
        of_port.insert(0 if is_early else len(of_port), event)
    joiner = several.shape.joiner()
    left: list[Header] = []
    while by_port:
        port = data.draw(st.sampled_from(sorted(by_port)))
        by_port[port].pop(0).tell(joiner, 0.0)
        if not by_port[port]:
            del by_port[port]
        left += [joined.header for joined in joiner.take(0.0).joined]
    for stream in several.shape.shares:
        keys = [key_of(several.shape, header) for header in left if header.stream == stream]
        assert keys == sorted(keys)


@given(several=families(), data=st.data())
@settings(max_examples=100)
def test_no_set_overtakes_one_of_its_stream_that_waits(several, data):
    joiner = several.shape.joiner()
    open_keys: set[tuple] = set()
    for event in data.draw(st.permutations(several.events)):
        event.tell(joiner, 0.0)
        if len(event.header.path) >= several.shape.depths[event.header.stream]:
            open_keys.add(several.key_of(event.header))
        verdict = joiner.take(0.0)
        ended = [several.key_of(one.header) for one in (*verdict.joined, *verdict.buried)]
        open_keys -= set(ended)
        for key in ended:
            assert [other for other in open_keys if other[0] == key[0] and other < key] == []


class Disorder(RuleBasedStateMachine):
    """Three streams into a small table with a deadline; anything may be late, doubled, missing, in any order."""

    SHAPE = Shape(
        {
            port.name: port
            for port in (
                one("frame"),
                one("markup", optional=True),
                one("faces", gathers=True),
                one("texts", gathers=True, optional=True),
                one("gain", latest=True),
            )
        },
        {
            "left": {"frame": Share(1, 0), "markup": Share(2, 0), "faces": Share(1, 1), "texts": Share(1, 2)},
            "right": {"frame": Share(1, 0), "faces": Share(2, 1)},
            "top": {"frame": Share(1, 0), "markup": Share(1, 0), "faces": Share(1, 0), "texts": Share(1, 1)},
        },
        {"left": 0, "right": 0, "top": 1},
    )
    CAPACITY = 4
    ORDERED = True

    def __init__(self) -> None:
        super().__init__()
        self.joiner = self.SHAPE.joiner(wait=1.0, capacity=self.CAPACITY, ordered=self.ORDERED)
        self.born = Families(self.SHAPE)
        self.told = Families(self.SHAPE)
        self.waiting: list[Event] = []
        self.book = Book()
        self.numbers: Counter[str] = Counter()
        self.given: set[str] = set()
        self.now = 0.0

    @rule(data=st.data(), stream=st.sampled_from(["left", "right", "top"]))
    def an_item_is_born(self, data, stream):
        seq = self.numbers[stream]
        self.numbers[stream] += 1
        path = (data.draw(st.integers(0, 1)),) if stream == "top" else ()
        before = len(self.born.events)
        self.born.add(data.draw, (stream, seq, *path), doubled=True)
        self.waiting += self.born.events[before:]

    def tell(self, event: Event) -> None:
        event.tell(self.joiner, self.now)
        self.told.events.append(event)
        self.book.told(event)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), several=st.integers(1, 5))
    def news_arrive(self, data, several):
        for _ in range(min(several, len(self.waiting))):
            self.tell(self.waiting.pop(data.draw(st.integers(0, len(self.waiting) - 1))))

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def something_never_comes(self, data):
        self.waiting.pop(data.draw(st.integers(0, len(self.waiting) - 1)))

    @rule(value=st.text(max_size=1))
    def a_newer_value_is_known(self, value):
        self.tell(Event("add", "gain", Header("left", 0, self.now), value))

    @rule(seconds=st.sampled_from([0.0, 0.1, 0.5, 1.0]))
    def time_passes(self, seconds):
        self.now += seconds

    @rule(at_most=st.sampled_from([1, 3, inf]))
    def sets_are_taken(self, at_most):
        is_behind = self.joiner.has_ripe
        verdict = self.joiner.take(self.now, at_most)
        self.book.read(verdict)
        assert len(verdict.joined) <= at_most
        for joined in verdict.joined:
            self.check(joined)
        assert self.book.open == len(self.joiner)
        assert is_behind or self.joiner.has_ripe or self.joiner.due() > self.now

    def check(self, joined: Joined) -> None:
        """Only its own parts, in order, and none of them twice."""
        key = key_of(self.SHAPE, joined.header)
        for port, value in zip(self.SHAPE.inputs, joined.values, strict=True):
            if port == "gain":
                continue
            values = [] if value is None else value if isinstance(value, list) else [value]
            told = self.told.arrived(key, port) if port in self.SHAPE.shares[key[0]] else []
            assert [one for one in told if one in values] == values
            assert not self.given.intersection(values)
            self.given.update(values)

    @invariant()
    def the_table_is_bounded(self):
        assert self.joiner.high_water <= self.CAPACITY

    @invariant()
    def a_set_ends_once(self):
        assert set(self.book.outcomes.values()) <= {1}

    def teardown(self):
        for event in self.waiting:
            self.tell(event)
        self.joiner.finish()
        self.book.read(self.joiner.take(self.now))
        assert self.book.open == 0
        assert len(self.joiner) == 0
        assert self.joiner.due() == inf
        assert set(self.book.outcomes.values()) <= {1}


class DisorderWithoutOrder(Disorder):
    """The same where sets may leave in any order."""

    ORDERED = False


Disorder.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
DisorderWithoutOrder.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestItemsInDisorder = Disorder.TestCase
TestItemsInDisorderWithoutOrder = DisorderWithoutOrder.TestCase


def frame(seq: int, stream: str = "camera", born: float = 0.0) -> Header:
    return Header(stream, seq, born)


def values(verdict: Verdict) -> list[tuple]:
    return [joined.values for joined in verdict.joined]


def test_items_of_one_frame_meet():
    joiner = PAIR.joiner()
    joiner.add("frame", frame(0), "F0", 0.0)
    assert joiner.due() == inf
    joiner.add("markup", frame(0), "M0", 0.0)
    assert joiner.due() == 0.0
    verdict = joiner.take(0.0)
    assert verdict.joined == [Joined(frame(0), ("F0", "M0"))]
    assert streams(verdict.absorbed) == ["camera"]


def test_a_filtered_part_ends_its_set_for_the_same_reason_and_with_the_same_cause():
    joiner = PAIR.joiner()
    error = ValueError("broken frame")
    joiner.add("frame", frame(0), "F0", 0.0)
    joiner.bury("markup", Tombstone(frame(0), Reason.FAILED, "detect", error), 1, 0.0)
    verdict = joiner.take(0.0)
    assert verdict.buried == [Tombstone(frame(0), Reason.FAILED, "detect", error)]
    assert verdict.lost == [(frame(0), Reason.FAILED)]


@pytest.mark.parametrize("first", [Reason.FILTERED, Reason.FAILED])
def test_of_two_ways_the_one_that_failed_counts_not_the_one_that_was_not_taken(first):
    shape = shape_of([one("frame")], {"frame": Share(2, 0)})
    joiner = shape.joiner()
    for reason in (first, {Reason.FILTERED: Reason.FAILED, Reason.FAILED: Reason.FILTERED}[first]):
        joiner.bury("frame", Tombstone(frame(0), reason, reason.value), 1, 0.0)
    assert joiner.take(0.0).buried == [Tombstone(frame(0), Reason.FAILED, "failed")]


def test_an_optional_part_that_was_filtered_is_none():
    joiner = BARE.joiner()
    joiner.add("frame", frame(0), "F0", 0.0)
    joiner.bury("names", Tombstone(frame(0), Reason.FILTERED, "who"), 1, 0.0)
    assert values(joiner.take(0.0)) == [("F0", None)]


@pytest.mark.parametrize("shape", [FACES, MAYBE], ids=["list", "list | None"])
def test_a_fan_out_without_parts_gives_an_empty_list(shape):
    joiner = shape.joiner()
    joiner.add("frame", frame(0), "F0", 0.0)
    joiner.close("faces", frame(0), 0, 1, 0.0)
    assert values(joiner.take(0.0)) == [("F0", [])]


@pytest.mark.parametrize(("shape", "expected"), [(FACES, []), (MAYBE, None)], ids=["list", "list | None"])
def test_a_fan_out_that_never_happened_gives_none_where_the_input_may_be_missing(shape, expected):
    joiner = shape.joiner()
    joiner.add("frame", frame(0), "F0", 0.0)
    joiner.bury("faces", Tombstone(frame(0), Reason.FAILED, "detect"), 1, 0.0)
    assert values(joiner.take(0.0)) == [("F0", expected)]


def test_parts_that_came_on_the_way_that_was_taken_are_given_though_the_other_was_not():
    ports = [one("frame"), one("faces", gathers=True, optional=True)]
    joiner = shape_of(ports, {"frame": Share(1, 0), "faces": Share(2, 1)}).joiner()
    joiner.add("frame", frame(0), "F0", 0.0)
    joiner.bury("faces", Tombstone(frame(0), Reason.FILTERED, "by_night"), 1, 0.0)
    joiner.close("faces", frame(0), 1, 1, 0.0)
    joiner.add("faces", frame(0).part(0), "f0", 0.0)
    assert values(joiner.take(0.0)) == [("F0", ["f0"])]


def test_parts_are_in_the_order_of_the_fan_out_whatever_the_order_in_which_they_came():
    joiner = FACES.joiner()
    joiner.add("frame", frame(0), "F0", 0.0)
    for part in (2, 0, 1):
        joiner.add("faces", frame(0).part(part), f"f{part}", 0.0)
    joiner.close("faces", frame(0), 3, 1, 0.0)
    assert values(joiner.take(0.0)) == [("F0", ["f0", "f1", "f2"])]


def test_parts_that_are_gathered_alone_become_one_item():
    joiner = ALONE.joiner()
    for part in range(2):
        joiner.add("faces", frame(0).part(part), f"f{part}", 0.0)
    joiner.close("faces", frame(0), 2, 1, 0.0)
    joiner.close("faces", frame(1), 0, 1, 0.0)
    verdict = joiner.take(0.0)
    assert verdict.joined == [Joined(frame(0), (["f0", "f1"],)), Joined(frame(1), ([],))]
    assert (streams(verdict.absorbed), streams(verdict.made)) == (["camera"], ["camera"])


def test_those_behind_hear_of_a_set_of_which_only_a_part_was_told():
    joiner = ALONE.joiner()
    joiner.bury("faces", Tombstone(frame(0).part(1), Reason.DROPPED, "identify.face"), 1, 0.0)
    joiner.finish()
    assert joiner.take(0.0).buried == [Tombstone(frame(0), Reason.EXPIRED, "join")]


def test_a_late_set_goes_on_without_what_is_missing():
    joiner = BARE.joiner(wait=0.06)
    joiner.add("frame", frame(0), "F0", 10.0)
    assert joiner.due() == 10.06
    assert values(joiner.take(10.05)) == []
    assert values(joiner.take(10.06)) == [("F0", None)]
    joiner.add("names", frame(0), "N0", 10.07)
    assert joiner.take(10.07).lost == [(frame(0), Reason.EXPIRED)]


def test_a_late_list_is_none_where_the_input_may_be_missing_else_what_is_there():
    for shape, expected in ((FACES, ["f1"]), (MAYBE, None)):
        joiner = shape.joiner(wait=1.0)
        joiner.add("frame", frame(0), "F0", 0.0)
        joiner.close("faces", frame(0), 2, 1, 0.0)
        joiner.add("faces", frame(0).part(1), "f1", 0.0)
        assert values(joiner.take(1.0)) == [("F0", expected)]


def test_a_late_set_without_a_part_that_must_be_there_is_buried_as_expired():
    joiner = PAIR.joiner(wait=1.0)
    joiner.add("frame", frame(0), "F0", 0.0)
    verdict = joiner.take(1.0)
    assert verdict.lost == [(frame(0), Reason.EXPIRED)]
    assert verdict.buried == [Tombstone(frame(0), Reason.EXPIRED, "join")]


@pytest.mark.parametrize(("late", "told"), [("drop", []), ("error", [frame(0)])])
def test_what_is_late_ends_where_the_settings_say_so(late, told):
    joiner = BARE.joiner(wait=1.0, late=late)
    joiner.add("frame", frame(0), "F0", 0.0)
    verdict = joiner.take(1.0)
    assert verdict.joined == []
    assert verdict.lost == [(frame(0), Reason.EXPIRED)]
    assert verdict.late == told


def test_nothing_is_late_while_complete_sets_wait_for_a_worker():
    joiner = BARE.joiner(wait=1.0, ordered=False)
    for seq in range(2):
        joiner.add("frame", frame(seq), f"F{seq}", 0.0)
    joiner.add("names", frame(1), "N1", 0.0)
    assert values(joiner.take(5.0, 1)) == [("F1", "N1")]
    joiner.add("names", frame(0), "N0", 5.0)
    assert values(joiner.take(5.0, 1)) == [("F0", "N0")]


def test_a_full_table_lets_the_oldest_go_as_dropped():
    joiner = PAIR.joiner(capacity=2)
    for seq in range(3):
        joiner.add("frame", frame(seq), f"F{seq}", 0.0)
    verdict = joiner.take(0.0)
    assert verdict.lost == [(frame(0), Reason.DROPPED)]
    assert (len(joiner), joiner.high_water) == (2, 2)


def test_a_full_table_that_keeps_the_order_lets_the_one_go_that_the_others_wait_for():
    joiner = PAIR.joiner(capacity=2)
    for seq in (1, 0, 2):
        joiner.add("frame", frame(seq), f"F{seq}", 0.0)
    assert joiner.take(0.0).lost == [(frame(0), Reason.DROPPED)]
    assert (len(joiner), joiner.high_water) == (2, 2)


def test_sets_that_are_ready_count_as_waiting_until_they_are_taken():
    joiner = PAIR.joiner()
    for seq in range(3):
        joiner.add("frame", frame(seq), f"F{seq}", 0.0)
        joiner.add("markup", frame(seq), f"M{seq}", 0.0)
    assert len(joiner) == 6
    joiner.take(0.0, 1)
    assert (len(joiner), joiner.has_ripe, joiner.due()) == (4, True, 0.0)


def test_the_newest_value_is_given_to_every_set_and_none_before_the_first():
    shape = shape_of([one("frame"), one("gain", latest=True)], {"frame": Share(1, 0)})
    joiner = shape.joiner()
    joiner.add("frame", frame(0), "F0", 0.0)
    assert values(joiner.take(0.0)) == [("F0", None)]
    joiner.add("gain", frame(0, "dial"), 3, 0.0)
    joiner.add("gain", frame(1, "dial"), 4, 0.0)
    assert streams(joiner.take(0.0).absorbed) == ["dial", "dial"]
    for seq in (1, 2):
        joiner.add("frame", frame(seq), f"F{seq}", 0.0)
    assert values(joiner.take(0.0)) == [("F1", 4), ("F2", 4)]


def test_one_slow_stream_holds_back_no_other():
    shares = {"frame": Share(1, 0), "markup": Share(1, 0)}
    shape = Shape(PAIR.inputs, {"left": shares, "right": shares}, {"left": 0, "right": 0})
    joiner = shape.joiner()
    joiner.add("frame", frame(0, "left"), "L0", 0.0)
    joiner.add("frame", frame(0, "right"), "R0", 0.0)
    joiner.add("markup", frame(0, "right"), "M0", 0.0)
    assert values(joiner.take(0.0)) == [("R0", "M0")]


def test_workers_of_one_source_are_streams_of_their_own_with_the_same_shares():
    joiner = PAIR.joiner()
    for worker in ("camera#0", "camera#1"):
        joiner.add("frame", frame(0, worker), f"F {worker}", 0.0)
        joiner.add("markup", frame(0, worker), f"M {worker}", 0.0)
    assert values(joiner.take(0.0)) == [("F camera#0", "M camera#0"), ("F camera#1", "M camera#1")]


SOUND_AND_PICTURE = Shape(
    {"picture": one("picture"), "sound": one("sound")},
    {"camera": {"picture": Share(1, 0)}, "microphone": {"sound": Share(1, 0)}},
    {"camera": 0, "microphone": 0},
)


def test_the_nth_of_one_stream_meets_the_nth_of_the_other_and_becomes_an_item_of_the_joining_unit():
    joiner = SOUND_AND_PICTURE.joiner(key="seq")
    joiner.add("picture", frame(4, "camera", born=2.0), "P4", 2.0)
    joiner.add("sound", frame(4, "microphone", born=1.0), "S4", 2.0)
    verdict = joiner.take(2.0)
    assert verdict.joined == [Joined(Header("join", 0, 1.0), ("P4", "S4"))]
    assert (streams(verdict.absorbed), streams(verdict.made)) == (["camera", "microphone"], ["join"])


def test_by_number_an_item_is_waited_for_on_whichever_of_its_ways_it_comes():
    shares = {"camera": {"picture": Share(2, 0)}, "microphone": {"sound": Share(1, 0)}}
    joiner = Shape(SOUND_AND_PICTURE.inputs, shares, {}).joiner(key="seq")
    joiner.bury("picture", Tombstone(frame(0, "camera"), Reason.FILTERED, "by_night"), 1, 0.0)
    joiner.add("sound", frame(0, "microphone"), "S0", 0.0)
    assert values(joiner.take(0.0)) == []
    joiner.add("picture", frame(0, "camera"), "P0", 0.0)
    assert values(joiner.take(0.0)) == [("P0", "S0")]


@dataclass(frozen=True)
class Shot:
    """A value with a field to be joined by."""

    at: object


@pytest.mark.parametrize(
    ("key", "left", "right"),
    [
        ("at", Shot(7), Shot(7)),
        ("at", {"at": 7}, Shot(7)),
        ("at", Item(Shot(7), frame(3)), Shot(7)),
        (lambda value: value % 10, 17, 27),
        (lambda value: ("room", value), -1, -1),
    ],
    ids=["field", "key of a mapping", "field of what an Item[T] holds", "function", "a pair with a number"],
)
def test_values_meet_by_what_is_in_them(key, left, right):
    joiner = SOUND_AND_PICTURE.joiner(key=key)
    joiner.add("picture", frame(0, "camera"), left, 0.0)
    joiner.add("sound", frame(5, "microphone"), right, 0.0)
    assert values(joiner.take(0.0)) == [(left, right)]


def test_values_of_a_key_that_jumps_are_not_taken_for_old_ones():
    joiner = SOUND_AND_PICTURE.joiner(key=lambda value: ("room", value), capacity=1)
    for number in (*range(1000, 0, -7), 5000, 12):
        joiner.add("picture", frame(0, "camera"), number, 0.0)
        joiner.add("sound", frame(0, "microphone"), number, 0.0)
        assert values(joiner.take(0.0)) == [(number, number)]


def test_one_that_is_overtaken_by_thousands_is_still_waited_for():
    joiner = PAIR.joiner(capacity=4, ordered=False)
    joiner.add("frame", frame(0), "F0", 0.0)
    for seq in range(2, 10_000):
        joiner.add("frame", frame(seq), "F", 0.0)
        joiner.add("markup", frame(seq), "M", 0.0)
    assert len(joiner.take(0.0).joined) == 9_998
    joiner.add("markup", frame(0), "M0", 0.0)
    for port in ("frame", "markup"):
        joiner.add(port, frame(1), f"{port} 1", 0.0)
    assert values(joiner.take(0.0)) == [("F0", "M0"), ("frame 1", "markup 1")]


@pytest.mark.parametrize("ordered", [True, False])
def test_memory_stays_flat_over_a_hundred_thousand_frames(ordered):
    joiner = FACES.joiner(ordered=ordered)

    def run(first: int, last: int) -> int:
        for seq in range(first, last):
            header = frame(seq)
            joiner.add("frame", header, "F", 0.0)
            joiner.close("faces", header, 1, 1, 0.0)
            if seq % 7:
                joiner.add("faces", header.part(0), "f", 0.0)
            else:
                joiner.bury("faces", Tombstone(header.part(0), Reason.FILTERED, "who"), 1, 0.0)
            assert len(joiner.take(0.0).joined) == 1
        return sys.getallocatedblocks()

    early = run(0, 5_000)  # Python itself keeps the room of a few thousand tuples
    assert abs(run(5_000, 100_000) - early) < 1_000


def test_what_a_pipe_dropped_on_its_way_to_a_newest_value_changes_nothing():
    shape = shape_of([one("frame"), one("gain", latest=True)], {"frame": Share(1, 0)})
    joiner = shape.joiner()
    joiner.add("gain", Header("camera", 0, 0.0), 1.5, 0.0)
    joiner.bury("gain", Tombstone(Header("camera", 1, 0.0), Reason.DROPPED, "join.gain"), 1, 0.0)
    joiner.add("frame", Header("camera", 1, 0.0), "frame", 0.0)
    assert [("frame", 1.5)] == [joined.values for joined in joiner.take(0.0).joined]
