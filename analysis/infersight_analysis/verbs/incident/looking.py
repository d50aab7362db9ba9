"""`infersight incident status`, `list`, `show` and `export`."""

from pathlib import Path

import click

from infersight_analysis import options
from infersight_analysis.destination import replaced
from infersight_analysis.errors import AnalysisError
from infersight_analysis.incidents.export import write_archive
from infersight_analysis.incidents.incident import Incident, opened_in
from infersight_analysis.incidents.log import IncidentLog
from infersight_analysis.incidents.overview import overview, record, status
from infersight_analysis.report.html.incidents import incident_page
from infersight_analysis.report.incidents import print_incidents, print_record, print_status
from infersight_analysis.report.output import print_json, publish_finding, to_json
from infersight_analysis.verbs.incident.steps import INCIDENT

PROBLEMS = 1
"""Exit code where something was changed or lost since it was recorded."""


@click.command(name="status")
@INCIDENT
@options.STORE
@options.FORMAT
def status_command(*, incident_id: str, store: Path, form: str) -> int:
    """Where an incident stands: what was done, what is missing, and the command that is next.

    Exits with 1 where its log or its evidence was changed since it was recorded.

    \b
    infersight incident status INC-2026-001
    """  # noqa: D301 - click's mark for lines that stay lines
    found = status(_of(store, incident_id))
    print_json(found) if form == "json" else print_status(found)
    return PROBLEMS if found.problems else 0


@click.command(name="list")
@options.STORE
@options.FORMAT
def list_command(*, store: Path, form: str) -> None:
    """All incidents of a store, the latest first, and what each of them lacks."""
    found = overview(IncidentLog(store))
    print_json(found) if form == "json" else print_incidents(found)


@click.command(name="show")
@INCIDENT
@options.STORE
@options.report("table", "json", "html")
def show_command(*, incident_id: str, store: Path, form: str, output: Path | None) -> int:
    """All that is recorded of an incident: symptoms, hypotheses with their tests, and every step in its order.

    Exits with 1 where its log or its evidence was changed since it was recorded.

    \b
    infersight incident show INC-2026-001 --output INC-2026-001.html
    """  # noqa: D301 - click's mark for lines that stay lines
    found = record(_of(store, incident_id))
    publish_finding(form, output, found, print_record, incident_page)
    return PROBLEMS if found.status.problems else 0


@click.command(name="export")
@INCIDENT
@click.option("--output", required=True, type=click.Path(path_type=Path), metavar="FILE", help="Write it there.")
@options.STORE
def export_command(*, incident_id: str, output: Path, store: Path) -> None:
    """Write an incident into a file: .tar.gz with its log and all its evidence, .json or .html of what is recorded.

    The archive has a SHA256SUMS, which `sha256sum -c` checks.

    \b
    infersight incident export INC-2026-001 --output INC-2026-001.tar.gz
    """  # noqa: D301 - click's mark for lines that stay lines
    incident = _of(store, incident_id)
    name = output.name.lower()
    with replaced(output) as file:
        if name.endswith((".tar.gz", ".tgz")):
            write_archive(incident, file)
        elif name.endswith(".json"):
            file.write(to_json(record(incident)).encode() + b"\n")
        elif name.endswith((".html", ".htm")):
            file.write(incident_page(record(incident)).encode() + b"\n")
        else:
            raise AnalysisError(f"{output} says not what to write: name it .tar.gz, .json or .html")


def _of(store: Path, incident_id: str) -> Incident:
    return opened_in(store, incident_id, "")
