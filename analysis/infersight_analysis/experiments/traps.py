"""What makes a difference look like one that it is not: mixtures, novelty, a few extreme values."""

from collections.abc import Iterator, Sequence

from infersight_analysis.experiments.checks import FAILED, NOTED, OK
from infersight_analysis.experiments.confounding import TIME
from infersight_analysis.experiments.metrics import shown
from infersight_analysis.experiments.observations import Observations
from infersight_analysis.experiments.telling import interval
from infersight_analysis.findings import ExperimentCheck, MetricEffect, SegmentEffect


def traps(
    observations: Observations, effects: Sequence[MetricEffect], segments: Sequence[SegmentEffect]
) -> Iterator[ExperimentCheck]:
    """Checks of what was found.

    Args:
        observations: what was observed.
        effects: of all metrics and arms.
        segments: the primary effect with each segment held equal.
    """
    yield from _mixtures(observations, segments)
    for effect in effects:
        yield from _size(effect)
        yield from _novelty(effect)
        yield from _extremes(effect)


def _mixtures(observations: Observations, segments: Sequence[SegmentEffect]) -> Iterator[ExperimentCheck]:
    guilty = [each for each in segments if each.kind in {"reversed", "explained"}]
    for each in guilty:
        numbers = {"segment": each.segment, "crude": each.crude.value, "adjusted": each.adjusted.value}
        was_before = each.segment == TIME or each.segment in observations.declared or not observations.may_follow
        # What a variant does it may do by way of an attribute, such as whether a cache was hit.
        if each.kind == "explained" and not was_before:
            said = f"{each.statement}; unless the variant itself changes {each.segment}, which --segment would rule out"
            yield ExperimentCheck("mixtures", NOTED, said, each.imbalance, numbers)
        else:
            yield ExperimentCheck("mixtures", FAILED, each.statement, each.imbalance, numbers)
    if segments and not guilty:
        names = sorted({each.segment for each in segments})
        listed = ", ".join(names[:6]) + (" and others" if len(names) > 6 else "")
        yield ExperimentCheck("mixtures", OK, f"holding {listed} equal neither reverses nor explains the effect")


def _size(effect: MetricEffect) -> Iterator[ExperimentCheck]:
    if effect.needed is None or effect.matters is None or effect.role != "primary":
        return
    have, wanted = min(effect.units), shown(effect.matters, effect.unit, signed=True).removeprefix("+")
    said = f"{have:,} units an arm; to find {wanted} in {effect.metric} takes about {effect.needed:,}"
    numbers = {"have": have, "needed": effect.needed}
    yield ExperimentCheck("size", OK if have >= effect.needed else NOTED, said, None, numbers)


def _novelty(effect: MetricEffect) -> Iterator[ExperimentCheck]:
    if effect.trend is None:
        return
    first, last = effect.since_exposure[0].difference, effect.since_exposure[-1].difference
    goes = "wears off" if effect.trend == "novelty" else "grows"
    since = "with the time that units have the variant" if effect.is_trend_by_unit else "as the experiment goes on"
    unit = effect.since_unit
    said = f"the effect on {effect.metric} of {effect.arm} {goes} {since}: {interval(first, unit)} at first, "
    yield ExperimentCheck(effect.trend, NOTED, f"{said}{interval(last, unit)} at last")


def _extremes(effect: MetricEffect) -> Iterator[ExperimentCheck]:
    if effect.winsorised is None:
        return
    name = f"{effect.metric} of {effect.arm}"
    if effect.hangs_on is None:
        yield ExperimentCheck("extremes", OK, f"{name} does not hang on the most extreme 1 % of units")
        return
    drawn_in = interval(effect.winsorised, effect.unit)
    said = f"{name} says otherwise once {effect.hangs_on:,} extreme units are drawn in; {drawn_in} with 1 % of them"
    yield ExperimentCheck("extremes", NOTED, said, None, {"hangs_on": effect.hangs_on})
