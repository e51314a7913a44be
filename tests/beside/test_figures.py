"""How figures become ratios, a verdict and a table."""

import pytest

from beside.figures import Column, Row, Sheet, lacks_of

RATE = Column("rate", "items a second", ",.0f")


def sheet(rows, *, more_is_better=True):
    return Sheet("W2 one", "small items", rows, [RATE], "rate", more_is_better=more_is_better)


def row(way, *rates, **more):
    return Row(way, {"rate": rates}, **more)


OURS = row("StreamPy, fused", 300.0, 330.0, 270.0)
PEER = row("pypeln, sync", 100.0, 100.0, 100.0)
SLOW = row("pypeln, threads", 10.0, 10.0, 10.0)
FLOOR = row("the floor: nested generators", 1000.0, 1100.0, 900.0)


def test_the_best_peer_is_neither_ours_nor_the_floor():
    assert PEER is sheet([OURS, FLOOR, SLOW, PEER]).best


def test_where_less_is_better_the_least_is_the_best():
    assert SLOW is sheet([OURS, FLOOR, SLOW, PEER], more_is_better=False).best


def test_a_ratio_is_the_median_of_those_of_single_rounds():
    one, other = row("StreamPy", 1.0, 10.0, 3.0), row("peer", 1.0, 2.0, 1.0)
    assert 3.0 == sheet([one, other]).ratio(one, other)


def test_each_of_our_ways_is_compared_with_the_best_peer_and_the_floor():
    found = sheet([OURS, PEER, FLOOR]).ratios
    assert {"StreamPy, fused": {"best": 3.0, "floor": pytest.approx(0.3)}} == found


def test_without_a_floor_there_is_no_ratio_to_it():
    assert {"StreamPy, fused": {"best": 3.0}} == sheet([OURS, PEER]).ratios


def test_who_has_no_figures_is_compared_with_nobody_and_the_reason_is_told():
    table = sheet([OURS, PEER, Row("dora, nodes", why="it is not there")]).table({})
    assert ["dora, nodes", "-", "-", "-"] == table.rows[-1]
    assert "dora, nodes: - because it is not there." in table.note


def test_where_a_peer_is_ahead_the_verdict_says_so_and_what_it_leaves_out():
    ahead = row("pipeline-lib, coroutine", 600.0, 660.0, 540.0, leaves_out="all but calls")
    expected = "**pipeline-lib, coroutine is ahead of StreamPy** 2 times; it leaves out all but calls."
    assert expected == sheet([OURS, ahead]).verdict({})


def test_what_the_works_have_shown_of_it_is_told_too():
    ahead = row("pypeln", 600.0, 660.0, 540.0)
    expected = "**pypeln is ahead of StreamPy** 2 times; it lacks order, a bound."
    assert expected == sheet([OURS, ahead]).verdict({"pypeln": ["order", "a bound"]})


def test_a_reason_that_is_not_known_is_not_made_up():
    ahead = row("somebody", 600.0, 660.0, 540.0)
    assert sheet([OURS, ahead]).verdict({}).endswith("; why is not known here.")


def test_where_we_are_ahead_the_verdict_says_by_how_much():
    expected = "StreamPy, fused is ahead of the best peer, pypeln, sync, 3 times."
    assert expected == sheet([OURS, PEER]).verdict({})


def test_what_is_nearly_the_same_is_level():
    near = row("near", 301.0, 331.0, 271.0)
    assert "StreamPy, fused and near are level." == sheet([OURS, near]).verdict({})


def test_what_one_work_has_shown_to_be_missing_stands_in_the_tables_of_all_works():
    overload = Sheet("W5 one", "a slow sink", [Row("pypeln, sync", lacks=("a bound",)), Row("StreamPy, fused")])
    speed = sheet([OURS, PEER])
    table = speed.table(lacks_of([overload, speed]))
    assert "lacks" == table.head[-1]
    assert ["-", "a bound"] == [cells[-1] for cells in table.rows]


def test_a_way_lacks_the_same_thing_once():
    twice = [Sheet(name, "", [Row("pypeln", lacks=("order", "a bound"))]) for name in ("W4", "W5")]
    assert {"pypeln": ["order", "a bound"]} == lacks_of(twice)


def test_a_table_has_a_cell_for_each_head():
    words = Sheet("W6 one", "trouble", [Row("pypeln", words={"Ctrl-C": "hangs"})], words=["a unit raises", "Ctrl-C"])
    table = words.table({})
    assert ["pypeln", "-", "hangs"] == table.rows[0]
    assert {len(table.head)} == {len(cells) for cells in table.rows}
