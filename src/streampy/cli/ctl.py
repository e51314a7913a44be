"""`streampy ctl`: sees and steers processes that run, of this user on this machine, or at an address."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any, Final

from streampy.cli.exits import Exit

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from streampy.run.control.client import Address

WHOLE: Final = ("start", "pause", "resume", "drain", "stop", "kill", "stats", "snapshot", "watch", "list")
"""The verbs that need no unit."""
OF_UNIT: Final = (
    "start",
    "stop",
    "restart",
    "pause",
    "resume",
    "stats",
    "scale",
    "set",
    "fire",
    "peek",
    "profile",
)
_ALL: Final = tuple(dict.fromkeys((*WHOLE, *OF_UNIT)))
HELP: Final = """\
verbs:
  list                        who runs (also without a verb)
  stats [UNIT]                how it goes
  snapshot                    all there is to know, as JSON
  watch                       a line of JSON a second (--every), until the end
  start, pause, resume        the sources; or: start UNIT, pause UNIT, resume UNIT
  drain, stop, kill           end it: in peace, within --grace, or at once
  stop UNIT, restart UNIT     have the unit give back what it has, until `start UNIT`; or at once made anew
  scale UNIT N                so many workers; `auto`: as the process says
  set UNIT NAME=VALUE ...     other settings
  fire UNIT EVENT [VALUE ...] [NAME=VALUE ...]
  peek UNIT[.INPUT]           the last items of its pipe
  profile UNIT                the functions that it is in, for --seconds
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What can be said on the command line."""
    from streampy.cli.options import duration  # noqa: PLC0415

    parser.epilog = f"{HELP}\n{parser.epilog}"
    parser.add_argument(
        "words",
        nargs="*",
        metavar="WORD",
        help="[PROCESS[/SEGMENT[#REPLICA]] or PID] VERB [UNIT] ...; which process may be left out where one runs",
    )
    parser.add_argument(
        "--at", action="append", default=[], metavar="tcp://HOST:PORT", help="look here too; may be repeated"
    )
    parser.add_argument("--json", action="store_true", help="what was answered, by segment, as JSON")
    parser.add_argument("--every", type=duration, default=1.0, metavar="DURATION", help="watch: how often (1s)")
    parser.add_argument("--timeout", type=duration, metavar="DURATION", help="how long it may take (10s; drain: 30s)")
    parser.add_argument("--grace", type=duration, metavar="DURATION", help="stop: how long to drain before (5s)")
    parser.add_argument("--seconds", type=duration, metavar="DURATION", help="profile: how long (2s)")
    parser.add_argument("--count", type=int, metavar="N", help="peek: how many items (5)")
    parser.add_argument("--wait", type=duration, metavar="DURATION", help="peek: how long to wait for them (1s)")


def run(arguments: argparse.Namespace) -> int:
    """Ask, and tell what was answered."""
    from streampy.errors import StreamPyError  # noqa: PLC0415 - what is not needed for `--help`
    from streampy.run.control.client import Gone, choose, find  # noqa: PLC0415
    from streampy.run.control.verbs import BadRequest, NoSuch  # noqa: PLC0415

    try:
        which, verb, rest = _read(arguments.words)
        there = find(arguments.at, os.environ.get("STREAMPY_TOKEN", ""))
        if verb == "list":
            return _list(choose(there, which) if which else there, is_json=arguments.json)
        fields = _fields(verb, rest, arguments)
        return _Asking(choose(there, which), verb, fields, is_json=arguments.json).ask()
    except (BadRequest, NoSuch) as error:
        sys.stderr.write(f"streampy: {error}\n")
        return Exit.USAGE
    except (StreamPyError, Gone) as error:
        sys.stderr.write(f"streampy: {error}\n")
        return Exit.FAILED


def _read(words: Sequence[str]) -> tuple[str, str, list[str]]:
    """Which process, which verb, and the rest. Raises NoSuch."""
    from streampy.model.suggest import did_you_mean  # noqa: PLC0415
    from streampy.run.control.verbs import NoSuch  # noqa: PLC0415

    if not words:
        return "", "list", []
    if words[0] in _ALL:
        return "", words[0], list(words[1:])
    if len(words) == 1:
        return words[0], "stats", []
    if words[1] not in _ALL:
        raise NoSuch(f"there is no verb {words[1]!r}{did_you_mean(words[1], _ALL)}")
    return words[0], words[1], list(words[2:])


def _fields(verb: str, rest: list[str], arguments: argparse.Namespace) -> dict[str, Any]:
    """What goes with the verb. Raises BadRequest."""
    from streampy.run.control.verbs import BadRequest  # noqa: PLC0415

    options = ("timeout", "grace", "seconds", "count", "wait")
    fields = {name: value for name in options if (value := getattr(arguments, name)) is not None}
    if verb == "watch":
        fields["every"] = arguments.every
    if not rest:
        if verb not in WHOLE:
            raise BadRequest(f"{verb} needs a unit: streampy ctl [PROCESS] {verb} UNIT")
        return fields
    if verb not in OF_UNIT:
        raise BadRequest(f"{verb} is of a whole process, and takes no {' '.join(rest)!r}")
    fields["unit"], *more = rest
    return fields | _SAID.get(verb, _nothing)(more, fields)


def _nothing(more: list[str], fields: dict[str, Any]) -> dict[str, Any]:
    from streampy.run.control.verbs import BadRequest  # noqa: PLC0415

    if more:
        raise BadRequest(f"one unit at a time, or a pattern such as 'camera*'; {' '.join(more)!r} is too much")
    del fields
    return {}


def _scale(more: list[str], fields: dict[str, Any]) -> dict[str, Any]:
    from streampy.run.control.verbs import BadRequest  # noqa: PLC0415

    if len(more) != 1 or not (more[0].isdecimal() or more[0] == "auto"):
        raise BadRequest(f"scale {fields['unit']}: got {' '.join(more)!r}, expected a number of workers, or auto")
    return {"workers": None if more[0] == "auto" else int(more[0])}


def _set(more: list[str], fields: dict[str, Any]) -> dict[str, Any]:
    from streampy.run.control.verbs import BadRequest  # noqa: PLC0415

    values, named = _values(more)
    if values or not named:
        raise BadRequest(f"set {fields['unit']}: got {' '.join(more)!r}, expected NAME=VALUE, such as width=640")
    return {"settings": named}


def _fire(more: list[str], fields: dict[str, Any]) -> dict[str, Any]:
    from streampy.run.control.verbs import BadRequest  # noqa: PLC0415

    if not more:
        raise BadRequest(f"fire {fields['unit']}: which event?")
    values, named = _values(more[1:])
    return {"event": more[0], "values": values, "named": named}


def _peek(more: list[str], fields: dict[str, Any]) -> dict[str, Any]:
    _nothing(more, fields)
    unit, dot, port = str(fields["unit"]).rpartition(".")
    return {"preview": False, **({"unit": unit, "port": port} if dot else {})}


def _values(words: Sequence[str]) -> tuple[list[Any], dict[str, Any]]:
    """Values, and those with a name: each is read as JSON where it is some, else it is text."""
    values, named = [], {}
    for word in words:
        name, equals, value = word.partition("=")
        if equals and name.isidentifier():
            named[name] = _value(value)
        else:
            values.append(_value(word))
    return values, named


def _value(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=str)
    except ValueError:
        return text


_SAID: Final[dict[str, Callable[[list[str], dict[str, Any]], dict[str, Any]]]] = {
    "scale": _scale,
    "set": _set,
    "fire": _fire,
    "peek": _peek,
}
"""How the words behind a unit are read."""


def _list(there: Sequence[Address], *, is_json: bool) -> int:
    from streampy.cli.ctl_text import show_list  # noqa: PLC0415

    if is_json:
        print(json.dumps([{**one.head, "address": one.address} for one in there]))
    else:
        sys.stdout.write(show_list(there))
    return Exit.OK


class _Asking:
    """One verb, asked of all that are meant."""

    def __init__(self, meant: Sequence[Address], verb: str, fields: dict[str, Any], *, is_json: bool) -> None:
        self._meant = meant
        self._verb = verb
        self._fields = fields
        self._is_json = is_json
        self._token = os.environ.get("STREAMPY_TOKEN", "")

    def ask(self) -> int:
        """Ask them one after another. Raises what the last one refused, where nobody did it."""
        from streampy.errors import StreamPyError  # noqa: PLC0415
        from streampy.run.control.client import Client  # noqa: PLC0415
        from streampy.run.control.verbs import NoSuch  # noqa: PLC0415

        answers: dict[str, Any] = {}
        failures: dict[str, StreamPyError] = {}
        for one in self._meant:
            try:
                with Client(one.address, self._token) as client:
                    if self._verb == "watch":
                        self._watch(one, client)
                        continue
                    answers[one.name] = client.do(self._verb, **self._fields)
            except StreamPyError as error:
                failures[one.name] = error
        is_there = bool(answers) or not all(isinstance(error, NoSuch) for error in failures.values())
        real = {name: error for name, error in failures.items() if not (is_there and isinstance(error, NoSuch))}
        if self._is_json:
            told = {name: {"error": type(error).__name__, "message": str(error)} for name, error in real.items()}
            print(json.dumps({**answers, **told}))
        else:
            self._show(answers)
            for name, failure in real.items():
                sys.stderr.write(f"{getattr(failure, 'trace', '')}streampy: {name}: {failure}\n")
        if not real:
            return Exit.OK
        return Exit.USAGE if all(isinstance(error, NoSuch) for error in real.values()) else Exit.FAILED

    def _watch(self, one: Address, client: Any) -> None:
        for told in client.watch(self._fields["every"]):
            print(json.dumps({"name": one.name, "state": told["state"], "stats": told["stats"]}), flush=True)

    def _show(self, answers: dict[str, Any]) -> None:
        from streampy.cli.ctl_text import show_answer  # noqa: PLC0415

        for name, answer in answers.items():
            sys.stdout.write(show_answer(name, self._verb, self._fields, answer))
