"""`infersight queries`: what requests ask of databases, and what that costs them."""

from pathlib import Path
from typing import Final

import click

from infersight_analysis import options
from infersight_analysis.cohorts.question import MARGIN_NS
from infersight_analysis.options import Window
from infersight_analysis.queries.queries import REPEATED, queries
from infersight_analysis.report.html.queries import queries_page
from infersight_analysis.report.output import publish_finding
from infersight_analysis.report.queries import print_queries
from infersight_analysis.session import opened

__all__ = ["queries", "queries_command"]

NEED_MORE_DATA: Final = 3


@click.command(name="queries")
@options.SERVICE
@click.option("--route", metavar="ROUTE", help="Only requests of this route, or span name.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), help="Most of each list.")
@click.option(
    "--repeated",
    default=REPEATED,
    show_default=True,
    type=click.IntRange(2),
    help="How often in one place makes a statement one that is made again and again.",
)
@options.STORE
@options.report("table", "json", "html")
@options.window
def queries_command(
    *,
    service: str | None,
    route: str | None,
    limit: int,
    repeated: int,
    store: Path,
    form: str,
    output: Path | None,
    window: Window,
) -> int:
    """What requests ask of databases: slow statements, N+1, chatty routes, and their share of the time.

    Queries are spans of the database conventions (`db.*`) and of `infersight.query`. Statements are compared without
    their values. What a request waits for is what lies on its critical path: queries beside one another, or beside
    other work, are not counted twice.

    Exit code 3 when there are no requests.

    \b
    infersight queries --last 1h
    infersight queries --service shop --route /orders --repeated 5
    """  # noqa: D301 - click's mark for lines that stay lines
    reach = window.widened(MARGIN_NS)
    with opened(store, start_ns=reach.start_ns, end_ns=reach.end_ns) as connection:
        found = queries(connection, service=service, route=route, window=window, limit=limit, repeated=repeated)
    publish_finding(form, output, found, print_queries, queries_page)
    return 0 if found.requests else NEED_MORE_DATA
