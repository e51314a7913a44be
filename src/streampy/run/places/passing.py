"""What came to a unit last, as it came: where the unit passes that very array on, it need not be sealed once more.

Knows nothing of who gave it, nor of who gets it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, final

if TYPE_CHECKING:
    from streampy.memory.sealed import Sealed


@final
class Passing:
    """Of one worker, in whose thread or task it is used; `keep` is for any thread.

    Only for NumPy arrays: what came in a block is read-only, so that the same array has the same bytes in it. Of what
    else a unit may have changed it can't be known.
    """

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: tuple[Any, Sealed, object] | None = None
        """The value, as it came, and its form. In one, because a doorman may replace it at any moment."""

    def keep(self, value: Any, sealed: Sealed) -> None:
        """This came."""
        if type(value) is getattr(sys.modules.get("numpy"), "ndarray", None) and not value.flags.writeable:
            self._kept = value, sealed, _form_of(value)

    def find(self, value: Any) -> Sealed | None:
        """As what it came; None where it is something else, or another view was made of it in place."""
        kept = self._kept
        return kept[1] if kept is not None and value is kept[0] and _form_of(value) == kept[2] else None

    def forget(self) -> None:
        """It is done: nothing of it is to be held any longer."""
        self._kept = None


def _form_of(array: Any) -> object:
    return array.shape, array.strides, array.dtype
