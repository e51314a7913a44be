"""Several networks as one: a segment may dial one neighbour, and reach another one by way of a broker.

Knows nothing of how they work.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, final

if TYPE_CHECKING:
    from streampy.model.item import Header
    from streampy.run.segments.neighbours import Neighbours
    from streampy.run.segments.wire import Network, Word


@final
class Networks:
    """See `Network`."""

    def __init__(self, networks: Sequence[Network]) -> None:
        """At least one; they pack alike."""
        self._networks = networks

    def __repr__(self) -> str:
        return f"<Networks: {self._networks!r}>"

    def start(self, neighbours: Neighbours, patience: float) -> None:
        """See `Network.start`."""
        for network in self._networks:
            network.start(neighbours, patience)

    def pack(self, value: Any, link: str, header: Header) -> Any:
        """See `Network.pack`."""
        return self._networks[0].pack(value, link, header)

    def tell_all(self, word: Word, what: Any) -> None:
        """See `Network.tell_all`."""
        for network in self._networks:
            network.tell_all(word, what)

    @property
    def is_here(self) -> bool:
        """See `Network.is_here`."""
        return any(network.is_here for network in self._networks)

    def finish(self) -> None:
        """See `Network.finish`."""
        for network in self._networks:
            network.finish()

    def cancel(self) -> None:
        """See `Network.cancel`."""
        for network in self._networks:
            network.cancel()

    def close(self) -> None:
        """See `Network.close`."""
        for network in self._networks:
            network.close()
