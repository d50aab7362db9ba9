"""Which rows to export: all, or those of some traces with the metrics around them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import duckdb

from infersight_analysis.reading import resolve_trace
from infersight_analysis.stored import TABLES, literal, literals
from infersight_analysis.times import SECOND_NS

PADDING_NS: Final = 60 * SECOND_NS
"""How long before and after a trace metrics are of interest: a period of their export."""


@dataclass(frozen=True)
class Selection:
    """Conditions in SQL, by stored table; they hold for the views of the same names too."""

    conditions: dict[str, str]


EVERYTHING: Final = Selection(dict.fromkeys(TABLES, "true"))
"""All rows that a connection has."""


def of_traces(connection: duckdb.DuckDBPyConnection, prefixes: Sequence[str]) -> Selection:
    """The spans, logs and exemplars of some traces, and the metrics of the processes that served them around that time.

    Data points that carry an exemplar of the traces are among them, whenever they were made.

    Args:
        connection: from `connect`.
        prefixes: beginnings of trace ids, each of one trace.

    Raises:
        AnalysisError: there is no such trace, or more than one.
    """
    ids = literals(resolve_trace(connection, prefix) for prefix in prefixes)
    conditions = dict.fromkeys(TABLES, f"trace_id in ({ids})")
    conditions["metrics"] = " or ".join([*_around(connection, ids), *_carriers(connection, ids)]) or "false"
    return Selection(conditions)


def _around(connection: duckdb.DuckDBPyConnection, ids: str) -> Iterator[str]:
    processes = f"""
        select service_name, service_instance_id, min(start_time_ns), max(coalesce(end_time_ns, start_time_ns))
        from spans where trace_id in ({ids}) group by trace_id, 1, 2 order by 3"""  # noqa: S608 - quoted
    for service, instance, start_ns, end_ns in connection.execute(processes).fetchall():
        # Where either side names no instance, the service has to do.
        process = "true" if instance is None else f"coalesce(service_instance_id = {literal(instance)}, true)"
        time = f"time_ns between {start_ns - PADDING_NS} and {end_ns + PADDING_NS}"
        yield f"({_equals('service_name', service)} and {process} and {time})"


def _carriers(connection: duckdb.DuckDBPyConnection, ids: str) -> Iterator[str]:
    sql = f"select distinct metric_name, point_time_ns from stored.exemplars where trace_id in ({ids})"  # noqa: S608
    points = connection.execute(sql).fetchall()
    if points:
        yield f"(name, time_ns) in ({', '.join(f'({literal(name)}, {time})' for name, time in points)})"


def _equals(column: str, value: Any) -> str:
    return f"{column} is null" if value is None else f"{column} = {literal(value)}"
