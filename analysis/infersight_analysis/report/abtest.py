"""Experiments on the terminal: the verdict, every metric, what was checked."""

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from infersight_analysis.experiments.metrics import shown
from infersight_analysis.experiments.telling import interval
from infersight_analysis.findings import (
    ArmSize,
    ExperimentCheck,
    ExperimentChecks,
    ExperimentDesign,
    ExperimentResults,
    MetricEffect,
)
from infersight_analysis.report.output import console, joined, plain_table, sparkline

_MARKS: Final = {
    "ok": ("ok", "green"),
    "noted": ("note", "yellow"),
    "failed": ("FAIL", "bold red"),
    "unknown": ("?", "dim"),
}
_JUDGED: Final = {"better": "green", "worse": "red", "broken": "bold red", "held": "green"}
_SEGMENTS: Final = 3


def print_checks(found: ExperimentChecks) -> None:
    """Print whether an experiment can be trusted."""
    out = console()
    out.print(Text(found.summary, style="bold" if found.can_be_trusted else "bold red"))
    _print_about(out, found)
    out.print(_arms(found.arms))
    out.print()
    out.print(_checks(found.checks))


def print_results(found: ExperimentResults) -> None:
    """Print the verdict and what it rests on."""
    out = console()
    out.print(Text(found.summary, style="bold"))
    for reason in found.reasons[1:]:
        out.print(Text(f"- {reason}"))
    _print_about(out, found)
    out.print(_arms(found.arms))
    out.print()
    out.print(_effects(found))
    when = "at every look" if found.horizon == "always" else "for one look at the planned size"
    out.print(
        Text(
            f"{100 * found.confidence:.4g} % intervals, right {when}; p values adjusted for all metrics and arms", "dim"
        )
    )
    shown_segments = [each for each in found.segments if each.kind != "same"][:_SEGMENTS]
    if shown_segments:
        out.print()
    for each in shown_segments:
        out.print(Text(each.statement, style="bold red" if each.kind in {"reversed", "explained"} else "yellow"))
    out.print()
    out.print(_checks(found.checks))


def print_design(found: ExperimentDesign) -> None:
    """Print how large an experiment has to be."""
    out = console()
    out.print(Text(found.summary, style="bold"))
    for note in found.notes:
        out.print(Text(note, style="dim"))
    if not found.options:
        return
    out.print()
    table = _table("after", "units in all", "tells differences from", "relative")
    for option in found.options:
        relative = "-" if option.relative is None else f"{option.relative:.1%}"
        difference = shown(option.detectable, found.unit, signed=True).removeprefix("+")
        table.add_row(
            f"{option.days:g} {'day' if option.days == 1 else 'days'}", f"{option.units:,}", difference, relative
        )
    out.print(table)


def _print_about(out: Console, found: ExperimentChecks | ExperimentResults) -> None:
    ends = [each[:16].replace("T", " ") for each in (found.start, found.end) if each is not None]
    out.print(Text(joined(f"{found.exposures:,} exposures, assigned by {found.unit}", " to ".join(ends)), style="dim"))
    for note in found.notes:
        out.print(Text(note, style="yellow"))
    out.print()


def _table(first: str, *numbers: str) -> Table:
    table = plain_table()
    table.add_column(first, overflow="fold")
    for heading in numbers:
        table.add_column(heading, justify="right", overflow="fold")
    return table


def _arms(arms: Sequence[ArmSize]) -> Table:
    table = _table("arm", "units", "share", "planned", "exposures")
    table.add_column("over time", no_wrap=True)
    for arm in arms:
        figures = f"{arm.units:,}", f"{arm.share:.1%}", f"{arm.planned:.1%}", f"{arm.exposures:,}"
        table.add_row(Text(arm.name), *figures, sparkline(arm.over_time))
    return table


def _effects(found: ExperimentResults) -> Table:
    table = _table("metric", "arm", *(arm.name for arm in found.arms[:1]), "value", "difference", "relative", "p")
    table.add_column("judgement", overflow="fold")
    for effect in found.effects:
        relative = "-" if effect.relative is None else f"{effect.relative:+.1%}"
        p_value = "-" if effect.p_adjusted is None else f"{effect.p_adjusted:.2g}"
        table.add_row(
            Text(_named(effect)),
            Text(effect.arm),
            *("?" if value is None else shown(value, effect.unit) for value in effect.values),
            interval(effect.difference, effect.unit),
            relative,
            p_value,
            Text(effect.judgement, style=_JUDGED.get(effect.judgement, "")),
        )
    return table


def _named(effect: MetricEffect) -> str:
    return joined(effect.metric, "guard" if effect.role == "guardrail" else None, effect.trend)


def _checks(checks: Sequence[ExperimentCheck]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    order = ["failed", "noted", "unknown", "ok"]
    for check in sorted(checks, key=lambda check: order.index(check.status)):
        mark, style = _MARKS[check.status]
        table.add_row(Text(mark, style=style), Text(check.name), Text(check.statement))
    return table
