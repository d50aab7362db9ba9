"""Versions and marks on the terminal."""

from rich.table import Table
from rich.text import Text

from infersight_analysis.findings import DeployedVersion, Deployments
from infersight_analysis.report.output import console, joined, plain_table
from infersight_analysis.times import readable_time


def print_deployments(found: Deployments) -> None:
    """Print what ran when, by service, then what took the place of what."""
    out = console()
    if not found.versions:
        out.print("nothing was recorded in this time")
        return
    out.print(_versions(found))
    if not found.marks:
        out.print(Text("\nnothing changed in this time", style="dim"))
        return
    out.print()
    table = plain_table()
    for heading in ("at", "kind", "what changed", "the old one"):
        table.add_column(heading, no_wrap=heading != "what changed", overflow="fold")
    for mark in found.marks:
        until = f"until {readable_time(mark.until)}" if mark.until else "still runs"
        table.add_row(readable_time(mark.time), mark.kind, Text(mark.statement), until)
    out.print(table)


def _versions(found: Deployments) -> Table:
    table = plain_table()
    for heading in ("service", "version", "first seen", "last seen"):
        table.add_column(heading, no_wrap=True, overflow="ellipsis")
    for heading in ("instances", "requests", "failed"):
        table.add_column(heading, justify="right", no_wrap=True)
    for version in found.versions:
        failed = f"{version.failed / version.requests:.2%}" if version.requests else "-"
        table.add_row(
            Text(version.service or "?"),
            Text(version_name(version)),
            readable_time(version.first_seen),
            readable_time(version.last_seen),
            f"{version.instances:,}",
            f"{version.requests:,.6g}" if version.requests else "-",
            failed,
        )
    return table


def version_name(version: DeployedVersion) -> str:
    """A version with its environment and deployment, and how often it ran."""
    again = f"{len(version.runs)} runs" if len(version.runs) > 1 else None
    return joined(version.version or "?", version.environment, version.deployment, again)
