"""What an experiment says: arms, checks, effects and the verdict, as findings."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from infersight_analysis.experiments import checks as validation
from infersight_analysis.experiments.checks import unit_time_of
from infersight_analysis.experiments.confounding import Adjusted, adjusted, confounders
from infersight_analysis.experiments.measuring import PRIMARY, effects_of
from infersight_analysis.experiments.metrics import Metric
from infersight_analysis.experiments.observations import NONE, Labels, Observations
from infersight_analysis.experiments.question import Question
from infersight_analysis.experiments.telling import difference_of, long_duration, segment_said
from infersight_analysis.experiments.traps import traps
from infersight_analysis.experiments.verdict import BROKEN, DISTRUST, NEED_MORE_DATA, verdict
from infersight_analysis.findings import (
    ArmSize,
    Evidence,
    ExperimentCheck,
    ExperimentChecks,
    ExperimentResults,
    MetricEffect,
    SegmentEffect,
    SegmentStratum,
)
from infersight_analysis.findings.numbers import finite
from infersight_analysis.times import iso_time

_SEGMENTS: Final = 12
_STRATA: Final = 12
_TRACES: Final = 3
_DISAGREEMENT: Final = 0.01


def checks_of(observations: Observations, question: Question) -> ExperimentChecks:
    """Whether an experiment can be trusted.

    Args:
        observations: what was observed.
        question: the experiment.
    """
    found = validation.checks(observations, question)
    failed = [each for each in found if each.status == validation.FAILED]
    start, end = _times(observations)
    return ExperimentChecks(
        variant=question.variant or "",
        unit=observations.unit_is,
        exposures=len(observations),
        start=start,
        end=end,
        arms=_arms(observations, question),
        can_be_trusted=not failed,
        summary=f"{DISTRUST}: {failed[0].statement}" if failed else f"no fault found by {len(found)} checks",
        checks=found,
        notes=list(observations.notes),
        evidence=_evidence(observations),
    )


def results_of(observations: Observations, question: Question) -> ExperimentResults:
    """What an experiment says, and whether that can be trusted.

    Args:
        observations: what was observed.
        question: the experiment.
    """
    found = validation.checks(observations, question)
    effects = effects_of(observations, question)
    segments = _segments(observations, question)
    found += traps(observations, effects, segments)
    decided = verdict(observations.arms, effects, _weighty(found, observations))
    remaining_ns = _remaining(observations, effects)
    reasons = list(decided.reasons)
    if decided.kind == NEED_MORE_DATA and remaining_ns is not None:
        reasons.append(f"at the rate so far that takes {long_duration(remaining_ns)} more")
    start, end = _times(observations)
    return ExperimentResults(
        variant=question.variant or "",
        unit=observations.unit_is,
        exposures=len(observations),
        start=start,
        end=end,
        verdict=decided.kind,
        arm=decided.arm,
        summary=decided.summary,
        reasons=reasons,
        remaining_ns=remaining_ns,
        is_guardrail_broken=any(each.judgement == BROKEN for each in effects),
        horizon="once" if question.is_fixed else "always",
        confidence=question.confidence,
        arms=_arms(observations, question),
        effects=effects,
        segments=segments,
        checks=found,
        notes=list(observations.notes),
        evidence=_evidence(observations),
    )


def _weighty(found: Sequence[ExperimentCheck], observations: Observations) -> list[ExperimentCheck]:
    """The failed checks that end the experiment; those of a metric that decides nothing do not."""
    secondary = [each.metric.name for each in observations.outcomes[1:] if not each.metric.is_guardrail]
    names = {f"{what} {name}" for name in secondary for what in ("variance of", "missing")}
    return [each for each in found if each.status == validation.FAILED and each.name not in names]


def _segments(observations: Observations, question: Question) -> list[SegmentEffect]:
    """The primary metric with each segment held equal, those first that explain or reverse its effect."""
    outcome = observations.outcomes[0]
    shown: list[SegmentEffect] = []
    for arm in range(1, len(observations.arms)):
        found = adjusted(observations, outcome, arm, question.confidence)
        guilty = confounders(found)
        metric = outcome.metric
        told = [(each, _segment(each, metric, observations.arms[arm], len(found), each in guilty)) for each in found]
        first = sorted(told, key=lambda pair: (pair[0] not in guilty, pair[1].kind == "same"))
        shown += [segment for _, segment in first[:_SEGMENTS]]
    return shown


def _segment(found: Adjusted, metric: Metric, arm: str, tests: int, is_guilty: bool) -> SegmentEffect:
    kind = "same"
    if is_guilty:
        kind = "reversed" if found.is_reversed else "explained"
    elif found.disagreement * tests < _DISAGREEMENT:
        kind = "disagreeing"
    unit = metric.unit if metric.quantile is None else "share"
    name = metric.name if metric.quantile is None else f"the share beyond the common {metric.name}"
    return SegmentEffect(
        segment=found.segment,
        metric=name,
        arm=arm,
        kind=kind,
        statement=segment_said(found, name, arm, unit, kind),
        crude=difference_of(found.crude),
        adjusted=difference_of(found.adjusted),
        strata=[
            SegmentStratum(
                each.name, list(each.units), [finite(value) for value in each.values], difference_of(each.difference)
            )
            for each in found.strata[:_STRATA]
        ],
        imbalance=found.imbalance,
    )


def _remaining(observations: Observations, effects: Sequence[MetricEffect]) -> int | None:
    """How long until the primary metric of every arm has the units that it needs, if they come as so far."""
    if observations.time_ns is None:
        return None
    lacking = [
        each.needed / min(each.units) - 1
        for each in effects
        if each.role == PRIMARY and each.needed and min(each.units)
    ]
    so_far = int(observations.time_ns[-1] - observations.time_ns[0])
    return round(max(lacking) * so_far) if lacking and max(lacking) > 0 and so_far else None


def _arms(observations: Observations, question: Question) -> list[ArmSize]:
    arm = observations.unit_arm
    units = np.bincount(arm[arm != NONE], minlength=len(observations.arms))
    of_rows = arm[observations.unit.codes]
    exposures = np.bincount(of_rows[of_rows != NONE], minlength=len(observations.arms))
    planned = question.shares(observations.arms)
    times = unit_time_of(observations)
    by_time = None if times is None else Labels(arm, observations.arms).counted(times)
    return [
        ArmSize(
            name=name,
            units=int(units[place]),
            exposures=int(exposures[place]),
            share=float(units[place] / max(1, units.sum())),
            planned=planned[place],
            over_time=[] if by_time is None else by_time[place].tolist(),
        )
        for place, name in enumerate(observations.arms)
    ]


def _times(observations: Observations) -> tuple[str | None, str | None]:
    if observations.time_ns is None or not len(observations):
        return None, None
    return iso_time(int(observations.time_ns[0])), iso_time(int(observations.time_ns[-1]))


def _evidence(observations: Observations) -> Evidence:
    """Some requests of each arm, and the query that lists all of them."""
    some: list[str] = []
    if observations.ids:
        for place in range(len(observations.arms)):
            rows: list[int] = np.flatnonzero(observations.arm.codes == place)[:_TRACES].tolist()
            some += [observations.ids[row] for row in rows]
    numbers = {"exposures": len(observations), "units": len(observations.unit.names)}
    return Evidence(some, list(observations.sql), numbers)
