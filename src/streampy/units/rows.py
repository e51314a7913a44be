"""A value as a row of a table: columns by name.

Knows nothing of files and databases.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any


def as_row(value: Any) -> dict[str, Any]:
    """Give the columns of a mapping, a dataclass or a named tuple.

    Raises:
        TypeError: it is none of these.

    >>> from collections import namedtuple
    >>> as_row(namedtuple("Person", "name age")("Ada", 36))
    {'name': 'Ada', 'age': 36}

    """
    if isinstance(value, Mapping):
        return {str(name): one for name, one in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return dict(value._asdict())
    raise TypeError(
        f"got {type(value).__name__} {value!r:.80}, expected a row: a mapping, a dataclass or a named tuple; use Map "
        f"before it"
    )
