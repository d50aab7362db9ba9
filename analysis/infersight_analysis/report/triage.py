"""A triage on the terminal."""

from rich.table import Table
from rich.text import Text

from infersight_analysis.findings.triage import TimelineEntry, Triage
from infersight_analysis.report.incidents import here
from infersight_analysis.report.output import console, plain_table
from infersight_analysis.times import readable_time


def print_triage(found: Triage) -> None:
    """Print what is otherwise than before, what happened when, and what may have brought it about."""
    out = console()
    out.print(Text.assemble(f"{found.id} ", found.severity, " ", (found.title, "bold")))
    times = [readable_time(each) for each in (found.start, found.end, found.baseline_start, found.baseline_end)]
    out.print(Text("{} to {} against {} to {}".format(*times), style="dim"))
    out.print(Text(f"{found.severity}: {found.severity_reason}", style="dim"))
    for note in found.notes:
        out.print(Text(note, style="yellow"))
    if found.symptoms:
        out.print("\n[bold]symptoms[/]")
    for number, symptom in enumerate(found.symptoms, 1):
        out.print(Text(f"S{number}  {symptom.statement}"))
    if found.timeline:
        out.print("\n[bold]timeline[/]")
        out.print(timeline_table(found.timeline))
    if found.hypotheses:
        out.print("\n[bold]hypotheses[/], the one to test first in front")
    for each in found.hypotheses:
        out.print(Text(f"{each.name}  {each.statement}"))
        out.print(Text(f"    {each.because}\n    refuted by: {each.refuted_by}", style="dim"))
    out.print("\n[bold]evidence[/]")
    table = plain_table(headed=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for look in found.looked_at:
        table.add_row(look.evidence, look.command.split()[1], Text(look.answer))
    out.print(table)
    if found.next:
        out.print(Text(f"\nnext: {here(found.next)}", style="dim"), soft_wrap=True)


def timeline_table(entries: list[TimelineEntry]) -> Table:
    """What happened when, by whom."""
    table = plain_table(headed=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for each in entries:
        table.add_row(readable_time(each.time), Text(each.actor or each.source, style="dim"), Text(each.statement))
    return table
