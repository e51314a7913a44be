"""`${NAME}` in values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streampy.model.config.variables import expand_text


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("${SET}", "there"),
        ("${SET:-default}", "there"),
        ("${UNSET:-default}", "default"),
        ("${UNSET:-}", ""),
        ("${EMPTY:-default}", "default"),
        ("${EMPTY}", ""),
        ("a/${SET}/b/${UNSET:-c}", "a/there/b/c"),
        ("$${SET}", "${SET}"),
        ("{stream}.mp4 $5 $", "{stream}.mp4 $5 $"),
        ("${UNSET:-rtsp://a:b@c/d?e=f}", "rtsp://a:b@c/d?e=f"),
    ],
)
def test_variable_becomes_its_value_or_the_default(text, expanded):
    assert expanded == expand_text(text, {"SET": "there", "EMPTY": ""})


@pytest.mark.parametrize("text", ["${}", "${1X}", "${X-3}", "${X", "${ X }"])
def test_what_looks_like_a_variable_and_is_none_is_told(text):
    with pytest.raises(ValueError, match="expected \\$\\{NAME\\} or"):
        expand_text(text, {"X": "1"})


def test_missing_variable_is_told_with_what_to_do():
    with pytest.raises(ValueError, match=r"variable URL is not set: set it, or write a default, \$\{URL:-default\}"):
        expand_text("${URL}", {})


@given(st.text())
def test_escaped_text_comes_out_as_it_was(text):
    assert text == expand_text(text.replace("${", "$${"), {})
