"""Differences in words, and as findings hold them."""

from infersight_analysis.experiments.confounding import TIME, Adjusted
from infersight_analysis.experiments.metrics import shown
from infersight_analysis.experiments.timing import Look
from infersight_analysis.findings import ArmDifference, EffectAt, MetricEffect
from infersight_analysis.findings.numbers import finite
from infersight_analysis.stats.estimate import Estimate
from infersight_analysis.times import SECOND_NS


def difference_of(estimate: Estimate) -> ArmDifference:
    """An estimate as a finding: null where something is not known."""
    value, low, high = (finite(each) for each in (estimate.value, estimate.low, estimate.high))
    return ArmDifference(value, low, high, estimate.p_value, estimate.method)


def effect_at(look: Look) -> EffectAt:
    """A look as a finding."""
    return EffectAt(look.at, look.units, difference_of(look.effect))


def interval(difference: ArmDifference, unit: str) -> str:
    """A difference with its interval for people: `+1.2 pp [+0.3, +2.1]`."""
    if difference.value is None:
        return "unknown"
    value = shown(difference.value, unit, signed=True)
    measured_in = value.rpartition(" ")[1] + value.rpartition(" ")[2] if " " in value else ""
    ends = [
        "?" if end is None else shown(end, unit, signed=True).removesuffix(measured_in)
        for end in (difference.low, difference.high)
    ]
    return f"{value} [{', '.join(ends)}]"


def long_duration(duration_ns: float) -> str:
    """A duration of minutes, hours or days, in words."""
    for unit, seconds in (("days", 86_400), ("hours", 3_600)):
        if duration_ns >= 2 * seconds * SECOND_NS:
            return f"about {duration_ns / SECOND_NS / seconds:.2g} {unit}"
    return f"about {max(1.0, duration_ns / SECOND_NS / 60):.2g} minutes"


def effect_said(effect: MetricEffect, baseline: str) -> str:
    """What a metric of an arm says, in one sentence.

    Args:
        effect: its statement is not looked at.
        baseline: name of the baseline.
    """
    values = ["?" if value is None else shown(value, effect.unit) for value in effect.values]
    relative = "" if effect.relative is None or not effect.relative else f", {effect.relative:+.1%}"
    p_value = "" if effect.p_adjusted is None else f", p = {effect.p_adjusted:.2g}"
    said = f"{effect.metric} {values[1]} in {effect.arm} and {values[0]} in {baseline}: "
    said += f"{interval(effect.difference, effect.unit)}{relative}{p_value}; {effect.judgement}"
    if effect.judgement == "unknown":
        said += _missing(effect)
    return said


def _missing(effect: MetricEffect) -> str:
    """What is missing to know it."""
    have = min(effect.units)
    if effect.needed is not None and effect.matters is not None:
        wanted = shown(effect.matters, effect.unit, signed=True).removeprefix("+")
        if effect.needed > have:
            return f": to tell {wanted} takes about {effect.needed:,} units an arm, here are {have:,}"
        return f", though {have:,} units an arm would mostly tell {wanted}"
    if effect.detectable is not None:
        found = shown(effect.detectable, effect.unit, signed=True).removeprefix("+")
        return f": {have:,} units an arm tell differences from {found} on"
    return ""


def segment_said(found: Adjusted, metric: str, arm: str, unit: str, kind: str) -> str:
    """What holding a segment equal says.

    Args:
        found: the effect with and without.
        metric: its name.
        arm: name of the arm.
        unit: of the metric.
        kind: see `SegmentEffect`.
    """
    crude, adjusted = (interval(difference_of(each), unit) for each in (found.crude, found.adjusted))
    held = "the time" if found.segment == TIME else found.segment
    if kind == "reversed":
        return (
            f"Simpson's paradox: {metric} of {arm} is {crude}, but {adjusted} with {held} held equal, of which the "
            f"arms have different mixtures"
        )
    if kind == "explained":
        return f"{metric} of {arm} is {crude} only because of {held}: {adjusted} with it held equal"
    if kind == "disagreeing":
        parts = ", ".join(
            f"{stratum.name} {shown(stratum.difference.value, unit, signed=True)}" for stratum in found.strata[:4]
        )
        return f"{metric} of {arm} differs by {held}: {parts}{', ...' if len(found.strata) > 4 else ''}"
    return f"{metric} of {arm} is {crude}, {adjusted} with {held} held equal"
