"""`infersight anomaly`: what happened when a metric was unusual."""

from pathlib import Path

import click

from infersight_analysis import options
from infersight_analysis.around.moment import Moment
from infersight_analysis.around.report import anomaly_around
from infersight_analysis.report.anomaly import print_anomaly
from infersight_analysis.report.html.anomaly import anomaly_page
from infersight_analysis.report.output import publish_finding
from infersight_analysis.session import opened
from infersight_analysis.times import parse_duration, parse_time

__all__ = ["Moment", "anomaly_around", "anomaly_command"]


@click.command(name="anomaly")
@click.argument("metric")
@click.option("--at", "at", required=True, metavar="TIME", help="The moment, ISO 8601.")
@click.option("--window", default="5m", show_default=True, metavar="DURATION", help="How much before and after it.")
@options.SERVICE
@options.STORE
@options.report("table", "json", "html")
def anomaly_command(
    *, metric: str, at: str, window: str, service: str | None, store: Path, form: str, output: Path | None
) -> None:
    """What happened around a moment at which a metric was unusual.

    METRIC is the name of a metric, or `requests`. The window is compared with the hour before it, or with six times its
    length: the metric's readings, failed traces, each service's requests, top errors, log templates that were not there
    before, what was deployed or set, and which other series became unusual before, with and after it.

    \b
    infersight anomaly infersight.inference.duration --at 2026-03-01T14:05:00Z
    infersight anomaly requests --at 2026-03-01T14:05:00Z --window 15m --service sentiment
    """  # noqa: D301 - click's mark for lines that stay lines
    moment = Moment(parse_time(at), parse_duration(window))
    with opened(store, start_ns=moment.baseline_ns, end_ns=moment.end_ns) as connection:
        found = anomaly_around(connection, metric, moment, service=service)
    publish_finding(form, output, found, print_anomaly, anomaly_page)
