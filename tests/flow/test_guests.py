"""What came from elsewhere is answered once, when all of its family that is here has ended."""

from __future__ import annotations

from streampy.flow.families import family
from streampy.flow.guests import Guests
from streampy.model.item import Header

FRAME = Header("camera@edge", 5, 0.0)
FACE = FRAME.part(0)
OWN = Header("clock", 0, 0.0)


def test_items_of_a_family_are_answered_together_with_what_became_of_them():
    guests: Guests[str, str] = Guests()
    guests.came("edge", 1, FRAME, ["edge"])
    guests.came("edge", 2, FACE, ["edge"])
    assert guests.tell(FACE, "a result")
    assert guests.tell(FRAME, "another one")
    visit = guests.ended(family(FRAME))
    assert visit is not None
    assert visit.items == {"edge": {1: FRAME, 2: FACE}}
    assert (visit.told, visit.others) == (["a result", "another one"], {})
    assert guests.ended(family(FRAME)) is None


def test_where_two_neighbours_sent_of_a_family_the_first_is_told_what_became_of_it():
    guests: Guests[str, str] = Guests()
    guests.came("edge", 1, FRAME, ["edge"])
    guests.came("core", 7, FACE, ["edge", "core"])
    visit = guests.ended(family(FRAME))
    assert visit is not None
    assert list(visit.items) == ["edge", "core"]
    assert visit.others == {"core": {7: FACE}}
    assert visit.path == ["edge"]


def test_what_is_of_this_segment_is_told_to_nobody():
    guests: Guests[str, str] = Guests()
    assert guests.visit_of(OWN) is None
    assert not guests.tell(OWN, "a result")
    assert guests.ended(family(OWN)) is None


def test_an_item_that_comes_again_is_known_until_its_answer_was_confirmed():
    guests: Guests[str, str] = Guests()
    guests.came("edge", 1, FRAME, ["edge"])
    working = guests.find("edge", 1)
    assert working is not None
    assert not working.is_over
    guests.ended(family(FRAME))
    assert guests.find("edge", 1) is working
    assert working.is_over
    guests.confirmed("edge", [1, 99])
    assert guests.find("edge", 1) is None
    assert guests.find("another", 1) is None


def test_a_part_that_comes_after_the_answer_is_a_visit_of_its_own():
    guests: Guests[str, str] = Guests()
    guests.came("edge", 1, FRAME, ["edge"])
    guests.ended(family(FRAME))
    guests.came("edge", 2, FACE, ["edge"])
    assert len(guests) == 1
    visit = guests.ended(family(FRAME))
    assert visit is not None
    assert visit.items == {"edge": {2: FACE}}


def test_nobody_asks_again_who_has_gone():
    guests: Guests[str, str] = Guests()
    guests.came("edge", 1, FRAME, ["edge"])
    guests.gone("edge")
    assert guests.find("edge", 1) is None
    assert guests.ended(family(FRAME)) is not None
