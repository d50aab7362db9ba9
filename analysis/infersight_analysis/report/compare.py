"""A comparison on the terminal: what distinguishes the cohorts in words, then where the time went."""

from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from infersight_analysis.findings import CohortPath, Comparison, Distinction
from infersight_analysis.report.critical_path import what_if_line
from infersight_analysis.report.output import bar, console, joined, plain_table, print_next
from infersight_analysis.times import short_duration

_PATHS: Final = 12
_SAME: Final = 3
_BAR_WIDTH: Final = 12
_NUMBERS_WIDTH: Final = 80
"""What the columns beside the names of call paths take."""


def print_comparison(found: Comparison) -> None:
    """Print the findings in words, strongest first, then the difference of the critical paths."""
    out = console()
    out.print(Text(found.summary, style="bold"))
    out.print(Text(_durations(found), style="dim"))
    for note in found.notes:
        out.print(Text(note, style="yellow"))
    for number, finding in enumerate(found.findings, 1):
        _print_finding(out, number, finding)
    if found.found > len(found.findings):
        out.print(Text(f"\n... and {found.found - len(found.findings)} weaker findings (--limit)", style="dim"))
    if found.critical_path_difference:
        _print_paths(out, found)
    for effect in found.what_if:
        out.print(Text(f"{effect.cohort} {what_if_line(effect)}"))
    if found.findings and found.findings[0].examples:
        print_next(out, "investigate", found.findings[0].examples[0])


def _durations(found: Comparison) -> str:
    return "; ".join(
        f"{cohort.about}: mean {short_duration(cohort.mean_ns)}, median {short_duration(cohort.median_ns)}, "
        f"p99 {short_duration(cohort.p99_ns)}"
        for cohort in (found.target, found.baseline)
        if cohort.mean_ns is not None and cohort.median_ns is not None and cohort.p99_ns is not None
    )


def _print_finding(out: Console, number: int, finding: Distinction) -> None:
    line = Table.grid(padding=(0, 1, 0, 0))
    line.add_column(justify="right", width=3, style="dim")
    line.add_column(overflow="fold")
    same = [f"{each.attribute} = {each.value} ({each.of})" for each in finding.same_as[:_SAME]]
    more = len(finding.same_as) - len(same)
    also = f"the same requests: {', '.join(same)}{f' and {more} more' if more > 0 else ''}" if same else ""
    line.add_row(str(number), Text(finding.statement))
    line.add_row("", Text(joined(f"q = {finding.q_value:.1g}", f"e.g. {', '.join(finding.examples[:2])}"), style="dim"))
    if also:
        line.add_row("", Text(also, style="dim"))
    if number == 1:
        out.print()
    out.print(line)


def _print_paths(out: Console, found: Comparison) -> None:
    difference, tail = found.difference_ns or 0.0, found.tail_difference_ns or 0.0
    out.print("\n[bold cyan]Where the difference is[/] [dim](critical path, means; the sums are exact)[/]")
    table = plain_table()
    table.add_column("call path", no_wrap=True)
    for heading in (found.target.about, found.baseline.about, "difference"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("around p99", justify="right", no_wrap=True)
    largest = max(abs(path.difference_ns) for path in found.critical_path_difference) or 1.0
    shown = [path for path in found.critical_path_difference if path.path][:_PATHS]
    for path in shown:
        name = _name(path, max(20, out.width - _NUMBERS_WIDTH))
        table.add_row(Text(name), *_times(path), _bar(path.difference_ns, largest), _signed(path.tail_difference_ns))
    rest = [path for path in found.critical_path_difference if path not in shown]
    if rest:
        table.add_row(
            Text("all other paths", style="dim"),
            short_duration(sum(path.target_ns for path in rest)),
            short_duration(sum(path.baseline_ns for path in rest)),
            _signed(sum(path.difference_ns for path in rest)),
            "",
            _signed(sum(path.tail_difference_ns for path in rest)),
        )
    means = (short_duration(cohort.mean_ns or 0.0) for cohort in (found.target, found.baseline))
    table.add_row("[bold]request[/]", *means, f"[bold]{_signed(difference)}[/]", "", f"[bold]{_signed(tail)}[/]")
    out.print(table)


def _name(path: CohortPath, width: int) -> str:
    """The path, or as much of its end as there is room for."""
    name = " > ".join(path.path)
    return name if len(name) <= width else f"…{name[1 - width :]}"


def _times(path: CohortPath) -> tuple[str, str, str]:
    return short_duration(path.target_ns), short_duration(path.baseline_ns), _signed(path.difference_ns)


def _signed(duration_ns: float) -> str:
    return f"+{short_duration(duration_ns)}" if duration_ns > 0 else short_duration(duration_ns)


def _bar(difference_ns: float, largest: float) -> Text:
    return Text(bar(0, abs(difference_ns) / largest, _BAR_WIDTH), style="red" if difference_ns > 0 else "green")
