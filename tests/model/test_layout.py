"""Drawings: every unit has its place, senders stand before receivers, and nothing covers anything."""

from collections.abc import Iterator
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

import streampy as sp
from streampy.model.check import make_plan
from streampy.model.layout import lay_out

GAP = 10.0


def source() -> Iterator[int]:
    yield 1


def one(value: int) -> int:
    return value


def two(left: int, right: int) -> int:
    return left + right


class Halves(sp.Outputs):
    low: int
    high: int


def halves(value: int) -> Halves:
    return Halves(low=value, high=value)


@st.composite
def plans(draw):
    process = sp.Process("any").add("u0", source)
    for number in range(1, draw(st.integers(1, 14))):
        earlier = st.integers(0, number - 1).map("u{}".format)
        if draw(st.booleans()):
            process.add(f"u{number}", one, from_=draw(earlier))
        else:
            process.add(f"u{number}", two, from_={"left": draw(earlier), "right": draw(earlier)})
    return make_plan(process)


@settings(deadline=None)
@given(plans(), st.data())
def test_layers_follow_the_links_and_nothing_overlaps(plan, data):
    sizes = {name: data.draw(st.floats(1.0, 90.0)) for name in plan.units}

    layout = lay_out(plan, sizes, GAP)

    layer_of = {name: number for number, layer in enumerate(layout.layers) for name in layer}
    assert layer_of.keys() == plan.units.keys()
    for link in plan.links:
        between = range(layer_of[link.sender] + 1, layer_of[link.receiver])
        assert [layer for layer, _ in layout.bends[link]] == list(between)
    for layer in layout.layers:
        for upper, lower in pairwise(layer):
            middle = (sizes[upper] + sizes[lower]) / 2
            assert layout.heights[lower] - layout.heights[upper] >= middle + GAP - 1e-6
    assert min(layout.heights[name] - sizes[name] / 2 for name in plan.units) >= -1e-6
    assert max(layout.heights[name] + sizes[name] / 2 for name in plan.units) <= layout.bottom + 1e-6


@st.composite
def nested(draw, senders, depth):
    """A process of units side by side, some of them such processes, and which sender feeds each."""
    process, from_ = sp.Process("any"), {}
    for name in [f"u{number}" for number in range(draw(st.integers(1, 3)))]:
        inner, links = draw(nested(senders, depth - 1)) if depth and draw(st.booleans()) else (one, None)
        process.add(name, inner)
        if links is None:
            from_[name] = draw(senders)
        elif len(links) == 1:
            from_[name] = next(iter(links.values()))
        else:
            from_ |= {f"{name}.{port}": sender for port, sender in links.items()}
    return process, from_


@settings(deadline=None)
@given(st.data())
def test_units_of_a_used_process_stand_together_in_each_layer(data):
    senders = [f"s{number}" for number in range(5)]
    process = sp.Process("all")
    for name in senders:
        process.add(name, source).add(f"after-{name}", one, from_=name)
    for number in range(data.draw(st.integers(1, 3))):
        inner, from_ = data.draw(nested(st.sampled_from(senders), depth=2))
        process.add(f"p{number}", inner, from_=from_)
    plan = make_plan(process)

    layout = lay_out(plan, dict.fromkeys(plan.units, 20.0), GAP)

    for group in plan.groups:
        for layer in layout.layers:
            inside = [False, *(name.startswith(f"{group}/") for name in layer), False]
            assert sum(before != after for before, after in pairwise(inside)) <= 2


def test_links_do_not_cross_where_they_need_not():
    process = sp.Process("p").add("tick", source).add("camera", source).add("halves", halves, from_="camera")
    process.add("low", one, from_="halves.low").add("high", one, from_=["halves.high", "tick"])

    layout = lay_out(make_plan(process), dict.fromkeys(process.units, 20.0), GAP)

    assert layout.layers[1:] == (("halves", "tick"), ("low", "high"))


def test_chain_is_straight():
    process = sp.Process("p").add("a", source).add("b", one, from_="a").add("c", one, from_="b")

    layout = lay_out(make_plan(process), {"a": 40.0, "b": 90.0, "c": 20.0}, GAP)

    assert set(layout.heights.values()) == {45.0}
    assert layout.bottom == 90.0


def test_closing_link_does_not_make_a_layer():
    def track(value: int, state: sp.Latest[int]) -> int:
        return value

    process = sp.Process("p").add("a", source).add("b", track, from_={"value": "a", "state": "c"})
    process.add("c", one, from_="b", pipe={"overflow": "latest"})

    layout = lay_out(make_plan(process), dict.fromkeys(process.units, 20.0), GAP)

    assert layout.layers == (("a",), ("b",), ("c",))
