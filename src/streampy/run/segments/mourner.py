"""A join in another segment, as those here have it who must tell it that an item ended.

Knows nothing of the join. See `Mourning`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from streampy.run.segments.wire import Told, What

if TYPE_CHECKING:
    from streampy.model.item import Header, Tombstone
    from streampy.run.segments.crossing import Crossing, Yard
    from streampy.run.segments.host import Host
    from streampy.run.segments.neighbour import Neighbour

_OPEN = ">"
"""How the names of open outputs begin."""


@final
class FarMourner:
    """An input of a join, or an open output."""

    def __init__(
        self, unit: str, segment: str, neighbour: Neighbour, *, crossing: Crossing | None, host: Host, yard: Yard
    ) -> None:
        """Crossing: the link that items for it go over, or one of them."""
        self._crossing = crossing
        self._yard = yard
        self._unit = unit
        self._segment = segment
        self._host = host
        self._neighbour = neighbour

    def bury(self, port: str, tombstone: Tombstone, ways: int) -> None:
        """See `Mourning.bury`."""
        header, reason, where, _ = tombstone
        self._tell(port, header, (Told.BURY, header, self._unit, port, reason.value, where, ways))

    def close(self, port: str, header: Header, count: int, ways: int) -> None:
        """See `Mourning.close`."""
        self._tell(port, header, (Told.CLOSE, header, self._unit, port, count, ways))

    def _tell(self, port: str, header: Header, told: What) -> None:
        (path,) = self._yard.paths_of([header])
        if self._segment in path:
            self._host.tell(header, told)
        elif not port.startswith(_OPEN):  # there only who asked waits for an answer
            self._neighbour.tell(self._crossing, header, told, path)
