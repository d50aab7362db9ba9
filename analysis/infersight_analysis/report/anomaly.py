"""What happened around a moment, on the terminal."""

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from infersight_analysis.findings import AnomalyAround, MetricAround, MovedSeries
from infersight_analysis.report.output import clipped, console, joined, plain_table, print_next, sparkline
from infersight_analysis.times import readable_time, short_duration

_SHOWN: Final = 8


def print_anomaly(found: AnomalyAround) -> None:
    """Print the metric, then what else happened, each part only where there is something."""
    out = console()
    began = f"unusual since {readable_time(found.began)}" if found.began else "nothing unusual in it"
    start, end, earlier = map(readable_time, (found.start, found.end, found.baseline_start))
    window = f"{start} to {end[11:]}, baseline since {earlier[11:]}"
    out.print(Text.assemble((found.metric, "bold"), f" around {readable_time(found.at)}: {began}"))
    out.print(Text(window, style="dim"))
    for note in found.notes:
        out.print(Text(note, style="yellow"))
    _part(out, "The metric", _series(found.series[:_SHOWN], out.width))
    failed = f"{found.failed_traces:,.6g} of {found.traces:,.6g} traces failed, {found.baseline_failed_traces:,.6g} of "
    out.print(Text(f"\n{failed}{found.baseline_traces:,.6g} before"))
    if found.services:
        _part(out, "Services", _services(found))
    for heading, lines in around_lists(found):
        if lines:
            out.print(f"\n[bold cyan]{heading}[/]")
            for line in lines:
                out.print(Text(f"  {clipped(line, out.width - 2)}"))
    if found.moved:
        _part(out, "What else became unusual", _moved(found.moved[: 2 * _SHOWN]))
    if found.exemplars:
        print_next(out, "investigate", found.exemplars[0].trace_id)


def _part(out: Console, heading: str, table: Table) -> None:
    out.print(f"\n[bold cyan]{heading}[/]")
    out.print(table)


def around_lists(found: AnomalyAround) -> list[tuple[str, list[str]]]:
    """What is told line by line, with headings: errors, new log templates, what was deployed or set."""
    errors = [
        f"{error.count:,.6g} x {error.type}: {_line(error.message)}{f'  ({error.state})' if error.state else ''}"
        for error in found.errors
    ]
    templates = [
        joined(f"{new.count:,.6g} x {_line(new.template)}", new.service, new.severity)
        for new in found.templates[:_SHOWN]
    ]
    return [("Top errors", errors), ("Logged for the first time", templates), ("Deployed or set", found.marks)]


def _series(series: Sequence[MetricAround], width: int) -> Table:
    table = _table(("series", 0), ("reading", 0), ("", 0), ("extreme", 1), ("median before", 1), ("5 to 95 %", 1))
    for each in series:
        values = [value for _, value in each.values]
        low = min(values, default=0.0)
        usual = "-" if each.usual is None else f"{each.usual[0]:.4g} .. {each.usual[1]:.4g}"
        table.add_row(
            Text(clipped(series_of(each), max(16, width - 72))),
            each.reading,
            sparkline([value - low for value in values])[:24],
            "-" if each.extreme is None else f"{each.extreme:.4g}",
            "-" if each.median is None else f"{each.median:.4g}",
            usual,
        )
    return table


def _services(found: AnomalyAround) -> Table:
    table = _table(("service", 0), ("requests", 1), ("failed", 1), ("before", 1), ("median", 1), ("before", 1))
    for each in found.services[:_SHOWN]:
        table.add_row(
            Text(each.service or "?"),
            f"{each.requests:,.6g}",
            _share(each.failed, each.requests),
            _share(each.baseline_failed, each.baseline_requests),
            _duration(each.median_ns),
            _duration(each.baseline_median_ns),
        )
    return table


def _moved(series: Sequence[MovedSeries]) -> Table:
    table = _table(("when", 0), ("series", 0), ("reading", 0), ("what", 0), ("value", 1), ("usual", 1))
    for each in series:
        offset = "" if each.when == "together" else f" {short_duration(abs(each.offset_ns))}"
        table.add_row(
            f"{each.when}{offset}",
            Text(clipped(joined(each.service, each.name), 44)),
            each.reading,
            each.kind,
            f"{each.value:.4g}",
            f"{each.usual:.4g}",
        )
    return table


def _table(*columns: tuple[str, int]) -> Table:
    table = plain_table()
    for heading, is_number in columns:
        table.add_column(heading, justify="right" if is_number else "left", no_wrap=True, overflow="ellipsis")
    return table


def series_of(series: MetricAround) -> str:
    """Whose series it is: service, instance and attributes."""
    attributes = ", ".join(f"{key}={value}" for key, value in series.attributes.items())
    return joined(series.service, series.instance, attributes)


def _share(failed: float, requests: float) -> str:
    return f"{failed / requests:.2%}" if requests else "-"


def _duration(duration_ns: int | None) -> str:
    return "-" if duration_ns is None else short_duration(duration_ns)


def _line(message: str) -> str:
    return message.strip().partition("\n")[0]
