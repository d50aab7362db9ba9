"""A rollback on the terminal."""

import shlex

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from infersight_analysis.findings import RollbackExecution, RollbackStep
from infersight_analysis.report.output import console, print_next
from infersight_analysis.times import short_duration

_STYLES = {"verified": "bold green", "not returned": "bold red", "failed": "bold red"}
_MARKS = {"done": "green", "failed": "red", "planned": "dim"}
_INDENT = 8


def print_rollback(found: RollbackExecution) -> None:
    """Print what came of it, then its steps, then how the figures are since then."""
    out = console()
    out.print(Text(headline(found), style=_STYLES.get(found.outcome, "bold yellow")))
    out.print(Text(found.statement))
    for name, text in facts(found):
        out.print(Padding(Text.assemble((f"{name}: ", "dim"), text), (0, 0, 0, 2), expand=False))
    out.print()
    _print_steps(out, found.steps)
    if found.verification is not None:
        out.print(Text(f"\n{found.baseline} since then, against before", style="dim"))
        for line in (*found.verification.reasons, *found.verification.investigate):
            out.print(Padding(Text(line), (0, 0, 0, 2), expand=False))
    if found.incident is not None and found.outcome != "planned":
        print_next(out, "incident show", found.incident)


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


def _print_steps(out: Console, steps: list[RollbackStep]) -> None:
    """Each with its command on a line of its own, to be copied as it is."""
    for step in steps:
        took = "" if step.duration_ns is None else f" ({short_duration(step.duration_ns)})"
        out.print(Text.assemble((f"{step.state:8}", _MARKS[step.state]), step.what, (took, "dim")))
        if step.command is not None:
            out.print(Text(f"{_INDENT * ' '}{command_line(step)}", style="dim"), soft_wrap=True)
        if step.detail:
            out.print(Padding(Text(step.detail), (0, 0, 0, _INDENT), expand=False))
