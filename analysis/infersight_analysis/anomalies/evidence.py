"""Where something unusual in a series can be looked at: SQL that shows the series around it, and traces."""

from typing import Final

import duckdb

from infersight_analysis.anomalies.series import REQUESTS, Grid, Series
from infersight_analysis.findings import Evidence
from infersight_analysis.reading import present, query
from infersight_analysis.stored import literal
from infersight_analysis.times import SECOND_NS, iso_time

_BEFORE: Final = 30
_AFTER: Final = 10
"""Steps around it that are shown."""

_QUANTILES: Final = ("p50", "p95", "p99")


def metrics_read(grid: Grid) -> Evidence:
    """SQL that counts the metrics that the series are made of."""
    times = f"time >= {literal(iso_time(grid.start_ns))} and time < {literal(iso_time(grid.end_ns))}"
    sql = (
        "select service_name, name, type, count(*) as points, min(time), max(time) from metrics "  # noqa: S608 - quoted
        f"where {times} group by all order by all"
    )
    return Evidence([], [sql])


def evidence_of(connection: duckdb.DuckDBPyConnection, grid: Grid, series: Series, step: int) -> Evidence:
    """How a series went around a step, and requests of then.

    Args:
        connection: from `connect`.
        grid: the steps.
        series: of which series.
        step: where it is unusual.
    """
    start_ns, end_ns = grid.time_ns(max(0, step - _BEFORE)), min(grid.end_ns, grid.time_ns(step + _AFTER))
    if series.name == REQUESTS:
        route = str(present(series.attributes).get("http.route", ""))
        column = f"{series.reading}_ms" if series.reading in _QUANTILES else series.reading
        where = f"route = {literal(route)}"
        sql = f"select time, requests, {column} from rate_errors_duration({_window(grid, series, start_ns, end_ns)}) where {where}"  # noqa: E501, S608 - quoted
        values = {"service": series.service, "route": route, "failed": series.reading == "error_share"}
        times = {"from_ns": grid.time_ns(step), "until_ns": grid.time_ns(step + 1)}
        rows = connection.execute(query("anomalies/examples"), values | times).fetchall()
        return Evidence([trace_id for (trace_id,) in rows if trace_id], [sql])
    return Evidence([], [_metric(grid, series, start_ns, end_ns)])


def _metric(grid: Grid, series: Series, start_ns: int, end_ns: int) -> str:
    attributes = f"coalesce(to_json(attributes)::varchar, '{{}}') = {literal(series.attributes)}"
    if series.instance is None and series.reading in {"p99", "mean", "rate"}:
        window = _window(grid, series, start_ns, end_ns)
        return (
            f"select time, count, mean, value from histogram_quantile({literal(series.name)}, 0.99, {window}, "  # noqa: S608 - quoted
            f"split := to_json(attributes)) where part = {literal(series.attributes)}"
        )
    instance = "is null" if series.instance is None else f"= {literal(series.instance)}"
    return (
        f"select time, value, count, sum from metrics where name = {literal(series.name)} and {attributes} "  # noqa: S608 - quoted
        f"and service_instance_id {instance} and time >= {literal(iso_time(start_ns))} "
        f"and time < {literal(iso_time(end_ns))} order by time"
    )


def _window(grid: Grid, series: Series, start_ns: int, end_ns: int) -> str:
    service = "" if series.service is None else f", service := {literal(series.service)}"
    return (
        f"last := '{(end_ns - start_ns) / SECOND_NS:g} seconds', until := {literal(iso_time(end_ns))}, "
        f"step := '{grid.step_ns / SECOND_NS:g} seconds'{service}"
    )
