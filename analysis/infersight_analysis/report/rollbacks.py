"""A rollback on the terminal."""

import shlex

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from infersight_analysis.findings import RollbackExecution, RollbackStep
from infersight_analysis.report.output import command, console
from infersight_analysis.report.releases import print_release_check
from infersight_analysis.times import short_duration

_STYLES = {"verified": "bold green", "not returned": "bold red", "failed": "bold red"}
_MARKS = {"done": "green", "failed": "red", "planned": "dim"}


def print_rollback(found: RollbackExecution) -> None:
    """Print what came of it, then its steps, then how the figures are since then."""
    out = console()
    out.print(Text(headline(found), style=_STYLES.get(found.outcome, "bold yellow")))
    out.print(Text(found.statement))
    for name, text in facts(found):
        out.print(Padding(Text.assemble((f"{name}: ", "dim"), text), (0, 0, 0, 2), expand=False))
    out.print()
    out.print(_steps(found.steps))
    if found.verification is not None:
        out.print(Text("\nsince then, against before", style="dim"))
        print_release_check(found.verification)
    if found.incident is not None and found.outcome != "planned":
        out.print(Text("\n" + command("incident show", found.incident), style="dim"), soft_wrap=True)


def headline(found: RollbackExecution) -> str:
    """What came of it, in a word or two."""
    return {
        "planned": "PLANNED",
        "verified": "ROLLED BACK, AND AS BEFORE",
        "too little data": "ROLLED BACK, NOT KNOWN YET WHETHER IT HELPED",
        "not returned": "ROLLED BACK, AND NOT AS BEFORE",
        "failed": "THE ROLLBACK FAILED",
        "interrupted": "INTERRUPTED",
    }[found.outcome]


def facts(found: RollbackExecution) -> list[tuple[str, str]]:
    """What ran before and after, what was preserved, and what was done against the rules."""
    listed = [
        ("before", found.before),
        ("after", found.after),
        ("evidence", None if found.preserved is None else found.preserved.path),
        ("done although the check does not say so", found.override),
        ("allowed to go on without evidence", found.without_evidence),
    ]
    return [(name, text) for name, text in listed if text is not None]


def command_line(step: RollbackStep) -> str:
    """The program of a step as it would be typed; nothing where it is none."""
    return "" if step.command is None else shlex.join(step.command)


def _steps(steps: list[RollbackStep]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("", no_wrap=True)
    table.add_column("step", overflow="fold", ratio=2)
    table.add_column("took", justify="right", no_wrap=True)
    table.add_column("what came of it", overflow="fold", ratio=3)
    for step in steps:
        said = Text(step.what)
        if step.command is not None:
            said.append(f"\n{command_line(step)}", style="dim")
        took = "-" if step.duration_ns is None else short_duration(step.duration_ns)
        table.add_row(Text(step.state, style=_MARKS[step.state]), said, took, Text(step.detail))
    return table
