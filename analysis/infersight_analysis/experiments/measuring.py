"""Every metric of every arm against the baseline, as findings, with false discoveries controlled over all of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Final

import numpy as np

from infersight_analysis.experiments.effects import Effect, effect_of
from infersight_analysis.experiments.metrics import Metric
from infersight_analysis.experiments.observations import Observations, Outcome
from infersight_analysis.experiments.question import Question
from infersight_analysis.experiments.samples import Rows, Sample
from infersight_analysis.experiments.telling import difference_of, effect_at, effect_said
from infersight_analysis.experiments.timing import looks, trend
from infersight_analysis.experiments.verdict import UNKNOWN, guarded, judgement
from infersight_analysis.findings import MetricEffect
from infersight_analysis.findings.numbers import finite
from infersight_analysis.stats import outliers
from infersight_analysis.stats.discoveries import holm
from infersight_analysis.stats.normal import z_at, z_of
from infersight_analysis.stats.sequential import TIGHTEST_AT

PRIMARY: Final = "primary"
GUARDRAIL: Final = "guardrail"


@dataclass(frozen=True)
class _Pair:
    """One metric of one arm."""

    outcome: Outcome
    metric: Metric
    role: str
    arm: int
    a: Sample
    b: Sample


def effects_of(observations: Observations, question: Question) -> list[MetricEffect]:
    """Every metric of every arm that has values, the primary one first.

    The p values of all metrics and arms together are adjusted by Holm's method, those of guardrails as a family of
    their own: an alarm there must be as sure as a success elsewhere, and neither may make the other harder.

    Args:
        observations: what was observed.
        question: the experiment.
    """
    found = [(pair, _effect(observations, question, pair)) for pair in _pairs(observations)]
    return [
        effect
        for guardrails in (False, True)
        for effect in _judged(
            [each for each in found if (each[0].role == GUARDRAIL) == guardrails], observations, question
        )
    ]


def _pairs(observations: Observations) -> list[_Pair]:
    found: list[_Pair] = []
    for place, outcome in enumerate(observations.outcomes):
        rows = Rows.of(observations, outcome)
        samples = [rows.sample(arm) for arm in range(len(observations.arms))]
        role = GUARDRAIL if rows.metric.is_guardrail else ("metric" if place else PRIMARY)
        found += [
            _Pair(outcome, rows.metric, role, arm, samples[0], sample)
            for arm, sample in enumerate(samples)
            if arm and len(sample) and len(samples[0])
        ]
    return found


def _effect(observations: Observations, question: Question, pair: _Pair) -> MetricEffect:
    """It without its adjusted p value, its judgement and its statement."""
    metric, a, b = pair.metric, pair.a, pair.b
    earlier = observations.covariates.get(pair.metric.measured)
    effect = effect_of(metric, a, b, confidence=question.confidence, earlier=earlier)
    decisive = effect.once if question.is_fixed else effect.always
    matters = None if metric.matters is None else metric.matters.absolute(a.value)
    detectable = _detectable(effect, question)
    has_extremes = not metric.is_share and metric.quantile is None and min(len(a), len(b)) > 1
    hanging = outliers.dependence(a.values, b.values, question.confidence) if has_extremes else None
    found = MetricEffect(
        metric=metric.name,
        arm=observations.arms[pair.arm],
        role=pair.role,
        unit=metric.unit,
        higher_is_better=metric.higher_is_better,
        units=[len(a), len(b)],
        records=[a.records, b.records],
        values=[finite(a.value), finite(b.value)],
        difference=difference_of(decisive),
        relative=finite(decisive.value / abs(a.value)) if a.value else None,
        always=difference_of(effect.always),
        once=difference_of(effect.once),
        p_adjusted=decisive.p_value,
        matters=matters,
        detectable=detectable,
        needed=_needed(detectable, matters, min(len(a), len(b))),
        judgement="",
        statement="",
        variance_removed=effect.variance_removed,
        winsorised=None if hanging is None else difference_of(hanging.winsorised),
        hangs_on=None if hanging is None else hanging.hangs_on,
    )
    return found if pair.role == GUARDRAIL else _with_times(found, observations, question, pair)


def _with_times(found: MetricEffect, observations: Observations, question: Question, pair: _Pair) -> MetricEffect:
    ages = trend(observations, pair.outcome, pair.arm, question.confidence)
    if ages is not None:
        found = replace(
            found,
            since_exposure=[effect_at(look) for look in ages.ages],
            since_unit=pair.metric.unit if pair.metric.quantile is None else "share",
            trend=ages.kind,
            is_trend_by_unit=ages.is_by_unit,
        )
    if pair.role != PRIMARY:
        return found
    seen = looks(observations, pair.outcome, pair.arm, confidence=question.confidence, tightest_at=TIGHTEST_AT)
    return replace(found, over_time=[effect_at(look) for look in seen])


def _detectable(effect: Effect, question: Question) -> float | None:
    """The difference that would be found with the power asked for: beyond the interval by the power's deviate."""
    once, decisive = effect.once, effect.once if question.is_fixed else effect.always
    error = (once.high - once.low) / 2 / z_of(question.confidence)
    return finite((decisive.high - decisive.low) / 2 + z_at(question.power) * error)


def _needed(detectable: float | None, matters: float | None, units: int) -> int | None:
    """Units an arm until what matters is detectable: intervals narrow with the square root of their number."""
    if detectable is None or not matters:
        return None
    return ceil(units * (detectable / matters) ** 2)


def _judged(
    found: Sequence[tuple[_Pair, MetricEffect]], observations: Observations, question: Question
) -> list[MetricEffect]:
    p_values = np.array([1.0 if effect.p_adjusted is None else effect.p_adjusted for _, effect in found])
    judged: list[MetricEffect] = []
    for (pair, effect), p_adjusted in zip(found, holm(p_values).tolist(), strict=True):
        sign = 1.0 if pair.metric.higher_is_better else -1.0
        low, high = (effect.difference.low, effect.difference.high)
        ends = (-float("inf") if low is None else low, float("inf") if high is None else high)
        low, high = ends if sign > 0 else (-ends[1], -ends[0])
        effect = replace(effect, p_adjusted=None if effect.p_adjusted is None else p_adjusted)  # noqa: PLW2901
        gain = sign * (effect.difference.value or 0.0), low, high
        judge = guarded if pair.role == GUARDRAIL else judgement
        said = judge(gain, effect.p_adjusted, effect.matters, 1 - question.confidence)
        # One look before the planned size is one of many: what it says by itself is not to be had yet.
        is_early = question.is_fixed and effect.needed is not None and effect.needed > min(effect.units)
        effect = replace(effect, judgement=UNKNOWN if is_early else said)  # noqa: PLW2901
        judged.append(replace(effect, statement=effect_said(effect, observations.arms[0])))
    return judged
