"""Which stack traces are one fault: values, lines that moved, wrapped, chained, grouped and asynchronous exceptions."""

import pytest
from tests.analysis.failures.cases import PAIRS, Pair, fault, releases, stacks

from infersight_analysis.failures.stacks.parsing import parse


@pytest.mark.parametrize(("language", "name"), releases())
def test_a_fault_stays_itself_with_other_values_and_lines_of_another_release(language: str, name: str) -> None:
    assert fault(language, name, "r1") == fault(language, name, "r2")


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair.language}-{pair.one}-{pair.other}")
def test_two_traces_are_one_fault_where_a_reader_would_say_so(pair: Pair) -> None:
    for of_one in ("r1", "r2"):
        for of_other in ("r1", "r2"):
            if (pair.other, of_other) in stacks(pair.language) and (pair.one, of_one) in stacks(pair.language):
                one, other = fault(pair.language, pair.one, of_one), fault(pair.language, pair.other, of_other)
                assert (one == other) is pair.same, (one, other)


@pytest.mark.parametrize(("language", "name"), releases())
def test_every_trace_is_read_with_a_frame_of_the_application(language: str, name: str) -> None:
    raised = parse(stacks(language)[name, "r1"])
    assert raised is not None
    places = [each for link in raised.chain for each in (link, *link.members)]
    # An error of Node that only system code has seen, and an AggregateError, have no place of their own.
    assert any(frame.is_own for place in places for frame in place.frames)
