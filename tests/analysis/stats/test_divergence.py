"""Divergences: against SciPy and the chi-square that they are near to, and what holds over many samples."""
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# (scipy publishes no types)

from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.spatial import distance
from scipy.special import rel_entr

from infersight_analysis.stats.divergence import Divergence, edges_of, power

SHARES = np.array([0.05, 0.1, 0.15, 0.3, 0.4])


def samples(chance: np.random.Generator, sizes: tuple[int, int], moved: float) -> tuple[Divergence, float]:
    """Two samples, of which the second one's distribution is moved; and their true index."""
    other = SHARES * np.exp(moved * np.array([1.0, -1.0, 1.0, -1.0, 0.0]))
    other = other / other.sum()
    index = float(((other - SHARES) * np.log(other / SHARES)).sum())
    return Divergence(chance.multinomial(sizes[0], SHARES), chance.multinomial(sizes[1], other)), index


def test_index_and_divergence_are_those_of_the_relative_entropies() -> None:
    found, _ = samples(np.random.default_rng(1), (5_000, 3_000), 0.5)
    p, q = found.shares
    assert found.psi == pytest.approx(rel_entr(p, q).sum() + rel_entr(q, p).sum())
    assert found.jensen_shannon == pytest.approx(distance.jensenshannon(p, q, base=2) ** 2)
    assert found.contributions.sum() == pytest.approx(found.psi)


def test_the_index_of_two_bins_by_hand() -> None:
    # (0.4 - 0.5) ln(0.4 / 0.5) + (0.6 - 0.5) ln(0.6 / 0.5) = 0.0223 + 0.0182
    found = Divergence(np.array([50_000, 50_000]), np.array([40_000, 60_000]))
    assert found.psi == pytest.approx(0.04055, abs=1e-4)


def test_the_mean_score_of_both_samples_differs_by_the_index() -> None:
    found, _ = samples(np.random.default_rng(2), (4_000, 2_000), 0.4)
    p, q = found.shares
    assert (q - p) @ found.score == pytest.approx(found.psi)


def test_without_a_change_the_p_value_is_that_of_pearsons_chi_square_nearly() -> None:
    chance = np.random.default_rng(3)
    for _ in range(20):
        found, _ = samples(chance, (2_000, 1_000), 0.0)
        expected: Any = stats.chi2_contingency(np.array([found.reference, found.current]))
        assert found.p_value() == pytest.approx(expected.pvalue, abs=0.03)


@pytest.mark.parametrize("sizes", [(2_000, 300), (60, 40)], ids=["chi-square", "permutations"])
def test_without_a_change_tests_fail_as_often_as_they_say(sizes: tuple[int, int]) -> None:
    chance = np.random.default_rng(4)
    p_values = np.array([samples(chance, sizes, 0.0)[0].p_value() for _ in range(150)])
    assert float((p_values <= 0.05).mean()) == pytest.approx(0.05, abs=0.045)


def test_what_chance_adds_is_taken_away() -> None:
    chance = np.random.default_rng(5)
    found = [samples(chance, (500, 300), 0.0)[0] for _ in range(500)]
    assert np.mean([each.psi - each.psi_noise for each in found]) == pytest.approx(0, abs=0.002)


@pytest.mark.parametrize("moved", [0.0, 0.1, 0.3, 0.8])
@pytest.mark.parametrize("sizes", [(5_000, 5_000), (1_000, 200)])
def test_intervals_hold_the_true_index(moved: float, sizes: tuple[int, int]) -> None:
    chance = np.random.default_rng(6)
    held = 0
    for _ in range(400):
        found, index = samples(chance, sizes, moved)
        low, high = found.psi_interval()
        held += low <= index <= high
    assert 0.92 < held / 400 <= 1


def test_power_is_the_share_of_samples_in_which_the_index_is_seen() -> None:
    chance = np.random.default_rng(7)
    sizes = 1_000, 400
    found = [samples(chance, sizes, 0.15) for _ in range(600)]
    seen = float(np.mean([each.p_value() <= 0.01 for each, _ in found]))
    assert power(sizes, found[0][1], 5, 0.01) == pytest.approx(seen, abs=0.06)


def test_one_bin_says_nothing() -> None:
    found = Divergence(np.array([10]), np.array([20]))
    assert (found.psi, found.p_value(), found.psi_interval()) == (0, 1, (0, 0))


def test_edges_are_the_references_tenths_each_once() -> None:
    assert edges_of(np.arange(1.0, 101.0)).tolist() == [10, 20, 30, 40, 50, 60, 70, 80, 90]
    assert edges_of(np.array([0.0] * 80 + [1.0] * 20)).tolist() == [0, 1]
