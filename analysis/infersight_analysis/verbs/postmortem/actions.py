"""`infersight postmortem actions`: who does what until when."""

import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import click

from infersight_analysis import options
from infersight_analysis.commands import Verb, Verbs
from infersight_analysis.destination import replaced
from infersight_analysis.findings.postmortem import Actions
from infersight_analysis.incidents.incident import Incident, opened_in
from infersight_analysis.incidents.log import SEVERITIES, Event, IncidentLog
from infersight_analysis.postmortems import actions
from infersight_analysis.postmortems.interchange import as_csv, as_ics
from infersight_analysis.postmortems.review import follow_up
from infersight_analysis.report.output import print_json, to_json
from infersight_analysis.report.postmortem import print_actions
from infersight_analysis.verbs.incident.steps import step

ACTIONS_VERBS: Final = {
    "add": Verb(__name__, "add_command", "analysis", "Add one."),
    "list": Verb(__name__, "list_command", "analysis", "List them, what is overdue first."),
    "start": Verb(__name__, "start_command", "analysis", "Say that one is being done."),
    "done": Verb(__name__, "done_command", "analysis", "Say that one is done."),
    "export": Verb(__name__, "export_command", "analysis", "Write them for a tracker or a calendar."),
}
OVERDUE: Final = 1
"""Exit code where one is overdue."""


@click.group(cls=Verbs, verbs=ACTIONS_VERBS, name="actions")
def actions_command() -> None:
    """Action items: who does what until when, and how one will see that it is done."""


@click.command(name="add")
@step
@click.argument("description")
@click.option("--owner", metavar="NAME", help="Who sees to it.")
@click.option("--due", metavar="DATE", help="Until when, as 2026-03-31.")
@click.option(
    "--priority",
    type=click.Choice(SEVERITIES, case_sensitive=False),
    default="MEDIUM",
    show_default=True,
    help="How much it matters.",
)
@click.option("--outcome", metavar="TEXT", help="How one will see that it is done.")
def add_command(
    *, incident: Incident, description: str, owner: str | None, due: str | None, priority: str, outcome: str | None
) -> Event:
    """Add an action item to an incident.

    \b
    infersight postmortem actions add INC-2026-001 "alarm on the pool's use" --owner ada --due 2026-03-31 --priority high --outcome "it fires in a load test"
    """  # noqa: D301, E501 - click's mark for lines that stay lines
    return actions.add(incident, description, owner=owner, due=due, priority=priority.upper(), outcome=outcome)


@click.command(name="start")
@step
@click.argument("item", metavar="A1")
def start_command(*, incident: Incident, item: str) -> Event:
    """Say that an action item is being done.

    \b
    infersight postmortem actions start INC-2026-001 A1
    """  # noqa: D301 - click's mark for lines that stay lines
    return actions.change(incident, item, "IN_PROGRESS")


@click.command(name="done")
@step
@click.argument("item", metavar="A1")
def done_command(*, incident: Incident, item: str) -> Event:
    """Say that an action item is done.

    \b
    infersight postmortem actions done INC-2026-001 A1
    """  # noqa: D301 - click's mark for lines that stay lines
    return actions.change(incident, item, "DONE")


@click.command(name="list")
@click.argument("incident_id", metavar="[ID]", required=False)
@options.STORE
@options.FORMAT
def list_command(*, incident_id: str | None, store: Path, form: str) -> int:
    """The action items of an incident, or of all of a store: what is overdue first. Exits with 1 where one is.

    \b
    infersight postmortem actions list
    infersight postmortem actions list INC-2026-001 --format json
    """  # noqa: D301 - click's mark for lines that stay lines
    found = _found(store, incident_id)
    print_json(found) if form == "json" else print_actions(found)
    return OVERDUE if any(item.overdue for item in found.actions) else 0


@click.command(name="export")
@click.argument("incident_id", metavar="[ID]", required=False)
@click.option("--format", "form", type=click.Choice(("json", "csv", "ics")), help="By default as FILE is named.")
@click.option("--output", metavar="FILE", type=click.Path(path_type=Path), help="Write it to this file.")
@options.STORE
def export_command(*, incident_id: str | None, form: str | None, output: Path | None, store: Path) -> None:
    """Write action items as JSON, as a table (CSV), or as a calendar (ICS) with a to-do for each and the looks back.

    \b
    infersight postmortem actions export --output actions.ics
    infersight postmortem actions export INC-2026-001 --format csv
    """  # noqa: D301 - click's mark for lines that stay lines
    found = _found(store, incident_id)
    form = form or (output.suffix.lower().lstrip(".") if output else "json")
    if form == "csv":
        text = as_csv(found)
    elif form == "ics":
        text = as_ics(found, time.time_ns(), _looks_back(store, incident_id))
    else:
        text = to_json(found) + "\n"
    if output is None:
        click.echo(text, nl=False)
    else:
        with replaced(output) as file:
            file.write(text.encode())


def _found(store: Path, incident_id: str | None) -> Actions:
    if incident_id is None:
        return actions.every(IncidentLog(store), _today())
    incident = opened_in(store, incident_id, "")
    return Actions(actions.actions(incident.id, incident.state, _today()))


def _looks_back(store: Path, incident_id: str | None) -> list[tuple[str, str]]:
    """The incidents on which to look back, and the day."""
    log = IncidentLog(store)
    found = [Incident(log, each, "") for each in ([incident_id] if incident_id else log.ids())]
    due = [(each.id, follow_up(each.state, time.time_ns())) for each in found]
    return [(name, look.due) for name, look in due if look.due and not look.done]


def _today() -> date:
    return datetime.now(UTC).date()
