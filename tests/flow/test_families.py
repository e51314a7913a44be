"""A family has ended when nothing that became of its item is on its way any more."""

from hypothesis import given
from hypothesis import strategies as st

from streampy.flow.families import Families
from streampy.model.item import Header

ENDS = ["delivered", "filtered", "dropped", "failed", "expired", "joined"]


def header(seq: int, *path: int) -> Header:
    return Header("camera", seq, 0.0, path)


def test_a_family_ends_with_the_last_of_its_parts():
    families = Families()
    families.count("born", header(1))
    families.count("split", header(1), 2)
    ended = [families.count("delivered", header(1, part)) for part in range(3)]
    assert [False, False, True] == ended


def test_a_family_lasts_while_a_unit_still_makes_parts_of_it():
    families = Families()
    families.count("born", header(1))
    families.count("held", header(1))
    assert not families.count("delivered", header(1, 0))
    families.count("split", header(1), 1)
    assert not families.count("let go", header(1))
    assert families.count("filtered", header(1, 1))


def test_a_family_lasts_while_parts_end_that_were_not_counted_yet():
    families = Families()
    families.count("born", header(1))
    families.count("held", header(1))
    ended = [families.count("delivered", header(1, part)) for part in range(3)]
    assert not families.count("split", header(1), 2)
    assert [False, False, False] == ended
    assert families.count("let go", header(1))
    assert len(families) == 0


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4)), max_size=20),
    st.randoms(use_true_random=False),
    st.sampled_from(ENDS),
)
def test_every_family_ends_once_and_nothing_is_kept_of_it(splits, random, end):
    families = Families()
    alive = {}
    for seq in range(4):
        families.count("born", header(seq))
        alive[seq] = 1
    for seq, count in splits:
        families.count("split", header(seq), count)
        alive[seq] += count
    ends = [seq for seq, count in alive.items() for _ in range(count)]
    random.shuffle(ends)
    ended = [seq for seq in ends if families.count(end, header(seq))]
    assert [0, 1, 2, 3] == sorted(ended)
    assert len(families) == 0
