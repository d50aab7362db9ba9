"""NAB's score, against the constants that its authors publish and cases that can be reckoned by hand."""

import numpy as np
import numpy.typing as npt
import pytest
from tests.evaluation.nab_scorer import PROFILES, Scored, nab_score, probation, scaled_sigmoid

Numbers = npt.NDArray[np.float64]

POINTS = 1_000
FIRST, LAST = 400, 499
BEGIN = 0.9866142981514305
"""The weight at the begin of a window, by which all in windows are divided."""


def alarms(*places: int, windows: tuple[tuple[int, int], ...] = ((FIRST, LAST),)) -> dict[str, Scored]:
    scores = np.zeros(POINTS)
    scores[list(places)] = 1.0
    return {"series": Scored(scores, windows)}


def test_the_weights_of_places_are_those_of_its_documentation() -> None:
    weights = scaled_sigmoid(np.array([-1.0, -0.5, 0.0, 1.0, 3.0, 9.0]))
    assert weights == pytest.approx([0.98661, 0.84828, 0.0, -0.98661, -1.0, -1.0], abs=5e-6)


def test_saying_nothing_scores_0_and_the_first_point_of_each_window_100() -> None:
    assert nab_score(alarms()).score == 0
    assert nab_score(alarms(FIRST)).score == pytest.approx(100)
    two = ((FIRST, LAST), (700, 749))
    assert nab_score(alarms(FIRST, 700, windows=two)).score == pytest.approx(100)
    assert nab_score(alarms(FIRST, windows=two)).score == pytest.approx(50)


def test_the_earliest_alarm_of_a_window_counts_once() -> None:
    middle = FIRST + 50
    expected = 100 * (1 + scaled_sigmoid(np.array([-0.5]))[0] / BEGIN) / 2
    assert nab_score(alarms(middle)).score == pytest.approx(expected)
    assert nab_score(alarms(middle, middle + 10, middle + 20)).score == pytest.approx(expected)


def test_a_false_alarm_costs_its_weight_and_less_shortly_behind_a_window() -> None:
    assert nab_score(alarms(FIRST, 300)).score == pytest.approx(100 * (2 - 0.11) / 2)
    assert nab_score(alarms(FIRST, 900)).score == pytest.approx(100 * (2 - 0.11) / 2)
    cost = -0.11 * scaled_sigmoid(np.array([10 / 99]))[0]
    assert nab_score(alarms(FIRST, LAST + 10)).score == pytest.approx(100 * (2 - cost) / 2)
    strict = nab_score(alarms(FIRST, 300), PROFILES["reward_low_FP_rate"])
    assert strict.score == pytest.approx(100 * (2 - 0.22) / 2)


def test_the_first_15_percent_do_not_count() -> None:
    assert (probation(1_000), probation(4_032), probation(22_695)) == (150, 604, 750)
    assert nab_score(alarms(FIRST, 149)).score == pytest.approx(100)


def test_one_threshold_is_chosen_for_all_series() -> None:
    scores = np.zeros(POINTS)
    scores[[FIRST, 200, 600]] = 0.9, 0.8, 0.5
    other = np.zeros(POINTS)
    other[700] = 0.6
    verdict = nab_score({"a": Scored(scores, [(FIRST, LAST)]), "b": Scored(other, [(700, 799)])})
    assert verdict.threshold == 0.6
    assert verdict.series == {"a": (1, 1, 1), "b": (1, 1, 0)}
    assert verdict.score == pytest.approx(100 * (4 - 0.11) / 4)


def test_without_an_alarm_that_pays_the_threshold_lets_none_through() -> None:
    verdict = nab_score(alarms(200, 300, 900))
    assert (verdict.score, verdict.threshold) == (0, np.inf)
    assert verdict.series == {"series": (1, 0, 0)}
