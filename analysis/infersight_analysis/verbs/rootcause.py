"""`infersight rootcause`: where an incident began."""

import time
from pathlib import Path
from typing import Final

import click

from infersight_analysis import options
from infersight_analysis.errors import AnalysisError
from infersight_analysis.options import Window
from infersight_analysis.report.html.rootcause import rootcause_page
from infersight_analysis.report.output import publish_finding
from infersight_analysis.report.rootcause import print_rootcause
from infersight_analysis.rootcause.cause import rootcause
from infersight_analysis.rootcause.question import Calls, Question, Symptom, read_calls
from infersight_analysis.session import opened
from infersight_analysis.times import parse_time

__all__ = ["Question", "Symptom", "question", "rootcause", "rootcause_command"]

NEED_MORE_DATA: Final = 3


def question(
    window: Window,
    baseline: Window = Window(),  # noqa: B008 - immutable
    *,
    symptom: str | None = None,
    calls: Calls | None = None,
) -> Question:
    """The question that times and names ask.

    Args:
        window: when the incident was; until now, where it has no end.
        baseline: when all was well; by default the time before the incident, an hour at least.
        symptom: where it was noticed, `SERVICE` or `SERVICE:METRIC`.
        calls: who calls whom, beside what the spans say.

    Raises:
        AnalysisError: the incident has no beginning, or one of the times ends before it begins.
    """
    if window.start_ns is None:
        raise AnalysisError("say when the incident was: --start and --end, or --last 15m")
    end_ns = time.time_ns() if window.end_ns is None else window.end_ns
    asked = Question(window.start_ns, end_ns, baseline, None if symptom is None else Symptom.of(symptom), calls)
    from_ns, until_ns = asked.baseline_ns
    if asked.start_ns >= asked.end_ns:
        raise AnalysisError("the incident must end after it begins: see --start and --end")
    if from_ns >= until_ns:
        raise AnalysisError("the baseline must end after it begins: see --baseline-start and --baseline-end")
    return asked


@click.command(name="rootcause")
@click.option("--baseline-start", metavar="TIME", help="All was well from this time on; an hour before by default.")
@click.option("--baseline-end", metavar="TIME", help="All was well until this time; until the incident by default.")
@click.option("--symptom", metavar="SERVICE[:METRIC]", help="Where it was noticed, to account for it by metrics.")
@click.option(
    "--calls",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Who calls whom, where spans do not say it: JSON with `edges`, pairs of caller and callee.",
)
@click.option("--limit", default=10, show_default=True, type=click.IntRange(1), help="Most services to list.")
@options.STORE
@options.report("table", "json", "html")
@options.window
def rootcause_command(
    *,
    baseline_start: str | None,
    baseline_end: str | None,
    symptom: str | None,
    calls: Path | None,
    limit: int,
    store: Path,
    form: str,
    output: Path | None,
    window: Window,
) -> int:
    """Where an incident began: services ranked as its origin, from traces, logs and metrics together.

    Each signal is compared with a time when all was well. What a service does otherwise counts for it only as far as
    nothing that it calls explains it, and the time that it makes others wait only as far as it is its own.

    Exit code 3 when the incident or the baseline has no data.

    \b
    infersight rootcause --last 15m
    infersight rootcause --start 2026-03-01T14:00Z --end 2026-03-01T14:20Z
    infersight rootcause --last 20m --symptom checkout:latency --calls graph.json
    """  # noqa: D301 - click's mark for lines that stay lines
    baseline = Window(
        parse_time(baseline_start) if baseline_start else None, parse_time(baseline_end) if baseline_end else None
    )
    asked = question(window, baseline, symptom=symptom, calls=None if calls is None else read_calls(calls))
    from_ns, until_ns = asked.baseline_ns
    with opened(store, start_ns=min(asked.start_ns, from_ns), end_ns=max(asked.end_ns, until_ns)) as connection:
        found = rootcause(connection, asked, limit=limit)
    publish_finding(form, output, found, print_rootcause, rootcause_page)
    for position, of in enumerate(("incident", "baseline")):
        if not any(counts[position] for counts in found.read.values()):
            click.echo(f"need more data: the {of} has none", err=True)
            return NEED_MORE_DATA
    return 0
