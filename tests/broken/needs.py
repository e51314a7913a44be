"""A module that can't be imported: what it needs is not installed."""

import a_package_that_nobody_has  # noqa: F401


def camera() -> int:
    """Never reached."""
    return 1
