"""The suspects of an incident on the terminal."""

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from infersight_analysis.findings import RootCause, Suspect
from infersight_analysis.report.output import bar, clipped, console, joined, plain_table, print_next

_BAR_WIDTH = 12
_MOST_SIGNS = 4
_IN_FULL = 3
"""The first of these are told with their signs, others in the table only."""


def print_rootcause(found: RootCause) -> None:
    """Print the ranking, and of the first services what speaks for them."""
    out = console()
    out.print(Text(found.summary, style="bold"))
    read = joined(*(f"{counts[0]} {what} against {counts[1]}" for what, counts in found.read.items() if any(counts)))
    for line in (read, *found.notes):
        out.print(Text(line, style="dim"))
    if not found.services:
        return
    out.print()
    out.print(_table(found))
    for suspect in found.services[:_IN_FULL]:
        if suspect.evidence:
            out.print()
            out.print(Text(suspect.service, style="bold"))
            for sign in suspect.evidence[:_MOST_SIGNS]:
                instance = sign.of.get("instance") if sign.signal != "metric" else None
                told = f"{sign.statement}, all on {instance}" if instance else sign.statement
                out.print(Padding(Text(told), (0, 0, 0, 2), expand=False))
    traces = found.evidence.trace_ids
    if traces:
        print_next(out, "investigate", traces[0])


def _table(found: RootCause) -> Table:
    table = plain_table()
    table.add_column("service", no_wrap=True, overflow="ellipsis")
    table.add_column("score", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("is it", justify="right", no_wrap=True)
    table.add_column("by signal", no_wrap=True, overflow="ellipsis")
    most = max(suspect.score for suspect in found.services) or 1.0
    for suspect in found.services:
        if round(suspect.score, 1) <= 0:
            break
        table.add_row(
            Text(clipped(suspect.service, 40)),
            f"{suspect.score:.1f}",
            Text(bar(0, suspect.score / most, _BAR_WIDTH), style="cyan"),
            f"{suspect.confidence:.0%}",
            Text(signals(suspect)),
        )
    return table


def signals(suspect: Suspect) -> str:
    """The signals that speak for a service, the strongest first."""
    ordered = sorted(suspect.signals.items(), key=lambda each: -each[1])
    return joined(*(f"{signal} {nats:.1f}" for signal, nats in ordered if round(nats, 1) > 0))
