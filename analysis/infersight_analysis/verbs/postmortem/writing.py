"""`infersight postmortem write` and `check`."""

from pathlib import Path
from typing import Final

import click

from infersight_analysis import options
from infersight_analysis.destination import replaced
from infersight_analysis.incidents.incident import Refused, opened_in
from infersight_analysis.postmortems.review import review
from infersight_analysis.postmortems.writing import keep
from infersight_analysis.report.html.postmortem import postmortem_page
from infersight_analysis.report.incidents import here
from infersight_analysis.report.output import command, print_json, to_json
from infersight_analysis.report.postmortem import print_review, to_markdown
from infersight_analysis.verbs.incident.steps import ACTOR, INCIDENT, OVERRIDE, REFUSED

_FORMS: Final = {"md": to_markdown, "html": postmortem_page, "json": to_json}
_SUFFIXES: Final = {".md": "md", ".markdown": "md", ".html": "html", ".htm": "html", ".json": "json"}
REMARKS: Final = 1
"""Exit code where something should be otherwise."""


@click.command(name="write")
@INCIDENT
@options.SERVICE
@click.option("--format", "form", type=click.Choice(tuple(_FORMS)), help="By default as FILE is named, else md.")
@click.option("--output", metavar="FILE", type=click.Path(path_type=Path), help="Write it to this file.")
@ACTOR
@OVERRIDE
@options.STORE
def write_command(
    *,
    incident_id: str,
    service: str | None,
    form: str | None,
    output: Path | None,
    actor: str,
    override: str | None,
    store: Path,
) -> int:
    """Put the post-mortem of an incident together, and keep it with the incident.

    What it cost is computed from the telemetry: requests, users and their share, failures and waiting beyond the
    baseline, the duration by change points. The rest is what was recorded: timeline, cause, factors, what went well and
    wrong (`infersight incident note --about`), action items, evidence, and the SQL of every number. Exits with 1 while
    the cause is not known.

    \b
    infersight postmortem write INC-2026-001 --output INC-2026-001.md
    infersight postmortem write INC-2026-001 --output INC-2026-001.html
    """  # noqa: D301 - click's mark for lines that stay lines
    from infersight_analysis.postmortems.document import post_mortem  # noqa: PLC0415 - heavy, and `check` does without

    incident = opened_in(store, incident_id, actor)
    found = post_mortem(incident, service=service, told=lambda doing: click.echo(doing, err=True))
    try:
        keep(incident, found, override=override)
    except Refused as refused:
        click.echo(f"{refused.reason}; next: {here(refused.command)}", err=True)
        return REFUSED
    form = form or _SUFFIXES.get(output.suffix.lower() if output else "", "md")
    text = _FORMS[form](found).rstrip("\n")
    if output is None:
        click.echo(text)
    else:
        with replaced(output) as file:
            file.write(f"{text}\n".encode())
    if found.review:
        count = len(found.review)
        said = "1 remark" if count == 1 else f"{count} remarks"
        click.echo(f"{said}: {command('postmortem', f'check {incident.id}')}", err=True)
    return 0


@click.command(name="check")
@INCIDENT
@options.STORE
@options.FORMAT
def check_command(*, incident_id: str, store: Path, form: str) -> int:
    """What should be otherwise in a post-mortem: words that blame somebody, actions that nobody can see done.

    An action needs an owner, a date, and something by which one will see that it is done. The look back is due 30 days
    after the incident was closed. Exits with 1 where there is something to remark.

    \b
    infersight postmortem check INC-2026-001
    """  # noqa: D301 - click's mark for lines that stay lines
    found = review(opened_in(store, incident_id, ""))
    print_json(found) if form == "json" else print_review(found)
    return REMARKS if found.remarks else 0
