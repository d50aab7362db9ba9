"""`infersight anomalies`: what is unusual in the series of the store, and when their levels changed."""

from pathlib import Path
from typing import Final

import click

from infersight_analysis import options
from infersight_analysis.anomalies.anomalies import anomalies
from infersight_analysis.options import Window
from infersight_analysis.report.anomalies import print_anomalies
from infersight_analysis.report.html.anomalies import anomalies_page
from infersight_analysis.report.output import publish_finding
from infersight_analysis.session import opened
from infersight_analysis.times import parse_duration

__all__ = ["anomalies", "anomalies_command"]

NEED_MORE_DATA: Final = 3


@click.command(name="anomalies")
@click.argument("metric", required=False)
@options.SERVICE
@click.option("--history", default="1d", show_default=True, metavar="DURATION", help="What is learnt from, before.")
@click.option("--step", metavar="DURATION", help="Distance of the points, such as 1m; 288 of them at least without it.")
@click.option(
    "--false-alarms",
    type=click.FloatRange(0, min_open=True),
    metavar="N",
    help="Alarms that a series may have in a day by chance; one in 1000 points without it.",
)
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), help="Most anomalies to list.")
@options.STORE
@options.report("table", "json", "html")
@options.window
def anomalies_command(
    *,
    metric: str | None,
    service: str | None,
    history: str,
    step: str | None,
    false_alarms: float | None,
    limit: int,
    store: Path,
    form: str,
    output: Path | None,
    window: Window,
) -> int:
    """What is unusual, in every metric and in the requests, errors and durations of every route, and since when.

    Each point of a series is judged by those before it: spikes, levels, silence, and what is unlike the same time of
    earlier days where days are alike. Changes of a level are found looking back, with the interval in which they lie.
    METRIC is the name of a metric, or `requests` for the series that are made of spans.

    Exit code 3 when no series has enough points to judge any.

    \b
    infersight anomalies --last 1h
    infersight anomalies queue.size --service sentiment --last 1d --history 7d
    infersight anomalies requests --false-alarms 0.1 --output anomalies.html
    """  # noqa: D301 - click's mark for lines that stay lines
    history_ns = parse_duration(history)
    start_ns = None if window.start_ns is None else window.start_ns - history_ns
    with opened(store, start_ns=start_ns, end_ns=window.end_ns) as connection:
        watched = anomalies(
            connection,
            metric,
            service=service,
            window=window,
            history_ns=history_ns,
            step_ns=None if step is None else parse_duration(step),
            false_alarms=false_alarms,
            limit=limit,
        )
    publish_finding(
        form,
        output,
        watched.found,
        print_anomalies,
        lambda found: anomalies_page(found, [(plot.points, plot.interval_s) for plot in watched.plots]),
    )
    if watched.found.points or watched.found.found:
        return 0
    click.echo("need more data: no series has enough points to judge any", err=True)
    return NEED_MORE_DATA
