"""Durations, sizes and rates, as people write and read them."""

from __future__ import annotations

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streampy.model.measure import format_duration, format_size, parse_duration, parse_rate, parse_size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (0, 0.0),
        (2, 2.0),
        (0.25, 0.25),
        ("5ms", 0.005),
        ("5 ms", 0.005),
        (" 2s ", 2.0),
        ("250us", 0.000250),
        ("1.5m", 90.0),
        ("1h", 3600.0),
        (".5s", 0.5),
        ("3", 3.0),
        ("inf", inf),
        (inf, inf),
    ],
)
def test_a_duration_is_read_as_seconds(text, seconds):
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        (0, 0.0),
        (4096, 4096.0),
        ("64MB", 64e6),
        ("2GiB", 2.0 * 2**30),
        ("1.5 kB", 1500.0),
        ("1KB", 1000.0),
        ("512KiB", 512.0 * 1024),
        ("100B", 100.0),
        ("inf", inf),
    ],
)
def test_a_size_is_read_as_bytes(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        (10, 10.0),
        (0.5, 0.5),
        ("10/s", 10.0),
        ("600/m", 10.0),
        ("36/h", 0.01),
        ("2.5 /s", 2.5),
        ("10", 10.0),
        ("inf", inf),
    ],
)
def test_a_rate_is_read_as_items_a_second(text, rate):
    assert parse_rate(text) == pytest.approx(rate)


@pytest.mark.parametrize("text", ["10s", "10/d", "/s", "10/", "-1/s", 0, "0/s", -1, nan, None, True])
def test_what_is_no_rate_is_refused_with_what_was_got_and_expected(text):
    with pytest.raises(
        ValueError, match="expected a rate: items a second as a number, or text such as 10/s"
    ) as refused:
        parse_rate(text)
    assert str(refused.value).startswith(f"got {text!r}, ")


@pytest.mark.parametrize("text", ["5 fortnights", "ms", "", "5ms5", "-1s", "1e3", "1,5s", None, True, [1], {}])
def test_what_is_no_duration_is_refused_with_what_was_got_and_expected(text):
    with pytest.raises(ValueError, match="expected a duration: seconds as a number, or text such as 5ms") as refused:
        parse_duration(text)
    assert str(refused.value).startswith(f"got {text!r}, ")


@pytest.mark.parametrize("text", ["64mb", "5 s", "MB", "-1MB", None, False])
def test_what_is_no_size_is_refused_with_what_was_got_and_expected(text):
    with pytest.raises(ValueError, match="expected a size: bytes as a number, or text such as 64MB") as refused:
        parse_size(text)
    assert str(refused.value).startswith(f"got {text!r}, ")


@pytest.mark.parametrize("value", [-1, -0.5, -inf, nan])
def test_a_measure_below_0_is_refused(value):
    for parse in (parse_duration, parse_size):
        with pytest.raises(ValueError, match="not below 0"):
            parse(value)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0"),
        (5e-3, "5.00 ms"),
        (2.5, "2.50 s"),
        (12.34, "12.3 s"),
        (123.4, "123 s"),
        (1e-6, "1.00 µs"),
        (2e-7, "0.20 µs"),
        (inf, "inf"),
    ],
)
def test_a_duration_is_written_with_three_digits_and_the_fitting_unit(seconds, text):
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.00 kB"), (6_220_800, "6.22 MB"), (2.5e9, "2.50 GB"), (inf, "inf")],
)
def test_a_size_is_written_with_three_digits_and_the_fitting_unit(size, text):
    assert format_size(size) == text


@given(
    number=st.floats(0.0, 1e6),
    factor=st.sampled_from([("us", 1e-6), ("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3600.0)]),
)
def test_a_unit_of_measure_multiplies(number, factor):
    unit, seconds = factor
    assert parse_duration(f"{number:.6f}{unit}") == pytest.approx(float(f"{number:.6f}") * seconds)


@given(seconds=st.floats(1e-6, 1e5))
def test_what_is_written_can_be_read_again(seconds):
    text = format_duration(seconds).replace("µs", "us")
    assert parse_duration(text) == pytest.approx(seconds, rel=0.01)
