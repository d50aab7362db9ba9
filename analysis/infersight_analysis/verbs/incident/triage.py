"""`infersight incident triage`: a first look at everything, and an incident with what it showed."""

from pathlib import Path

import click

from infersight_analysis import options
from infersight_analysis.incidents.log import SEVERITIES, IncidentLog
from infersight_analysis.incidents.triage import triage
from infersight_analysis.options import Window
from infersight_analysis.report.html.triage import triage_page
from infersight_analysis.report.output import publish_finding
from infersight_analysis.report.triage import print_triage
from infersight_analysis.verbs.incident.steps import ACTOR
from infersight_analysis.verbs.rootcause import question

_LAST = "30m"


@click.command(name="triage")
@click.option("--title", metavar="TEXT", help="What is wrong; the first symptom by default.")
@click.option(
    "--severity",
    type=click.Choice(SEVERITIES, case_sensitive=False),
    help="How grave it is; by default by how many requests fail in addition, and how much longer they take.",
)
@options.SERVICE
@ACTOR
@options.STORE
@options.report("table", "json", "html")
@options.window
def triage_command(
    *,
    title: str | None,
    severity: str | None,
    service: str | None,
    actor: str,
    store: Path,
    form: str,
    output: Path | None,
    window: Window,
) -> None:
    """Look at a time with slow, errors, bursts, anomalies, deployments, rootcause and compare, and open an incident.

    The time is the last 30 minutes, or what --last or --start and --end say; it is compared with the hour before, or as
    long a time as it took. The incident has what is worse than then, by test, as its symptoms, what was found as its
    evidence, and what may have brought it about as hypotheses, the one to test first in front.

    \b
    infersight incident triage --last 30m
    infersight incident triage --start 2026-03-01T14:00Z --end 2026-03-01T14:20Z --severity critical
    """  # noqa: D301 - click's mark for lines that stay lines
    asked = question(window if window != Window() else Window.of(_LAST, None, None))
    found = triage(
        IncidentLog(store),
        asked,
        actor=actor,
        service=service,
        severity=severity.upper() if severity else None,
        title=title,
        told=lambda doing: click.echo(doing, err=True),
    )
    publish_finding(form, output, found, print_triage, triage_page)
