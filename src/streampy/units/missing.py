"""Says what to install where a library is not there.

Knows nothing of the units that need one.
"""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def needs(install: str) -> Iterator[None]:
    """Import inside of it what `pip install` gives under this name, e.g. `streampy[sql]`.

    Raises:
        ImportError: a library is missing; the text says how to install it.

    >>> with needs("streampy[sql]"):
    ...     import no_such_library
    Traceback (most recent call last):
    ImportError: the library 'no_such_library' is not installed: pip install 'streampy[sql]'

    """
    try:
        yield
    except ModuleNotFoundError as error:
        text = f"the library {error.name!r} is not installed: pip install '{install}'"
        raise ImportError(text, name=error.name) from error
