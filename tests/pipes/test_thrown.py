"""Errors on their way to another OS process."""

from __future__ import annotations

import pickle
from traceback import extract_tb, format_exception

import pytest

from streampy.errors import Hung, ItemLost, RunError, UnitFailed, WorkerDied
from streampy.pipes.thrown import pack_error, unpack_error


class Picky(Exception):
    """Can be pickled, and not be made again."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


def raised(error: BaseException) -> BaseException:
    with pytest.raises(BaseException) as caught:
        raise error
    return caught.value


def deep() -> None:
    try:
        int("five")
    except ValueError as error:
        raise KeyError("no five") from error


def sent(error: BaseException) -> BaseException:
    return unpack_error(pack_error(error))


def test_an_error_comes_out_as_it_was_with_the_lines_at_which_it_was_raised():
    with pytest.raises(KeyError) as caught:
        deep()
    came = sent(caught.value)
    assert (type(came), came.args) == (KeyError, ("no five",))
    assert [(one.name, one.line) for one in extract_tb(came.__traceback__)] == [
        (one.name, one.line) for one in extract_tb(caught.value.__traceback__)
    ]
    assert "\n".join(format_exception(came)).count('int("five")') == 1


def test_its_cause_comes_along_with_its_own_lines():
    with pytest.raises(KeyError) as caught:
        deep()
    cause = sent(caught.value).__cause__
    assert isinstance(cause, ValueError)
    assert extract_tb(cause.__traceback__)[-1].line == 'int("five")'


def test_notes_come_along():
    error = ValueError("five")
    error.add_note("raised on item 5")
    assert sent(raised(error)).__notes__ == ["raised on item 5"]


@pytest.mark.parametrize("error", [Picky(1, 2), type("Local", (Exception,), {})("1 and 2")], ids=["picky", "local"])
def test_an_error_that_cannot_be_sent_is_told_with_its_name_text_notes_and_lines(error):
    error.add_note("a note")
    came = sent(raised(error))
    assert type(came) is RunError
    assert str(came) == f"{type(error).__qualname__}: 1 and 2"
    assert came.__notes__ == ["a note"]
    assert extract_tb(came.__traceback__)[-1].name == "raised"


def test_the_errors_of_a_group_keep_their_lines():
    came = sent(raised(ExceptionGroup("two", [raised(ValueError("one")), raised(KeyError("other"))])))
    assert isinstance(came, ExceptionGroup)
    assert [extract_tb(one.__traceback__)[-1].name for one in came.exceptions] == ["raised", "raised"]


def test_what_ends_an_os_process_comes_out_too():
    came = sent(raised(SystemExit(3)))
    assert isinstance(came, SystemExit)
    assert came.code == 3


def test_errors_that_are_each_others_cause_come_to_an_end():
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__cause__ = other, one
    assert str(sent(one).__cause__) == "other"


@pytest.mark.parametrize(
    "error",
    [
        UnitFailed("detect", "camera #17", "detect#1", "ValueError: five"),
        WorkerDied("detect", "detect#1", "it was killed"),
        Hung(["detect", "draw"], "did not come back"),
        ItemLost("camera #17", "dropped", "detect.frame"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_the_errors_of_a_run_can_be_pickled(error):
    came = pickle.loads(pickle.dumps(error))
    assert (type(came), str(came), vars(came)) == (type(error), str(error), vars(error))
