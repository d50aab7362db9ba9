"""`infersight incident open`: begin an incident, by hand or from what a verb found."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from infersight_analysis import options
from infersight_analysis.errors import AnalysisError
from infersight_analysis.incidents import evidence
from infersight_analysis.incidents.evidence import Exhibit
from infersight_analysis.incidents.incident import Incident
from infersight_analysis.incidents.log import SEVERITIES, IncidentLog
from infersight_analysis.incidents.overview import recorded
from infersight_analysis.options import Window
from infersight_analysis.report.incidents import print_recorded
from infersight_analysis.report.output import print_json
from infersight_analysis.times import parse_time
from infersight_analysis.verbs.incident.steps import ACTOR

_LISTS: Final = ("errors", "anomalies", "clusters", "hypotheses", "findings", "requests", "marks")
"""Where findings keep what they list, the most telling first."""


@click.command(name="open")
@click.argument("title", required=False)
@click.option("--severity", type=click.Choice(SEVERITIES, case_sensitive=False), required=True, help="How grave it is.")
@click.option("--description", default="", metavar="TEXT", help="What is known.")
@click.option("--symptom", "symptoms", multiple=True, metavar="TEXT", help="What was noticed; may be repeated.")
@click.option("--from", "source", metavar="FILE", help="Begin with the JSON that a verb printed; - is stdin.")
@ACTOR
@options.STORE
@options.FORMAT
@options.window
def open_command(
    *,
    title: str | None,
    severity: str,
    description: str,
    symptoms: tuple[str, ...],
    source: str | None,
    actor: str,
    store: Path,
    form: str,
    window: Window,
) -> None:
    """Begin an incident. TITLE says in a line what is wrong.

    With --last or --start and --end, what was recorded then is pinned: no retention drops it. --from takes title,
    window and a first symptom from the finding of any verb, as far as they are not given, and keeps it as evidence.

    \b
    infersight incident open "Predictions are slow" --severity HIGH --last 30m --symptom "p95 of /predict is 2 s"
    infersight errors --last 30m | infersight incident open --severity HIGH --from -
    """  # noqa: D301 - click's mark for lines that stay lines
    found = _finding(source) if source else None
    if found:
        said = _first_statement(json.loads(found.content))
        title, symptoms = title or said, symptoms or (said,)
        window = window if window != Window() else _window(json.loads(found.content))
    if not title:
        raise AnalysisError(
            'give the incident a title: infersight incident open "Predictions are slow" --severity HIGH'
        )
    incident = Incident.open(
        IncidentLog(store),
        title,
        severity.upper(),
        actor=actor,
        description=description,
        window=window,
        symptoms=symptoms,
    )
    if found:
        incident.add_evidence(found)
    told = recorded(incident, incident.log.read(incident.id)[0])
    print_json(told) if form == "json" else print_recorded(told)


def _finding(source: str) -> Exhibit:
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise AnalysisError(f"cannot read {source}: {error}") from error
    return evidence.of_finding(text, "a finding from stdin" if source == "-" else Path(source).name)


def _first_statement(finding: Any) -> str:
    """The most telling line of a finding: its summary, or what is said of the first of what it lists."""
    if isinstance(finding, list):
        return _first_statement(finding[0]) if finding else "a finding without rows"  # pyright: ignore[reportUnknownArgumentType]
    if not isinstance(finding, Mapping):
        return str(finding)
    members: Mapping[str, Any] = finding  # pyright: ignore[reportUnknownVariableType] - of JSON
    for key in ("summary", "statement"):
        if members.get(key):
            return str(members[key])
    listed = next((members[key] for key in _LISTS if members.get(key)), None)
    if listed:
        return _first_statement(listed[0])
    parts = [str(members[key]) for key in ("type", "kind", "name", "message", "service") if members.get(key)]
    return " ".join(parts)[:200] or "a finding"


def _window(finding: Any) -> Window:
    """The time that a finding is about."""
    if not isinstance(finding, Mapping):
        return Window()
    members: Mapping[str, Any] = finding  # pyright: ignore[reportUnknownVariableType] - of JSON
    start, end = (members.get(key) or members.get(f"{key}_time") for key in ("start", "end"))
    return Window(parse_time(str(start)) if start else None, parse_time(str(end)) if end else None)
