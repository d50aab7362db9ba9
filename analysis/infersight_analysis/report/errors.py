"""The groups of errors on the terminal."""

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from infersight_analysis.findings import ErrorGroup, ErrorGroups
from infersight_analysis.report.output import command, console, joined


def print_errors(found: ErrorGroups) -> None:
    """Print each group: what, how often, where, since when, and a trace to look into."""
    out = console()
    if not found.errors:
        out.print("no errors in this time")
        return
    failures = sum(group.count for group in found.errors)
    out.print(f"[bold]{failures} failures[/] of {_counted(len(found.errors), 'kind')}")
    for group in found.errors:
        out.print()
        out.print(Text.assemble((f"{group.count} x ", "bold red"), (group.type, "bold"), f"  {group.message}"))
        out.print(Padding(_facts(group), (0, 0, 0, 2), expand=False))


def _facts(group: ErrorGroup) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    times = group.first_seen[:23].replace("T", " ")
    if group.last_seen != group.first_seen:
        times += f" to {group.last_seen[:23].replace('T', ' ')}"
    facts = {
        "at": group.location,
        "in": joined(", ".join(group.services), ", ".join(group.versions), ", ".join(group.routes)),
        "seen": times,
        "recorded by": ", ".join(_counted(count, source) for source, count in sorted(group.sources.items())),
        "look into": command("investigate", group.examples[0]) if group.examples else None,
    }
    for name, fact in facts.items():
        if fact:
            table.add_row(name, Text(fact))
    return table


def _counted(count: int, what: str) -> str:
    plural = {"span status": "span statuses"}.get(what, f"{what}s")
    return f"{count} {what if count == 1 else plural}"
