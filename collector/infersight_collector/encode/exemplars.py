"""The `exemplars` table back to the exemplars of data points, which are found by what the rows say of them."""

# pyarrow publishes no types:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportUnknownLambdaType=false
# pyright: reportAttributeAccessIssue=false
# pyarrow.compute makes its functions when it is imported.

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from infersight_collector.decode.kernels import Ints
from infersight_collector.encode.attributes import attribute_fields, struct_fields
from infersight_collector.encode.fields import (
    Column,
    Ragged,
    concatenate,
    fixed64,
    group,
    hex_id,
    message,
    text,
    written,
)
from infersight_collector.encode.grouping import Columns, rows_of, take

_JOINED: Final = {
    "metric_name": "name",
    "metric_type": "type",
    "point_time_ns": "time_ns",
    "point_attributes": "attributes",
    "point_attributes_other": "attributes_other",
    "service_name": "service_name",
    "service_version": "service_version",
    "service_instance_id": "service_instance_id",
    "resource_attributes": "resource_attributes",
    "resource_attributes_other": "resource_attributes_other",
    "scope_name": "scope_name",
}
"""Columns of exemplars, and those of their data points that say the same."""


def exemplar_records(points: Columns, exemplars: Columns, numbers: Ints) -> Ragged:
    """For each data point its exemplars, as messages.

    An exemplar goes to the first data point that its row describes; one whose data point is not there is left out,
    since OTLP has no other place for it.

    Args:
        points: columns of the `metrics` table.
        exemplars: columns of the `exemplars` table.
        numbers: of the field that exemplars are, by data point; 0 where it cannot have any.
    """
    described = {column: exemplars[name] for name, column in _JOINED.items() if name in exemplars}
    same = _identity({column: points[column] for column in _JOINED.values() if column in points})
    index = pc.index_in(_identity(described), value_set=same).fill_null(-1).to_numpy(zero_copy_only=False)
    found = np.flatnonzero((index >= 0) & (numbers[index] > 0))
    order = found[np.argsort(index[found], kind="stable")]
    parents = index[order]
    messages = message(numbers[parents], _exemplar(take(exemplars, order)))
    return written(group(messages, np.searchsorted(parents, np.arange(len(numbers) + 1))))


def _identity(columns: Columns) -> Any:
    """For each row bytes that say what is in its columns, with attributes in the order of their names."""
    parts: list[Column] = []
    for number, name in enumerate(sorted({*columns} - {"attributes", "resource_attributes"}), 3):
        write = text if pa.types.is_string(columns[name].type) else fixed64
        parts.append(write(number, columns[name]))
    for number, name in enumerate(("attributes", "resource_attributes"), 1):
        fields = sorted(struct_fields(columns.get(name)), key=lambda field: field[0].name)
        if fields:
            struct = pa.StructArray.from_arrays([values for _, values in fields], fields=[field for field, _ in fields])
            parts.append(attribute_fields(number, {name: struct}, name, rows_of(columns)))
    return written(concatenate(parts)).arrow()


def _exemplar(columns: Columns) -> Column:
    """The fields of `opentelemetry.proto.metrics.v1.Exemplar` of each row."""
    return concatenate(
        [
            fixed64(2, columns["time_ns"]),
            *number_value(3, 6, columns),
            hex_id(4, columns["span_id"]),
            hex_id(5, columns["trace_id"]),
            attribute_fields(7, columns, "attributes", rows_of(columns)),
        ]
    )


def number_value(as_double: int, as_int: int, columns: Columns) -> list[Column]:
    """The value of number points and exemplars: the integer where there is one, else the double."""
    exact = columns["value_int"]
    inexact = pc.if_else(exact.is_valid(), pa.scalar(None, pa.float64()), columns["value"])
    return [fixed64(as_double, inexact), fixed64(as_int, exact)]
