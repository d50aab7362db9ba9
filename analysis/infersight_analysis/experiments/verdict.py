"""What to do: ship an arm, keep the baseline, wait, or not believe the experiment."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from infersight_analysis.findings import ExperimentCheck, MetricEffect

SHIP: Final = "ship"
KEEP: Final = "keep"
NO_DIFFERENCE: Final = "no difference that matters"
NEED_MORE_DATA: Final = "need more data"
DISTRUST: Final = "do not trust this test"

BETTER: Final = "better"
WORSE: Final = "worse"
NOT_BETTER: Final = "not better by what matters"
UNKNOWN: Final = "unknown"
BROKEN: Final = "broken"
HELD: Final = "held"
NOT_BROKEN: Final = "not broken"


@dataclass(frozen=True)
class Verdict:
    """What to do, with which arm, and why."""

    kind: str
    arm: str | None
    reasons: list[str]

    @property
    def summary(self) -> str:
        """It in one line."""
        named = f"{self.kind} {self.arm}" if self.arm is not None else self.kind
        return f"{named}: {self.reasons[0]}" if self.reasons else named


def judgement(gain: tuple[float, float, float], p_adjusted: float | None, matters: float | None, alpha: float) -> str:
    """What one metric of one arm says.

    Args:
        gain: the difference and its interval, positive where the arm is better.
        p_adjusted: of no difference.
        matters: the least difference that matters, in the same unit.
        alpha: up to which p value chance is no explanation.
    """
    value, low, high = gain
    is_sure = p_adjusted is not None and p_adjusted < alpha
    if matters is not None and -matters < low and high < matters:
        return NO_DIFFERENCE
    if is_sure and low > 0 and value >= (matters or 0.0):
        return BETTER
    if is_sure and high < 0:
        return WORSE
    return NOT_BETTER if matters is not None and high < matters else UNKNOWN


def guarded(gain: tuple[float, float, float], p_adjusted: float | None, matters: float | None, alpha: float) -> str:
    """What a guardrail of one arm says; its arguments are those of `judgement`.

    Without a difference that matters it is broken by any that is sure; with one, by what is surely larger, and held
    only where that can be ruled out.
    """
    _, low, high = gain
    if matters is None:
        is_sure = p_adjusted is not None and p_adjusted < alpha
        return BROKEN if is_sure and high < 0 else NOT_BROKEN
    if high < -matters:
        return BROKEN
    return HELD if low > -matters else UNKNOWN


def verdict(
    arms: Sequence[str],
    effects: Sequence[MetricEffect],
    failed: Sequence[ExperimentCheck],
) -> Verdict:
    """What to do.

    Args:
        arms: the baseline first.
        effects: of all metrics and arms.
        failed: checks that speak against the experiment.
    """
    if failed:
        return Verdict(DISTRUST, None, [check.statement for check in failed])
    primary = [effect for effect in effects if effect.role == "primary"]
    better = sorted(
        (effect for effect in primary if effect.judgement == BETTER),
        key=lambda effect: -abs(effect.difference.value or 0.0),
    )
    return _of_better(arms[0], better, effects) or _of_others(arms[0], primary, effects)


def _of_better(baseline: str, better: Sequence[MetricEffect], effects: Sequence[MetricEffect]) -> Verdict | None:
    """What to do where arms are better: not by breaking a guardrail, or before all guardrails are known."""
    of_arms = {
        status: {each.arm for each in effects if each.role == "guardrail" and each.judgement == status}
        for status in (BROKEN, UNKNOWN)
    }
    kept = [effect for effect in better if effect.arm not in of_arms[BROKEN]]
    ready = [effect for effect in kept if effect.arm not in of_arms[UNKNOWN]]
    lasting = [effect for effect in ready if not wears_off(effect)]
    if lasting:
        reasons = [lasting[0].statement, *(f"also better: {effect.statement}" for effect in lasting[1:])]
        reasons += [f"not shipped: {effect.statement}" for effect in better if effect not in lasting]
        return Verdict(SHIP, lasting[0].arm, reasons)
    if ready:
        since = "with the time that units have the variant" if ready[0].is_trend_by_unit else "as the test goes on"
        said = f"the effect wears off {since}: wait until it is stable"
        return Verdict(NEED_MORE_DATA, None, [said, *_said(ready)])
    if kept:
        waiting = [each for each in effects if each.role == "guardrail" and each.judgement == UNKNOWN]
        return Verdict(NEED_MORE_DATA, None, _said([*waiting, *kept]))
    if better:
        return Verdict(KEEP, baseline, _said([*(each for each in effects if each.judgement == BROKEN), *better]))
    return None


def _of_others(baseline: str, primary: Sequence[MetricEffect], effects: Sequence[MetricEffect]) -> Verdict:
    """What to do where no arm is better."""
    broken = [effect for effect in effects if effect.judgement == BROKEN]
    judgements = {effect.judgement for effect in primary}
    if {effect.arm for effect in broken} >= {effect.arm for effect in primary}:
        return Verdict(KEEP, baseline, _said([*broken, *primary]))
    if judgements == {NO_DIFFERENCE}:
        return Verdict(NO_DIFFERENCE, None, _said(primary))
    if judgements <= {WORSE, NOT_BETTER, NO_DIFFERENCE}:
        return Verdict(KEEP, baseline, _said(primary))
    return Verdict(NEED_MORE_DATA, None, _said([*primary, *broken]))


def wears_off(effect: MetricEffect) -> bool:
    """Whether an effect that units had at first is gone in the last stretch of their time with the variant."""
    if effect.trend != "novelty" or not effect.since_exposure:
        return False
    last = effect.since_exposure[-1].difference
    if last.low is None or last.high is None or last.value is None:
        return False
    is_there = (last.low > 0 or last.high < 0) and last.value * (effect.difference.value or 0.0) > 0
    return not is_there


def _said(effects: Sequence[MetricEffect]) -> list[str]:
    return [effect.statement for effect in effects]
