"""Figures of releases in words."""

from typing import Final

from infersight_analysis.findings import ReleaseMeasure
from infersight_analysis.report.output import short_size
from infersight_analysis.times import short_duration

_TIMES: Final = 9.0
_WHOLE: Final = 0.1

_OUTCOMES: Final = {
    "over": "beyond the limit of {}",
    "within": "within the limit of {}",
    "undecided": "not yet known to be within the limit of {}",
    "unknown": "unknown",
    "no limit": "",
}


def figure(value: float | None, unit: str) -> str:
    """One figure with its unit, as people write it."""
    if value is None:
        return "-"
    if unit == "share":
        return percent(value)
    if unit == "ns":
        return short_duration(value)
    if unit == "s":
        return short_duration(value * 1e9)
    return short_size(round(value)) if unit == "By" else f"{value:.3g}/s"


def percent(share: float) -> str:
    """A share with the decimals that it needs: `0.04%`, `8.2%`, `97.1%`."""
    amount = 100 * share
    return f"{amount:.1f}%" if abs(amount) >= 1 or amount == 0 else f"{amount:.2f}%"


def change(value: float | None, *, is_relative: bool) -> str:
    """A change with its sign: `+37%` of the baseline, or `+7.3pp`; a question mark where nothing bounds it."""
    if value is None:
        return "?"
    if is_relative and value >= _TIMES:
        return f"{value + 1:.3g}x"
    if is_relative and abs(value) >= _WHOLE:
        return f"{100 * value:+.0f}%"
    amount = percent(value) if is_relative else percent(value).replace("%", "pp")
    return f"+{amount}" if value > 0 else amount


def interval(measure: ReleaseMeasure) -> str:
    """The interval of a change."""
    ends = (change(each, is_relative=measure.is_relative) for each in (measure.low, measure.high))
    return " to ".join(ends)


def limit(value: float, kind: str, worse: int) -> str:
    """A limit in words."""
    amount = f"{100 * value:.3g}{'pp' if kind == 'points' else '%'}"
    return amount if kind == "own" else {1: "+", -1: "-", 0: "±"}[worse] + amount


def statement(measure: ReleaseMeasure) -> str:
    """All of a measure in words."""
    part = percent(measure.share_of_requests)
    where = f"{measure.route} ({part} of the requests): " if measure.route is not None else ""
    counted = "requests" if measure.unit in {"share", "ns"} else "readings"
    figures = (
        f"{where}{measure.name} {figure(measure.candidate, measure.unit)} ({measure.candidate_count:,}) "
        f"instead of {figure(measure.baseline, measure.unit)} ({measure.baseline_count:,} {counted})"
    )
    if measure.change is None:
        return f"{figures}: unknown"
    difference = change(measure.change, is_relative=measure.is_relative)
    sure = f"{100 * measure.confidence:.3g}%"
    said = f"{figures}: {difference}, {sure} interval {interval(measure)}"
    outcome = _OUTCOMES[measure.standing].format(measure.limit_text)
    return f"{said}; {outcome}" if outcome else said
