"""Bursts of errors on the terminal."""

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from infersight_analysis.findings import BurstCluster, Bursts, ErrorBurst
from infersight_analysis.report.output import command, console, plain_table
from infersight_analysis.times import readable_time, short_duration


def print_bursts(found: Bursts) -> None:
    """Print each cluster: who failed when, how much more than usual, and what links them."""
    out = console()
    if not found.clusters:
        out.print(f"no burst in {found.services} services with errors" if found.services else "no errors in this time")
        return
    count = sum(len(cluster.bursts) for cluster in found.clusters)
    times = "" if count == 1 else f" at {len(found.clusters)} times" if len(found.clusters) > 1 else " at one time"
    out.print(f"[bold]{count} {'burst' if count == 1 else 'bursts'}[/]{times}, to {short_duration(found.step_ns)}")
    for cluster in found.clusters:
        out.print()
        start, end = readable_time(cluster.start), readable_time(cluster.end)
        out.print(Text(f"{start} to {end[11:]}  {cluster.statement}", style="bold"))
        out.print(Padding(_bursts(cluster), (0, 0, 0, 2), expand=False))
        for mark in cluster.marks:
            out.print(Text(f"  {mark}", style="yellow"))
        if cluster.evidence.trace_ids:
            line = command("investigate", cluster.evidence.trace_ids[0])
            out.print(Text(f"  {line}", style="dim"), soft_wrap=True)


def _bursts(cluster: BurstCluster) -> Table:
    table = plain_table()
    for heading in ("service", "from", "to"):
        table.add_column(heading, no_wrap=True)
    for heading in ("failures", "expected", "p"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("mostly", no_wrap=True, overflow="ellipsis")
    for burst in cluster.bursts:
        table.add_row(
            Text(burst.service or "?"),
            readable_time(burst.start)[11:],
            readable_time(burst.end)[11:],
            f"{burst.count:,.6g}",
            f"{burst.expected:,.3g}",
            f"{burst.p_value:.1g}",
            Text(_mostly(burst)),
        )
    return table


def _mostly(burst: ErrorBurst) -> str:
    if not burst.faults:
        return ""
    fault = burst.faults[0]
    message = fault.message.strip().partition("\n")[0]
    return f"{fault.count:,.6g} x {fault.type}: {message}"
