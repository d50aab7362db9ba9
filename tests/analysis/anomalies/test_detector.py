"""The detector: what it finds, what it leaves alone, and that it never looks ahead."""

import itertools
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from infersight_analysis.anomalies.detector import KINDS, Detector, Judgement

Numbers = npt.NDArray[np.float64]

WARM = 400
POINTS = 3_000
AT = 2_000


def noise(seed: int = 1, series: int = 1, points: int = POINTS) -> Numbers:
    return np.random.default_rng(seed).normal(size=(series, points))


def daily(seed: int = 1, points: int = 3_000) -> Numbers:
    """Noise around a day of 288 points that is high for a third of it."""
    high = np.arange(points) % 288 // 96 == 1
    values: Numbers = 60.0 * high[None] + noise(seed, 1, points)
    return values


def judged(values: Numbers, period: int | None = None, false_alarms: float = 1e-3) -> Judgement:
    return Detector(len(values), warm_up=WARM, false_alarms=false_alarms, period=period).update(values)


def found_at(values: Numbers, first: int, within: int, period: int | None = None) -> set[str]:
    """The kinds of the alarms of one series from a point on."""
    found = judged(values, period, false_alarms=2e-4)
    return {KINDS[found.kind[0, time]] for time in np.flatnonzero(found.alarms[0]) if first <= time < first + within}


@pytest.mark.parametrize(("height", "kind"), [(12, "spike"), (-12, "dip")])
def test_a_spike_and_a_dip_are_found_where_they_are(height: float, kind: str) -> None:
    values = noise(2)
    values[0, AT] += height
    assert found_at(values, AT, 1) == {kind}


@pytest.mark.parametrize(("height", "kinds"), [(2.5, {"rise", "spike"}), (-2.5, {"fall", "dip"})])
def test_a_shift_of_the_level_within_the_noise_is_found_within_a_few_points(height: float, kinds: set[str]) -> None:
    for seed in (1, 2, 4):
        values = noise(seed)
        values[0, AT:] += height
        found = judged(values)
        told: set[str] = {KINDS[found.kind[0, time]] for time in range(AT, AT + 10) if found.alarms[0, time]}
        assert told
        assert told <= kinds


def test_silence_of_a_bursty_series_is_found_and_said_again_when_it_has_doubled() -> None:
    values = np.abs(noise()) * (np.random.default_rng(3).random((1, POINTS)) < 0.6)
    values[0, AT:] = 0.0
    found = judged(values)
    times = np.flatnonzero(found.alarms[0, AT:])
    assert {KINDS[kind] for kind in found.kind[0, AT:][times]} == {"silence"}
    assert times[0] < 40
    assert len(times) <= 5


def test_a_day_that_is_unlike_the_days_before_is_found_within_its_usual_values() -> None:
    values = daily()
    begin = 288 * 8 + 96
    values[0, begin : begin + 96] -= 60  # the high third is missing
    assert found_at(values, begin, 4, period=288) == {"below its season"}
    assert found_at(values, begin, 4) == set()


def test_no_season_is_seen_where_none_is() -> None:
    found = judged(noise(series=20), period=288)
    assert all("season" not in KINDS[kind] for kind in found.kind[found.alarms])


def test_what_repeats_exactly_and_what_never_changes_is_no_anomaly() -> None:
    pattern = np.tile(np.array([1.0, 5.0, 2.0, 9.0, 0.1]), POINTS // 5)[None]
    for values in (pattern, np.full((1, POINTS), 0.1), np.zeros((1, POINTS))):
        assert not judged(values, period=100).alarms.any()


def test_a_constant_series_that_changes_is_one_alarm() -> None:
    values = np.full((1, POINTS), 3.0)
    values[0, AT:] = 4.0
    assert np.flatnonzero(judged(values).alarms[0]).tolist() == [AT]


def test_after_an_alarm_there_is_silence_until_the_new_is_part_of_the_past() -> None:
    values = noise(2)
    values[0, AT:] += 30
    assert np.flatnonzero(judged(values, false_alarms=2e-4).alarms[0, AT : AT + 500]).tolist() == [0]


STREAMS: dict[str, Callable[[np.random.Generator, tuple[int, int]], Numbers]] = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "autoregressive": lambda rng, shape: autoregressive(rng, shape, 0.9),
    "heavy tails": lambda rng, shape: rng.standard_t(2, shape),
    "lognormal": lambda rng, shape: rng.lognormal(size=shape),
    "counts": lambda rng, shape: rng.poisson(3, shape).astype(float),
    "rare counts": lambda rng, shape: rng.poisson(0.05, shape).astype(float),
}


def autoregressive(rng: np.random.Generator, shape: tuple[int, int], part: float) -> Numbers:
    values = rng.normal(size=shape)
    for time in range(1, shape[1]):
        values[:, time] += part * values[:, time - 1]
    return values


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("false_alarms", [1e-3, 2e-4])
def test_false_alarms_are_at_most_twice_as_frequent_as_asked_for(name: str, false_alarms: float) -> None:
    values = STREAMS[name](np.random.default_rng(4), (60, 3_000))
    alarms = judged(values, false_alarms=false_alarms).alarms
    assert alarms.sum() <= 2 * false_alarms * alarms[:, WARM:].size


def test_pieces_are_judged_as_the_whole_is() -> None:
    values = np.concatenate([daily(1), daily(2), noise(3) ** 3, np.cumsum(noise(4), axis=1)])
    values[1, 700:900] = np.nan
    values[2, :350] = np.nan
    values[3, ::7] = np.nan
    whole = judged(values, period=288)
    detector = Detector(4, warm_up=WARM, period=288)
    cuts = [0, 1, 2, 50, 349, 351, 800, 801, 1_500, 2_900, 3_000]
    pieces = [detector.update(values[:, first:last]) for first, last in itertools.pairwise(cuts)]
    assert np.concatenate([piece.surprise for piece in pieces], axis=1) == pytest.approx(whole.surprise)
    assert np.array_equal(np.concatenate([piece.alarms for piece in pieces], axis=1), whole.alarms)
    assert whole.alarms.any(axis=1).all()


def test_series_are_judged_each_on_its_own() -> None:
    values = np.concatenate([daily(1), noise(3) ** 3])
    together = judged(values, period=288)
    for place in range(2):
        alone = judged(values[place : place + 1], period=288)
        assert np.array_equal(alone.surprise[0], together.surprise[place])
        assert np.array_equal(alone.alarms[0], together.alarms[place])


def test_gaps_are_not_judged_and_change_nothing_after_them() -> None:
    values = noise()
    values[0, 1_000:1_400] = np.nan
    found = judged(values)
    assert not found.alarms[0, 1_000:1_410].any()
    assert found.surprise[0, 1_000:1_400].max() == 0
    empty = judged(np.full((1, POINTS), np.nan))
    assert not empty.alarms.any()


def test_a_series_that_begins_late_warms_up_first() -> None:
    values = noise()
    values[0, :1_000] = np.nan
    values[0, 1_100] = 50
    values[0, 2_500] = 50
    times = np.flatnonzero(judged(values).alarms[0])
    assert times.min() > 1_000 + WARM
    values[0, 2_500] = 500
    assert 2_500 in np.flatnonzero(judged(values).alarms[0])
