"""What experiments of a known truth are said to have done."""

from typing import Any

import numpy as np
import pytest
from tests.analysis.experiments.populations import DAY_S, Columns, asked, experiment, named

from infersight_analysis.errors import AnalysisError
from infersight_analysis.experiments.metrics import Metric
from infersight_analysis.findings import ExperimentResults, MetricEffect
from infersight_analysis.report.output import to_json
from infersight_analysis.verbs.abtest.results import results


def judged(columns: Columns, *metrics: str, guardrails: tuple[str, ...] = (), **options: Any) -> ExperimentResults:
    question = asked(*metrics, **options)
    guards = tuple(Metric.of(text, is_guardrail=True) for text in guardrails)
    return results(columns, asked_with(question, guards))


def asked_with(question: Any, guards: tuple[Metric, ...]) -> Any:
    from dataclasses import replace

    return replace(question, metrics=(*question.metrics, *guards))


def counted(*cells: tuple[str, str, int, int]) -> list[dict[str, Any]]:
    """Rows of variant, country, how many, and how many of them succeeded."""
    return [
        {"variant": variant, "country": country, "ok": int(number < successes)}
        for variant, country, size, successes in cells
        for number in range(size)
    ]


def effect(found: ExperimentResults, metric: str, arm: str = "B") -> MetricEffect:
    (one,) = [each for each in found.effects if (each.metric, each.arm) == (metric, arm)]
    return one


def test_a_real_difference_is_shipped() -> None:
    found = judged(experiment(lift=0.08), "converted,matters=5%", "spent")
    assert (found.verdict, found.arm) == ("ship", "B")
    converted = effect(found, "converted")
    assert converted.judgement == "better"
    assert converted.difference.low is not None
    assert converted.difference.low > 0
    assert (converted.p_adjusted or 1) < 0.05
    assert found.summary.startswith("ship B: converted ")


def test_a_harm_is_not_shipped() -> None:
    found = judged(experiment(lift=-0.08), "converted,matters=5%")
    assert (found.verdict, found.arm) == ("keep", "A")
    assert effect(found, "converted").judgement == "worse"


def test_less_is_better_where_it_is_said() -> None:
    found = judged(experiment(lift=-0.08), "converted,lower,matters=5%")
    assert (found.verdict, found.arm) == ("ship", "B")


def test_no_difference_that_matters_is_a_verdict_too() -> None:
    found = judged(experiment(users=20_000), "converted,matters=3pp")
    assert (found.verdict, found.arm) == ("no difference that matters", None)
    assert effect(found, "converted").judgement == "no difference that matters"


def test_a_difference_too_small_to_matter_is_not_shipped_however_sure_it_is() -> None:
    found = judged(experiment(users=60_000, visits=1, lift=0.02), "converted,matters=5pp")
    assert (effect(found, "converted").p_adjusted or 1) < 0.001
    assert found.verdict == "no difference that matters"


def test_fifty_an_arm_and_five_percent_more_is_refused() -> None:
    """10 % more or less is all that chance: 50 an arm tell no such difference, whatever they show."""
    for successes in ((40, 42), (20, 21), (5, 5)):
        rows = counted(("A", "", 50, successes[0]), ("B", "", 50, successes[1]))
        found = results(rows, asked("ok,matters=5%", unit=None, time=None))
        assert found.verdict == "need more data"
        of_ok = effect(found, "ok")
        assert of_ok.judgement == "unknown"
        assert of_ok.needed is not None
        assert of_ok.needed > 20 * 50
        assert named(found, "size").status == "noted"


def test_a_tenth_and_an_eighth_of_five_hundred_are_not_told_apart() -> None:
    rows = counted(("control", "", 500, 50), ("treatment", "", 520, 62))
    found = results(rows, asked("ok,matters=10%", unit=None, time=None))
    assert found.verdict == "need more data"
    of_ok = effect(found, "ok", "treatment")
    assert of_ok.once.p_value == pytest.approx(0.326, abs=1e-3)
    assert of_ok.once.method.startswith("Newcombe")
    # What one look needs at a tenth more of a tenth is 14 700 an arm; to look at any time about twice that.
    assert of_ok.needed is not None
    assert 25_000 < of_ok.needed < 35_000


CONFUSED = counted(
    ("control", "US", 300, 40), ("control", "UK", 200, 10), ("treatment", "US", 400, 48), ("treatment", "UK", 120, 14)
)
"""One country goes the other way than the whole, and the arms have different countries."""


def test_a_segment_that_goes_another_way_is_no_paradox() -> None:
    found = results(CONFUSED, asked("ok", unit=None, time=None))
    (country,) = found.segments
    assert [stratum.difference.value for stratum in country.strata] == pytest.approx(
        [48 / 400 - 40 / 300, 14 / 120 - 0.05]
    )
    assert country.crude.value == pytest.approx(62 / 520 - 0.1)
    # Mantel and Haenszel: weights 300 * 400 / 700 and 200 * 120 / 320.
    weights = 120_000 / 700, 24_000 / 320
    within = weights[0] * (0.12 - 40 / 300) + weights[1] * (14 / 120 - 0.05)
    assert country.adjusted.value == pytest.approx(within / sum(weights))
    assert country.kind == "same"
    assert named(found, "mixtures").status == "ok"


def test_arms_of_different_countries_are_refused_all_the_same() -> None:
    found = results(CONFUSED, asked("ok", unit=None, time=None, segments=("country",)))
    assert found.verdict == "do not trust this test"
    assert "the assignment depends on it" in found.summary


def test_simpson_s_paradox_is_the_reversal_of_the_effect_and_names_the_segment() -> None:
    """The kidney stones of Charig et al. (British Medical Journal 292, 1986), ten times as many."""
    rows = counted(
        ("open", "small", 870, 810),
        ("open", "large", 2630, 1920),
        ("needle", "small", 2700, 2340),
        ("needle", "large", 800, 550),
    )
    found = results(rows, asked("ok", unit=None, time=None, baseline="open"))
    (stones,) = found.segments
    assert (stones.crude.value or 0) > 0
    assert (stones.adjusted.value or 0) < 0
    assert stones.kind == "reversed"
    assert found.verdict == "do not trust this test"
    assert found.summary.startswith("do not trust this test: Simpson's paradox: ok of needle is +")
    assert "country held equal" in found.summary


def test_an_effect_that_is_only_a_mixture_is_refused() -> None:
    rows = counted(("A", "x", 3000, 300), ("A", "y", 1000, 400), ("B", "x", 1000, 100), ("B", "y", 3000, 1200))
    found = results(rows, asked("ok", unit=None, time=None))
    assert found.verdict == "do not trust this test"
    assert "only because of country" in found.summary


def test_an_effect_that_differs_between_segments_is_told() -> None:
    rows = counted(("A", "x", 3000, 600), ("A", "y", 3000, 600), ("B", "x", 3000, 900), ("B", "y", 3000, 600))
    found = results(rows, asked("ok", unit=None, time=None))
    assert found.verdict == "ship"
    assert found.segments[0].kind == "disagreeing"
    assert found.segments[0].statement == "ok of B differs by country: x +10 pp, y 0 pp"


def with_novelty(*, lasting: float, fading: float, days: float = 2.0) -> Columns:
    """An effect of which a part fades within days of each user's first visit."""
    columns = experiment(seed=8, users=3_000, visits=12)
    first = dict(zip(columns["user"][::-1], columns["at"][::-1], strict=True))
    since = (columns["at"] - np.array([first[user] for user in columns["user"]])) / DAY_S
    effect_ = np.where(columns["variant"] == "B", lasting + fading * np.exp(-since / days), 0.0)
    columns["spent"] = columns["spent"] + effect_
    return columns


def test_an_effect_that_wears_off_is_novelty_and_is_not_shipped() -> None:
    found = judged(with_novelty(lasting=0.0, fading=8.0), "spent")
    assert effect(found, "spent mean").trend == "novelty"
    assert named(found, "novelty").status == "noted"
    assert found.verdict == "need more data"
    assert "wears off" in found.summary
    ages = [each.difference.value or 0 for each in effect(found, "spent mean").since_exposure]
    assert ages[0] > 2 * abs(ages[-1])


def test_an_effect_that_grows_is_primacy_and_is_shipped() -> None:
    found = judged(with_novelty(lasting=8.0, fading=-6.0), "spent")
    assert effect(found, "spent mean").trend == "primacy"
    assert found.verdict == "ship"


def test_an_effect_that_stays_has_no_trend() -> None:
    found = judged(with_novelty(lasting=5.0, fading=0.0), "spent")
    assert effect(found, "spent mean").trend is None
    assert effect(found, "spent mean").is_trend_by_unit
    assert found.verdict == "ship"


def test_earlier_values_make_intervals_narrower_and_leave_the_effect() -> None:
    columns = experiment(lift=0.05)
    plain = effect(judged(columns, "spent"), "spent mean")
    adjusted = effect(judged(columns, "spent", covariates={"spent": "spent_before"}), "spent mean")
    assert adjusted.variance_removed is not None
    assert adjusted.variance_removed > 0.7
    width = [(each.always.high or 0) - (each.always.low or 0) for each in (plain, adjusted)]
    assert width[1] < width[0] / 2
    assert adjusted.judgement == "better"


def test_a_guardrail_that_breaks_keeps_the_baseline() -> None:
    columns = experiment(lift=0.08)
    rng = np.random.default_rng(1)
    columns["slow"] = rng.gamma(2, 50, len(columns["user"])) * np.where(columns["variant"] == "B", 1.4, 1.0)
    found = judged(columns, "converted", guardrails=("slow,p90,lower,matters=10%",))
    assert (found.verdict, found.arm, found.is_guardrail_broken) == ("keep", "A", True)
    assert effect(found, "slow p90").judgement == "broken"
    held = judged(columns, "converted", guardrails=("slow,p90,lower,matters=80%",))
    assert (held.verdict, effect(held, "slow p90").judgement) == ("ship", "held")
    unclear = judged(columns, "converted", guardrails=("slow,p90,lower,matters=40%",))
    assert (unclear.verdict, effect(unclear, "slow p90").judgement) == ("need more data", "unknown")


def test_of_several_arms_the_best_is_shipped_and_p_values_are_adjusted_for_all() -> None:
    columns = experiment(users=6_000)
    rng = np.random.default_rng(2)
    arm = rng.integers(0, 4, 6_000)[np.char.lstrip(columns["user"], "u").astype(int)]
    columns["variant"] = np.array(["A", "B", "C", "D"])[arm]
    columns["converted"] = (rng.uniform(size=len(arm)) < np.array([0.2, 0.2, 0.3, 0.26])[arm]).astype(np.int64)
    found = judged(columns, "converted", "spent")
    assert (found.verdict, found.arm) == ("ship", "C")
    assert any(reason.startswith("also better: converted 2") for reason in found.reasons)
    assert effect(found, "converted", "B").judgement == "unknown"
    raw, adjusted = effect(found, "converted", "D").always.p_value, effect(found, "converted", "D").p_adjusted
    assert raw is not None
    assert adjusted == pytest.approx(raw * 5)  # the second smallest of six


def test_a_difference_that_hangs_on_a_few_values_says_so() -> None:
    columns = experiment(users=1_000, visits=1)
    columns["spent"] = np.random.default_rng(3).normal(10, 1, len(columns["user"]))
    of_b = np.flatnonzero(columns["variant"] == "B")[:4]
    columns["spent"][of_b] = 60.0
    found = judged(columns, "spent")
    assert effect(found, "spent mean").hangs_on is not None
    assert named(found, "extremes").status == "noted"
    assert "extreme units are drawn in" in named(found, "extremes").statement


def test_a_fixed_horizon_does_not_speak_before_its_planned_size() -> None:
    early = judged(experiment(users=400, lift=0.12), "converted,matters=5%", is_fixed=True)
    assert early.horizon == "once"
    assert (effect(early, "converted").once.p_value or 1) < 0.05
    assert early.verdict == "need more data"
    late = judged(experiment(users=6_000, lift=0.08), "converted,matters=20%", is_fixed=True)
    assert late.verdict == "ship"


@pytest.mark.parametrize(
    "metric", ["converted", "spent", "spent,p90", "spent,median", "spent/converted", "converted,any"]
)
def test_swapping_the_arms_turns_every_sign_and_nothing_else(metric: str) -> None:
    columns = experiment(users=300, lift=0.05)
    options: dict[str, Any] = {"covariates": {"spent": "spent_before"}}
    one, other = (judged(columns, metric, baseline=arm, **options).effects[0] for arm in ("A", "B"))
    assert one.values == pytest.approx(other.values[::-1])
    for a, b in ((one.always, other.always), (one.once, other.once)):
        assert a.value == pytest.approx(-(b.value or 0), rel=1e-6, abs=1e-12)
        assert a.low == pytest.approx(-(b.high or 0), rel=1e-6, abs=1e-9)
        assert a.high == pytest.approx(-(b.low or 0), rel=1e-6, abs=1e-9)
        assert a.p_value == pytest.approx(b.p_value, rel=1e-6)


def test_the_effect_over_time_has_intervals_that_close_in_on_the_truth() -> None:
    looks = effect(judged(experiment(lift=0.08), "converted"), "converted").over_time
    assert len(looks) > 15
    width = [(look.difference.high or 9) - (look.difference.low or -9) for look in looks]
    assert width[-1] < width[0] / 3
    assert all(look.difference.low < 0.08 < look.difference.high for look in looks if look.difference.low is not None)  # type: ignore[operator]


def test_what_is_missing_is_said_with_how_long_it_takes() -> None:
    found = judged(experiment(users=1_000, days=4.0), "converted,matters=3pp")
    (of_b,) = found.effects
    assert found.remaining_ns is not None
    assert found.remaining_ns == pytest.approx(((of_b.needed or 0) / min(of_b.units) - 1) * 4 * DAY_S * 1e9, rel=0.01)
    assert found.reasons[-1].startswith("at the rate so far that takes about ")
    assert found.reasons[-1].endswith(" days more")


def test_no_failure_so_far_is_no_proof_that_there_are_none() -> None:
    columns = experiment(users=200)
    columns["failed"] = np.zeros(len(columns["user"]), np.int64)
    (found,) = judged(columns, "failed,lower").effects
    for difference in (found.once, found.always):
        assert difference.value == 0
        assert -0.2 < (difference.low or 0) < -0.01
        assert 0.01 < (difference.high or 0) < 0.2


@pytest.mark.parametrize("seed", range(40))
def test_the_smallest_tables_get_an_answer_that_is_json(seed: int) -> None:
    rng = np.random.default_rng(seed)
    size = int(rng.integers(4, 40))
    columns = {
        "variant": np.array(["A", "B", *rng.choice(["A", "B", "C"], size - 2)]),
        "user": rng.integers(0, size // 2, size).astype(str),
        "x": np.where(rng.uniform(size=size) < 0.3, np.nan, rng.integers(0, 2, size)),
        "y": rng.integers(0, 3, size).astype(np.float64),
        "z": rng.normal(size=size) * 10.0 ** rng.integers(-8, 9) if seed % 4 else np.full(size, 3.0),
        "country": rng.choice(["p", "q"], size),
        "at": rng.integers(0, 3 if seed % 2 else 10**6, size),
    }
    columns["x"][0] = 1.0
    metrics = ("z,matters=5%", "x", "y/z", "z,p95", "x,any")
    found = judged(columns, *metrics[seed % 5 :], guardrails=("y,median",), unit="user" if seed % 3 else None)
    assert found.verdict in {"do not trust this test", "need more data", "keep", "no difference that matters"}
    assert '"verdict"' in to_json(found)


def test_a_metric_is_needed() -> None:
    with pytest.raises(AnalysisError, match="say what is measured"):
        judged(experiment(users=10))
    with pytest.raises(AnalysisError, match="say what is measured"):
        judged(experiment(users=10), guardrails=("spent",))


@pytest.mark.slow
def test_looking_at_every_day_finds_nothing_where_nothing_is_more_often_than_it_says() -> None:
    shipped = 0
    for seed in range(100):
        columns = experiment(seed, users=400, visits=5)
        days = (columns["at"] - columns["at"].min()) / DAY_S
        for day in (1, 2, 3, 5, 7, 10, 14):
            part = {name: values[days <= day] for name, values in columns.items()}
            if judged(part, "converted", "spent").verdict == "ship":
                shipped += 1
                break
    assert shipped <= 9  # of which 5 % would be 5
