"""`infersight bursts`: when errors came in bursts, and which services' bursts belong together."""

from pathlib import Path

import click

from infersight_analysis import options
from infersight_analysis.bursts.clusters import find_bursts
from infersight_analysis.options import Window
from infersight_analysis.report.bursts import print_bursts
from infersight_analysis.report.html.bursts import bursts_page
from infersight_analysis.report.output import publish_finding
from infersight_analysis.session import opened

__all__ = ["bursts_command", "find_bursts"]


@click.command(name="bursts")
@options.SERVICE
@options.STORE
@options.report("table", "json", "html")
@options.window
def bursts_command(*, service: str | None, store: Path, form: str, output: Path | None, window: Window) -> None:
    """When a service failed more often than its own base rate explains, and what else failed with it.

    The base rate is failures by request, or by time where a service serves none, in the rest of the time that is looked
    at; of services without a burst one in a hundred is said to have one. Bursts that overlap are listed together, with
    who led whom in the traces in which both failed, and with the release, host or dependency that the failing spans
    share.

    \b
    infersight bursts --last 6h
    infersight bursts --service sentiment --start 2026-03-01T12:00Z --end 2026-03-01T18:00Z
    """  # noqa: D301 - click's mark for lines that stay lines
    with opened(store, start_ns=window.start_ns, end_ns=window.end_ns) as connection:
        found = find_bursts(connection, service=service, window=window)
    publish_finding(form, output, found, print_bursts, bursts_page)
