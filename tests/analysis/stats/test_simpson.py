"""Whether a difference is that of mixtures, on tables that are known for it."""

import numpy as np
import pytest

from infersight_analysis.stats.simpson import confounding


def test_berkeley_is_explained_by_departments_but_not_reversed_beyond_chance() -> None:
    women, men = np.array([108, 25, 593, 375, 393, 341]), np.array([825, 560, 325, 417, 191, 373])
    found = confounding(np.array([89, 17, 202, 131, 94, 24]), women, np.array([512, 353, 120, 138, 53, 22]), men)
    assert found.crude.low > 0.1  # men are admitted more often
    assert found.adjusted.value < 0  # and less often within departments
    assert not found.adjusted.excludes_zero
    assert not found.reverses


def test_ten_times_the_kidney_stones_are_simpsons_paradox() -> None:
    # Charig et al., BMJ 292, 1986, of small and large stones: open surgery, and the one by a small incision.
    open_surgery, incision = (np.array([81, 192]), np.array([87, 263])), (np.array([234, 55]), np.array([270, 80]))
    found = confounding(*(10 * each for each in (*open_surgery, *incision)))
    assert found.crude.low > 0
    assert found.adjusted.high < 0
    assert found.reverses
    assert found.leading_share == pytest.approx(0.5, abs=0.02)  # two segments: what one lacks the other has more of


def test_a_segment_that_goes_another_way_is_no_paradox() -> None:
    # The effect is there in the whole and in the mean of the segments alike, only not in one of them.
    found = confounding(np.array([40, 10]), np.array([300, 200]), np.array([48, 14]), np.array([400, 120]))
    assert found.crude.value > 0
    assert found.adjusted.value > 0
    assert not found.reverses


def test_an_opposite_sign_that_chance_explains_is_no_paradox() -> None:
    open_surgery, incision = (np.array([81, 192]), np.array([87, 263])), (np.array([234, 55]), np.array([270, 80]))
    found = confounding(*open_surgery, *incision)
    assert found.crude.value * found.adjusted.value < 0
    assert not found.reverses


def test_mixture_and_effects_within_segments_sum_to_the_crude_difference() -> None:
    generator = np.random.default_rng(1)
    n, m = generator.integers(20, 900, 7), generator.integers(20, 900, 7)
    x, y = generator.binomial(n, generator.random(7)), generator.binomial(m, generator.random(7))
    found = confounding(x, n, y, m)
    within = (n / n.sum() + m / m.sum()) / 2 @ (y / m - x / n)
    assert sum(found.mixture) + within == pytest.approx(found.crude.value)


def test_the_segment_whose_share_differs_is_the_one_that_leads() -> None:
    # The third segment fails ten times as often, and most of B's traffic is of it.
    n, m = np.array([1_000, 1_000, 100, 1_000]), np.array([1_000, 1_000, 2_000, 1_000])
    share = np.array([0.02, 0.03, 0.30, 0.025])
    found = confounding((n * share).astype(int), n, (m * share).astype(int), m)
    assert found.crude.low > 0.05
    assert found.adjusted.value == pytest.approx(0, abs=0.001)
    assert found.leading == 2
    assert found.leading_share > 0.5


def test_arms_of_one_mixture_owe_nothing_to_it() -> None:
    n = np.array([300, 700])
    found = confounding(np.array([30, 20]), n, np.array([80, 60]), 2 * n)
    assert found.mixture == pytest.approx((0, 0))
    assert found.leading_share == 0
