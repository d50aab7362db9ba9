"""Incidents on the terminal."""

from rich.text import Text

from infersight_analysis.findings.incidents import IncidentRecord, Incidents, IncidentStatus, RecordedStep
from infersight_analysis.report.output import command, console, joined, plain_table
from infersight_analysis.times import readable_time

_GRAVE = {"CRITICAL": "bold red", "HIGH": "red", "MEDIUM": "yellow", "LOW": "dim"}


def here(text: str) -> str:
    """A command of ours that works as it is printed, see `command`."""
    verb, _, arguments = text.removeprefix("infersight ").partition(" ")
    return command(verb, arguments)


def print_recorded(found: RecordedStep) -> None:
    """Print what was recorded, where the incident stands, and what is next."""
    out = console()
    out.print(Text.assemble((found.incident, "bold"), " ", found.kind, " ", found.statement))
    for check in found.said.get("checks", ()):
        out.print(Text(f"  {check['outcome']:<14} {check['statement']}"))
    out.print(Text(f"stage: {found.stage}", style="dim"))
    if found.next:
        out.print(Text(f"next: {here(found.next)}", style="dim"), soft_wrap=True)


def print_status(found: IncidentStatus) -> None:
    """Print where an incident stands: the steps of the method, what is missing, and what was not right."""
    out = console()
    out.print(Text.assemble((found.severity, _GRAVE[found.severity]), f" {found.id} ", (found.title, "bold")))
    closed = f"closed {readable_time(found.closed)}" if found.closed else f"stage: {found.stage}"
    out.print(Text(joined(closed, f"opened {readable_time(found.opened)}", _span(found)), style="dim"))
    out.print()
    table = plain_table(headed=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for step in found.steps:
        mark = ("✓", "green") if step.done else ("·", "dim") if not step.required else ("✗", "red")
        table.add_row(Text(*mark), step.name, Text(step.about, style="" if step.done or step.required else "dim"))
    out.print(table)
    print_warnings(found)
    if found.next:
        out.print(Text(f"\nnext: {here(found.next)}", style="dim"), soft_wrap=True)


def print_warnings(found: IncidentStatus) -> None:
    """Print what went against the method, and what was changed since it was recorded."""
    out = console()
    for each in found.overridden:
        said = f"against the method: {each.kind} by {each.actor}, although {each.refused}. Why: {each.why}"
        out.print(Text(said, style="yellow"), soft_wrap=True)
    for line in (*found.irregular, *found.problems):
        out.print(Text(f"not right: {line}", style="red"), soft_wrap=True)


def print_record(found: IncidentRecord) -> None:
    """Print all of an incident: where it stands, its hypotheses, and everything that was done."""
    print_status(found.status)
    out = console()
    if found.description:
        out.print(Text(f"\n{found.description}"))
    for name, symptom in found.symptoms.items():
        out.print(Text(f"\n{name}  {symptom}"))
    for each in found.hypotheses:
        out.print(Text.assemble(f"\n{each.name}  ", each.statement, (f"  {each.outcome}", "bold")))
        explains = f"explains {', '.join(each.explains)}" if each.explains else "explains no symptom"
        out.print(Text(f"    {explains} · refuted by: {each.refuted_by}", style="dim"))
        for test in each.tests:
            out.print(Text(f"    {test}", style="dim"))
    out.print()
    table = plain_table()
    for heading in ("at", "who", "what", ""):
        table.add_column(heading, no_wrap=heading in {"at", "what"}, overflow="fold")
    for event in found.events:
        table.add_row(readable_time(event.time), Text(event.actor), event.kind, Text(event.statement))
    out.print(table)
    out.print(Text(f"\nlast digest {found.digest}", style="dim"), soft_wrap=True)


def print_incidents(found: Incidents) -> None:
    """Print the incidents of a store."""
    out = console()
    if not found.incidents:
        out.print("no incident was opened")
        return
    table = plain_table()
    for heading in ("incident", "severity", "opened", "stage", "title"):
        table.add_column(heading, no_wrap=heading != "title", overflow="fold")
    table.add_column("missing", overflow="fold")
    for each in found.incidents:
        missing = f"{', '.join(each.missing)}" if each.missing else ""
        wrong = f"{each.problems} not right" if each.problems else ""
        severity = Text(each.severity, style=_GRAVE[each.severity])
        row = (each.id, severity, readable_time(each.opened), each.stage, Text(each.title))
        table.add_row(*row, Text(joined(missing, wrong), style="red" if wrong else "dim"))
    out.print(table)


def _span(found: IncidentStatus) -> str:
    if not found.start:
        return ""
    return f"happened {readable_time(found.start)} to {readable_time(found.end) if found.end else '?'}"
