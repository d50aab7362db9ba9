"""Findings of `abtest`."""

from dataclasses import dataclass, field
from typing import Any

from infersight_analysis.findings.evidence import Evidence


@dataclass(frozen=True)
class ArmSize:
    """An arm of an experiment, the baseline first.

    Args:
        units: how many units it has, without those that were in several arms.
        exposures: how many requests or rows those have.
        share: its share of the units.
        planned: the share that was meant.
        over_time: how many of each tenth of the new units, in the order of time, it got; empty where times are not
            known.
    """

    name: str
    units: int
    exposures: int
    share: float
    planned: float
    over_time: list[int] = field(default_factory=list[int])


@dataclass(frozen=True)
class ExperimentCheck:
    """Something that would make an experiment's results wrong.

    Args:
        name: what was looked at.
        status: `ok`, `noted` (good to know), `failed` (do not trust the results), `unknown`.
        statement: what it says.
        p_value: how often chance alone does as much; null where nothing was tested.
        numbers: what it was made from.
    """

    name: str
    status: str
    statement: str
    p_value: float | None = None
    numbers: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class ArmDifference:
    """An arm less the baseline, with its interval; null where it has no end.

    Args:
        p_value: two-sided, of no difference; null where nothing can be tested.
        method: how both were found.
    """

    value: float | None
    low: float | None
    high: float | None
    p_value: float | None
    method: str


@dataclass(frozen=True)
class EffectAt:
    """A difference at a time: nanoseconds since the epoch, or since the first exposure of each unit."""

    at_ns: int
    units: int
    difference: ArmDifference


@dataclass(frozen=True)
class MetricEffect:
    """One metric of one arm against the baseline.

    Args:
        role: `primary`, `metric` or `guardrail`.
        unit: what values are in: `ns`, `share` or nothing.
        units: how many units with values the baseline and the arm have.
        records: how many values.
        values: the metric in the baseline and in the arm.
        relative: the difference as a share of the baseline's value; null where that is 0.
        always: right at every look; the decision is by this one, unless a fixed horizon was asked for.
        once: right for one look at a size that was set before.
        p_adjusted: the deciding p value, adjusted for all metrics and arms of its family (Holm).
        matters: the least difference that matters, in the metric's unit; null where none is said.
        detectable: the difference that would be found at this size with the power asked for; null where not known.
        needed: units an arm until a difference that matters is found with that power; null where not known.
        judgement: `better`, `worse`, `no difference that matters`, `not better by what matters`, `unknown`; of a
            guardrail `broken`, `held` or `not broken`.
        variance_removed: the share of the variance that the units' earlier values took away; null without any.
        winsorised: of a mean or ratio, the difference at one look with the most extreme 1 % of units drawn in.
        hangs_on: how many extreme units have to be drawn in for it to say otherwise; null where those 1 % do not.
        over_time: the difference up to moments of the experiment, with intervals that hold at all of them.
        since_exposure: the difference in stretches of the time that units have had the variant.
        since_unit: what those are in: of a quantile the share beyond the common one is compared.
        trend: `novelty`, `primacy`, or null where no change with that time is sure.
        is_trend_by_unit: whether that time is each unit's own; else that since the experiment began.
    """

    metric: str
    arm: str
    role: str
    unit: str
    higher_is_better: bool
    units: list[int]
    records: list[int]
    values: list[float | None]
    difference: ArmDifference
    relative: float | None
    always: ArmDifference
    once: ArmDifference
    p_adjusted: float | None
    matters: float | None
    detectable: float | None
    needed: int | None
    judgement: str
    statement: str
    variance_removed: float | None = None
    winsorised: ArmDifference | None = None
    hangs_on: int | None = None
    over_time: list[EffectAt] = field(default_factory=list[EffectAt])
    since_exposure: list[EffectAt] = field(default_factory=list[EffectAt])
    since_unit: str = ""
    trend: str | None = None
    is_trend_by_unit: bool = False


@dataclass(frozen=True)
class SegmentStratum:
    """The difference within one value of a segment; units and metric of baseline and arm."""

    value: str
    units: list[int]
    values: list[float | None]
    difference: ArmDifference


@dataclass(frozen=True)
class SegmentEffect:
    """A difference with a segment held equal.

    Args:
        crude: as it is.
        adjusted: within the segment's values.
        kind: `reversed` (Simpson's paradox), `explained` (no difference is left), `disagreeing` (it differs between
            the values), or `same`.
        imbalance: the p value of the arms having the same mixture of the values.
    """

    segment: str
    metric: str
    arm: str
    kind: str
    statement: str
    crude: ArmDifference
    adjusted: ArmDifference
    strata: list[SegmentStratum]
    imbalance: float


@dataclass(frozen=True)
class ExperimentChecks:
    """Whether an experiment can be trusted, without a look at what it says."""

    variant: str
    unit: str
    exposures: int
    start: str | None
    end: str | None
    arms: list[ArmSize]
    can_be_trusted: bool
    summary: str
    checks: list[ExperimentCheck]
    notes: list[str]
    evidence: Evidence


@dataclass(frozen=True)
class ExperimentResults:
    """What the variants of an experiment did.

    Args:
        verdict: `ship`, `keep`, `no difference that matters`, `need more data`, or `do not trust this test`.
        arm: the arm to ship or keep; null where the verdict names none.
        summary: the verdict in words.
        reasons: why, the weightiest first.
        remaining_ns: how long it takes, at the rate so far, until a difference that matters is found in the primary
            metric; null where that is not known, or enough is there.
        is_guardrail_broken: whether an arm makes a guardrail worse than it may.
        horizon: `always` where the figures are right at every look, `once` where one fixed horizon decides.
        confidence: of intervals.
        effects: by metric and arm.
        segments: effects of the primary metric with each segment held equal, those that change it the most first.
    """

    variant: str
    unit: str
    exposures: int
    start: str | None
    end: str | None
    verdict: str
    arm: str | None
    summary: str
    reasons: list[str]
    remaining_ns: int | None
    is_guardrail_broken: bool
    horizon: str
    confidence: float
    arms: list[ArmSize]
    effects: list[MetricEffect]
    segments: list[SegmentEffect]
    checks: list[ExperimentCheck]
    notes: list[str]
    evidence: Evidence


@dataclass(frozen=True)
class DesignOption:
    """What a duration buys: the units of all arms by then, and the least difference that is found with the power."""

    days: float
    units: int
    detectable: float
    relative: float | None


@dataclass(frozen=True)
class ExperimentDesign:
    """How large an experiment has to be.

    Args:
        metric: what is measured.
        unit: what values are in: `ns`, `share` or nothing.
        baseline: its value now.
        deviation: the standard deviation of a unit's value; null of what is a share of single records.
        effect: the difference to be found, in the metric's unit.
        relative: the same as a share of the baseline's value; null where that is 0.
        arms: how many arms, the baseline included.
        units: how many each arm needs, the baseline first, for one look at the end.
        total: of all arms together.
        total_always: the same where the results may be looked at, and acted on, at any time; about.
        power: how often the difference is found, where there is one.
        confidence: one less how often one is found where there is none.
        units_a_day: new units of the traffic that was measured; null where none was.
        days: how long the experiment takes with that traffic.
        days_always: the same for looks at any time.
        options: what other durations buy.
    """

    metric: str
    unit: str
    baseline: float
    deviation: float | None
    effect: float
    relative: float | None
    arms: int
    units: list[int]
    total: int
    total_always: int
    power: float
    confidence: float
    units_a_day: float | None
    days: float | None
    days_always: float | None
    options: list[DesignOption]
    summary: str
    notes: list[str]
    evidence: Evidence
