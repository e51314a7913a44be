"""F9, F11: real SIGKILLs at random moments; `./dev nox -s kills` does two hundred of them."""

from __future__ import annotations

import pytest
from tests.run.places.kills import Round

ON_A_BUSY_MACHINE = 5.0
"""Seconds in which all must be out here; `nox -s kills` wants it in one."""


@pytest.mark.parametrize("seed", range(8))
def test_whoever_is_killed_all_is_put_out_or_nothing_is_lost(seed):
    one = Round(seed, ON_A_BUSY_MACHINE)
    one.play()
    assert one.killed
