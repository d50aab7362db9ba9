"""Change points: found where they are, their intervals, and how rarely they are seen where none is."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from infersight_analysis.anomalies.changes import LEAST_POINTS, changes
from infersight_analysis.anomalies.season import without_season

Numbers = npt.NDArray[np.float64]

POINTS = 720


def correlated(rng: np.random.Generator, part: float) -> Numbers:
    values = rng.normal(size=POINTS + 100)
    for time in range(1, len(values)):
        values[time] += part * values[time - 1]
    return values[100:]


NOISE: dict[str, Callable[[np.random.Generator], Numbers]] = {
    "normal": lambda rng: rng.normal(size=POINTS),
    "correlated": lambda rng: correlated(rng, 0.7),
    "heavy tails": lambda rng: rng.standard_t(2, POINTS),
    "skewed": lambda rng: rng.lognormal(size=POINTS),
    "counts": lambda rng: rng.poisson(3, POINTS).astype(float),
}


@pytest.mark.parametrize("name", NOISE)
def test_noise_of_any_kind_hardly_ever_has_a_change(name: str) -> None:
    rng = np.random.default_rng(1)
    seen = sum(bool(changes(NOISE[name](rng))) for _ in range(80))
    assert seen <= 3


def test_a_step_is_found_at_its_point() -> None:
    values = np.zeros(100)
    values[40:] = 1
    (found,) = changes(values)
    assert (found.at, found.before, found.after) == (40, 0, 1)
    assert found.interval[0] <= 40 <= found.interval[1]
    assert found.p_value < 1e-6


def test_the_interval_holds_the_true_point_as_often_as_it_says() -> None:
    rng = np.random.default_rng(2)
    for name in ("normal", "correlated", "heavy tails"):
        held = found = 0
        for _ in range(100):
            values = NOISE[name](rng)
            values[400:] += 2 * np.subtract(*np.percentile(values, [75, 25])) / 1.35
            near = [change for change in changes(values) if abs(change.at - 400) < 60]
            found += bool(near)
            held += any(change.interval[0] <= 400 <= change.interval[1] for change in near)
        assert found >= 97
        assert held >= 0.92 * found


def test_an_episode_has_a_begin_and_an_end() -> None:
    values = np.random.default_rng(3).normal(size=POINTS)
    values[300:330] += 5
    begin, end = changes(values)
    assert abs(begin.at - 300) <= 1
    assert abs(end.at - 330) <= 1
    assert (begin.before, begin.after) == pytest.approx((0, 5), abs=0.5)


def test_outliers_are_no_change() -> None:
    values = np.random.default_rng(4).normal(size=POINTS)
    values[[100, 300, 301, 500]] = 1e6
    assert changes(values) == []


def test_gaps_are_left_out_and_points_keep_their_places() -> None:
    values = np.random.default_rng(5).normal(size=POINTS)
    values[400:] += 4
    values[100:300] = np.nan
    (found,) = changes(values)
    assert abs(found.at - 400) <= 2


def test_too_little_and_constant_series_have_none() -> None:
    assert changes(np.array([0.0] * 10 + [9.0] * (LEAST_POINTS - 11))) == []
    assert changes(np.full(POINTS, 3.0)) == []
    assert changes(np.full(POINTS, np.nan)) == []


def test_a_change_is_found_in_a_season_that_hides_it() -> None:
    days = 6 * np.sin(np.arange(POINTS) / 120 * 2 * np.pi) + np.random.default_rng(6).normal(size=POINTS)
    assert changes(without_season(days, 120)) == []
    days[400:] += 3
    assert changes(days) == []
    (found,) = changes(without_season(days, 120))
    assert abs(found.at - 400) <= 4


def test_a_series_without_a_season_stays_as_it_is() -> None:
    values = np.random.default_rng(7).normal(size=POINTS)
    assert without_season(values, 120) is values
    assert without_season(values[:300], 120) is not None
