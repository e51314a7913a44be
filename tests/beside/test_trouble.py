"""What a run that was overloaded, broken or killed is said to show."""

from beside.job import BROKEN
from beside.one import Found
from beside.trouble import ahead, verdict


def found(**told):
    return Found(arrived=[[(1.0, 0.0)]], sent=[], began=0.5, **told)


def test_what_is_under_way_is_sent_and_has_not_arrived():
    assert 3 == ahead([1.0, 2.0, 3.0, 9.0], [(4.0, 0.9), (5.0, 1.9), (6.0, 2.9), (10.0, 8.9)])


def test_what_never_arrives_is_not_under_way():
    assert 1 == ahead([1.0, 2.0, 3.0], [(4.0, 2.9)])


def test_where_nothing_arrives_nothing_is_known_to_be_under_way():
    assert 0 == ahead([1.0, 2.0], [])


def test_an_error_that_comes_out_is_told():
    assert ("0.05 s, own error", []) == verdict("raise", found(stopped=0.05, raised=f"BrokenUnit: {BROKEN}", code=1))


def test_an_error_that_only_stands_in_the_log_is_told_there():
    assert ("hangs, in the log", ["an end on errors"]) == verdict("raise", found(said=f"BrokenUnit: {BROKEN}"))


def test_an_error_of_which_there_is_no_word_is_missed():
    assert ("0.05 s, not told", ["word of errors"]) == verdict("raise", found(stopped=0.05, code=0))


def test_a_run_that_goes_on_without_one_of_its_os_processes_does_not_end():
    assert ("goes on, not told", ["an end when killed"]) == verdict("kill", found(ran_on=True))


def test_an_exit_code_is_a_word_of_a_kill():
    assert ("0.20 s, exit code", []) == verdict("kill", found(stopped=0.2, code=1))


def test_ctrl_c_that_ends_nothing_is_a_hang():
    assert ("hangs", ["an end on Ctrl-C"]) == verdict("interrupt", found())
    assert ("0.10 s", []) == verdict("interrupt", found(stopped=0.1))
