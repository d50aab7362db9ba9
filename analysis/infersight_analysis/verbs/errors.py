"""`infersight errors`: what broke, each fault once."""

from pathlib import Path

import click

from infersight_analysis import options
from infersight_analysis.failures.errors import errors
from infersight_analysis.failures.groups import HISTORY_NS
from infersight_analysis.options import Window
from infersight_analysis.report.errors import print_errors
from infersight_analysis.report.html.errors import errors_page
from infersight_analysis.report.output import publish_finding
from infersight_analysis.session import opened

__all__ = ["errors", "errors_command"]


@click.command(name="errors")
@options.SERVICE
@click.option(
    "--since",
    metavar="TIME|VERSION",
    help="Say what is new or regressed since this time (ISO 8601) or version; by default since the window began.",
)
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), help="Most groups to list.")
@options.STORE
@options.report("table", "json", "html")
@options.window
def errors_command(
    *, service: str | None, since: str | None, limit: int, store: Path, form: str, output: Path | None, window: Window
) -> None:
    """What broke: exceptions, error logs and failed spans, each failure counted once, grouped by fault.

    An exception leaves an event on every span that it passes, a log record, and failed spans: within a trace that is
    one failure. Failures are the same fault when their exceptions, causes included, were raised at the same place by
    the same code, or, without a stack trace, when their messages differ only in values. What followed from another
    failure of its trace is listed with that one.

    \b
    infersight errors --last 1h --service sentiment
    infersight errors --last 1d --since 1.9.0
    """  # noqa: D301 - click's mark for lines that stay lines
    start_ns = None if since is not None or window.start_ns is None else window.start_ns - HISTORY_NS
    with opened(store, start_ns=start_ns, end_ns=window.end_ns) as connection:
        found = errors(connection, service=service, window=window, since=since, limit=limit)
    publish_finding(form, output, found, print_errors, errors_page)
