"""How large an experiment has to be, and how long that takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from typing import Final

import numpy as np

from infersight_analysis.errors import AnalysisError
from infersight_analysis.experiments.metrics import Margin, Metric, shown
from infersight_analysis.experiments.observations import Observations
from infersight_analysis.experiments.samples import Rows
from infersight_analysis.findings import DesignOption, Evidence, ExperimentDesign
from infersight_analysis.stats import design, sequential
from infersight_analysis.stats.normal import z_at
from infersight_analysis.times import SECOND_NS

_DAYS: Final = (1, 3, 7, 14, 28, 56)
_DAY_NS: Final = 86_400 * SECOND_NS


@dataclass(frozen=True)
class Traffic:
    """What a metric is without an experiment.

    Args:
        metric: the metric.
        value: its value.
        deviation: the standard deviation of one unit's value; None of a share of units that count once each.
        units_a_day: how many new units there are in a day; None where that is not known.
        unit_is: what a unit is called.
        notes: what to know about it.
        sql: queries that show it.
    """

    metric: Metric
    value: float
    deviation: float | None
    units_a_day: float | None = None
    unit_is: str = "unit"
    notes: Sequence[str] = ()
    sql: Sequence[str] = ()


def traffic_of(observations: Observations) -> Traffic:
    """What the first metric is in traffic that was observed, as if it were one arm.

    Args:
        observations: all of one arm.

    Raises:
        AnalysisError: there is too little of it.
    """
    outcome = observations.outcomes[0]
    sample = Rows.of(observations, outcome).linear(0)
    if len(sample) < 2:
        raise AnalysisError(f"too little traffic to know {outcome.metric.name}")
    is_single = outcome.metric.is_share and sample.is_plain
    if not is_single and not np.ptp(sample.values):
        raise AnalysisError(f"{outcome.metric.name} is {sample.value:.6g} for every unit: nothing to size by")
    days = 0.0 if observations.time_ns is None else float(np.ptp(observations.time_ns)) / _DAY_NS
    units = len(observations.unit.names)
    notes = [f"measured from {len(observations):,} {observations.rows_are} of {units:,} units ({observations.unit_is})"]
    if len(observations) > units and days:
        notes.append("units come back, so a longer time brings fewer new ones a day")
    return Traffic(
        outcome.metric,
        sample.value,
        None if is_single else float(np.std(sample.values, ddof=1)),
        units / days if days else None,
        observations.unit_is,
        [*notes, *observations.notes],
        observations.sql,
    )


def design_of(
    traffic: Traffic, effect: Margin, *, shares: Sequence[float], confidence: float = 0.95, power: float = 0.8
) -> ExperimentDesign:
    """How large an experiment has to be to find an effect.

    Shares by Cohen's h and means by the noncentral t, see `stats.design`; for looks at any time by the interval that is
    right at all of them. The confidence is divided among the arms beside the baseline (Bonferroni), of which the
    smallest is the hardest to tell.

    Args:
        traffic: what the metric is now.
        effect: the least difference to be found, in the direction that is better.
        shares: of the arms, the baseline first, in any unit.
        confidence: one less it is how often a difference is found where there is none.
        power: how often it is found where there is one.

    Raises:
        AnalysisError: there is no such effect.
    """
    metric = traffic.metric
    size, changed = _effect(traffic, effect)
    each = 1 - (1 - confidence) / (len(shares) - 1)
    plan = _Plan(traffic, min(shares[1:]) / shares[0], each, power)
    units, always = ([ceil(arm * share / shares[0]) for share in shares] for arm in plan.baselines(changed))
    days = [None if traffic.units_a_day is None else sum(total) / traffic.units_a_day for total in (units, always)]
    return ExperimentDesign(
        metric=metric.name,
        unit=metric.unit,
        baseline=traffic.value,
        deviation=traffic.deviation,
        effect=size,
        relative=size / abs(traffic.value) if traffic.value else None,
        arms=len(shares),
        units=units,
        total=sum(units),
        total_always=sum(always),
        power=power,
        confidence=confidence,
        units_a_day=traffic.units_a_day,
        days=days[0],
        days_always=days[1],
        options=[] if traffic.units_a_day is None else [plan.option(n, traffic.units_a_day, shares) for n in _DAYS],
        summary=_summary(traffic, size, units, (sum(units), sum(always)), power),
        notes=list(traffic.notes),
        evidence=Evidence([], list(traffic.sql), {"confidence_each": each}),
    )


def _effect(traffic: Traffic, effect: Margin) -> tuple[float, float]:
    """How large the effect is, and what the metric is with it; raises AnalysisError where it cannot be."""
    size = effect.absolute(traffic.value)
    changed = traffic.value + (size if traffic.metric.higher_is_better else -size)
    if not size or (traffic.deviation is None and not 0 <= changed <= 1):
        raise AnalysisError(f"no effect of {size:.3g} on {traffic.metric.name} of {traffic.value:.3g} is possible")
    return size, changed


@dataclass(frozen=True)
class _Plan:
    """The baseline and the smallest arm, which has `ratio` units for each of the baseline's."""

    traffic: Traffic
    ratio: float
    confidence: float
    power: float

    def baselines(self, changed: float) -> tuple[int, int]:
        """Units of the baseline, for one look and for any number of them, to tell the metric from another value."""
        value, deviation = self.traffic.value, self.traffic.deviation
        asked: dict[str, float] = {"power": self.power, "confidence": self.confidence, "ratio": self.ratio}
        if deviation is None:
            sizes = design.proportion_sizes(value, changed, **asked)
            effect = design.cohens_h(value, changed)
        else:
            sizes = design.mean_sizes(changed - value, deviation, **asked)
            effect = (changed - value) / deviation
        return sizes.a, design.sequential_sizes(effect, **asked).a

    def option(self, days: int, rate: float, shares: Sequence[float]) -> DesignOption:
        """What so many days of traffic tell, at any look."""
        a = max(2.0, rate * days * shares[0] / sum(shares))
        b = a * self.ratio
        value = self.traffic.value
        deviation = sqrt(value * (1 - value)) if self.traffic.deviation is None else self.traffic.deviation
        deviates = sequential.critical_value(a, b, self.confidence) + z_at(self.power)
        detectable = deviates * deviation * sqrt(1 / a + 1 / b)
        return DesignOption(float(days), int(rate * days), detectable, detectable / abs(value) if value else None)


def _summary(traffic: Traffic, size: float, units: list[int], totals: tuple[float, float], power: float) -> str:
    metric, unit = traffic.metric, traffic.metric.unit
    wanted = shown(size, unit, signed=True).removeprefix("+")
    change = f" ({100 * size / abs(traffic.value):.3g} % of it)" if traffic.value else ""
    many = f"{units[0]:,}" if len(set(units)) == 1 else " and ".join(f"{each:,}" for each in units)
    said = f"{metric.name} is {shown(traffic.value, unit)}; to find a difference of {wanted}{change} in {power:.0%} of "
    said += f"cases takes {many} units an arm, and {totals[1] / totals[0]:.2g} times as many if it may end at any look"
    if traffic.units_a_day:
        once, always = (total / traffic.units_a_day for total in totals)
        said += f": {once:.3g} to {always:.3g} days of the present traffic"
    return said
