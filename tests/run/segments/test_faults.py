"""F17 by chance: see `faults`, which makes as many as one likes."""

from __future__ import annotations

import pytest
from tests.run.segments.faults import Round


@pytest.mark.parametrize("seed", range(5))
def test_f17_whatever_happens_each_item_has_one_result(seed):
    Round(seed).play()
