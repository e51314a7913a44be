"""The user's script in an OS process that a nursery bore, where a unit is defined in it: imported as `__mp_main__`.

So `if __name__ == "__main__":` keeps what starts the run from running again, as with `multiprocessing`. Knows nothing
of units. Imported with `streampy` itself: nothing that takes time may be imported here.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Final, final

from streampy.errors import RunError

if TYPE_CHECKING:
    from streampy.run.places.order import Script

_NAME: Final = "__mp_main__"


@final
class _Importing:
    file: str | None = None


_importing: Final = _Importing()
"""The script that is being imported in this OS process, which has it for life: only its main thread imports one."""


def find_script() -> Script:
    """The script that this OS process runs, for `import_script` in another one.

    Raises RunError where there is none: in an interactive session, or after `python -c`.
    """
    from streampy.run.places.order import Script  # noqa: PLC0415 - see the module's docstring

    main = sys.modules["__main__"]
    file = getattr(main, "__file__", None)
    if not isinstance(file, str) or file == "<stdin>":
        raise RunError(
            "a unit that is to live in another OS process is defined in __main__, which is no file here (an interactive"
            " session, a notebook, `python -c` or stdin), so it can't be imported there; move the unit to a module, or"
            " place it `main`"
        )
    sys.modules.setdefault(_NAME, main)  # what comes back from there says that it is of this module
    return Script(file, getattr(main, "__package__", None))


def import_script(script: Script) -> None:
    """Run the user's script as the module `__mp_main__`, which is then `__main__` too."""
    module = ModuleType(_NAME)
    module.__file__ = script.file
    module.__package__ = script.package
    sys.modules["__main__"] = sys.modules[_NAME] = module
    with open(script.file, "rb") as opened:  # noqa: PTH123 - pathlib costs 10 ms
        code = compile(opened.read(), script.file, "exec", dont_inherit=True)
    _importing.file = script.file
    try:
        exec(code, vars(module))  # noqa: S102 - it is the program that the user has started
    finally:
        _importing.file = None


def refuse_in_import() -> None:
    """Raise RunError where a script that is being imported for its units starts a process again."""
    if _importing.file is not None:
        raise RunError(
            f"{_importing.file} started a process while it was imported, for its units, in another OS process: it would"
            ' start itself again and again. Put what starts it under `if __name__ == "__main__":`, or move the units'
            " that are not placed `main` to a module of their own"
        )
