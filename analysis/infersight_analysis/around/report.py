"""What happened around a moment, of every signal."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final

import duckdb
import numpy as np

from infersight_analysis.anomalies.series import REQUESTS
from infersight_analysis.around.moment import Moment
from infersight_analysis.around.series import metric_around, moved, series_around
from infersight_analysis.deployments.marks import marks
from infersight_analysis.errors import AnalysisError
from infersight_analysis.failures.errors import errors
from infersight_analysis.failures.fingerprint import skeleton_of
from infersight_analysis.findings import (
    AnomalyAround,
    Evidence,
    Exemplar,
    NewTemplate,
    ServiceAround,
)
from infersight_analysis.options import Window
from infersight_analysis.reading import query
from infersight_analysis.stats.tables import p_values
from infersight_analysis.stored import literal
from infersight_analysis.times import iso_time, short_duration

_ERRORS: Final = 5
_TEMPLATES: Final = 20
_CHANCE: Final = 0.05
_ERROR_SEVERITY: Final = 17


def anomaly_around(
    connection: duckdb.DuckDBPyConnection, metric: str, moment: Moment, *, service: str | None = None
) -> AnomalyAround:
    """What happened when a metric was unusual: in the metric, in requests, errors, logs, releases and other series.

    Args:
        connection: from `connect`, of the window and its baseline at least.
        metric: name of the metric, or `requests`.
        moment: when.
        service: only this service's series of the metric.

    Raises:
        AnalysisError: there is no such metric around that time.
    """
    around = series_around(connection, moment, metric, service)
    if not around.chosen:
        raise AnalysisError(_unknown(connection, metric, moment))
    began = around.began
    began_ns = None if began is None else around.grid.time_ns(began)
    traces = {is_now: (count, failed) for is_now, count, failed in _rows(connection, "traces_around", moment.values)}
    examples = moment.values | {"metric": metric, "at_ns": began_ns or moment.at_ns}
    del examples["from_ns"]
    exemplars = [
        Exemplar(row[0], row[1], iso_time(row[2]), row[3]) for row in _rows(connection, "examples_around", examples)
    ]
    series = metric_around(around)
    return AnomalyAround(
        metric=metric,
        at=iso_time(moment.at_ns),
        began=None if began_ns is None else iso_time(began_ns),
        start=iso_time(moment.start_ns),
        end=iso_time(moment.end_ns),
        baseline_start=iso_time(moment.baseline_ns),
        series=series,
        traces=traces.get(True, (0.0, 0.0))[0],
        failed_traces=traces.get(True, (0.0, 0.0))[1],
        baseline_traces=traces.get(False, (0.0, 0.0))[0],
        baseline_failed_traces=traces.get(False, (0.0, 0.0))[1],
        services=_services(connection, moment),
        errors=errors(connection, window=moment.window, limit=_ERRORS).errors,
        templates=_templates(connection, moment),
        marks=list(_marks(connection, moment)),
        moved=list(moved(around, began_ns or moment.at_ns)),
        exemplars=exemplars,
        notes=[] if series[0].median is not None else ["too few points before the window to know what is usual"],
        evidence=Evidence([each.trace_id for each in exemplars], [_sql(metric, moment)]),
    )


def _rows(connection: duckdb.DuckDBPyConnection, name: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    return connection.execute(query(name), values).fetchall()


def _unknown(connection: duckdb.DuckDBPyConnection, metric: str, moment: Moment) -> str:
    names = [name for (name,) in connection.execute("select distinct name from metrics").fetchall()]
    near = get_close_matches(metric, [*names, REQUESTS], 3)
    hint = f"did you mean {' or '.join(near)}?" if near else "`infersight store info` lists the metrics"
    return f"no points of {metric} around {iso_time(moment.at_ns)[:19]}Z: {hint}"


def _services(connection: duckdb.DuckDBPyConnection, moment: Moment) -> list[ServiceAround]:
    """Those that served requests, most unlike their baseline first."""
    sides: defaultdict[str | None, dict[bool, tuple[float, float, int | None]]] = defaultdict(dict)
    for service, is_now, requests, failed, median in _rows(connection, "services_around", moment.values):
        sides[service][is_now] = (requests, failed, median)
    found: list[ServiceAround] = []
    for service, side in sides.items():
        now, before = side.get(True, (0.0, 0.0, None)), side.get(False, (0.0, 0.0, None))
        p_value = None
        if now[0] and before[0]:
            counts = (np.array([round(number)], np.int64) for number in (now[1], before[1], now[0], before[0]))
            p_value = float(p_values(*counts)[0])
        found.append(ServiceAround(service, *now, *before, p_value))
    return sorted(found, key=lambda each: (each.p_value if each.p_value is not None else 1.0, -each.requests))


@dataclass
class _Counts:
    """How often a template was logged, and what is known of it."""

    now: float = 0.0
    before: float = 0.0
    severity: int = 0
    severity_text: str | None = None
    first_ns: list[int] = field(default_factory=list[int])
    examples: list[str] = field(default_factory=list[str])


def _templates(connection: duckdb.DuckDBPyConnection, moment: Moment) -> list[NewTemplate]:
    """What was logged in the window and not before, errors first; a single line that is no error may be chance."""
    counts: defaultdict[tuple[str | None, str], _Counts] = defaultdict(_Counts)
    for service, template, now, before, severity, text, first_ns, example in _rows(
        connection, "templates_around", moment.values
    ):
        each = counts[service, skeleton_of(template or "")]
        each.now += now or 0.0
        each.before += before or 0.0
        if (severity or 0) > each.severity:
            each.severity, each.severity_text = severity, text
        each.first_ns += [first_ns] if first_ns is not None else []
        each.examples += [example] if example is not None else []
    found = [
        (each.severity, NewTemplate(
            template, service, each.severity_text, each.now, iso_time(min(each.first_ns)),
            each.examples[0] if each.examples else None, moment.share**each.now,
        ))
        for (service, template), each in counts.items()
        if each.now > 0 and not each.before and (each.severity >= _ERROR_SEVERITY or moment.share**each.now <= _CHANCE)
    ]  # fmt: skip
    return [new for _, new in sorted(found, key=lambda pair: (-pair[0], -pair[1].count))][:_TEMPLATES]


def _marks(connection: duckdb.DuckDBPyConnection, moment: Moment) -> Iterator[str]:
    for mark in marks(connection, Window(moment.baseline_ns, moment.end_ns)):
        offset = mark.time_ns - moment.at_ns
        yield f"{mark.statement}, {short_duration(abs(offset))} {'before' if offset <= 0 else 'after'}"


def _sql(metric: str, moment: Moment) -> str:
    times = f"time >= {literal(iso_time(moment.baseline_ns))} and time < {literal(iso_time(moment.end_ns))}"
    if metric == REQUESTS:
        return (
            "select time_bucket(interval 30 seconds, start_time) as time, service_name, count(*), "  # noqa: S608 - quoted
            "count(*) filter (status_code = 'ERROR') as failed, quantile_cont(duration_ns, 0.99) as p99_ns from spans "
            f"where kind = 'SERVER' and start_{times.replace(' and time', ' and start_time')} group by all order by 1"
        )
    columns = "time, service_name, service_instance_id, value, count, sum, attributes"
    return f"select {columns} from metrics where name = {literal(metric)} and {times} order by time"  # noqa: S608
