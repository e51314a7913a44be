"""Hosts, where there can be any."""

from __future__ import annotations

import pytest
from tests.net.hosts import why_no_hosts, why_no_weather


@pytest.fixture
def can_have_hosts() -> None:
    """Skip the test where there can be no hosts."""
    if why := why_no_hosts():
        pytest.skip(why)


@pytest.fixture
def can_have_weather() -> None:
    """Skip the test where cables can't be made slow."""
    if why := why_no_weather():
        pytest.skip(why)
