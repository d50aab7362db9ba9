"""`infersight rollback check`: keep a candidate, roll it back, or wait."""

from pathlib import Path
from typing import Final

import click

from infersight_analysis import options
from infersight_analysis.options import Window
from infersight_analysis.releases.check import rollback_check
from infersight_analysis.releases.limits import Limits
from infersight_analysis.report.html.releases import releases_page
from infersight_analysis.report.output import publish_finding
from infersight_analysis.report.releases import print_release_check
from infersight_analysis.session import opened
from infersight_analysis.verbs.rollback.release import release

__all__ = ["check_command", "rollback_check"]

EXIT_CODES: Final = {"keep": 0, "roll back": 1, "need more data": 3}


@click.command(name="check")
@release
@options.STORE
@options.report("table", "json", "html")
@options.window
def check_command(
    *,
    service: str,
    baseline: str,
    candidate: str,
    limits: Limits,
    least: int,
    store: Path,
    form: str,
    output: Path | None,
    window: Window,
) -> int:
    """Keep a candidate, roll it back, or wait for more data.

    Compares two versions of a service: errors, success, latency, other services that fail, predictions, CPU, memory,
    throughput, and new kinds of errors, as a whole and route by route, for the same mix of routes. What is said holds
    however often one looks. Both are looked at while both served, if they did for most of the candidate's time; else
    the baseline is looked at before.

    Exit code 0 is keep, 1 roll back, 3 need more data.

    \b
    infersight rollback check --service sentiment --baseline 1.8.0 --candidate 1.9.0
    infersight rollback check --service sentiment --baseline 1.8.0 --candidate 1.9.0 --limit latency=50%
    """  # noqa: D301 - click's mark for lines that stay lines
    with opened(store, start_ns=window.start_ns, end_ns=window.end_ns) as connection:
        found = rollback_check(
            connection,
            service=service,
            baseline=baseline,
            candidate=candidate,
            window=window,
            limits=limits,
            least=least,
        )
    publish_finding(form, output, found, print_release_check, releases_page)
    return EXIT_CODES[found.verdict]
