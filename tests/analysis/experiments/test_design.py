"""How large an experiment has to be: against known sizes, and by running experiments of that size."""

from typing import Any

import numpy as np
import pytest
from tests.analysis.experiments.populations import asked, experiment

from infersight_analysis.errors import AnalysisError
from infersight_analysis.experiments.effects import once
from infersight_analysis.experiments.metrics import Metric
from infersight_analysis.experiments.question import Question
from infersight_analysis.experiments.rows import tabulated
from infersight_analysis.experiments.samples import Rows
from infersight_analysis.findings import ExperimentDesign
from infersight_analysis.verbs.abtest.design import Traffic, design


def planned(traffic: Traffic, effect: str, **options: Any) -> ExperimentDesign:
    metric = Metric.of(f"{traffic.metric.value},matters={effect}")
    shares = options.pop("shares", (1.0, 1.0))
    return design(traffic, Question(None, (metric,), **options), shares=shares)


def share(rate: float, units_a_day: float | None = None) -> Traffic:
    return Traffic(Metric.of("converted,rate"), rate, None, units_a_day)


def test_a_tenth_more_of_a_tenth_takes_14_744_an_arm() -> None:
    """Cohen's h of 0.10 and 0.11: 2 ((1.960 + 0.842) / 0.0326)^2; half of that has a power of 51 % instead of 80."""
    found = planned(share(0.10), "10%")
    assert found.units[0] == pytest.approx(14_744, abs=8)
    assert found.units[0] == found.units[1]
    assert found.total == 2 * found.units[0]
    assert 1.5 < found.total_always / found.total < 3


def test_means_take_what_the_t_test_takes() -> None:
    """Cohen (1988): half a standard deviation with 80 % takes 64 an arm."""
    found = planned(Traffic(Metric.of("spent,mean"), 100.0, 10.0), "5")
    assert found.units == [64, 64]


def test_unequal_arms_and_several_of_them_cost_more() -> None:
    even = planned(share(0.10), "10%")
    uneven = planned(share(0.10), "10%", shares=(90.0, 10.0))
    assert uneven.units[0] == pytest.approx(9 * uneven.units[1], rel=1e-3)
    assert uneven.total > 2 * even.total
    three = planned(share(0.10), "10%", shares=(1.0, 1.0, 1.0))
    assert three.arms == 3
    assert three.units[0] > even.units[0]  # each comparison has half of the false alarms


def test_traffic_gives_days_and_what_other_durations_buy() -> None:
    found = planned(share(0.10, 5_000.0), "10%")
    assert found.days == pytest.approx(found.total / 5_000)
    detectable = [option.detectable for option in found.options]
    assert detectable == sorted(detectable, reverse=True)
    assert [option.units for option in found.options[:2]] == [5_000, 15_000]
    assert planned(share(0.10), "10%").days is None


def test_the_spread_of_units_is_measured_from_traffic() -> None:
    columns = experiment(users=4_000)
    found = design(columns, asked("spent,matters=2%"))
    assert found.baseline == pytest.approx(20, abs=0.5)
    assert found.deviation is not None
    assert found.units_a_day == pytest.approx(4_000 / 14, rel=0.01)
    assert any("units come back" in note for note in found.notes)
    single = design({**columns, "user": np.arange(len(columns["user"]))}, asked("converted,matters=10%"))
    assert single.deviation is None


def test_an_experiment_of_the_designed_size_finds_the_effect_as_often_as_it_says() -> None:
    traffic = experiment(0, users=8_000, visits=3)
    size = design(traffic, asked("converted,matters=5pp")).total
    found = 0
    for seed in range(1, 101):
        observed = tabulated(experiment(seed, users=size, visits=3, lift=0.05), asked("converted"))
        rows = Rows.of(observed, observed.outcomes[0])
        found += once(rows.metric, rows.sample(0), rows.sample(1), 0.95).excludes_zero
    # 80 %, and 99 % of what 100 runs give around it.
    assert 69 <= found <= 90


@pytest.mark.parametrize(
    ("traffic", "effect"), [(share(0.10), "0"), (share(0.95), "10pp"), (Traffic(Metric.of("x,mean"), 0.0, 1.0), "5%")]
)
def test_an_effect_that_cannot_be_is_refused(traffic: Traffic, effect: str) -> None:
    with pytest.raises(AnalysisError, match="is possible"):
        planned(traffic, effect)


def test_what_never_differs_gives_no_size() -> None:
    with pytest.raises(AnalysisError, match="for every unit"):
        design({"x": np.full(50, 3.0)}, Question(None, (Metric.of("x,mean,matters=5%"),)))


def test_what_matters_must_be_said() -> None:
    with pytest.raises(AnalysisError, match="which difference matters"):
        design(experiment(users=10), asked("converted"))


def test_fewer_errors_are_the_improvement() -> None:
    found = design({"errors": np.arange(1_000) % 20 == 0}, Question(None, (Metric.of("errors,matters=5pp"),)))
    assert found.effect == pytest.approx(0.05)  # from 5 % to none, not to 10 %
