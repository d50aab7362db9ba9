"""The page on statistics: its example, and the figures that it gives."""

import contextlib
import io
from pathlib import Path

import numpy as np
import pytest
from tests.support.pages import examples

from infersight_analysis.stats import contingency, design, proportions, sequential, simpson
from infersight_analysis.stats.design import Sizes

PAGE = Path(__file__).parents[3] / "analysis" / "docs" / "statistics.md"
TEXT = PAGE.read_text("utf-8")


def test_the_example_prints_what_the_page_shows() -> None:
    (code,), (shown,) = examples(PAGE, "python"), examples(PAGE, "text")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, {})
    assert printed.getvalue() == shown


def test_the_table_of_standard_errors_is_what_is_calculated() -> None:
    row = next(line for line in TEXT.splitlines() if line.startswith("| standard errors to each side"))
    sizes = (10, 50, 100, 500, 1_000, 5_000, 50_000, 500_000)
    found = [f"{sequential.critical_value(size, size):.2f}" for size in sizes]
    assert [cell.strip() for cell in row.split("|")[2:-1]] == found


def test_half_the_sample_size_has_half_the_power() -> None:
    right = design.proportion_sizes(0.10, 0.11).a
    half = -(-right // 2)
    power = design.proportion_power(0.10, 0.11, Sizes(half, half))
    assert (right, half) == (14_745, 7_373)
    assert power == pytest.approx(0.51, abs=0.005)


def test_fifty_an_arm_see_a_third_of_ten_percent_more_at_the_least() -> None:
    assert design.proportion_sizes(0.10, 0.105).a == 57_756
    assert design.proportion_power(0.10, 0.105, Sizes(50, 50)) == pytest.approx(0.051, abs=5e-4)
    assert design.detectable_shares(0.10, Sizes(50, 50))[1] == pytest.approx(0.32, abs=0.005)


def test_an_uneven_split_is_seen_by_its_test_and_not_by_a_rule() -> None:
    p_value = contingency.goodness_of_fit(np.array([50_000, 52_000]), np.array([1.0, 1.0]))
    assert 1 / p_value == pytest.approx(2.6e9, rel=0.02)


def test_a_segment_that_goes_the_other_way_is_no_paradox() -> None:
    found = simpson.confounding(*(np.array(each) for each in ([40, 10], [300, 200], [48, 14], [400, 120])))
    assert (round(found.crude.value, 3), round(found.adjusted.value, 3)) == (0.019, 0.011)
    assert not found.reverses


def test_few_failures_leave_room_for_many_more() -> None:
    assert proportions.ratio(2, 200, 2, 200).high == pytest.approx(5.6, abs=0.05)
