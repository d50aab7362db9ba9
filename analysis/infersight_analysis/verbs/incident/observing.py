"""`infersight incident symptom` and `evidence`: what was noticed, and what was found."""

from pathlib import Path
from typing import Final

import click

from infersight_analysis.commands import Verb, Verbs
from infersight_analysis.errors import AnalysisError
from infersight_analysis.incidents import evidence
from infersight_analysis.incidents.incident import Incident
from infersight_analysis.incidents.log import Event
from infersight_analysis.verbs.incident.steps import step

SYMPTOM_VERBS: Final = {"add": Verb(__name__, "add_symptom", "analysis", "Record something that was noticed.")}
EVIDENCE_VERBS: Final = {"add": Verb(__name__, "add_evidence", "analysis", "Keep something that was found.")}


@click.group(cls=Verbs, verbs=SYMPTOM_VERBS, name="symptom")
def symptom_command() -> None:
    """What was noticed, and what the cause will have to explain, each of it."""


@click.group(cls=Verbs, verbs=EVIDENCE_VERBS, name="evidence")
def evidence_command() -> None:
    """What was found: copied, with its digest, and pinned in the store."""


@click.command(name="add")
@step
@click.argument("statement")
def add_symptom(*, incident: Incident, statement: str) -> Event:
    """Record something that was noticed; the cause has to explain it.

    \b
    infersight incident symptom add INC-2026-001 "every tenth request fails"
    """  # noqa: D301 - click's mark for lines that stay lines
    return incident.add_symptom(statement)


@click.command(name="add")
@step
@click.option("--verb", metavar="COMMAND", help='What a verb finds, as in "errors --last 1h".')
@click.option("--sql", metavar="QUERY", help="What a query answers.")
@click.option("--file", "file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="A file.")
@click.option("--profile", metavar="ID", help="A profile of the store, as in last-cpu; or a file of any profiler.")
@click.option("--about", metavar="TEXT", help="What the file or profile is; its name by default.")
def add_evidence(
    *, incident: Incident, verb: str | None, sql: str | None, file: Path | None, profile: str | None, about: str | None
) -> Event:
    """Keep a piece of evidence: it is copied into the incident; its traces, or the profile, are pinned in the store.

    \b
    infersight incident evidence add INC-2026-001 --verb "rootcause --last 30m"
    infersight incident evidence add INC-2026-001 --sql "select status_code, count(*) from spans group by 1"
    infersight incident evidence add INC-2026-001 --file pool.log --about "what the pool logged"
    infersight incident evidence add INC-2026-001 --profile last-cpu
    """  # noqa: D301 - click's mark for lines that stay lines
    if sum(bool(each) for each in (verb, sql, file, profile)) != 1:
        raise AnalysisError("give one of --verb, --sql, --file and --profile")
    if verb:
        return incident.add_evidence(evidence.of_verb(incident.log.store, verb))
    if sql:
        return incident.add_evidence(evidence.of_sql(incident.log.store, sql)[0])
    if file:
        return incident.add_evidence(evidence.of_file(file, "file", about))
    return incident.add_evidence(evidence.of_profile(incident.log.store, profile or "", about))
