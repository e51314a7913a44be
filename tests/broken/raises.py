"""A module that can't be imported: it raises."""

RATE = 30
INTERVAL = RATE / (RATE - 30)


def camera() -> int:
    """Never reached."""
    return 1
