"""The pages of experiments: what they say, and whether they can be trusted."""

from typing import Final

from markupsafe import Markup

from infersight_analysis.experiments.metrics import shown
from infersight_analysis.experiments.telling import interval
from infersight_analysis.findings import (
    ArmDifference,
    ArmSize,
    EffectAt,
    ExperimentChecks,
    ExperimentDesign,
    ExperimentResults,
    MetricEffect,
)
from infersight_analysis.report.html.environment import page, printable
from infersight_analysis.times import SECOND_NS, parse_time

_SCALES: Final = {"ns": (1e-6, "ms"), "share": (100.0, "percentage points"), "": (1.0, "difference")}
_JUDGED: Final = {"better": "good", "worse": "bad", "broken": "bad", "held": "good"}


def checks_page(found: ExperimentChecks) -> str:
    """One file of HTML that needs nothing else."""
    return page("abtest_checks", f"Can {found.variant} be trusted", found=found, arms=_arms_plot(found.arms))


def results_page(found: ExperimentResults) -> str:
    """One file of HTML that needs nothing else."""
    return page(
        "abtest_results",
        f"{found.variant}: {found.verdict}",
        found=found,
        rows=[(effect, *_texts(effect)) for effect in found.effects],
        effects=_effects_plot(found),
        arms=_arms_plot(found.arms),
        times=[(effect, _looks_plot(effect, found.start), _ages_plot(effect)) for effect in found.effects],
        interval=interval,
        segment_unit=_segment_unit(found),
        shown=shown,
    )


def design_page(found: ExperimentDesign) -> str:
    """One file of HTML that needs nothing else."""
    return page("abtest_design", "How large an experiment has to be", found=found, shown=shown)


def _texts(effect: MetricEffect) -> tuple[list[str], str, str]:
    """Values and difference in words, and the class of the judgement."""
    values = ["?" if value is None else shown(value, effect.unit) for value in effect.values]
    return values, interval(effect.difference, effect.unit), _JUDGED.get(effect.judgement, "")


def _segment_unit(found: ExperimentResults) -> str:
    """What the differences by segment are in: of quantiles the share beyond the common one is compared."""
    names = {effect.metric: effect.unit for effect in found.effects}
    return names.get(found.segments[0].metric, "share") if found.segments else ""


def _ends(difference: ArmDifference) -> tuple[float, float]:
    low = -float("inf") if difference.low is None else difference.low
    return low, float("inf") if difference.high is None else difference.high


def _effects_plot(found: ExperimentResults) -> Markup | None:
    from infersight_analysis.report.html import experiment_plots  # noqa: PLC0415 - only pages draw

    rows: list[tuple[float, float, float, float]] = []
    for number, effect in enumerate(found.effects, 1):
        base, value = effect.values[0], effect.difference.value
        if base and value is not None:
            low, high = (end / abs(base) for end in _ends(effect.difference))
            rows.append((number, value / abs(base), low, high))
    about = "Differences of all metrics from the baseline, with their intervals, numbered as in the table"
    return experiment_plots.effects(rows, about) if rows else None


def _arms_plot(arms: list[ArmSize]) -> Markup | None:
    from infersight_analysis.report.html import experiment_plots  # noqa: PLC0415

    if not any(sum(arm.over_time) for arm in arms):
        return None
    about = "The share of the new units that each arm got over time"
    return experiment_plots.shares([arm.over_time for arm in arms], [arm.planned for arm in arms], about)


def _looks_plot(effect: MetricEffect, start: str | None) -> Markup | None:
    if start is None:
        return None
    return _time_plot(effect, effect.over_time, parse_time(start), "the first exposure", "as it was known over time")


def _ages_plot(effect: MetricEffect) -> Markup | None:
    zero = "a unit's first exposure" if effect.is_trend_by_unit else "the first exposure of all"
    return _time_plot(effect, effect.since_exposure, 0, zero, "in stretches of time with the variant")


def _time_plot(effect: MetricEffect, times: list[EffectAt], start_ns: int, zero: str, what: str) -> Markup | None:
    from infersight_analysis.report.html import experiment_plots  # noqa: PLC0415

    points = [
        ((each.at_ns - start_ns) / SECOND_NS, each.difference.value, *_ends(each.difference))
        for each in times
        if each.difference.value is not None
    ]
    if len(points) < 2:
        return None
    unit = effect.since_unit if times is effect.since_exposure else effect.unit
    scale, name = _SCALES[unit]
    return experiment_plots.over_time(points, zero, scale, name, printable(f"{effect.metric} {what}"))
