"""Upper tails: their fit, their probabilities, and that they are learnt in the order of time."""

import numpy as np
import numpy.typing as npt
import pytest

from infersight_analysis.anomalies.tails import UpperTails

Numbers = npt.NDArray[np.float64]


def surprise(values: Numbers, warm: int = 100, tails: UpperTails | None = None) -> Numbers:
    """Of one stream of which the first are only learnt."""
    everywhere = np.ones((1, len(values)), np.bool_)
    score = everywhere & (np.arange(len(values)) >= warm)
    found: Numbers = (tails or UpperTails(1)).surprise(values[None], everywhere, score)[0]
    return found


def one_by_one(values: Numbers, warm: int) -> Numbers:
    """The same by one stream for each value, to which all before it are new."""
    found = np.zeros(len(values))
    for place in range(warm, len(values)):
        found[place] = surprise(values[: place + 1], place)[-1]
    return found


def test_values_are_judged_by_those_before_them_and_then_learnt() -> None:
    values = np.random.default_rng(1).gumbel(size=300)
    values[200:] += 3  # many in a row that are beyond what was known
    assert surprise(values) == pytest.approx(one_by_one(values, 100))


@pytest.mark.parametrize("name", ["exponential", "uniform", "pareto"])
def test_a_surprise_is_about_as_probable_as_it_says(name: str) -> None:
    rng = np.random.default_rng(2)
    shape = (400, 2_000)
    values = {"exponential": rng.exponential(size=shape), "uniform": rng.random(shape), "pareto": rng.pareto(3, shape)}[
        name
    ]
    everywhere = np.ones(values.shape, np.bool_)
    found = UpperTails(400).surprise(values, everywhere, everywhere & (np.arange(2_000) >= 500))
    for level in (2, 3):
        share = (found >= level).sum() / (400 * 1_500)
        assert 0.1 * 10.0**-level < share < 2 * 10.0**-level


def test_what_is_as_large_as_ever_before_is_no_surprise() -> None:
    assert surprise(np.tile([0.0, 1.0, 2.0], 200)).max() == 0
    assert surprise(np.full(500, 7.0)).max() == 0


def test_rounding_is_no_surprise() -> None:
    values = np.full(500, 0.1)
    values[300] = 0.1 + 2e-17 + 1e-16
    assert surprise(values).max() == 0


def test_one_step_above_values_that_are_all_the_same_is_as_rare_as_their_number_says() -> None:
    values = np.tile([0.0, 1.0, 2.0], 200)
    values[500] = 3.0
    assert surprise(values)[500] == pytest.approx(np.log10(500 / 2))
    values[500] = 30.0
    assert surprise(values)[500] > 5


def test_the_first_change_of_a_constant_is_the_rarer_the_longer_it_was_one() -> None:
    found: list[float] = []
    for length in (20, 100, 400, 4_000):
        values = np.append(np.full(length, 5.0), 6.0)
        found.append(float(surprise(values, 15)[-1]))
    assert found == sorted(found)
    assert found[0] <= 2
    assert found[2] > 5


def test_what_is_judged_only_leaves_no_trace() -> None:
    values = np.random.default_rng(3).normal(size=(1, 600))
    everywhere = np.ones((1, 600), np.bool_)
    late = everywhere & (np.arange(600) >= 300)
    values[0, 400:500] = 50
    found = UpperTails(1).surprise(values, everywhere & (values < 50), late)
    assert found[0, 400:500] == pytest.approx(found[0, 400])
    assert found[0, 400] > 4
