"""The values of metrics in a store, as SQL: of requests, of their spans, of their predictions."""

from dataclasses import dataclass, replace
from typing import Final

import duckdb

from infersight_analysis.errors import AnalysisError
from infersight_analysis.experiments.metrics import DURATION, Metric
from infersight_analysis.stored import literal

_OF_REQUESTS: Final = {"errors": "(status_code = 'ERROR')::double", DURATION: "duration_ns::double"}
_OF_PREDICTIONS: Final = {
    "accuracy": "(label = label_true)::double",
    "confidence": "confidence",
    "entropy": "entropy",
    "prediction_errors": "(error_type is not null)::double",
}
_CLASSES: Final = ("label", "label_true")


@dataclass(frozen=True)
class Source:
    """Where the values of a metric are.

    Args:
        view: `requests`, or the view whose rows have a trace id.
        value: an expression in SQL, null where there is no value.
        divisor: that of the divisor.
    """

    view: str
    value: str
    divisor: str

    def query(self, exposed: str, columns: str) -> str:
        """A query of columns of exposed requests with `value` and `divisor`; in the order of the requests.

        Args:
            exposed: a table of requests with `trace_id`.
            columns: those of it to select.
        """
        rows = exposed if self.view == "requests" else f"{exposed} join found using (trace_id)"
        found = (
            ""
            if self.view == "requests"
            else f"with found as (select trace_id, {self.value} as value, {self.divisor} as divisor from {self.view}) "  # noqa: S608 - built by our code
        )
        value = f"{self.value} as value, {self.divisor} as divisor" if self.view == "requests" else "value, divisor"
        return f"{found}select * from (select {columns}, {value} from {rows}) where value is not null"  # noqa: S608


def source_of(connection: duckdb.DuckDBPyConnection, metric: Metric) -> Source:
    """Where the values of a metric are.

    Raises:
        AnalysisError: nothing in the store has them.
    """
    views, values = zip(*(_expression(connection, name) for name in _names(metric)), strict=True)
    if len(set(views)) > 1:
        raise AnalysisError(f"{metric.value} is of {views[0]} and {metric.divisor} of {views[1]}: no ratio of both")
    return Source(views[0], values[0], values[1] if len(values) > 1 else "1::double")


def named(metric: Metric) -> Metric:
    """The metric as a store measures it: its durations are nanoseconds."""
    return replace(metric, is_duration=metric.value == DURATION and metric.divisor is None)


def _names(metric: Metric) -> list[str]:
    return [metric.value] if metric.divisor is None else [metric.value, metric.divisor]


def _expression(connection: duckdb.DuckDBPyConnection, name: str) -> tuple[str, str]:
    """The view that has a value, and how it is read there."""
    if name in _OF_REQUESTS:
        return "requests", _OF_REQUESTS[name]
    if name in _OF_PREDICTIONS:
        return "predictions", _OF_PREDICTIONS[name]
    column, equals, wanted = name.partition("=")
    if equals and column in _CLASSES:
        return "predictions", f"({column} = {literal(wanted)})::double"
    keys = _tables_of(connection, column)
    reading = f"attributes[{literal(column)}]"
    value = f"({reading}::varchar = {literal(wanted)})::double" if equals else f"try_cast({reading} as double)"
    if "spans" in keys:
        return "spans", value
    if "logs" in keys:
        return "logs", value
    known = ", ".join((*_OF_REQUESTS, *_OF_PREDICTIONS))
    raise AnalysisError(f"nothing here has {column!r}: give {known}, label=CLASS, or an attribute of spans or logs")


def _tables_of(connection: duckdb.DuckDBPyConnection, key: str) -> set[str]:
    sql = "select table_name from attribute_keys where column_name = 'attributes' and key = $key"
    return {table for (table,) in connection.execute(sql, {"key": key}).fetchall()}
