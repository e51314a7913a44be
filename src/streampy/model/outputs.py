"""Several named outputs of a unit.

Knows nothing of where they lead.
"""

from __future__ import annotations

from inspect import get_annotations
from typing import Any, ClassVar, dataclass_transform

from streampy.model.annotations import annotations_of


@dataclass_transform(kw_only_default=True)
class Outputs:
    """Base of a class whose fields are the output ports of a unit.

    A field that is not given sends nothing on its port; a field annotated `Iterator[T]` sends any number.

    >>> class Found(Outputs):
    ...     size: int
    ...     names: list[str]
    >>> Found(size=3)
    Found(size=3)
    """

    _ports: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = (name for name in get_annotations(cls) if not name.startswith("_"))
        cls._ports = (*cls._ports, *own)

    def __init__(self, **values: Any) -> None:
        for name, value in values.items():
            if name not in self._ports:
                raise TypeError(f"{type(self).__name__} has no output {name!r}; it has {', '.join(self._ports)}")
            setattr(self, name, value)

    @classmethod
    def hints(cls) -> dict[str, Any]:
        """The annotation of each output, in the order in which they are written."""
        found: dict[str, Any] = {}
        for base in reversed(cls.__mro__):
            if base is not Outputs and issubclass(base, Outputs):
                found.update(annotations_of(base))
        return {name: found[name] for name in cls._ports}

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({given})"
