"""A value may go where its type is expected; in doubt it may."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, Optional, Protocol, TypeVar, Union

import pytest

from streampy.model.annotations import Unknown, annotations_of, fits, type_name, without_none

T = TypeVar("T")


class Image:
    """A type of the user."""


class Grey(Image):
    """A kind of it."""


class Sized(Protocol):
    """A protocol."""

    size: int


FIT = [
    (int, int),
    (Grey, Image),
    (bool, int),
    (int, float),
    (float, complex),
    (int | str, int | str | bytes),
    (int, int | None),
    (list[int], list[int]),
    (list[Grey], list[Image]),
    (list[int], Sequence[int]),
    (list[int], list),
    (list, list[int]),
    (dict[str, int], Mapping[str, int]),
    (dict[str, Any], dict[str, int]),
    (Any, int),
    (int, Any),
    (int, object),
    (object, int),
    (T, int),
    (int, T),
    (Unknown, Image),
    (Image, Unknown),
    (list[Unknown], list[Image]),
    (Image, Sized),
    (tuple[int, ...], tuple[int, ...]),
    (tuple[int, int], tuple[int, ...]),
    (type[Image], type[Image]),
    (Literal["a"], str),
    (str, Iterable),
]

DO_NOT_FIT = [
    (int, str),
    (Image, Grey),
    (float, int),
    (int | str, int),
    (int | None, int),
    (str, int | None),
    (list[int], list[str]),
    (list[int], dict[str, int]),
    (list[Image], list[Grey]),
    (Image, list[Image]),
    (list[Image], Image),
    (type(None), int),
]


@pytest.mark.parametrize(("given", "wanted"), FIT, ids=type_name)
def test_it_fits(given, wanted):
    assert fits(given, wanted)


@pytest.mark.parametrize(("given", "wanted"), DO_NOT_FIT, ids=type_name)
def test_it_does_not_fit(given, wanted):
    assert not fits(given, wanted)


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (int | None, (int, True)),
        (Optional[Image], (Image, True)),  # noqa: UP045 - people write it
        (int | str | None, (Union[int, str], True)),  # noqa: UP007 - as it is built
        (int | str, (int | str, False)),
        (Image, (Image, False)),
        (list[int] | None, (list[int], True)),
    ],
    ids=str,
)
def test_what_may_be_missing_is_told_from_what_it_is(annotation, expected):
    assert without_none(annotation) == expected


class Outer:
    """Holds another type."""

    class Inner:
        """A type in a type."""


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (int, "int"),
        (Image, "Image"),
        (Outer.Inner, "Outer.Inner"),
        (None | int, "None | int"),
        (list[Image], "list[Image]"),
        (dict[str, list[int]], "dict[str, list[int]]"),
        (Image | None, "Image | None"),
        (Optional[int], "int | None"),  # noqa: UP045 - people write it
        (Any, "Any"),
        (type(None), "None"),
    ],
    ids=str,
)
def test_a_type_is_named_as_a_person_would_write_it(annotation, expected):
    assert type_name(annotation) == expected


def test_a_type_that_lives_in_a_function_is_named_without_it():
    class Local:
        pass

    assert type_name(Local) == "Local"


def test_names_that_can_not_be_resolved_are_unknown_whatever_is_made_of_them():
    def work(x: nowhere.Frame, y: list[nowhere.Frame], z: Missing[int]) -> Missing | None: ...  # noqa: F821

    hints = annotations_of(work)
    assert (hints["x"], hints["y"], hints["z"]) == (Unknown, list[Unknown], Unknown)
    assert without_none(hints["return"]) == (Unknown, True)


def test_builtin_names_are_not_unknown():
    def work(x: int, y: str) -> bytes: ...

    assert annotations_of(work) == {"x": int, "y": str, "return": bytes}
