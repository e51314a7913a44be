"""What a traced item carries."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streampy.model.headers import Headers
from streampy.model.item import Header
from streampy.run.trace.budget import Budget
from streampy.run.trace.context import as_span, marked, new_span, read, trace_of, written

TRACE, SPAN = "ab" * 16, "cd" * 8
MARK = written(TRACE, SPAN, 0.25)


def test_what_is_written_is_read():
    assert (TRACE, SPAN, 0.25) == read(MARK)


def test_a_span_has_16_hexadecimal_digits():
    assert 16 == len(as_span(1)) == len(as_span(new_span()))


def test_the_trace_of_an_item_is_the_same_wherever_it_is():
    at_home, elsewhere = Header("camera", 7, 0.0), Header("camera@edge-1", 7, 5.0, (1,))
    assert trace_of("edge-1", at_home) == trace_of("core-2", elsewhere)
    assert trace_of("edge-2", at_home) != trace_of("edge-1", at_home)
    assert trace_of("edge-1", at_home._replace(seq=8)) != trace_of("edge-1", at_home)


@given(st.dictionaries(st.sampled_from(["traceparent", "tracestate", "mine"]), st.text() | st.integers()))
def test_whatever_comes_from_elsewhere_is_read_or_is_no_trace(meta):
    found = read(meta)
    assert found is None or bytes.fromhex(found.trace + found.parent)


def test_what_is_not_sampled_is_not_traced():
    assert read({"traceparent": f"00-{TRACE}-{SPAN}-00"}) is None
    assert read({"traceparent": f"00-{'0' * 32}-{SPAN}-01"}) is None


def test_those_that_are_traced_are_found_in_headers_of_any_form():
    headers = [Header("a", 0, 0.0), Header("a", 1, 0.0, meta=MARK), Header("a", 2, 0.0, meta={"mine": 1})]
    assert [1] == marked(headers) == marked(Headers.of(headers))
    assert [] == marked(headers[:1]) == marked(Headers.of(headers[:1]))


def test_no_more_is_spent_than_there_is_for_a_second():
    budget = Budget(5.0)
    assert 5 == sum(budget.spend(0.0) for _ in range(100))
    assert 5 == sum(budget.spend(1.0) for _ in range(100))
    assert 5 == sum(budget.spend(60.0) for _ in range(100))
