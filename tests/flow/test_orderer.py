"""Results leave in the order in which their tickets were drawn, whatever the order in which they come."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streampy.flow.orderer import Orderer


@given(order=st.integers(0, 12).flatmap(lambda count: st.permutations(range(count))))
def test_any_permutation_of_tickets_comes_out_in_order(order):
    orderer: Orderer[str] = Orderer()
    assert [orderer.draw() for _ in order] == sorted(order)
    left: list[str] = []
    for number, ticket in enumerate(order, 1):
        orderer.hold(ticket, f"result {ticket}")
        while (result := orderer.pop()) is not None:
            left.append(result)
        assert orderer.held == number - len(left)
        assert orderer.outstanding == len(order) - len(left)
    assert left == [f"result {ticket}" for ticket in sorted(order)]


@given(data=st.data())
def test_tickets_may_be_drawn_while_others_are_out(data):
    orderer: Orderer[int] = Orderer()
    out: list[int] = []
    left: list[int] = []
    for _ in range(data.draw(st.integers(0, 20))):
        if out and data.draw(st.booleans()):
            ticket = out.pop(data.draw(st.integers(0, len(out) - 1)))
            orderer.hold(ticket, ticket)
        else:
            out.append(orderer.draw())
        while orderer.has_next:
            left.append(orderer.pop())
        assert orderer.outstanding == len(out) + orderer.held
    assert left == list(range(len(left)))


def test_nothing_leaves_before_the_one_that_is_next():
    orderer: Orderer[str] = Orderer()
    first, second = orderer.draw(), orderer.draw()
    orderer.hold(second, "second")
    assert (orderer.has_next, orderer.pop(), orderer.held, orderer.outstanding) == (False, None, 1, 2)
    orderer.hold(first, "first")
    assert [orderer.pop(), orderer.pop(), orderer.pop()] == ["first", "second", None]
    assert (orderer.held, orderer.outstanding) == (0, 0)


@pytest.mark.parametrize("ticket", [-1, 0, 1, 2, 3], ids=["never drawn", "left", "held", "held too", "to be drawn"])
def test_a_ticket_that_is_not_out_is_refused(ticket):
    orderer: Orderer[str] = Orderer()
    for _ in range(3):
        orderer.draw()
    for held in (0, 1, 2):
        orderer.hold(held, "result")
    orderer.pop()
    with pytest.raises(ValueError, match=rf"ticket {ticket} is not out \(next to leave 1, drawn 3\)"):
        orderer.hold(ticket, "again")
