"""The `logs` table back to log records: the inverse of `decode.logs`."""

# pyarrow publishes no types:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportAttributeAccessIssue=false
# pyarrow.compute makes its functions when it is imported.

import pyarrow as pa
import pyarrow.compute as pc

from infersight_collector.encode.attributes import attribute_fields
from infersight_collector.encode.fields import Column, concatenate, fixed32, fixed64, hex_id, message, text, varint
from infersight_collector.encode.grouping import Columns, rows_of
from infersight_collector.encode.values import value_fields
from infersight_collector.encode.weights import with_weights


def log_fields(columns: Columns) -> Column:
    """The fields of `opentelemetry.proto.logs.v1.LogRecord` of each row."""
    columns = with_weights(columns)
    return concatenate(
        [
            fixed64(1, columns["time_ns"]),
            varint(2, columns["severity_number"]),
            text(3, columns["severity_text"]),
            message(5, _body(columns), keep_empty=False),
            attribute_fields(6, columns, "attributes", rows_of(columns)),
            varint(7, columns["dropped_attributes_count"]),
            fixed32(8, columns["flags"]),
            hex_id(9, columns["trace_id"]),
            hex_id(10, columns["span_id"]),
            fixed64(11, columns["observed_time_ns"]),
            text(12, columns["event_name"]),
        ]
    )


def _body(columns: Columns) -> Column:
    """The fields of the bodies, by their types: one part for each type that occurs."""
    body, types = columns["body"], columns["body_type"].fill_null("string")
    null = pa.scalar(None, pa.string())
    parts: list[Column] = []
    for kind in pc.unique(types).to_pylist():
        of_kind = pc.if_else(pc.equal(types, kind), body, null)
        is_container = kind in ("array", "map")
        parts.append(text(1, of_kind) if kind == "string" else value_fields(of_kind, keep_maps=is_container))
    return concatenate(parts)
