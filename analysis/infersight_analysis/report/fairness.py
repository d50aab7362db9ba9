"""Rates of groups on the terminal."""

from typing import Final

from rich.table import Table
from rich.text import Text

from infersight_analysis.fairness.wording import WORDS
from infersight_analysis.findings import DisparateImpact, Fairness, FairnessGap, GroupRate
from infersight_analysis.report.output import console, joined, plain_table

_GAPS: Final = {
    "demographic_parity": "demographic parity",
    "error_rate": "error rate",
    "equalised_odds": "equalised odds",
}

_FOUR_FIFTHS: Final = {
    "below": "below four fifths",
    "may be below": "which may be below four fifths",
    "not below": "not below four fifths",
}


def print_fairness(found: Fairness) -> None:
    """Print each measure by group beside the reference, then the gaps and ratios."""
    out = console()
    out.print(Text(found.statement, style="bold"))
    out.print(Text(facts(found), style="dim"))
    for note in found.notes:
        out.print(Text(note, style="yellow"))
    for measure, words in WORDS.items():
        rates = [rate for rate in found.rates if rate.measure == measure and rate.rate is not None]
        if rates:
            out.print()
            out.print(Text(words, style="bold"))
            out.print(_table(rates))
    if found.impact or found.gaps:
        out.print()
    for each in found.impact:
        out.print(Text(impact(each, found.reference or ""), style="red" if each.four_fifths == "below" else ""))
    for gap in found.gaps:
        out.print(Text(gap_of(gap)))


def facts(found: Fairness) -> str:
    """What was looked at."""
    return joined(
        f"{found.predictions:,} predictions by {found.attribute}",
        f"{found.without_group:,} without a value" if found.without_group else None,
        f"reference {found.reference}" if found.reference is not None else None,
        f"yes is {found.positive}" if found.positive is not None else None,
        f"{found.tests} tests" if found.tests else None,
    )


def impact(each: DisparateImpact, reference: str) -> str:
    """A ratio of positive rates beside four fifths, in words."""
    high = "any number" if each.high is None else f"{each.high:.2f}"
    compared = f"{each.group} over {reference} is {each.ratio:.2f} ({each.low:.2f} to {high})"
    return f"disparate impact: {compared}, {_FOUR_FIFTHS[each.four_fifths]}"


def gap_of(gap: FairnessGap) -> str:
    """How far the groups are apart, in words."""
    size = f"{100 * gap.value:.1f} points ({100 * gap.low:.1f} to {100 * gap.high:.1f})"
    return f"gap of {_GAPS[gap.name]}: {size}, {WORDS[gap.measure]} of {gap.highest} over {gap.lowest}"


def interval(low: float | None, high: float | None) -> str:
    """An interval of shares."""
    return "-" if low is None or high is None else f"{low:.1%} to {high:.1%}"


def points(rate: GroupRate) -> str:
    """A difference with its interval, in points."""
    if rate.difference is None or rate.difference_low is None or rate.difference_high is None:
        return "-"
    return f"{100 * rate.difference:+.1f} ({100 * rate.difference_low:+.1f} to {100 * rate.difference_high:+.1f})"


def _table(rates: list[GroupRate]) -> Table:
    table = plain_table()
    table.add_column("group", overflow="fold", min_width=12)
    for title in ("count", "rate", "95 % interval", "points (95 %)", "p adjusted"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for rate in rates:
        table.add_row(
            Text(rate.group),
            f"{rate.count:,} of {rate.of:,}",
            "-" if rate.rate is None else f"{rate.rate:.1%}",
            interval(rate.low, rate.high),
            "reference" if rate.verdict == "reference" else points(rate),
            "" if rate.p_adjusted is None else f"{rate.p_adjusted:.1g}",
            rate.verdict if rate.verdict in {"differs", "small"} else "",
            style="red" if rate.verdict == "differs" else None,
        )
    return table
