"""What follows from the shape of a graph: who is fused, what meets where, who waits for whom, and what can't be."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from streampy.errors import ProcessError
from streampy.model.check import make_plan
from streampy.model.item import Batch, Item, Latest
from streampy.model.outputs import Outputs
from streampy.model.plan import Mourner, Plan, Share
from streampy.model.process import Process


class Ways(Outputs):
    """Two outputs."""

    left: int
    right: int


class Found(Outputs):
    """One output as it is, two that fan out."""

    whole: int
    crops: Iterator[int]
    texts: Iterator[int]


def camera() -> Iterator[int]: ...
def same(x: int) -> int: ...
def item(x: Item[int]) -> int: ...
def batch(x: Batch[int]) -> Batch[int]: ...
def split(x: int) -> Ways: ...
def cut(x: int) -> Iterator[int]: ...
def cut_twice(x: int) -> Iterator[Ways]: ...
def find(x: int) -> Found: ...
def stream(x: Iterator[int]) -> Iterator[int]: ...
def collect(x: list[int]) -> int: ...
def meet(x: int, y: int) -> int: ...
def meet_maybe(x: int, y: int | None) -> int: ...
def gather(x: int, y: list[int]) -> int: ...
def gather_both(x: list[int], y: list[int]) -> int: ...
def steer(x: int, gain: Latest[int]) -> int: ...
def only_latest(x: Latest[int], y: Latest[int]) -> int: ...
def list_of(x: int) -> list[int]: ...
def take_list(x: list[int]) -> int: ...
def sink(x: int) -> None: ...


async def later(x: int) -> int: ...
async def cut_later(x: int) -> AsyncIterator[int]:
    yield x


def graph(*units: tuple, **options: dict) -> Process:
    """Units, each (name, use, from); the first is `camera`; `options` by name of the unit."""
    process = Process("p").add("camera", camera)
    for name, use, from_ in units:
        process.add(name, use, from_=from_, **options.get(name, {}))
    return process


def plan(*units: tuple, **options: dict) -> Plan:
    return make_plan(graph(*units, **options))


def problems(*units: tuple, **options: dict) -> list[tuple[str, str]]:
    with pytest.raises(ProcessError) as refused:
        make_plan(graph(*units, **options))
    return [(problem.path, problem.message) for problem in refused.value.problems]


CHAIN = (("a", same, "camera"), ("b", same, "a"))


def test_units_in_a_row_are_fused_with_the_first_of_them():
    assert plan(*CHAIN, ("c", sink, "b")).chains == (("camera", "a", "b", "c"),)


NOT_FUSED = [
    ("a source", "camera", CHAIN, {}),
    ("fed by hand", "hand", (("hand", same, None),), {}),
    ("joins 2 inputs", "meet", (*CHAIN, ("meet", meet, {"x": "camera", "y": "b"})), {}),
    ("gathers parts", "collect", (("cut", cut, "camera"), ("collect", collect, "cut")), {}),
    ("2 links meet in its pipe", "c", (*CHAIN, ("c", same, ["a", "b"])), {}),
    ("its pipe is configured", "b", CHAIN, {"b": {"pipe": {"capacity": 64}}}),
    ("has 2 workers", "b", CHAIN, {"b": {"workers": 2}}),
    ("a has 2 workers", "b", CHAIN, {"a": {"workers": 2}}),
    ("runs in the event loop", "b", (("a", same, "camera"), ("b", later, "a")), {}),
    ("a runs in the event loop", "b", (("a", later, "camera"), ("b", same, "a")), {}),
    ("takes the whole stream", "b", (("a", same, "camera"), ("b", stream, "a")), {}),
    ("a has several links away", "b", (*CHAIN, ("c", same, "a")), {}),
    ("split has several outputs", "b", (("split", split, "camera"), ("b", same, "split.left")), {}),
    (
        "lies in a cycle",
        "b",
        (("a", steer, {"x": "camera", "gain": "b"}), ("b", same, "a")),
        {"a": {"pipe": {"gain": {"overflow": "latest"}}}},
    ),
    ("has a timeout of its own", "b", CHAIN, {"b": {"timeout": 2.0}}),
]


@pytest.mark.parametrize(("reason", "unit", "units", "options"), NOT_FUSED, ids=[row[0] for row in NOT_FUSED])
def test_a_unit_that_is_not_fused_says_why(reason, unit, units, options):
    one = plan(*units, **options)
    assert one.units[unit].not_fused == reason
    assert unit in [chain[0] for chain in one.chains]


@pytest.mark.parametrize("use", [same, item, batch, cut, split, sink, list_of], ids=lambda use: use.__name__)
def test_whatever_a_unit_is_given_and_gives_it_is_fused(use):
    assert plan(("a", use, "camera")).chains == (("camera", "a"),)


def test_units_of_one_pool_are_not_fused_with_each_other():
    one = plan(*CHAIN, a={"workers": 2}, b={"workers": 2})
    assert one.chains == (("camera",), ("a",), ("b",))


def test_every_unit_stands_after_those_that_feed_it_else_as_written():
    process = Process("p").add("c", meet, from_={"x": "a", "y": "b"}).add("b", same, from_="a")
    process.add("a", same, from_="camera").add("camera", camera).add("other", camera)
    assert list(make_plan(process).units) == ["camera", "a", "b", "c", "other"]


def test_links_lead_from_outputs_to_inputs():
    one = plan(("split", split, "camera"), ("meet", meet, {"x": "split.left", "y": "split.right"}))
    assert list(map(str, one.links)) == [
        "camera.out -> split.x",
        "split.left -> meet.x",
        "split.right -> meet.y",
    ]
    assert one.units["meet"].open_outputs == ("out",)
    assert one.units["split"].open_outputs == ()


CIRCLE = (("a", steer, {"x": "camera", "gain": "b"}), ("b", same, "a"))
DROPS = {"a": {"pipe": {"gain": {"overflow": "latest"}}}}


def test_the_link_that_closes_a_cycle_is_the_feedback():
    one = plan(*CIRCLE, **DROPS)
    assert [str(link) for link in one.links if link.feedback] == ["b.out -> a.gain"]
    assert one.loops == (frozenset({"a", "b"}),)


def test_a_unit_may_feed_itself():
    one = plan(("a", same, ["camera", "a"]), a={"pipe": {"overflow": "drop_oldest"}})
    assert [str(link) for link in one.links if link.feedback] == ["a.out -> a.x"]
    assert one.loops == (frozenset({"a"}),)


def test_a_cycle_that_no_source_feeds_is_found_too():
    process = Process("p").add("a", same, from_="b", pipe={"overflow": "latest"}).add("b", same, from_="a")
    assert make_plan(process).loops == (frozenset({"a", "b"}),)


def test_a_graph_without_a_cycle_has_no_loops_and_no_feedback():
    one = plan(*CHAIN, ("meet", meet, {"x": "a", "y": "b"}))
    assert one.loops == ()
    assert not any(link.feedback for link in one.links)


def test_a_cycle_in_which_no_pipe_drops_could_deadlock():
    ((path, message),) = problems(*CIRCLE)
    assert path == "units.a.from"
    assert message.startswith("the cycle a -> b -> a could deadlock: each of its pipes waits when it is full")


def test_one_pipe_that_drops_is_enough_for_its_cycle_but_not_for_another_through_the_same_unit():
    two = (("a", same, ["camera", "b", "c"]), ("b", same, "a"), ("c", same, "a"))
    ((path, message),) = problems(*two, b={"pipe": {"overflow": "latest"}})
    assert path == "units.a.from"
    assert "the cycle a -> c -> a could deadlock" in message
    assert plan(*two, a={"pipe": {"overflow": "latest"}}).loops == (frozenset({"a", "b", "c"}),)


def test_an_input_that_is_joined_item_by_item_can_not_come_back_in_a_cycle():
    told = problems(("a", meet, {"x": "camera", "y": "b"}), ("b", same, "a"), a={"pipe": {"overflow": "latest"}})
    assert told == [
        (
            "units.a.from.y",
            (
                "b.out comes back to 'y' in a cycle, and can't be joined item by item: "
                "annotate it Latest[...] to be given the newest value"
            ),
        )
    ]


def shares(one: Plan, unit: str, stream: str = "camera") -> dict[str, tuple[int, int]]:
    """(ways, levels) of each input."""
    return {name: (share.ways, share.levels) for name, share in one.units[unit].join.shares[stream].items()}


JOINS = [
    (
        "meet at the item",
        (("a", same, "camera"), ("j", meet, {"x": "camera", "y": "a"})),
        0,
        {"x": (1, 0), "y": (1, 0)},
    ),
    (
        "item and its parts",
        (("c", cut, "camera"), ("j", gather, {"x": "camera", "y": "c"})),
        0,
        {"x": (1, 0), "y": (1, 1)},
    ),
    (
        "two fan-outs deep",
        (("c", cut, "camera"), ("d", cut, "c"), ("j", gather, {"x": "camera", "y": "d"})),
        0,
        {"x": (1, 0), "y": (1, 2)},
    ),
    (
        "meet at the part",
        (("c", cut, "camera"), ("a", same, "c"), ("j", meet, {"x": "c", "y": "a"})),
        1,
        {"x": (1, 0), "y": (1, 0)},
    ),
    (
        "part and its parts",
        (("c", cut, "camera"), ("d", cut, "c"), ("j", gather, {"x": "c", "y": "d"})),
        1,
        {"x": (1, 0), "y": (1, 1)},
    ),
    ("gathered alone", (("c", cut, "camera"), ("j", collect, "c")), 0, {"x": (1, 1)}),
    ("gathered alone, two deep", (("c", cut, "camera"), ("d", cut, "c"), ("j", collect, "d")), 1, {"x": (1, 1)}),
    (
        "gathered twice",
        (("c", cut, "camera"), ("d", cut, "c"), ("e", collect, "d"), ("j", gather, {"x": "camera", "y": "e"})),
        0,
        {"x": (1, 0), "y": (1, 1)},
    ),
    (
        "outputs of one part meet at the part",
        (("c", cut_twice, "camera"), ("j", meet, {"x": "c.left", "y": "c.right"})),
        1,
        {"x": (1, 0), "y": (1, 0)},
    ),
    (
        "all parts of two outputs",
        (("c", cut_twice, "camera"), ("j", gather_both, {"x": "c.left", "y": "c.right"})),
        0,
        {"x": (1, 1), "y": (1, 1)},
    ),
    (
        "two fan-outs of one unit have only the item in common",
        (("f", find, "camera"), ("j", gather_both, {"x": "f.crops", "y": "f.texts"})),
        0,
        {"x": (1, 1), "y": (1, 1)},
    ),
    (
        "two ways to one input",
        (("s", split, "camera"), ("j", meet, {"x": "camera", "y": ["s.left", "s.right"]})),
        0,
        {"x": (1, 0), "y": (2, 0)},
    ),
    (
        "two ways to a fan-out count until there",
        (
            ("s", split, "camera"),
            ("c", cut, ["s.left", "s.right"]),
            ("a", same, "c"),
            ("j", meet, {"x": "c", "y": "a"}),
        ),
        1,
        {"x": (1, 0), "y": (1, 0)},
    ),
    (
        "two ways before a fan-out and two behind",
        (
            ("s", split, "camera"),
            ("c", cut, ["s.left", "s.right"]),
            ("a", same, "c"),
            ("j", gather, {"x": "camera", "y": ["c", "a"]}),
        ),
        0,
        {"x": (1, 0), "y": (4, 1)},
    ),
    (
        "the newest value takes no part",
        (("a", same, "camera"), ("j", steer, {"x": "camera", "gain": "a"})),
        0,
        {"x": (1, 0)},
    ),
    (
        "a stream's yields are parts",
        (("t", stream, "camera"), ("j", gather, {"x": "camera", "y": "t"})),
        0,
        {"x": (1, 0), "y": (1, 1)},
    ),
]


@pytest.mark.parametrize(("units", "depth", "expected"), [row[1:] for row in JOINS], ids=[row[0] for row in JOINS])
def test_items_meet_at_their_common_ancestor(units, depth, expected):
    one = plan(*units)
    assert one.units["j"].join.depths == {"camera": depth}
    assert shares(one, "j") == expected


@pytest.mark.parametrize(
    ("use", "from_"),
    [
        (same, "camera"),
        (same, ["camera", "a"]),
        (take_list, "l"),
        (stream, "camera"),
    ],
    ids=["one input", "several links to it", "a list that somebody made", "the whole stream"],
)
def test_a_unit_to_which_everything_comes_by_itself_joins_nothing(use, from_):
    assert plan(("a", same, "camera"), ("l", list_of, "camera"), ("j", use, from_)).units["j"].join is None


def test_a_list_that_somebody_made_is_given_as_it_is_beside_parts_that_are_gathered():
    one = plan(("l", list_of, "camera"), ("c", cut, "camera"), ("j", gather_both, {"x": "l", "y": "c"}))
    assert one.units["j"].join.gathers == frozenset({"y"})


def test_each_stream_has_shares_of_its_own():
    process = graph(("a", same, ["camera", "other"]), ("j", meet_maybe, {"x": ["camera", "other"], "y": "a"}))
    process.add("other", camera).add("third", camera)
    process.add("k", meet_maybe, from_={"x": ["camera", "third"], "y": "a"}, join={"key": "seq"})
    one = make_plan(process)
    assert shares(one, "j", "camera") == shares(one, "j", "other") == {"x": (1, 0), "y": (1, 0)}
    assert shares(one, "k", "third") == {"x": (1, 0)}
    assert one.depths["k", "out"] == {"k": Share(1, 0)}


def test_several_inputs_that_are_fed_by_hand_meet_as_parts_of_one_item():
    one = make_plan(Process("p").add("j", meet))
    assert shares(one, "j", "j") == {"x": (1, 0), "y": (1, 0)}


def test_a_join_has_room_for_all_that_can_be_on_its_way_to_it():
    one = plan(
        ("a", same, "camera"),
        ("b", same, "a"),
        ("j", meet, {"x": "camera", "y": "b"}),
        a={"workers": 3, "pipe": {"capacity": 100, "batch": 10}},
        b={"pipe": {"capacity": 7}},
        j={"pipe": {"capacity": 5}},
    )
    assert one.units["j"].join.settings.capacity == 16 + 2 * (100 + 3 * 10) + 2 * (7 + 1) + 2 * 2 * (5 + 1)


def test_a_join_has_the_room_that_it_is_given():
    one = plan(("a", same, "camera"), ("j", meet, {"x": "camera", "y": "a"}), j={"join": {"capacity": 3}})
    assert one.units["j"].join.settings.capacity == 3


JOIN_PROBLEMS = [
    (
        (("o", camera, None), ("j", meet, {"x": "camera", "y": "o"})),
        {},
        "units.j.from.y",
        (
            "'y' gets nothing from 'camera', which feeds 'x': they have no common ancestor to be joined by; "
            "set `join: {key: seq}` (the n-th with the n-th) or the name of a field, or annotate 'y' as `| None`"
        ),
    ),
    (
        (("c", cut, "camera"), ("j", meet, {"x": "camera", "y": "c"})),
        {},
        "units.j.from.y",
        "'y' gets the parts of a fan-out, any number for each item: annotate it list[...] to be given them all",
    ),
    (
        (("c", cut, "camera"), ("j", meet, {"x": "camera", "y": ["camera", "c"]})),
        {},
        "units.j.from.y",
        "items reach 'y' on several ways with different fan-outs, so they can't be joined",
    ),
    (
        (("f", find, "camera"), ("j", meet, {"x": "f.crops", "y": "f.texts"})),
        {},
        "units.j.from.x",
        "'x' gets the parts of a fan-out, any number for each item: annotate it list[...] to be given them all",
    ),
    (
        (("j", only_latest, {"x": "camera", "y": "camera"}),),
        {},
        "units.j.from",
        "all its inputs are Latest[...]: one must say when to work",
    ),
    (
        (("c", cut, "camera"), ("j", gather, {"x": "camera", "y": "c"})),
        {"j": {"join": {"key": "number"}}},
        "units.j.join.key",
        "y: parts are gathered by their common ancestor only, not by the key 'number'",
    ),
    (
        (("c", cut, "camera"), ("j", meet, {"x": "camera", "y": "c"})),
        {"j": {"join": {"key": "seq"}}},
        "units.j.join.key",
        "'y' gets the parts of a fan-out, which have no number of their own: join by a field",
    ),
    (
        (("a", same, "camera"), ("j", meet, {"x": "camera", "y": "a"})),
        {"j": {"join": {"late": "never"}}},
        "units.j.join.late",
        "got 'never', expected partial, drop or error",
    ),
]


@pytest.mark.parametrize(
    ("units", "options", "path", "message"), JOIN_PROBLEMS, ids=[row[3][:40] for row in JOIN_PROBLEMS]
)
def test_what_can_not_be_joined_is_told_before_the_start(units, options, path, message):
    assert (path, message) in problems(*units, **options)


@pytest.mark.parametrize(
    "join", [{"key": "seq"}, {"key": "number"}, {"key": abs}], ids=["by number", "by field", "by function"]
)
def test_streams_without_a_common_ancestor_are_joined_by_a_key_and_become_a_stream_of_the_unit(join):
    one = plan(("o", camera, None), ("j", meet, {"x": "camera", "y": "o"}), j={"join": join})
    assert one.depths["j", "out"] == {"j": Share(1, 0)}


def mourners(one: Plan, output: tuple[str, str]) -> set[tuple[str, str, int]]:
    return {(mourner.unit, mourner.input, mourner.ways) for mourner in one.mourners[output]}


MEETING = (("a", same, "camera"), ("b", same, "a"), ("j", meet, {"x": "camera", "y": "b"}))
OF_PARTS = (
    ("c", cut, "camera"),
    ("a", same, "c"),
    ("j", meet, {"x": "c", "y": "a"}),
    ("g", gather, {"x": "camera", "y": "j"}),
)
NESTED = (
    ("c", cut, "camera"),
    ("d", cut, "c"),
    ("e", collect, "d"),
    ("g", gather, {"x": "camera", "y": "e"}),
)
MOURNERS = [
    ("of one that is filtered, the join behind", MEETING, ("a", "out"), {("j", "y", 1)}),
    ("of one that nobody sent, every input of the join", MEETING, ("camera", "out"), {("j", "x", 1), ("j", "y", 1)}),
    ("behind a join, an open output", MEETING, ("j", "out"), {("j", ">out", 1)}),
    (
        "on several ways, as often as there are ways",
        (("a", same, "camera"), ("b", same, ["camera", "a"]), ("j", meet, {"x": "camera", "y": ["a", "b"]})),
        ("camera", "out"),
        {("j", "x", 1), ("j", "y", 3)},
    ),
    (
        "each output its own",
        (("s", split, "camera"), ("j", meet, {"x": "s.left", "y": "s.right"})),
        ("s", "left"),
        {("j", "x", 1)},
    ),
    (
        "nobody who is given the newest value",
        (("a", same, "camera"), ("j", steer, {"x": "camera", "gain": "a"})),
        ("a", "out"),
        set(),
    ),
    ("nobody behind a sink", (("s", sink, "camera"),), ("camera", "out"), set()),
    (
        "of an item, those behind the join of its parts",
        OF_PARTS,
        ("c", "out"),
        {("j", "x", 1), ("j", "y", 1), ("g", "y", 1)},
    ),
    (
        "of an item before its fan-out, those behind the join of its parts",
        OF_PARTS,
        ("camera", "out"),
        {("j", "x", 1), ("j", "y", 1), ("g", "x", 1), ("g", "y", 1)},
    ),
    ("of a part, the join of the parts alone", OF_PARTS, ("a", "out"), {("j", "y", 1)}),
    (
        "of an item, those behind where its parts' parts are gathered",
        NESTED,
        ("c", "out"),
        {("e", "x", 1), ("g", "y", 1)},
    ),
    ("of a part, where its parts are gathered", NESTED, ("d", "out"), {("e", "x", 1)}),
    ("of gathered parts, who gathers them again", NESTED, ("e", "out"), {("g", "y", 1)}),
]


@pytest.mark.parametrize(
    ("units", "output", "expected"), [row[1:] for row in MOURNERS], ids=[row[0] for row in MOURNERS]
)
def test_who_is_told_of_an_item_that_ended(units, output, expected):
    assert mourners(plan(*units), output) == expected


def test_nobody_is_told_over_a_link_that_closes_a_cycle():
    one = plan(("a", same, ["camera", "b"]), ("b", same, "a"), a={"pipe": {"overflow": "latest"}})
    assert mourners(one, ("b", "out")) == set()


def test_of_a_part_that_was_left_out_only_the_join_of_the_parts_is_told():
    one = plan(
        ("c", cut_twice, "camera"),
        ("j", meet, {"x": "c.left", "y": "c.right"}),
        ("g", gather, {"x": "camera", "y": "j"}),
    )
    assert one.part_mourners["c", "left"] == (Mourner("j", "x", 1),)
    assert mourners(one, ("c", "left")) | mourners(one, ("c", "right")) == {("j", "x", 1), ("j", "y", 1), ("g", "y", 1)}


def test_an_answer_is_known_to_be_whole_where_all_its_ways_have_the_same_fan_outs():
    one = plan(("c", cut, "camera"), ("a", same, "c"), ("mixed", same, ["camera", "c"]))
    assert one.depths["a", "out"] == {"camera": Share(1, 1)}
    assert one.depths["mixed", "out"] == {}
