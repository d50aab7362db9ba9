"""Critical paths on the terminal: a tree of calls with what each costs a request."""

from typing import Final

from rich.table import Table
from rich.text import Text

from infersight_analysis.findings import CriticalPaths, PathTime, WhatIf
from infersight_analysis.report.output import bar, clipped, console, plain_table, print_next
from infersight_analysis.times import short_duration

_PATHS: Final = 40
_NAMES: Final = 44
_BAR: Final = 12


def print_critical_paths(found: CriticalPaths) -> None:
    """Print the tree of call paths, those with most time in them, and what changes would bring."""
    out = console()
    if not found.requests:
        out.print("no requests: ask for another service, route or time")
        return
    durations = ", ".join(
        f"{name} {short_duration(value)}"
        for name, value in (("mean", found.mean_ns), ("median", found.median_ns), ("p99", found.p99_ns))
    )
    out.print(Text(f"{found.requests:,} requests: {durations}", style="bold"))
    out.print(_tree(found))
    for effect in found.what_if:
        out.print(Text(what_if_line(effect)))
    if found.evidence.trace_ids:
        print_next(out, "investigate", found.evidence.trace_ids[0])


def shown_paths(found: CriticalPaths, limit: int) -> list[PathTime]:
    """At most `limit` paths, those with most time in and below them, in their order: callers are never left out."""
    largest = sorted(range(len(found.paths)), key=lambda number: (-found.paths[number].total_ns, number))[:limit]
    return [found.paths[number] for number in sorted(largest)]


def what_if_line(effect: WhatIf) -> str:
    """An effect in words."""
    mean = f"mean {short_duration(effect.mean_ns)} to {short_duration(effect.new_mean_ns)}"
    p99 = f"p99 {short_duration(effect.p99_ns)} to {short_duration(effect.new_p99_ns)}"
    shares = (
        f"{difference / before:+.1%}" if before else "0 %"
        for difference, before in (
            (effect.mean_difference_ns, effect.mean_ns),
            (effect.p99_difference_ns, effect.p99_ns),
        )
    )
    means, tails = shares
    return f"with {', '.join(effect.changes)}: {mean} ({means}), {p99} ({tails})"


def _tree(found: CriticalPaths) -> Table:
    table = plain_table()
    table.add_column("call path", no_wrap=True)
    for heading in ("mean", "share", "", "p50", "p99", "requests", "calls"):
        table.add_column(heading, justify="left" if heading == "" else "right", no_wrap=True)
    shown = shown_paths(found, _PATHS)
    for path in shown:
        table.add_row(
            Text(clipped("  " * path.depth + path.name, _NAMES)),
            short_duration(path.mean_ns),
            f"{path.share:.1%}",
            Text(bar(0, path.share, _BAR) if path.share else "", style="cyan"),
            short_duration(path.p50_ns),
            short_duration(path.p99_ns),
            f"{path.requests:,}",
            f"{path.calls:,}",
        )
    rest_ns = found.total_ns - sum(path.self_ns for path in shown)
    if len(shown) < len(found.paths):
        rest = f"{len(found.paths) - len(shown)} other paths"
        table.add_row(Text(rest, style="dim"), short_duration(rest_ns / found.requests))
    return table
