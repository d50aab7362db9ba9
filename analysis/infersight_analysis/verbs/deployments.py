"""`infersight deployments`: which versions ran when."""

from pathlib import Path

import click
import duckdb

from infersight_analysis import options
from infersight_analysis.deployments.marks import as_finding, marks, versions
from infersight_analysis.findings import Deployments, Evidence
from infersight_analysis.options import Window
from infersight_analysis.report.deployments import print_deployments
from infersight_analysis.report.html.deployments import deployments_page
from infersight_analysis.report.output import publish_finding
from infersight_analysis.session import opened


def deployments(
    connection: duckdb.DuckDBPyConnection,
    *,
    service: str | None = None,
    window: Window = Window(),  # noqa: B008 - immutable
) -> Deployments:
    """The versions of services, and the moments at which a version, a model or a setting took another's place.

    Args:
        connection: from `connect`.
        service: only this service.
        window: what to look at; what ran before it is not known then.
    """
    listed, _ = versions(connection, window, service)
    found = [as_finding(mark) for mark in marks(connection, window, service)]
    sql = "select * from deployments order by service_name, first_seen"
    return Deployments(listed, found, Evidence([], [sql], {"marks": len(found)}))


@click.command(name="deployments")
@options.SERVICE
@options.STORE
@options.report("table", "json", "html")
@options.window
def deployments_command(*, service: str | None, store: Path, form: str, output: Path | None, window: Window) -> None:
    """Which versions of which services ran when, and what took the place of what.

    Versions are what senders say of themselves (`service.version`, `deployment.id`), in spans, logs and metrics. A mark
    is the moment at which a version, a model's version, or a resource attribute that is no identity was first seen
    after another one; a version that ran before is a rollback.

    \b
    infersight deployments --last 1d
    infersight deployments --service sentiment --format json
    """  # noqa: D301 - click's mark for lines that stay lines
    with opened(store, start_ns=window.start_ns, end_ns=window.end_ns) as connection:
        found = deployments(connection, service=service, window=window)
    publish_finding(form, output, found, print_deployments, deployments_page)
