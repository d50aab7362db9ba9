"""Surprises: rare where nothing happened, however the readings are distributed."""

import numpy as np
import pytest

from infersight_analysis.stats.surprise import Sample, common, evidence, smallest, surprises, tail


def family(chance: np.random.Generator, size: int, draw: str) -> list[Sample]:
    """Members of which none changed, each with a level and a spread of its own."""
    members: list[Sample] = []
    for _ in range(size):
        readings = chance.standard_t(2, 45) if draw == "heavy" else chance.normal(size=45)
        readings = readings * chance.lognormal() + chance.normal(0, 100)
        members.append(Sample(readings[40:], readings[:40]))
    return members


@pytest.mark.parametrize("draw", ["normal", "heavy"])
def test_where_nothing_happened_small_p_values_are_as_rare_as_they_say(draw: str) -> None:
    chance = np.random.default_rng(1)
    p_values = np.array([each.p_value for _ in range(40) for each in surprises(family(chance, 30, draw))])
    for level in (0.1, 0.01):
        assert np.mean(p_values <= level) <= 1.6 * level


def test_a_change_stands_out_of_light_tails_and_hides_in_heavy_ones() -> None:
    found: dict[str, float] = {}
    for draw in ("normal", "heavy"):
        members = family(np.random.default_rng(2), 30, draw)
        baseline = members[0].baseline
        usual = np.median(np.abs(baseline - np.median(baseline)))
        moved = Sample(np.median(baseline) + np.full(5, 15 * usual), baseline)
        found[draw] = surprises([moved, *members[1:]])[0].p_value
    assert found["normal"] < 1e-3
    assert found["normal"] < found["heavy"]


def test_what_jumps_in_one_member_is_no_surprise_in_another() -> None:
    quiet = [Sample(np.full(3, 1.0), np.linspace(0.9, 1.1, 12)) for _ in range(8)]
    moved = Sample(np.full(3, 50.0), np.linspace(0.9, 1.1, 12))
    jumping = Sample(np.full(3, 1.0), np.array([1.0, 1.1, 0.9, 60.0, 61.0, 59.0, 0.9, 1.0, 1.1, 1.0, 0.9, 1.1]))
    alone, beside = surprises([moved, *quiet])[0], surprises([moved, *quiet, jumping])[0]
    assert alone.p_value < beside.p_value / 3


def test_constant_series_neither_fail_nor_win_by_a_rounding_error() -> None:
    constant = [Sample(np.full(3, 7.0), np.full(12, 7.0)) for _ in range(5)]
    assert [each.p_value for each in surprises(constant)] == [1.0] * 5
    moved = [Sample(np.full(3, 7.0 + 1e-12), np.full(12, 7.0)), Sample(np.full(3, 1.2), np.linspace(0, 2, 12))]
    assert surprises(moved)[0].p_value > 0.1


def test_only_above_ignores_what_falls() -> None:
    baseline = np.linspace(0, 1, 30)
    low = Sample(np.full(3, -50.0), baseline)
    others = [Sample(np.full(3, 0.5), baseline) for _ in range(9)]
    assert surprises([low, *others])[0].p_value < 0.01
    assert surprises([low, *others], only_above=True)[0].p_value == 1.0


def test_a_family_without_members_has_no_surprises() -> None:
    assert surprises([]) == []


def test_the_tail_falls_and_is_the_share_where_there_are_readings() -> None:
    reference = np.linspace(0.0, 1.0, 400)
    values = np.array([0.0, 0.5, 0.9, 1.5, 3.0, 10.0])
    found = tail(values, reference)
    assert (np.diff(found) < 0).all()
    assert found[1] == pytest.approx(0.5, abs=0.01)
    assert (tail(values, np.zeros(0)) > 0).all()


def test_evidence_is_none_for_chance_and_adds_up_on_a_scale_of_odds() -> None:
    assert evidence(1.0) == evidence(0.5) == 0
    assert evidence(0.01) == pytest.approx(np.log(1 / (np.e * 0.01 * np.log(100))))
    assert evidence(0.0) > evidence(1e-100) > evidence(1e-10)


def test_many_readings_make_no_surprise_and_agreement_is_one() -> None:
    assert smallest([]) == 1.0
    assert smallest([0.01] + [1.0] * 99) == pytest.approx(1 - 0.99**100)
    assert common([0.01, 0.01, 0.01]) == pytest.approx(np.e * 0.01)
    assert common([1e-9, 1.0, 1.0, 1.0]) > 1e-3
