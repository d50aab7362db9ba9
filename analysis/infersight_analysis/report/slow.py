"""The table of slow requests."""

from rich.table import Table
from rich.text import Text

from infersight_analysis.findings import SlowRequests
from infersight_analysis.report.output import bar, console, joined, plain_table, print_next
from infersight_analysis.times import short_duration

_BAR_WIDTH = 12


def print_slow(found: SlowRequests) -> None:
    """Print the requests with bars to compare them by, and the command to look into the first."""
    out = console()
    if not found.requests:
        out.print(f"no request of {found.considered} is that slow" if found.considered else "no requests in this time")
        return
    above = f" of at least {short_duration(found.threshold_ns)}" if found.threshold_ns else ""
    services = {request.service or "?" for request in found.requests}
    of_service = f" of {services.pop()}" if len(services) == 1 else ""
    counted = f"{found.count} requests{above}{of_service} ({found.considered} considered)"
    out.print(f"[bold]{len(found.requests)} slowest[/] of {counted}\n")
    out.print(_table(found))
    print_next(out, "investigate", found.requests[0].trace_id)


def _table(found: SlowRequests) -> Table:
    table = plain_table()
    table.add_column("duration", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for heading in ("request", "mostly", "started", "trace"):
        table.add_column(heading, no_wrap=True, overflow="ellipsis")
    longest = found.requests[0].duration_ns or 1
    one_service = len({request.service for request in found.requests}) == 1
    for request in found.requests:
        failed = request.status_code == "ERROR"
        share = request.top_ns / (request.duration_ns or 1)
        table.add_row(
            short_duration(request.duration_ns),
            Text(bar(0, request.duration_ns / longest, _BAR_WIDTH), style="red" if failed else "cyan"),
            Text(joined(None if one_service else request.service or "?", request.name, "ERROR" if failed else None)),
            Text(f"{request.top} {share:.0%}"),
            Text(request.start_time[11:23]),
            Text(request.trace_id, style="dim"),
        )
    return table
