"""`infersight critical-path`: where the time of many requests went, by call path."""

from pathlib import Path
from typing import Final

import click

from infersight_analysis import options
from infersight_analysis.cohorts.question import MARGIN_NS
from infersight_analysis.critical_paths.by_call_path import critical_paths
from infersight_analysis.critical_paths.what_if import Change
from infersight_analysis.findings import CriticalPaths
from infersight_analysis.options import Window
from infersight_analysis.report.critical_path import print_critical_paths
from infersight_analysis.report.output import publish, to_json
from infersight_analysis.session import opened

NEED_MORE_DATA: Final = 3


@click.command(name="critical-path")
@options.SERVICE
@options.ROUTE
@options.CALLED_MODEL
@options.WHAT_IF
@options.STORE
@options.report("table", "json", "folded", "svg", "html")
@options.window
def critical_path_command(
    *,
    service: str | None,
    route: str | None,
    model: str | None,
    what_if: tuple[str, ...],
    store: Path,
    form: str,
    output: Path | None,
    window: Window,
) -> int:
    """Where the time of many requests went: their critical paths, summed by call path.

    Each nanosecond of a request belongs to one span, so the times sum to the durations of the requests. As a table,
    as JSON, as folded stacks for other flame graph tools, or as a flame graph in SVG or HTML.

    Exit code 3 when there are no requests.

    \b
    infersight critical-path --service sentiment --last 1h
    infersight critical-path --what-if "forward=-30%"
    infersight critical-path --output flames.svg
    """  # noqa: D301 - click's mark for lines that stay lines
    changes = [Change.of(text) for text in what_if]
    reach = window.widened(MARGIN_NS)
    with opened(store, start_ns=reach.start_ns, end_ns=reach.end_ns) as connection:
        found = critical_paths(connection, service=service, route=route, model=model, window=window, changes=changes)
    publish(form, output, lambda: print_critical_paths(found), lambda: _text(found, form))
    return 0 if found.requests else NEED_MORE_DATA


def _text(found: CriticalPaths, form: str) -> str:
    from infersight_analysis.report.flame_graph import flame_graph, folded_stacks, frames_of  # noqa: PLC0415
    from infersight_analysis.report.html.critical_paths import critical_paths_page  # noqa: PLC0415 - loads the templates

    if form == "json":
        return to_json(found)
    if form == "folded":
        return folded_stacks(found)
    if form == "svg":
        return flame_graph(frames_of(found), "Critical paths of the requests", alone=True)
    return critical_paths_page(found)
