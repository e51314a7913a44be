"""An array that a unit passes on as it came goes on as it came; whatever else it gives is sealed anew."""

from __future__ import annotations

import numpy as np
import pytest

from streampy.memory.sealed import Sealed
from streampy.run.places.passing import Passing

SEALED = Sealed(b"as it came")


def array() -> np.ndarray:
    """As one that came in a block: read-only."""
    return np.frombuffer(bytes(24), np.uint8).reshape(4, 6)


@pytest.fixture
def passing() -> Passing:
    return Passing()


def test_the_very_array_that_came_goes_on_as_it_came(passing):
    came = array()
    passing.keep(came, SEALED)

    assert SEALED is passing.find(came)


def test_only_what_came_last_is_known(passing):
    first, last = array(), array()
    passing.keep(first, Sealed(b"before"))
    passing.keep(last, SEALED)

    assert [None, SEALED] == [passing.find(first), passing.find(last)]


@pytest.mark.parametrize("change", [lambda one: one[::2], lambda one: one.copy(), lambda one: one.T, lambda _: None])
def test_what_was_made_of_it_is_something_else(passing, change):
    came = array()
    passing.keep(came, SEALED)

    assert passing.find(change(came)) is None


def test_an_array_that_was_given_another_shape_in_place_is_something_else(passing):
    came = array()
    passing.keep(came, SEALED)
    came.shape = (6, 4)

    assert passing.find(came) is None


@pytest.mark.parametrize("value", [np.zeros(3), [1], {"a": 1}, "text"])
def test_what_a_unit_may_have_written_to_is_not_known(passing, value):
    passing.keep(value, SEALED)

    assert passing.find(value) is None


def test_what_is_done_is_forgotten(passing):
    came = array()
    passing.keep(came, SEALED)
    passing.forget()

    assert passing.find(came) is None
