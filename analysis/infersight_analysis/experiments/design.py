"""How large an experiment has to be, and how long that takes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from typing import Final

import numpy as np

from infersight_analysis.errors import AnalysisError
from infersight_analysis.experiments.metrics import Margin, Metric, shown
from infersight_analysis.experiments.observations import Observations
from infersight_analysis.experiments.samples import Rows
from infersight_analysis.findings import DesignOption, Evidence, ExperimentDesign
from infersight_analysis.stats import sequential
from infersight_analysis.stats.normal import z_of
from infersight_analysis.times import SECOND_NS

_DAYS: Final = (1, 3, 7, 14, 28, 56)
_MOST_UNITS: Final = 10**12
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

    def variance(self, effect: float) -> float:
        """The variance of one unit's value, where the metric is larger by an effect."""
        if self.deviation is not None:
            return self.deviation**2
        return (self.value + effect) * (1 - self.value - effect)


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
    days = 0.0 if observations.time_ns is None else float(np.ptp(observations.time_ns)) / _DAY_NS
    units = len(observations.unit.names)
    notes = [f"measured from {len(observations):,} {observations.rows_are} of {units:,} {observations.unit_is}s"]
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

    For one look at the end by the variances of both arms (Fleiss, Levin and Paik, 2003, chapter 4, without continuity
    correction), for looks at any time by the width of the interval that is right at all of them. The confidence is
    divided among the arms beside the baseline.

    Args:
        traffic: what the metric is now.
        effect: the least difference to be found, in the direction that is better.
        shares: of the arms, the baseline first, in any unit.
        confidence: one less it is how often a difference is found where there is none.
        power: how often it is found where there is one.

    Raises:
        AnalysisError: there is no such effect.
    """
    metric, size = traffic.metric, effect.absolute(traffic.value)
    signed = size if metric.higher_is_better else -size
    if not size or (traffic.deviation is None and not 0 <= traffic.value + signed <= 1):
        raise AnalysisError(f"no effect of {size:.3g} on {metric.name} of {traffic.value:.3g} is possible")
    parts = [share / sum(shares) for share in shares]
    each = 1 - (1 - confidence) / (len(shares) - 1)
    plan = _Plan(traffic, signed, min(parts[1:]), parts[0], each, power)
    total, total_always = plan.total(plan.once), plan.total(plan.always)
    rate = traffic.units_a_day
    return ExperimentDesign(
        metric=metric.name,
        unit=metric.unit,
        baseline=traffic.value,
        deviation=traffic.deviation,
        effect=size,
        relative=size / abs(traffic.value) if traffic.value else None,
        arms=len(shares),
        units=[ceil(total * part) for part in parts],
        total=sum(ceil(total * part) for part in parts),
        total_always=sum(ceil(total_always * part) for part in parts),
        power=power,
        confidence=confidence,
        units_a_day=rate,
        days=total / rate if rate else None,
        days_always=total_always / rate if rate else None,
        options=[] if rate is None else [_option(plan, days, rate) for days in _DAYS],
        summary=_summary(traffic, size, [ceil(total * part) for part in parts], (total, total_always), power),
        notes=list(traffic.notes),
        evidence=Evidence([], list(traffic.sql), {"confidence_each": each}),
    )


@dataclass(frozen=True)
class _Plan:
    """The pair of arms that is the hardest to tell apart."""

    traffic: Traffic
    effect: float
    share: float
    baseline_share: float
    confidence: float
    power: float

    def error(self, total: float) -> float:
        """The standard error of the difference with so many units in all."""
        arm = self.traffic.variance(self.effect) / (total * self.share)
        return sqrt(self.traffic.variance(0.0) / (total * self.baseline_share) + arm)

    def once(self, total: float) -> float:
        """The least difference that is found with the power, at one look."""
        return (z_of(self.confidence) + z_of(2 * self.power - 1)) * self.error(total)

    def always(self, total: float) -> float:
        """The same at any look: the interval must end before 0 with the power."""
        sizes = max(2, int(total * self.baseline_share)), max(2, int(total * self.share))
        half = self.error(total) ** 2 / 2
        found = sequential.from_variances(0.0, (half, half), sizes, self.confidence)
        return found.high + z_of(2 * self.power - 1) * self.error(total)

    def total(self, detectable: Callable[[float], float]) -> float:
        """The least number of units in all with which the effect is found."""
        low, high = 4.0, float(_MOST_UNITS)
        while high / low > 1 + 1e-9:
            middle = sqrt(low * high)
            low, high = (low, middle) if detectable(middle) <= abs(self.effect) else (middle, high)
        return high


def _option(plan: _Plan, days: int, rate: float) -> DesignOption:
    units = max(4.0, rate * days)
    detectable = plan.always(units)
    value = abs(plan.traffic.value)
    return DesignOption(float(days), int(units), detectable, detectable / value if value else None)


def _summary(traffic: Traffic, size: float, units: list[int], totals: tuple[float, float], power: float) -> str:
    metric, unit = traffic.metric, traffic.metric.unit
    wanted = shown(size, unit, signed=True).removeprefix("+")
    change = f" ({100 * size / abs(traffic.value):.3g} % of it)" if traffic.value else ""
    many = f"{units[0]:,}" if len(set(units)) == 1 else " and ".join(f"{each:,}" for each in units)
    said = (
        f"to tell {wanted}{change} from a {metric.name} of {shown(traffic.value, unit)} in {power:.0%} of cases takes "
    )
    said += (
        f"{many} {traffic.unit_is}s an arm, about {totals[1] / totals[0]:.2g} times as many if it may end at any look"
    )
    if traffic.units_a_day:
        once, always = (total / traffic.units_a_day for total in totals)
        said += f": {once:.3g} to {always:.3g} days of the present traffic"
    return said
