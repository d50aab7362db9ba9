"""The table of anomalies."""

from typing import Final

from rich.table import Table
from rich.text import Text

from infersight_analysis.findings import Anomalies, Anomaly
from infersight_analysis.report.output import console, joined, plain_table, print_next
from infersight_analysis.times import parse_time, short_duration

_MINUTE_NS: Final = 60 * 10**9
_MANY_MINUTES: Final = 120
_TIMES: Final = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
"""Nanoseconds of the units of time in UCUM that metrics have."""


def print_anomalies(found: Anomalies) -> None:
    """Print what was unusual, the most surprising first, and how much of it chance would bring."""
    out = console()
    if not found.points and not found.found:
        out.print(
            f"not enough points to judge any of {found.series} series: give a longer --history, or a shorter --step"
            if found.series
            else "no series in this time"
        )
        return
    out.print(
        f"[bold]{found.found} anomalies[/] in {found.series} series of "
        f"{found.points} points, {_span(found.step_ns)} apart; by chance at most about {found.false_alarms:.0f}"
    )
    if found.learning:
        out.print(Text(f"{found.learning} series have too few points to be judged yet", style="dim"))
    if not found.anomalies:
        return
    out.print()
    out.print(_table(found))
    if found.found > len(found.anomalies):
        out.print(Text(f"\n... and {found.found - len(found.anomalies)} less surprising ones (--limit)", style="dim"))
    trace = next((one.evidence.trace_ids[0] for one in found.anomalies if one.evidence.trace_ids), None)
    if trace:
        print_next(out, "investigate", trace)


def _table(found: Anomalies) -> Table:
    table = plain_table()
    table.add_column("since", no_wrap=True)
    table.add_column("what", no_wrap=True)
    table.add_column("series", overflow="fold")
    table.add_column("usual", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("now", justify="left", no_wrap=True)
    table.add_column("1 in", justify="right", no_wrap=True)
    for one in found.anomalies:
        table.add_row(
            Text(since(one)),
            Text(one.kind, style="bold"),
            Text(series_name(one)),
            Text(reading(one.usual, one)),
            Text("→", style="dim"),
            Text(reading(one.value, one)),
            Text(odds(one.surprise), style="dim"),
        )
    return table


def since(one: Anomaly) -> str:
    """When it began; of a change with the half of its interval that is longer."""
    time = one.time[5:19].replace("T", " ")
    if one.interval is None:
        return time
    at, low, high = (parse_time(text) for text in (one.time, *one.interval))
    return f"{time} ±{_span(max(at - low, high - at))}"


def _span(duration_ns: int) -> str:
    minutes = duration_ns / _MINUTE_NS
    if minutes < 1:
        return short_duration(duration_ns) if duration_ns else "0"
    return f"{minutes:.0f} min" if minutes < _MANY_MINUTES else f"{minutes / 60:.0f} h"


def series_name(one: Anomaly) -> str:
    """What the series is of, in words."""
    attributes = ", ".join(
        str(value) if key == "http.route" else f"{key}={value}" for key, value in one.attributes.items()
    )
    what = one.name if one.reading == "value" else f"{one.name} {one.reading.replace('_', ' ')}"
    return joined(what, attributes, one.service, one.instance)


def reading(value: float, one: Anomaly) -> str:
    """A reading with its unit, three digits."""
    if one.reading == "error_share":
        return f"{value:.1%}"
    unit = one.unit if one.reading != "rate" else None
    if unit in _TIMES:
        return short_duration(value * _TIMES[unit])
    number = f"{value:.3g}" if abs(value) < 1e4 else f"{value:,.0f}" if abs(value) < 1e7 else f"{value:.3g}"
    return f"{number}/s" if one.reading == "rate" else number


def odds(surprise: float) -> str:
    """How rare it is by chance, as one in so many."""
    number = 10**surprise
    return f"{number:,.0f}" if surprise < 4 else f"1e{surprise:.0f}"
