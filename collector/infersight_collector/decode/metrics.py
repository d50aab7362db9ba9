"""Data points and exemplars of a walked request in the layout of the `metrics` and `exemplars` tables."""

# pyarrow publishes no types:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
from opentelemetry.proto.metrics.v1.metrics_pb2 import Exemplar, Metric, NumberDataPoint

from infersight_collector.decode.attributes import AttributeColumns, attribute_columns, json_column
from infersight_collector.decode.buffers import (
    bool_array,
    double_array,
    enum_array,
    int_array,
    list_array,
    saturate,
)
from infersight_collector.decode.columns import count_column, id_column, text_column, time_column
from infersight_collector.decode.kernels import Ints
from infersight_collector.decode.source import source_columns
from infersight_collector.decode.walk import Tables

TEMPORALITIES: Final = ("UNSPECIFIED", "DELTA", "CUMULATIVE")

GAUGE: Final = Metric.GAUGE_FIELD_NUMBER
SUM: Final = Metric.SUM_FIELD_NUMBER
HISTOGRAM: Final = Metric.HISTOGRAM_FIELD_NUMBER
EXPONENTIAL: Final = Metric.EXPONENTIAL_HISTOGRAM_FIELD_NUMBER
SUMMARY: Final = Metric.SUMMARY_FIELD_NUMBER

_TYPE_NAMES: Final = {
    GAUGE: "gauge",
    SUM: "sum",
    HISTOGRAM: "histogram",
    EXPONENTIAL: "exponential_histogram",
    SUMMARY: "summary",
}

_EXEMPLAR_SOURCE: Final = (
    "service_name",
    "service_version",
    "service_instance_id",
    "resource_attributes",
    "resource_attributes_other",
    "scope_name",
)
"""What the `exemplars` table keeps of the resource and scope."""

_INSIDE_POINTS: Final = {
    "data_points.attributes": "data_points",
    "data_points.bucket_counts": "data_points",
    "data_points.explicit_bounds": "data_points",
    "data_points.positive.bucket_counts": "data_points",
    "data_points.negative.bucket_counts": "data_points",
    "quantile_values": "data_points",
    "exemplars": "data_points",
    "exemplars.filtered_attributes": "exemplars",
}
"""Tables inside data points, each with the table around it, outer ones first."""


@dataclass(frozen=True)
class _Points:
    """What the data points of a request belong to.

    Attributes:
        data: for each point the row of its gauge, sum, ... in `data`.
        metric: for each point the row of its metric.
        kind: for each point the case of its metric's `data`.
        attributes: the columns of the points' own attributes.
        source: the resource and scope columns of each point.
    """

    data: Ints
    metric: Ints
    kind: Ints
    attributes: AttributeColumns
    source: dict[str, Any]


def metric_tables(tables: Tables) -> dict[str, dict[str, Any]]:
    """The columns of the `metrics` table, one row a data point, and of `exemplars`, in the order of the request."""
    tables = _without_replaced(tables)
    data = tables.column("data_points", "parent")
    metric = tables.column("data", "parent")[data]
    exemplars = len(tables.rows["exemplars"])
    points = _Points(
        data=data,
        metric=metric,
        kind=tables.column("metrics", "data.case")[metric],
        attributes=attribute_columns(tables, "data_points.attributes", len(data), exemplars),
        source=source_columns(tables, tables.column("metrics", "parent")[metric], exemplars),
    )
    return {
        "metrics": _point_columns(tables, points),
        "exemplars": _exemplar_columns(tables, points),
    }


def _without_replaced(tables: Tables) -> Tables:
    """The request without data points whose gauge, sum, ... a later one of the same metric replaced."""
    parents = tables.column("data_points", "parent")
    is_live = tables.column("metrics", "data")[tables.column("data", "parent")[parents]] == parents
    if is_live.all():
        return tables
    kept = {"data_points": is_live}
    rows = tables.rows | {"data_points": tables.rows["data_points"][is_live]}
    for table, around in _INSIDE_POINTS.items():
        kept[table] = kept[around][tables.rows[table][:, 0]]
        rows[table] = tables.rows[table][kept[table]]
        rows[table][:, 0] = (np.cumsum(kept[around]) - 1)[rows[table][:, 0]]
    return replace(tables, rows=rows)


def _point_columns(tables: Tables, points: _Points) -> dict[str, Any]:
    return {
        "time_ns": time_column(tables, "data_points", "time_unix_nano"),
        "start_time_ns": time_column(tables, "data_points", "start_time_unix_nano"),
        **_metric_columns(tables, points),
        "flags": count_column(tables, "data_points", "flags"),
        **_number_columns(tables, "data_points", NumberDataPoint.AS_INT_FIELD_NUMBER),
        **_distribution_columns(tables, points),
        **_histogram_columns(tables, points.kind == HISTOGRAM),
        **_exponential_columns(tables, points.kind == EXPONENTIAL),
        "quantiles": _quantiles(tables, points.kind == SUMMARY),
        **points.source,
        **points.attributes.named("attributes"),
    }


def _metric_columns(tables: Tables, points: _Points) -> dict[str, Any]:
    """What the metric says of all its points."""
    metric = pa.array(points.metric)
    metadata = json_column(tables, "metrics.metadata", len(tables.rows["metrics"]))
    temporality = tables.column("data", "aggregation_temporality")[points.data]
    is_monotonic = tables.column("data", "is_monotonic")[points.data]
    return {
        "name": text_column(tables, "metrics", "name").take(metric),
        "description": text_column(tables, "metrics", "description").take(metric),
        "unit": text_column(tables, "metrics", "unit").take(metric),
        "metadata": metadata.take(metric),
        "type": _type_names(points.kind),
        "temporality": enum_array(temporality, TEMPORALITIES, np.isin(points.kind, (SUM, HISTOGRAM, EXPONENTIAL))),
        "is_monotonic": bool_array(is_monotonic, points.kind == SUM),
    }


def _type_names(kinds: Ints) -> Any:
    names = tuple(_TYPE_NAMES.get(kind, "") for kind in range(max(_TYPE_NAMES) + 1))
    return enum_array(kinds, names)


def _number_columns(tables: Tables, table: str, int_case: int) -> dict[str, Any]:
    """The value of a number point or exemplar: always as a double, and exactly where it is an integer."""
    case, value = tables.column(table, "value.case"), tables.column(table, "value")
    is_int = case == int_case
    return {
        "value": double_array(np.where(is_int, value.astype(np.float64).view(np.int64), value), case != 0),
        "value_int": int_array(value, is_int),
    }


def _distribution_columns(tables: Tables, points: _Points) -> dict[str, Any]:
    """What histograms of both kinds and summaries share."""
    is_summary = points.kind == SUMMARY
    is_distribution = is_summary | np.isin(points.kind, (HISTOGRAM, EXPONENTIAL))
    optional = {
        name: (tables.column("data_points", name), tables.column("data_points", f"{name}.case") != 0)
        for name in ("sum", "min", "max")
    }
    total, has_sum = optional["sum"]
    return {
        "count": int_array(saturate(tables.column("data_points", "count")), is_distribution),
        "sum": double_array(total, has_sum | is_summary),
        "min": double_array(*optional["min"]),
        "max": double_array(*optional["max"]),
    }


def _histogram_columns(tables: Tables, present: Any) -> dict[str, Any]:
    return {
        "bounds": _list(tables, "explicit_bounds", present, double_array),
        "bucket_counts": _list(tables, "bucket_counts", present, _counts),
    }


def _exponential_columns(tables: Tables, present: Any) -> dict[str, Any]:
    def column(name: str) -> Ints:
        return tables.column("data_points", name)

    return {
        "scale": int_array(column("scale"), present).cast(pa.int32()),
        "zero_count": int_array(saturate(column("zero_count")), present),
        "zero_threshold": double_array(column("zero_threshold"), present),
        "positive_offset": int_array(column("positive.offset"), present).cast(pa.int32()),
        "positive_bucket_counts": _list(tables, "positive.bucket_counts", present, _counts),
        "negative_offset": int_array(column("negative.offset"), present).cast(pa.int32()),
        "negative_bucket_counts": _list(tables, "negative.bucket_counts", present, _counts),
    }


def _quantiles(tables: Tables, present: Any) -> Any:
    rows = len(tables.rows["quantile_values"])
    every = np.ones(rows, np.bool_)
    elements = pa.StructArray.from_arrays(
        [double_array(tables.column("quantile_values", name), every) for name in ("quantile", "value")],
        names=["quantile", "value"],
    )
    return list_array(tables.column("quantile_values", "parent"), len(present), elements, present)


def _list(tables: Tables, name: str, present: Any, build: Any) -> Any:
    table = f"data_points.{name}"
    values = tables.column(table, "value")
    elements = build(values, np.ones(len(values), np.bool_))
    return list_array(tables.column(table, "parent"), len(present), elements, present)


def _counts(values: Ints, present: Any) -> Any:
    return int_array(saturate(values), present)


def _exemplar_columns(tables: Tables, points: _Points) -> dict[str, Any]:
    point = tables.column("exemplars", "parent")
    index = pa.array(point)
    rows = len(point)
    return {
        "time_ns": time_column(tables, "exemplars", "time_unix_nano"),
        "metric_name": text_column(tables, "metrics", "name").take(pa.array(points.metric[point])),
        "metric_type": _type_names(points.kind[point]),
        **_number_columns(tables, "exemplars", Exemplar.AS_INT_FIELD_NUMBER),
        "trace_id": id_column(tables, "exemplars", "trace_id"),
        "span_id": id_column(tables, "exemplars", "span_id"),
        **attribute_columns(tables, "exemplars.filtered_attributes", rows).named("attributes"),
        "point_time_ns": time_column(tables, "data_points", "time_unix_nano").take(index),
        **points.attributes.take(index).named("point_attributes"),
        **{name: points.source[name].take(index) for name in _EXEMPLAR_SOURCE if name in points.source},
    }
