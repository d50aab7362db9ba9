"""The `metrics` and `exemplars` tables back to metrics: the inverse of `decode.metrics`."""

# pyarrow publishes no types:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportAttributeAccessIssue=false
# pyarrow.compute makes its functions when it is imported.

from collections.abc import Callable
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from infersight_collector.decode.kernels import Ints
from infersight_collector.decode.metrics import EXPONENTIAL, GAUGE, HISTOGRAM, SUM, SUMMARY, TEMPORALITIES
from infersight_collector.encode.attributes import attribute_fields
from infersight_collector.encode.enums import enum_numbers
from infersight_collector.encode.exemplars import exemplar_records, number_value
from infersight_collector.encode.fields import (
    Column,
    Ragged,
    concatenate,
    fixed64,
    group,
    list_parts,
    message,
    packed_fixed64,
    packed_varint,
    sint,
    text,
    varint,
    written,
)
from infersight_collector.encode.grouping import Columns, Level, distinct, rows_of, take
from infersight_collector.encode.values import member_fields

_KINDS: Final = {
    "gauge": GAUGE,
    "sum": SUM,
    "histogram": HISTOGRAM,
    "exponential_histogram": EXPONENTIAL,
    "summary": SUMMARY,
}

_METRIC: Final = ("name", "description", "unit", "metadata", "type", "temporality", "is_monotonic")


def metric_level(columns: Columns) -> Level:
    """The metrics that data points are in: the field `metrics` of a scope."""
    ids, different = distinct(columns, _METRIC, _identity)
    data = written(_data(different))
    kinds = _kinds(different)

    def wrap(points: Column, rows: Ints) -> Column:
        return message(kinds[rows], concatenate([points, data.take(rows).column()]))

    return Level(2, written(_metric(different)), ids, wrap)


def point_records(columns: Columns, exemplars: Columns | None) -> Ragged:
    """The data points as messages of the field `data_points`.

    Args:
        columns: of the `metrics` table.
        exemplars: of the `exemplars` table; those whose data point is not there are left out.
    """
    kinds = _kinds(columns)
    of_exemplars = np.array([_POINTS[kind][0] if kind in _POINTS else 0 for kind in range(kinds.max() + 1)], np.int64)
    joined = None if exemplars is None else exemplar_records(columns, exemplars, of_exemplars[kinds])
    parts: list[Ragged] = []
    rows: list[Ints] = []
    for kind in np.unique(kinds).tolist():
        own = np.flatnonzero(kinds == kind)
        fields = [_POINTS[kind][1](take(columns, own))]
        if joined is not None:
            fields.append(joined.take(own).column())
        parts.append(written(message(1, concatenate(fields))))
        rows.append(own)
    return _stacked(parts).take(np.argsort(np.concatenate(rows)))


def _stacked(parts: list[Ragged]) -> Ragged:
    """Rows of several, those of one behind those of the other."""
    begins = np.cumsum([0, *(len(part.data) for part in parts)]).tolist()
    starts = np.concatenate([part.starts + begin for part, begin in zip(parts, begins, strict=False)])
    data = np.concatenate([part.data for part in parts])
    data.flags.writeable = False
    return Ragged(data, starts, np.concatenate([part.lengths for part in parts]))


def _kinds(columns: Columns) -> Ints:
    """The field of a metric that the type of each row is."""
    types = columns["type"]
    unknown = [name for name in pc.unique(types).to_pylist() if name not in _KINDS]
    if unknown:
        raise ValueError(f"'{unknown[0]}' is no type of a metric: write one of {', '.join(_KINDS)}")
    numbers = pa.array(list(_KINDS.values()), pa.int64())
    index = pc.index_in(types, value_set=pa.array(list(_KINDS), pa.string()))
    return numbers.take(index).to_numpy(zero_copy_only=False)


def _metric(columns: Columns) -> Column:
    return concatenate(
        [
            text(1, columns["name"]),
            text(2, columns["description"]),
            text(3, columns["unit"]),
            member_fields(12, columns["metadata"]),
        ]
    )


def _identity(columns: Columns) -> Column:
    return concatenate([_metric(columns), text(1, columns["type"]), _data(columns)])


def _data(columns: Columns) -> Column:
    """What sums and histograms say of all their points."""
    temporality = varint(2, enum_numbers(columns["temporality"], TEMPORALITIES))
    return concatenate([temporality, varint(3, columns["is_monotonic"])])


def _number_point(columns: Columns) -> Column:
    return concatenate(
        [
            *_times(columns),
            *number_value(4, 6, columns),
            attribute_fields(7, columns, "attributes", rows_of(columns)),
            varint(8, columns["flags"]),
        ]
    )


def _histogram_point(columns: Columns) -> Column:
    return concatenate(
        [
            *_times(columns),
            fixed64(4, columns["count"]),
            fixed64(5, columns["sum"]),
            packed_fixed64(6, columns["bucket_counts"]),
            packed_fixed64(7, columns["bounds"]),
            attribute_fields(9, columns, "attributes", rows_of(columns)),
            varint(10, columns["flags"]),
            fixed64(11, columns["min"]),
            fixed64(12, columns["max"]),
        ]
    )


def _exponential_point(columns: Columns) -> Column:
    return concatenate(
        [
            attribute_fields(1, columns, "attributes", rows_of(columns)),
            *_times(columns),
            fixed64(4, columns["count"]),
            fixed64(5, columns["sum"]),
            sint(6, columns["scale"]),
            fixed64(7, columns["zero_count"]),
            _buckets(8, columns, "positive"),
            _buckets(9, columns, "negative"),
            varint(10, columns["flags"]),
            fixed64(12, columns["min"]),
            fixed64(13, columns["max"]),
            fixed64(14, columns["zero_threshold"]),
        ]
    )


def _buckets(number: int, columns: Columns, which: str) -> Column:
    fields = [sint(1, columns[f"{which}_offset"]), packed_varint(2, columns[f"{which}_bucket_counts"])]
    return message(number, concatenate(fields), keep_empty=False)


def _summary_point(columns: Columns) -> Column:
    bounds, elements = list_parts(columns["quantiles"])
    quantile, value = elements.flatten()
    quantiles = message(6, concatenate([fixed64(1, quantile), fixed64(2, value)]))
    return concatenate(
        [
            *_times(columns),
            fixed64(4, columns["count"]),
            fixed64(5, columns["sum"]),
            group(quantiles, bounds),
            attribute_fields(7, columns, "attributes", rows_of(columns)),
            varint(8, columns["flags"]),
        ]
    )


def _times(columns: Columns) -> list[Column]:
    return [fixed64(2, columns["start_time_ns"]), fixed64(3, columns["time_ns"])]


_POINTS: Final[dict[int, tuple[int, Callable[[Columns], Column]]]] = {
    GAUGE: (5, _number_point),
    SUM: (5, _number_point),
    HISTOGRAM: (8, _histogram_point),
    EXPONENTIAL: (11, _exponential_point),
    SUMMARY: (0, _summary_point),
}
"""For each type of metric the field of the points' exemplars, 0 where they have none, and what encodes the rest."""
