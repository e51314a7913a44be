"""Whether StreamPy still stands to its peers as it did in a run that was kept."""

from beside.guard import changes

KEPT = {"W1 one": {"StreamPy, fused": {"best": 1.0, "floor": 1.2}}}


def ratios(best, floor=1.2):
    return {"W1 one": {"StreamPy, fused": {"best": best, "floor": floor}}}


def test_a_change_within_the_limit_is_not_told():
    assert [] == changes(KEPT, ratios(1.14))
    assert [] == changes(KEPT, ratios(0.86))


def test_a_larger_change_is_told_in_either_direction():
    assert ["W1 one: StreamPy, fused to the best peer: 1 before, 1.2 now (+20%)"] == changes(KEPT, ratios(1.2))
    assert ["W1 one: StreamPy, fused to the best peer: 1 before, 0.8 now (-20%)"] == changes(KEPT, ratios(0.8))


def test_each_ratio_is_looked_at_by_itself():
    assert 2 == len(changes(KEPT, ratios(2.0, 3.0)))


def test_a_ratio_that_is_there_no_more_is_told():
    assert ["W1 one: StreamPy, fused to the floor: 1.2 before, nothing now"] == changes(
        KEPT, {"W1 one": {"StreamPy, fused": {"best": 1.0}}}
    )


def test_a_work_that_was_not_measured_is_not_missed():
    assert [] == changes(KEPT, {})
