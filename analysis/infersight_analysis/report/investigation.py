"""An investigation on the terminal: the answer first, then what it was made from."""

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from infersight_analysis.findings import (
    BatchRide,
    CodePlace,
    Investigation,
    MetricPoint,
    Piece,
    RepeatedCalls,
    TreeSpan,
    WorkerState,
)
from infersight_analysis.report.output import bar, clipped, command, console, joined, plain_table
from infersight_analysis.times import short_duration

_SPANS: Final = 30
_PIECES: Final = 12
_LOGS: Final = 12
_METRICS: Final = 6
_BATCHES: Final = 2
_MEMBERS: Final = 8
_CALLS: Final = 6
_PLACES: Final = 8
_SHARE_WIDTH: Final = 16
_LABEL_WIDTH: Final = 40
_UNUSUAL: Final = 3.5
"""Deviations above this are marked, the bound of Iglewicz and Hoaglin for outliers."""

_SEVERE: Final = {"ERROR": "red", "FATAL": "red", "CRITICAL": "red", "WARN": "yellow", "WARNING": "yellow"}


def print_investigation(found: Investigation) -> None:
    """Print the finding in sections; each appears only when there is something in it."""
    out = console()
    out.print(Text(found.summary, style="bold"))
    about = joined(found.service, found.start_time, f"trace {found.trace_id}", _said(found.status_code))
    out.print(Text(about, style="dim"))
    _section(out, "Spans", _waterfall(found.spans, found.total_ns, out.width))
    _section(out, f"Where the time went {_against(found)}", _breakdown(found))
    _section(out, "Why", _causes(found))
    if found.code:
        _section(out, "Where its code was, by looks at its stacks", _code(found.code))
    for ride in found.batches[:_BATCHES]:
        _section(out, f"The batch it rode in [dim]({_about(ride)})[/]", _members(ride, found.trace_id))
    if found.worker and found.worker.instance:
        _section(out, f"Its process meanwhile [dim]({escape(found.worker.instance)})[/]", _worker(found.worker))
    repeated = [calls for calls in found.repeated_calls if calls.failed or calls.count > (calls.baseline_count or 1)]
    if repeated:
        _section(out, "Calls made more often than normal, or failed", _repeated(repeated))
    if found.logs:
        _section(out, f"Logs ({len(found.logs)})", _logs(found))
    if found.metrics:
        _section(out, "Metrics of its process, most unusual first", _metrics(found.metrics))
    if found.notes:
        _section(out, "Notes", Text("\n".join(found.notes)))
    queries = dict.fromkeys([*found.evidence.sql, *(sql for cause in found.hypotheses for sql in cause.evidence.sql)])
    _section(out, "Evidence", Text("\n".join(command("sql", f'"{sql}"') for sql in queries), style="dim"))


def _said(status: str) -> str | None:
    return None if status == "UNSET" else status


def _section(out: Console, title: str, body: Table | Text) -> None:
    out.print(f"\n[bold cyan]{title}[/]")
    out.print(Padding(body, (0, 0, 0, 2), expand=False))


def _against(found: Investigation) -> str:
    baseline = found.baseline
    if baseline.total_ns is None:
        return f"[dim](no baseline: {baseline.requests} other requests {baseline.about})[/]"
    return f"[dim](against {baseline.requests} other requests {baseline.about})[/]"


def _columns(*columns: tuple[str, str]) -> Table:
    """A plain table; each column's heading and its side."""
    table = plain_table()
    for heading, side in columns:
        table.add_column(heading, justify="right" if side == "right" else "left", no_wrap=True)
    return table


def _waterfall(spans: Sequence[TreeSpan], total_ns: int, width: int) -> Table:
    table = _columns(("span", "left"), ("", "left"), ("duration", "right"), ("self", "right"))
    longest = sorted(spans, key=lambda span: -span.duration_ns)[:_SPANS]
    least_ns = longest[-1].duration_ns
    shown = [span for span in spans if span.duration_ns >= least_ns][:_SPANS]
    indent = 2 if max(span.depth for span in shown) <= 8 else 1
    names = min(_LABEL_WIDTH, max(len(span.name) + indent * span.depth for span in shown))
    bars = max(20, width - names - 30)
    for span in shown:
        start, end = max(0, span.start_ns) / (total_ns or 1), (span.start_ns + span.duration_ns) / (total_ns or 1)
        failed = span.status_code == "ERROR"
        table.add_row(
            Text(clipped(" " * indent * span.depth + span.name, names), style="red" if failed else ""),
            Text(bar(min(start, 1), min(end, 1), bars), style="red" if failed else "cyan"),
            short_duration(span.duration_ns),
            Text(short_duration(span.self_ns), style="dim"),
        )
    if len(spans) > len(shown):
        table.add_row(Text(f"... and {len(spans) - len(shown)} shorter spans", style="dim"))
    return table


def _breakdown(found: Investigation) -> Table:
    table = _columns(
        ("", "left"), ("time", "right"), ("", "left"), ("normal", "right"), ("more", "right"), ("", "right")
    )
    if found.accept_wait:
        wait = found.accept_wait
        table.add_row(Text("accept wait, before it", style="dim"), short_duration(wait.self_ns), "", *_compared(wait))
    for piece in found.breakdown[:_PIECES]:
        share = piece.self_ns / (found.total_ns or 1)
        style = "dim" if piece.kind == "UNATTRIBUTED" else "cyan"
        label = piece.name if piece.service == found.service else joined(piece.service, piece.name)
        table.add_row(
            Text(clipped(label, _LABEL_WIDTH)),
            short_duration(piece.self_ns),
            Text(f"{bar(0, share, _SHARE_WIDTH)}{share:4.0%}" if piece.self_ns else "", style=style),
            *_compared(piece),
        )
    rest = found.breakdown[_PIECES:]
    if rest:
        spent = short_duration(sum(piece.self_ns for piece in rest))
        table.add_row(Text(f"{len(rest)} smaller ones", style="dim"), spent)
    table.add_row("[bold]total[/]", f"[bold]{short_duration(found.total_ns)}[/]", "", *_compared_total(found))
    return table


def _compared(piece: Piece) -> tuple[str, str, str]:
    if piece.baseline_ns is None or piece.excess_ns is None or piece.percentile is None:
        return "", "", ""
    excess = short_duration(piece.excess_ns)
    return (
        short_duration(piece.baseline_ns),
        f"+{excess}" if piece.excess_ns > 0 else excess,
        f"p{piece.percentile:.1f}",
    )


def _compared_total(found: Investigation) -> tuple[str, str, str]:
    baseline = found.baseline
    return _compared(Piece("", "", None, found.total_ns, baseline.total_ns, baseline.excess_ns, baseline.percentile))


def _causes(found: Investigation) -> Table:
    table = plain_table(headed=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for rank, cause in enumerate(found.hypotheses):
        style = "bold yellow" if rank == 0 and cause.confidence else "dim"
        table.add_row(Text(cause.cause, style=style), f"{cause.confidence:.0%}", Text(cause.statement))
        for mark, words in [*(("+", text) for text in cause.supporting), *(("-", text) for text in cause.opposing)]:
            table.add_row("", Text(mark, style="green" if mark == "+" else "red"), Text(words, style="dim"))
    return table


def _code(places: Sequence[CodePlace]) -> Table:
    table = _columns(("part", "left"), ("about", "right"), ("looks", "right"), ("", "left"), ("code", "left"))
    for place in places[:_PLACES]:
        inside = f" in {place.inside}" if place.inside else ""
        table.add_row(
            Text(place.part, overflow="ellipsis"),
            short_duration(place.about_ns),
            f"{place.samples} of {place.samples_of_part}",
            Text("waited" if place.awaiting else "ran", style="dim"),
            Text(f"{place.function} ({place.place}){inside}", overflow="ellipsis"),
        )
    return table


def _about(ride: BatchRide) -> str:
    forward = f"forward {short_duration(ride.forward_ns)}" if ride.forward_ns is not None else None
    device = f"on the device {short_duration(ride.device_ns)}" if ride.device_ns is not None else None
    full = f"{ride.fill:.0%} full" if ride.fill is not None else None
    why = f"released: {ride.release_reason}" if ride.release_reason else None
    share = f"its share {ride.share:.0%}" if ride.share is not None else None
    return escape(joined(ride.name, short_duration(ride.duration_ns), full, why, share, forward, device))


def _members(ride: BatchRide, trace_id: str) -> Table:
    table = _columns(("request", "left"), ("size", "right"), ("share", "right"), ("waited", "right"))
    shown = ride.members[:_MEMBERS]
    own = [member for member in ride.members[_MEMBERS:] if member.trace_id == trace_id]
    for member in [*shown, *own]:
        table.add_row(
            Text(member.trace_id + (" (this)" if member.trace_id == trace_id else "")),
            _number(member.size),
            "" if member.share is None else f"{member.share:.0%}",
            "" if member.queue_ns is None else short_duration(member.queue_ns),
        )
    rest = len(ride.members) - len(shown) - len(own)
    if rest > 0:
        table.add_row(Text(f"... and {rest} more", style="dim"))
    return table


def _worker(state: WorkerState) -> Table:
    table = _columns(("", "left"), ("here", "right"), ("normal", "right"))
    if state.in_flight is not None:
        normal = "" if state.in_flight_baseline is None else f"{state.in_flight_baseline:g}"
        table.add_row("requests in flight when it began", str(state.in_flight), normal)
    table.add_row("other requests open at some moment of it", str(state.overlapping), "")
    for name, here, usual in (
        ("longest event-loop lag", state.event_loop_lag_ns, state.event_loop_lag_baseline_ns),
        ("garbage collections", state.gc_ns, state.gc_baseline_ns),
    ):
        if here is not None:
            table.add_row(name, short_duration(here), "" if usual is None else short_duration(usual))
    return table


def _repeated(found: Sequence[RepeatedCalls]) -> Table:
    table = _columns(("", "left"), ("calls", "right"), ("normal", "right"), ("together", "right"), ("failed", "right"))
    table.add_column(no_wrap=True)
    for calls in found[:_CALLS]:
        table.add_row(
            Text(clipped(calls.name, _LABEL_WIDTH)),
            str(calls.count),
            "" if calls.baseline_count is None else f"{calls.baseline_count:g}",
            short_duration(calls.duration_ns),
            Text(str(calls.failed), style="red" if calls.failed else "dim"),
            Text(clipped(calls.error or "", _LABEL_WIDTH), style="red"),
        )
    return table


def _logs(found: Investigation) -> Table:
    table = plain_table(headed=False)
    table.add_column(justify="right", no_wrap=True, style="dim")
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for line in found.logs[:_LOGS]:
        severity = line.severity or ""
        rare = None
        if line.is_rare:
            rare = (
                "new: none like it in the hour before"
                if line.before == 0
                else f"rare: {line.before} in the hour before"
            )
        words = joined(line.exception, line.body or line.event_name, rare)
        table.add_row(
            f"+{short_duration(line.offset_ns)}", Text(severity, style=_SEVERE.get(severity, "dim")), Text(words)
        )
    if len(found.logs) > _LOGS:
        table.add_row("", "", f"... and {len(found.logs) - _LOGS} more")
    return table


def _metrics(points: Sequence[MetricPoint]) -> Table:
    table = _columns(
        ("", "left"), ("", "left"), ("before", "right"), ("after", "right"), ("median", "right"), ("deviation", "right")
    )
    for point in points[:_METRICS]:
        unusual = point.deviation is not None and abs(point.deviation) > _UNUSUAL
        deviation = "" if point.deviation is None else f"{point.deviation:+.1f}"
        unit = joined(point.reading, point.unit)
        table.add_row(
            Text(point.name, overflow="ellipsis"),
            Text(unit, style="dim"),
            _number(point.before),
            _number(point.value),
            _number(point.median),
            Text(deviation, style="bold yellow" if unusual else ""),
        )
    return table


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"
